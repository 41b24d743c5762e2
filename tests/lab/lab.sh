# lab: an old server, a new one and the way between them, in one folder.
#
# $DIR/lab.conf holds what `lab up` was asked for and marks the folder as ours;
# $DIR/env is what `lab env` prints.

. "$PARTS/process.sh"
. "$PARTS/ports.sh"
. "$PARTS/proxy.sh"
. "$PARTS/dovecot.sh"
. "$PARTS/new-dovecot.sh"
. "$PARTS/syslog.sh"
. "$PARTS/backends.sh"
. "$PARTS/milters.sh"
. "$PARTS/postfix.sh"
. "$PARTS/root.sh"
. "$PARTS/sendmail.sh"
. "$PARTS/send.sh"

DOMAIN=lab.example
PASSWORD=lab-password
# Mail belongs to this user and group id: in the range that Debian leaves
# unused (30000-59999), without an account.
MAIL_ID=59142
EX_UNSUPPORTED=77

lab_defaults()
{
	DIR=/var/tmp/dovecot-migration-lab
	PORT_BASE=24000
	OLD=dovecot USER_COUNT=2 MESSAGES=100 FOLDERS=5
	CORPUS='' SEED='' RTT=0 STORE=sdbox OLD_STORE=maildir NAMES=same
	PLUGIN=yes MILTER=yes RENTED=no SENDMAIL=no DO_BUILD=yes
	SEND_USER='' SEND_SAME=no
}

lab_number()
{
	case $2 in
	''|*[!0-9]*) usage_error "$1: not a number: $2" ;;
	esac
}

# lab_word OPTION VALUE ALLOWED...
lab_word()
{
	option=$1 value=$2
	shift 2
	case " $* " in
	*" $value "*) ;;
	*) usage_error "$option: not one of $*: $value" ;;
	esac
}

