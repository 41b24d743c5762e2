# syslog: the lab's own syslog daemon, so that report lines end where they can
# be read: in one file, as in the mail.log of a server.
#
# rsyslogd listens on a socket in the lab's folder. Who calls syslog(3) sees that
# socket as /dev/log, in a mount namespace with a /dev of its own
# (private-dev.sh): nothing of the machine's own log changes. Dovecot writes a
# file itself, which tests read; its report lines are taken from there.

SYSLOG_SOCKET=log/syslog.socket
REPORT_LOG=log/report.log

# Can this machine have it? Not where mounts aren't allowed, nor beside another
# syslog daemon, which Debian's packages exclude.
syslog_there()
{
	command -v rsyslogd >/dev/null && new_namespaces_allowed
}

syslog_config()
{
	cat <<END
global(workDirectory="$DIR/log/rsyslog" maxMessageSize="16k")
module(load="imuxsock" sysSock.use="off")
module(load="imfile")
template(name="asItIs" type="string" string="%msg%\n")
ruleset(name="dovecot") {
  if \$msg contains "migration: event=" then
    action(type="omfile" file="$DIR/$REPORT_LOG" template="asItIs")
}
input(type="imuxsock" socket="$DIR/$SYSLOG_SOCKET" rateLimit.interval="0")
input(type="imfile" file="$DIR/$NEW/dovecot.log" tag="dovecot:"
  ruleset="dovecot")
action(type="omfile" file="$DIR/$REPORT_LOG")
END
}

syslog_start()
{
	milter_there || return 0
	mkdir "$DIR/log/rsyslog" "$DIR/log/dev"
	: >"$DIR/$REPORT_LOG"
	(umask 077; : >>"$DIR/$NEW/dovecot.log")
	syslog_config >"$DIR/log/rsyslog.conf"
	process_start rsyslog rsyslogd -n -f "$DIR/log/rsyslog.conf" \
		-i "$DIR/log/rsyslog.pid"
}

# Until it has its socket
syslog_wait()
{
	milter_there || return 0
	wait_for 20 syslog_ready && process_running rsyslog ||
		fail "rsyslogd doesn't start: see $DIR/log/rsyslog.out"
}

syslog_ready()
{
	[ -S "$DIR/$SYSLOG_SOCKET" ] || process_ended rsyslog
}

# The words before a command that is to log there
syslog_run()
{
	echo "unshare --mount sh $PARTS/private-dev.sh $DIR/log/dev" \
		"$DIR/$SYSLOG_SOCKET"
}

# syslog_process_start NAME COMMAND...: as process_start, logging there
syslog_process_start()
{
	syslog_name=$1
	shift
	# shellcheck disable=SC2046
	process_start "$syslog_name" $(syslog_run) "$@"
}
