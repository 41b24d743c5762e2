# milters: a migration-milter for the Postfix of the old and of the new server,
# in $DIR/milter. They share a key, and log to the lab's syslog. A rented old
# server has none: nothing can be installed there.

# Is it built, and is there somebody who calls it and somewhere to log?
milter_there()
{
	[ "$MILTER" = yes ] && [ -x "$BUILD/milter/migration-milter" ] &&
		postfix_there && syslog_there
}

# milter_at SERVER: has that one a milter?
milter_at()
{
	milter_there && { [ "$1" = new ] || [ "$RENTED" = no ]; }
}

# milter_socket SERVER, as Postfix and the milter both write it
milter_socket()
{
	echo "unix:$DIR/milter/$1.socket"
}

# milter_config SERVER: Postfix's smtpd asks it as another user
milter_config()
{
	cat <<END
Socket $(milter_socket "$1")
Server $1
Domain $DOMAIN
Host $(lab_host "$1")
KeyFile $DIR/milter/key
User nobody
UMask 000
END
	[ ! -e "$DIR/milter/extra.conf" ] || cat "$DIR/milter/extra.conf"
}

milter_prepare()
{
	milter_there || return 0
	mkdir "$DIR/milter"
	(umask 077; openssl rand -hex 32 >"$DIR/milter/key")
	chown nobody "$DIR/milter" "$DIR/milter/key"
}

# milter_start SERVER: begin to start; milter_wait ends that
milter_start()
{
	milter_at "$1" || return 0
	milter_config "$1" >"$DIR/milter/$1.conf"
	syslog_process_start "$1-milter" "$BUILD/milter/migration-milter" \
		-f -c "$DIR/milter/$1.conf"
}

milter_wait()
{
	milter_at "$1" || return 0
	wait_for 20 milter_ready "$1" && process_running "$1-milter" ||
		fail "the $1 milter doesn't start: see $DIR/log/$1-milter.out"
}

milter_ready()
{
	grep -qF "$DIR/milter/$1.socket" /proc/net/unix ||
		process_ended "$1-milter"
}

# lab milter old|new start|stop
milter_command()
{
	lab_word milter "$1" old new
	lab_word "milter $1" "$2" start stop
	[ -d "$DIR/milter" ] && milter_at "$1" ||
		fail "this lab has no milter at its $1 server"
	case $2 in
	stop) process_end "$1-milter" ;;
	start)
		! process_leads "$1-milter" ||
			fail "the $1 milter runs already"
		process_end "$1-milter"
		milter_start "$1"
		milter_wait "$1" ;;
	esac
}

# milter_postfix SERVER: lines of its main.cf
milter_postfix()
{
	milter_at "$1" || return 0
	cat <<END
smtpd_milters = $(milter_socket "$1")
non_smtpd_milters = $(milter_socket "$1")
milter_default_action = accept
END
}

milter_env()
{
	if milter_there; then
		echo "MILTER_OLD=$(! milter_at old || milter_socket old)"
		echo "MILTER_NEW=$(milter_socket new)"
		echo "MILTER=$BUILD/milter/migration-milter"
		echo "REPORT=$BUILD/report/migration-report"
		echo "REPORT_LOG=$DIR/$REPORT_LOG"
		echo "RUN_LOGGED=$(syslog_run)"
	else
		echo "MILTER_OLD="
		echo "MILTER_NEW="
		echo "MILTER="
		echo "REPORT="
		echo "REPORT_LOG="
		echo "RUN_LOGGED="
	fi
}
