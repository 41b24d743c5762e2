# process: start daemons so that all of them can be found and ended again.
#
# Each daemon gets a session of its own; what it forks stays in that session.
# $DIR/sessions/NAME holds "SESSION STARTTIME", STARTTIME (in clock ticks since
# boot) telling a reused number apart. As daemons may leave their session,
# everything also carries DOVECOT_MIGRATION_LAB=$DIR in its environment.

# Wait until a command succeeds: wait_for SECONDS COMMAND...
wait_for()
{
	deadline=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $deadline ] || return 1
		sleep 0.05
	done
}

# "PID SESSION STARTTIME" of every process
process_table()
{
	cat /proc/[0-9]*/stat 2>/dev/null |
		sed -n 's/^\([0-9]*\) (.*) /\1 /p' |
		awk '$2 != "Z" { print $1, $5, $21 }'
}

process_starttime()
{
	process_table | awk -v pid="$1" '$1 == pid { print $3 }'
}

# process_start NAME COMMAND...: the command stays in the foreground
process_start()
{
	name=$1
	shift
	DOVECOT_MIGRATION_LAB=$DIR setsid "$@" </dev/null \
		>>"$DIR/log/$name.out" 2>&1 8<&- &
	process_adopt "$name" $!
}

# Note down a session that was started by others: process_adopt NAME PID
process_adopt()
{
	echo "$2 $(process_starttime "$2")" >"$DIR/sessions/$1"
}

# The processes of one session that we started
process_members()
{
	[ -s "$DIR/sessions/$1" ] || return 0
	read -r session started <"$DIR/sessions/$1" || :
	process_table | awk -v session="$session" -v started="$started" '
		$1 == session && $3 != started { reused = 1 }
		$1 == session || $2 == session { members = members " " $1 }
		END { if (!reused) print members }'
}

process_ended()
{
	[ -z "$(process_members "$1" | tr -d ' ')" ]
}

process_running()
{
	! process_ended "$1"
}

process_signal()
{
	signal=$1
	shift
	# shellcheck disable=SC2048,SC2086
	[ $# = 0 ] || kill -s "$signal" $* 2>/dev/null || :
}

# Is the daemon itself there, not only what it left behind?
process_leads()
{
	[ -s "$DIR/sessions/$1" ] || return 1
	read -r session started <"$DIR/sessions/$1" || :
	[ "$(process_starttime "$session")" = "$started" ]
}

# Ask the leader of a daemon's session to end.
process_ask()
{
	process_running "$1" || return 0
	read -r session started <"$DIR/sessions/$1" || :
	process_signal TERM "$session"
}

# End a daemon and all its children: the leader is asked, then all are made to.
process_end()
{
	[ -e "$DIR/sessions/$1" ] || return 0
	if process_running "$1"; then
		process_ask "$1"
		# shellcheck disable=SC2046
		wait_for 5 process_ended "$1" ||
			process_signal TERM $(process_members "$1")
		wait_for 3 process_ended "$1" ||
			process_signal KILL $(process_members "$1")
		wait_for 5 process_ended "$1" ||
			fail "$1 doesn't end: $(process_members "$1")"
	fi
	rm -f "$DIR/sessions/$1"
}

# Whatever carries our mark, wherever it went
process_marked()
{
	grep -lzFx -- "DOVECOT_MIGRATION_LAB=$DIR" /proc/[0-9]*/environ \
		2>/dev/null | sed 's,^/proc/\([0-9]*\)/.*,\1,'
}

process_none_marked()
{
	[ -z "$(process_marked)" ]
}

process_end_all()
{
	# After a reboot the numbers are others'.
	if [ "$(cat "$DIR/boot-id" 2>/dev/null)" = "$(boot_id)" ]; then
		for action in process_ask process_end; do
			for file in "$DIR"/sessions/*; do
				[ ! -e "$file" ] || $action "${file##*/}"
			done
		done
	fi
	# shellcheck disable=SC2046
	process_none_marked || process_signal KILL $(process_marked)
	wait_for 5 process_none_marked ||
		fail "processes don't end: $(process_marked)"
}

boot_id()
{
	cat /proc/sys/kernel/random/boot_id
}
