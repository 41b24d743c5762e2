# backends: two new servers beside the lab's own, as on two machines.
#
# Each has a network namespace of its own, with the same ports as the lab's new
# server, and half of the users; `service migration` is on. Sockets in
# $DIR/net are their only ways out: to the old server, to redis-server, where the
# backends meet, and to rsyslogd, which has the lines of all in one file.

BACKENDS="backend1 backend2"
BACKENDS_LOG=log/backends.log

backends_there()
{
	for command in socat redis-server rsyslogd ip; do
		command -v $command >/dev/null || return 1
	done
	new_namespaces_allowed && unshare --net true 2>/dev/null
}

# backend_users NAME: each second one
backend_users()
{
	sed "s,$DIR/$NEW/,$DIR/$1/,g" "$DIR/$NEW/users" |
		awk -v rest=$((${1#backend} % 2)) 'NR % 2 == rest'
}

# backend_names NAME: its own first
backend_names()
{
	echo "$1"
	echo "$BACKENDS" | tr ' ' '\n' | grep -vx "$1"
}

backend_config()
{
	sed -e "s,$DIR/$NEW/,$DIR/$1/,g" \
		-e "s,^base_dir = .*,base_dir = $DIR/$1/run," \
		-e "s,^state_dir = .*,state_dir = $DIR/$1/state," \
		-e "s,^instance_name = .*,instance_name = dovecot," \
		-e "s,^log_path = .*,log_path = syslog," \
		"$DIR/$NEW/dovecot.conf"
	cat <<END_OF_CONFIG
plugin {
  migration_service = yes
  migration_old_connections = 2
  migration_user_connections = 1
  migration_backends = $(backend_names "$1" | tr '\n' ' ')
  migration_backends_dict = redis:path=$DIR/net/redis:timeout_msecs=2000
}
END_OF_CONFIG
}

# What runs as on that machine; the way to the old server ends with the rest
backend_commands()
{
	cat <<END_OF_COMMANDS
set -e
ip link set lo up
setpriv --pdeathsig TERM \
	socat TCP-LISTEN:$PORT_PROXY_IMAP,bind=127.0.0.1,fork,reuseaddr \
	UNIX-CONNECT:$DIR/net/old &
mount --bind $DIR/$NEW_MODULES $(dovecot_moduledir)
exec sh $PARTS/private-dev.sh $DIR/$1/dev $DIR/net/log-$1 \
	dovecot -F -c $DIR/$1/dovecot.conf
END_OF_COMMANDS
}

backend_start()
{
	mkdir -p "$DIR/$1/dev"
	dovecot_folders "$DIR/$1"
	backend_users "$1" >"$DIR/$1/users"
	backend_config "$1" >"$DIR/$1/dovecot.conf"
	backend_commands "$1" >"$DIR/$1/start"
	dovecot_start "$1" "$DIR/$1" \
		unshare --net --mount sh "$DIR/$1/start"
}

backends_syslog_config()
{
	cat <<END_OF_CONFIG
global(workDirectory="$DIR/net/rsyslog" maxMessageSize="16k")
module(load="imuxsock" sysSock.use="off")
action(type="omfile" file="$DIR/$BACKENDS_LOG")
END_OF_CONFIG
	for name in $BACKENDS; do
		echo "input(type=\"imuxsock\" socket=\"$DIR/net/log-$name\"" \
			"hostName=\"$name\" rateLimit.interval=\"0\")"
	done
}

backends_ways_ready()
{
	for name in redis old log-backend1 log-backend2; do
		[ -S "$DIR/net/$name" ] || return 1
	done
}

backends_ways()
{
	mkdir -p "$DIR/net/rsyslog"
	backends_syslog_config >"$DIR/net/rsyslog.conf"
	process_start backends-log rsyslogd -n -f "$DIR/net/rsyslog.conf" \
		-i "$DIR/net/rsyslog.pid"
	process_start backends-redis redis-server --port 0 --save '' \
		--dir "$DIR/net" --unixsocket "$DIR/net/redis"
	process_start backends-old socat "UNIX-LISTEN:$DIR/net/old,fork,mode=666" \
		"TCP:127.0.0.1:$PORT_PROXY_IMAP"
	wait_for 10 backends_ways_ready ||
		fail "backends: their sockets don't come"
}

# backends_command start|stop [NAME]
backends_command()
{
	lab_word backends "$1" start stop
	backends_there || exit $EX_UNSUPPORTED
	for backend in ${2:-$BACKENDS}; do
		lab_word backends "$backend" $BACKENDS
		process_end "$backend"
		[ "$1" = start ] || continue
		backends_ways_ready || backends_ways
		backend_start "$backend"
	done
}
