# sendmail: Sendmail in front of the old server, where a lab has it (--sendmail).
#
# Debian's package excludes Postfix, so that it is in a root of its own, where
# /srv/lab is $DIR. It asks the milter of the old server about each mail and
# accepts it when that doesn't answer. Mail for the lab's domain, and for
# other.example, which isn't migrated, goes to the old server; that for
# USER+relay to the new server's Postfix, as from an old server that forwards.
# So does all else, and is refused there: nothing leaves this machine.

SENDMAIL_PACKAGES="sendmail-bin sendmail-cf m4 sasl2-bin libsasl2-modules
	busybox"

sendmail_supported()
{
	[ $SENDMAIL = yes ] || return 0
	root_supported Sendmail
}

# What m4 makes the configuration of
sendmail_mc()
{
	cat <<END
OSTYPE(\`debian')dnl
define(\`confDOMAIN_NAME', \`old.$DOMAIN')dnl
define(\`QUEUE_DIR', \`/srv/lab/sendmail/queue')dnl
define(\`STATUS_FILE', \`/srv/lab/sendmail/statistics')dnl
define(\`confPID_FILE', \`/srv/lab/sendmail/pid')dnl
define(\`confSERVICE_SWITCH_FILE', \`/srv/lab/sendmail/service.switch')dnl
define(\`confDONT_PROBE_INTERFACES', \`True')dnl
define(\`confTO_IDENT', \`0s')dnl
define(\`confQUEUE_LA', \`9999')dnl
define(\`confREFUSE_LA', \`9999')dnl
define(\`confDELAY_LA', \`0')dnl
define(\`confAUTH_MECHANISMS', \`PLAIN')dnl
define(\`confAUTH_OPTIONS', \`A')dnl
TRUST_AUTH_MECH(\`PLAIN')dnl
undefine(\`ALIAS_FILE')dnl
undefine(\`confHOST_STATUS_DIRECTORY')dnl
define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(\`Name=MTA, Family=inet, Addr=127.0.0.1, Port=$PORT_SENDMAIL')dnl
INPUT_MAIL_FILTER(\`migration',
	\`S=local:/srv/lab/milter/old.socket, F=, T=S:10s;R:10s;E:1m')dnl
define(\`RELAY_MAILER_ARGS', \`TCP \$h $PORT_NEW_SMTP')dnl
MAILER(\`local')dnl
MAILER(\`smtp')dnl
LOCAL_CONFIG
CR$DOMAIN other.example
C{OldServer}$DOMAIN other.example
MAILER_DEFINITIONS
Moldlmtp, P=[IPC], F=lDFMnqz, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP,
	E=\r\n, T=DNS/RFC822/SMTP, A=TCP 127.0.0.1 $PORT_OLD_LMTP
LOCAL_RULE_0
END
	# Rules have a tab between their sides.
	printf 'R$+ + relay < @ $={OldServer} . >\t$#relay $@ [127.0.0.1] $: $1 < @ $2 . >\n'
	printf 'R$+ < @ $={OldServer} . >\t$#oldlmtp $@ [127.0.0.1] $: $1 < @ $2 . >\n'
}

# Runs in the root as pid 1 of its namespace. Names are looked up in its hosts
# file alone; Sendmail waits a minute for a full name of its own.
sendmail_init()
{
	cat <<END
cd /srv/lab/sendmail
busybox syslogd -n -O /srv/lab/sendmail/log &
printf '127.0.0.1 localhost\n127.0.0.1 old.$DOMAIN %s\n' "\$(hostname)" >/etc/hosts
echo 'hosts: files' >/etc/nsswitch.conf
m4 /usr/share/sendmail/cf/m4/cf.m4 sendmail.mc >sendmail.cf
rm -f /usr/lib/sasl2/Sendmail.conf
cp Sendmail.conf /usr/lib/sasl2/
for user in $USERS; do
	printf '%s' '$PASSWORD' |
		saslpasswd2 -p -c -f sasldb2 -u old.$DOMAIN "\$user"
done
/usr/sbin/sendmail -C /srv/lab/sendmail/sendmail.cf -bD -q5s &
daemon=\$!
trap 'kill -s TERM \$daemon' TERM
while kill -s 0 \$daemon 2>/dev/null; do
	wait \$daemon
done
END
}

# sendmail_start: begin to start; sendmail_wait ends that
sendmail_start()
{
	[ $SENDMAIL = yes ] || return 0
	milter_at old || {
		say "Sendmail is here to ask a milter, and there is none"
		exit $EX_UNSUPPORTED
	}
	folder=$DIR/sendmail
	mkdir -p "$folder/queue"
	chmod 700 "$folder/queue"
	sendmail_mc >"$folder/sendmail.mc"
	printf 'hosts\tfiles\naliases\tfiles\n' >"$folder/service.switch"
	cat >"$folder/Sendmail.conf" <<END
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: /srv/lab/sendmail/sasldb2
mech_list: PLAIN
END
	sendmail_init >"$DIR/start"
	# shellcheck disable=SC2086
	root_install sendmail $SENDMAIL_PACKAGES
	root_start sendmail "$DIR"
}

sendmail_wait()
{
	[ $SENDMAIL = no ] || port_wait $PORT_SENDMAIL sendmail
}

sendmail_env()
{
	if [ $SENDMAIL = yes ]; then
		echo "SENDMAIL_SMTP=127.0.0.1:$PORT_SENDMAIL"
		echo "SENDMAIL_LOG=$DIR/sendmail/log"
	else
		echo "SENDMAIL_SMTP="
		echo "SENDMAIL_LOG="
	fi
}
