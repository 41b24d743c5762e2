# postfix: an instance of Postfix for the old and one for the new server, each
# with configuration, queue, data and log in a folder of its own.
#
# It accepts mail for the lab's domain from loopback only, and hands it to
# that server. Mail for elsewhere is refused: nothing leaves this machine.

# postfix_main FOLDER NAME TRANSPORT
postfix_main()
{
	cat <<END
compatibility_level = 3.6
queue_directory = $1/queue
data_directory = $1/data
maillog_file = $1/postfix.log
maillog_file_prefixes = $1
myhostname = $(lab_host "$2")
mydomain = $DOMAIN
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtp_tls_security_level = none
smtpd_tls_security_level = none
alias_maps =
alias_database =
virtual_mailbox_domains = $DOMAIN
virtual_mailbox_maps = texthash:$1/mailboxes
virtual_transport = $3
virtual_mailbox_base = $DIR/old/mail
virtual_uid_maps = static:$MAIL_ID
virtual_gid_maps = static:$MAIL_ID
virtual_minimum_uid = 1000
default_transport = error:5.7.1 the lab sends nothing to the outside
relay_transport = error:5.7.1 the lab sends nothing to the outside
message_size_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_count_limit = 0
lmtp_destination_concurrency_limit = 20
minimal_backoff_time = 5s
maximal_backoff_time = 20s
queue_run_delay = 5s
import_environment = MAIL_CONFIG TZ DOVECOT_MIGRATION_LAB=$DIR
END
	milter_postfix "$2"
}

# postfix_master PORT: Debian's services, without chroot
postfix_master()
{
	cat <<END
127.0.0.1:$1 inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
END
}

postfix_there()
{
	command -v postfix >/dev/null
}

# postfix_start NAME PORT TRANSPORT: begin to start; postfix_wait ends that
postfix_start()
{
	postfix_there || return 0
	folder=$DIR/$1/postfix
	mkdir -p "$folder/queue" "$folder/data"
	chown postfix "$folder/data"
	for user in $USERS; do
		echo "$user@$DOMAIN $user/Maildir/"
	done >"$folder/mailboxes"
	postfix_main "$folder" "$1" "$3" >"$folder/main.cf"
	postfix_master "$2" >"$folder/master.cf"
	# Its checks take a second; meanwhile the other servers start.
	DOVECOT_MIGRATION_LAB=$DIR postfix -c "$folder" start \
		>>"$DIR/log/$1-postfix.out" 2>&1 8<&- &
	eval "postfix_start_$1=$!"
}

# postfix_wait NAME PORT: until it has started
postfix_wait()
{
	postfix_there || return 0
	folder=$DIR/$1/postfix
	eval "wait \$postfix_start_$1" || {
		tail -n 20 "$folder/postfix.log" >&2 2>/dev/null || :
		fail "Postfix doesn't start: see $DIR/log/$1-postfix.out"
	}
	process_adopt "$1-postfix" "$(tr -d ' ' <"$folder/queue/pid/master.pid")"
	port_wait "$2" "$1-postfix"
}

# postfix_env PREFIX NAME PORT
postfix_env()
{
	if postfix_there; then
		echo "$1_SMTP=127.0.0.1:$3"
		echo "$1_SMTP_LOG=$DIR/$2/postfix/postfix.log"
		echo "$1_SMTP_CONF=$DIR/$2/postfix"
	else
		echo "$1_SMTP="
		echo "$1_SMTP_LOG="
		echo "$1_SMTP_CONF="
	fi
}