# lab_option OPTION VALUE
lab_option()
{
	case $1 in
	--users|--messages|--folders|--rtt|--port-base|--seed|--timeout)
		lab_number "$1" "$2" ;;
	esac
	case $1 in
	--dir)
		case $2 in
		/*[!A-Za-z0-9._/-]*|[!/]*|/|'')
			usage_error "--dir: not a plain absolute path: $2" ;;
		esac
		DIR=${2%/} ;;
	--port-base) PORT_BASE=$2 ;;
	--old) lab_word "$1" "$2" dovecot cyrus courier; OLD=$2 ;;
	--users) USER_COUNT=$2 ;;
	--messages) MESSAGES=$2 ;;
	--folders) FOLDERS=$2 ;;
	--corpus) lab_word "$1" "$2" mixed small medium nasty; CORPUS=$2 ;;
	--seed) SEED=$2 ;;
	--rtt) RTT=$2 ;;
	--store) lab_word "$1" "$2" sdbox mdbox maildir; STORE=$2 ;;
	--old-store)
		lab_word "$1" "$2" sdbox mdbox maildir; OLD_STORE=$2 ;;
	--names) lab_word "$1" "$2" same plain; NAMES=$2 ;;
	--user) SEND_USER=$2 ;;
	--timeout) SEND_TIMEOUT=$2 ;;
	*) usage_error "unknown option: $1" ;;
	esac
}

lab_users()
{
	seq -s ' ' -f 'user%.0f' 1 "$USER_COUNT"
}

# lab_host SERVER, as mail knows it: no two labs have the same, so that what
# their milters say can be read together
lab_host()
{
	echo "$1.$OLD.$DOMAIN"
}

lab_save()
{
	for name in OLD USER_COUNT PORT_BASE RTT STORE OLD_STORE NAMES PLUGIN \
		MILTER RENTED SENDMAIL; do
		eval "echo \"$name=\$$name\""
	done >"$DIR/lab.conf"
	boot_id >"$DIR/boot-id"
}

lab_is_ours()
{
	[ -O "$DIR" ] && [ ! -L "$DIR" ] && [ -f "$DIR/lab.conf" ]
}

# Read back what lab_save wrote; only --no-plugin is for this run.
lab_load()
{
	lab_is_ours || fail "no lab is up in $DIR"
	wanted_plugin=$PLUGIN
	. "$DIR/lab.conf"
	PLUGIN=$wanted_plugin
	lab_derive
}

lab_derive()
{
	USERS=$(lab_users)
	ports_set
	. "$PARTS/old-$OLD.sh"
}

lab_make_folder()
{
	! lab_is_ours || fail "a lab is up in $DIR: end it with lab down"
	[ ! -e "$DIR" ] || fail "$DIR exists and isn't a lab: choose another --dir"
	mkdir "$DIR"
	chmod 755 "$DIR"
	lab_save
	mkdir "$DIR/log" "$DIR/sessions" "$DIR/old" "$DIR/new"
}

lab_remove()
{
	process_end_all
	new_forget
	rm -rf --one-file-system "$DIR"
}

# Nothing may stay behind when `lab up` fails or is interrupted.
lab_abort()
{
	status=$?
	trap - EXIT HUP INT TERM
	rm -f "$DIR/log/install.out"
	for file in "$DIR"/log/*.out; do
		[ ! -s "$file" ] || {
			say "the end of ${file##*/}:"
			tail -n 10 "$file" >&2
		}
	done
	for file in "$DIR"/*/dovecot.log "$DIR"/old/syslog; do
		[ ! -e "$file" ] || grep -E 'Error|Fatal|Panic' "$file" |
			tail -n 10 >&2
	done
	lab_remove
	say "lab up failed; everything it had started is ended"
	exit $status
}

lab_seed_user()
{
	set -- env "DOVECOT_MIGRATION_LAB=$DIR" \
		"$BUILD/tests/support/seed" --imap 127.0.0.1:$PORT_OLD_IMAP \
		--user "$1" --password "$PASSWORD" \
		--messages "$MESSAGES" --folders "$FOLDERS" \
		--seed "$((${SEED:-1} + ${1#user}))"
	[ -z "$CORPUS" ] || set -- "$@" --corpus "$CORPUS"
	"$@" >>"$DIR/log/seed.out" 2>&1
}

lab_seed()
{
	[ "$MESSAGES" != 0 ] || [ "$FOLDERS" != 0 ] || return 0
	[ -x "$BUILD/tests/support/seed" ] ||
		fail "$BUILD/tests/support/seed isn't built"
	seeders=
	for user in $USERS; do
		lab_seed_user "$user" &
		seeders="$seeders $!"
	done
	for seeder in $seeders; do
		wait "$seeder" || fail "seeding failed: see seed.out"
	done
}

lab_env()
{
	cat <<END
DIR=$DIR
OLD=$OLD
RENTED=$RENTED
DOMAIN=$DOMAIN
USERS=$USERS
PASSWORD=$PASSWORD
MAIL_ID=$MAIL_ID
OLD_IMAP=127.0.0.1:$PORT_PROXY_IMAP
OLD_POP3=127.0.0.1:$PORT_PROXY_POP3
OLD_LMTP=${OLD_HAS_LMTP:+127.0.0.1:$PORT_OLD_LMTP}
OLD_IMAP_DIRECT=127.0.0.1:$PORT_OLD_IMAP
OLD_POP3_DIRECT=127.0.0.1:$PORT_OLD_POP3
OLD_LOG=$DIR/$OLD_LOG
OLD_PREFIX=$OLD_PREFIX
OLD_SEPARATOR=.
OLD_PROXY_CONTROL=$DIR/$PROXY_CONTROL
DELAY_PROXY=$BUILD/tests/lab/delay-proxy
QUICKSTART=$TOP/quickstart
LAB=$TOP/quickstart lab --dir $DIR
END
	postfix_env OLD old $PORT_OLD_SMTP
	new_env
	postfix_env NEW new $PORT_NEW_SMTP
	milter_env
	sendmail_env
}

lab_up()
{
	# shellcheck disable=SC2086
	[ $DO_BUILD = no ] || { packages_install $PACKAGES; build_tree; }
	lab_derive
	ports_need_free
	old_supported
	sendmail_supported
	lab_make_folder
	trap lab_abort EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	milter_prepare
	postfix_start old $PORT_OLD_SMTP "$(old_transport)"
	postfix_start new $PORT_NEW_SMTP "lmtp:inet:127.0.0.1:$PORT_NEW_LMTP"
	old_prepare
	old_start
	proxy_start
	new_prepare
	syslog_start
	new_start
	syslog_wait
	milter_start old
	milter_start new
	sendmail_start
	lab_seed
	postfix_wait old $PORT_OLD_SMTP
	postfix_wait new $PORT_NEW_SMTP
	milter_wait old
	milter_wait new
	sendmail_wait
	lab_env >"$DIR/env"
	trap - EXIT HUP INT TERM
	postfix_there ||
		say "no SMTP: another mail server is in the way of Postfix"
	[ $MILTER = no ] || milter_there ||
		say "no milters: they need Postfix, rsyslogd and mounts"
	say "the lab is up in $DIR; \`lab env\` tells where everything is"
}

lab_down()
{
	lab_is_ours || { say "no lab is up in $DIR"; return 0; }
	lab_load
	lab_remove
}

# lab_server new|old start|stop|restart
lab_server()
{
	lab_word "$1" "$2" start stop restart
	case $2 in
	restart|stop) process_end "$1" ;;
	esac
	case $2 in
	restart|start)
		! process_leads "$1" || fail "the $1 server runs already"
		process_end "$1"
		"$1_start" ;;
	esac
	lab_save
	lab_env >"$DIR/env"
}

lab_main()
{
	lab_defaults
	words=
	while [ $# -gt 0 ]; do
		case $1 in
		--no-plugin) PLUGIN=no ;;
		--no-milter) MILTER=no ;;
		--rented) RENTED=yes ;;
		--sendmail) SENDMAIL=yes ;;
		--same) SEND_SAME=yes ;;
		--no-build) DO_BUILD=no ;;
		--*=*) lab_option "${1%%=*}" "${1#*=}" ;;
		--*)
			[ $# -gt 1 ] || usage_error "$1: needs a value"
			lab_option "$1" "$2"
			shift ;;
		*) words="$words $1" ;;
		esac
		shift
	done
	# shellcheck disable=SC2086
	set -- $words
	case "$*" in
	up) lab_up ;;
	down) lab_down ;;
	env) lab_load; cat "$DIR/env" ;;
	"milter "*) lab_load; milter_command "${2-}" "${3-}" ;;
	"backends "*) lab_load; backends_command "${2-}" "${3-}" ;;
	"send "*) lab_load; send_command "${2-}" "${3-}" ;;
	"new "*|"old "*) lab_load; lab_server "$1" "${2-}" ;;
	*) usage_error "lab: unknown command: $*" ;;
	esac
}
