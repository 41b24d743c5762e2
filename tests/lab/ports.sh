# ports: the lab's TCP ports, all on 127.0.0.1 and counted from PORT_BASE.

ports_set()
{
	PORT_OLD_IMAP=$((PORT_BASE + 0))
	PORT_OLD_POP3=$((PORT_BASE + 1))
	PORT_OLD_SMTP=$((PORT_BASE + 2))
	PORT_OLD_LMTP=$((PORT_BASE + 3))
	PORT_PROXY_IMAP=$((PORT_BASE + 4))
	PORT_PROXY_POP3=$((PORT_BASE + 5))
	PORT_SENDMAIL=$((PORT_BASE + 6))
	PORT_NEW_IMAP=$((PORT_BASE + 10))
	PORT_NEW_POP3=$((PORT_BASE + 11))
	PORT_NEW_SMTP=$((PORT_BASE + 12))
	PORT_NEW_LMTP=$((PORT_BASE + 13))
	PORTS="$PORT_OLD_IMAP $PORT_OLD_POP3 $PORT_OLD_SMTP $PORT_OLD_LMTP
		$PORT_PROXY_IMAP $PORT_PROXY_POP3 $PORT_SENDMAIL
		$PORT_NEW_IMAP $PORT_NEW_POP3 $PORT_NEW_SMTP $PORT_NEW_LMTP"
}

# Is anything listening on that port, on an address that concerns us?
port_listens()
{
	hex=$(printf '%04X' "$1")
	grep -Eq "^ *[0-9]+: (0100007F|00000000|0{32}|0{16}FFFF00000100007F):$hex [0-9A-F]+:[0-9A-F]+ 0A " \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# Ports that some other program has, or nothing
ports_taken()
{
	for port in "$@"; do
		! port_listens "$port" || echo "$port"
	done
}

ports_need_free()
{
	# shellcheck disable=SC2086
	taken=$(echo $(ports_taken $PORTS))
	[ -z "$taken" ] ||
		fail "port $taken on 127.0.0.1 is taken: choose another --port-base"
}

# port_wait PORT NAME: until the daemon of that session name listens
port_wait()
{
	wait_for 20 port_ready "$1" "$2" && process_running "$2" ||
		fail "$2 doesn't listen on port $1: see $DIR/log/$2.out"
}

port_ready()
{
	port_listens "$1" || process_ended "$2"
}
