# send: mail for the lab's users from outside, to either server or to both.
#
# Mails are numbered on from one `lab send` to the next ($DIR/sent), so that no
# two have the same Message-ID, but for those of --same, which both servers get.

# How long a mail may take from Postfix to the mailbox
SEND_TIMEOUT=60

# send_numbers COUNT: the first of so many numbers that nobody else gets
send_numbers()
{
	(
		flock 9
		read -r next <&9 || next=1
		echo $((next + $1)) >"$DIR/sent"
		echo "$next"
	) 9<>"$DIR/sent"
}

# send_server SERVER: how it's reached, for send-mail
send_server()
{
	case $1 in
	old) echo "127.0.0.1:$PORT_OLD_SMTP,127.0.0.1:$PORT_OLD_IMAP" ;;
	new) echo "127.0.0.1:$PORT_NEW_SMTP,127.0.0.1:$PORT_NEW_IMAP" ;;
	esac
}

# What Postfix hasn't delivered, and why
send_show_queue()
{
	say "still in the queue of the $1 server:"
	postqueue -c "$DIR/$1/postfix" -p >&2
}

# lab send old|new COUNT
send_command()
{
	lab_word send "$1" old new
	lab_number "send $1" "$2"
	postfix_there || {
		say "no mail can be sent: there is no Postfix"
		exit $EX_UNSUPPORTED
	}
	servers=$1
	[ "$SEND_SAME" = no ] || servers="$1 $(send_other "$1")"
	[ -z "$SEND_USER" ] || lab_word --user "$SEND_USER" $USERS
	first=$(send_numbers "$2")
	set -- --domain "$DOMAIN" --password "$PASSWORD" --first "$first" \
		--count "$2" --timeout "$SEND_TIMEOUT"
	for server in $servers; do
		set -- "$@" --server "$(send_server "$server")"
	done
	# shellcheck disable=SC2086
	"$BUILD/tests/lab/send-mail" "$@" ${SEND_USER:-$USERS} || {
		for server in $servers; do
			send_show_queue "$server"
		done
		exit 1
	}
}

send_other()
{
	[ "$1" = old ] && echo new || echo old
}
