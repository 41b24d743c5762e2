# old-cyrus: an old server that is Cyrus IMAP, with the settings that make
# migrations awkward: '.' as the separator, everything below INBOX.

OLD_HAS_LMTP=yes
OLD_PREFIX=INBOX.
OLD_IMAPC_FEATURES=
OLD_LOG=old/syslog

old_supported()
{
	root_supported Cyrus
}

old_cyrus_imapd_conf()
{
	cat <<END
configdirectory: /srv/lab/cyrus
defaultpartition: default
partition-default: /srv/lab/mail
servername: old.$DOMAIN
admins: cyrus
unixhierarchysep: 0
altnamespace: 0
virtdomains: off
autocreate_quota: 0
autocreate_post: 1
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_mech_list: PLAIN LOGIN
sasl_sasldb_path: /srv/lab/sasldb2
lmtp_downcase_rcpt: yes
sieveusehomedir: false
sievedir: /srv/lab/cyrus/sieve
idlesocket: /srv/lab/cyrus/socket/idle
lmtpsocket: /srv/lab/cyrus/socket/lmtp
notifysocket: /srv/lab/cyrus/socket/notify
popminpoll: 0
maxlogins_per_user: 0
END
}

old_cyrus_conf()
{
	cat <<END
START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}
SERVICES {
  imap cmd="/usr/lib/cyrus/bin/imapd" listen="127.0.0.1:$PORT_OLD_IMAP" prefork=2
  pop3 cmd="/usr/lib/cyrus/bin/pop3d" listen="127.0.0.1:$PORT_OLD_POP3" prefork=0
  lmtp cmd="/usr/lib/cyrus/bin/lmtpd -a" listen="127.0.0.1:$PORT_OLD_LMTP" prefork=0
}
EVENTS {
  checkpoint cmd="/usr/sbin/cyrus ctl_cyrusdb -c" period=30
}
DAEMON {
  idled cmd="/usr/lib/cyrus/bin/idled"
}
END
}

# Runs in the root as pid 1 of its namespace.
old_cyrus_start()
{
	cat <<'END'
busybox syslogd -n -O /srv/lab/syslog &
for user in $(cat /srv/lab/names); do
	[ -e /srv/lab/sasldb2 ] && sasldblistusers2 -f /srv/lab/sasldb2 |
		grep -q "^$user@" ||
	saslpasswd2 -p -c -f /srv/lab/sasldb2 -u "$(cat /srv/lab/realm)" \
		"$user" </srv/lab/password
done
chown -R cyrus:mail /srv/lab/sasldb2 /srv/lab/cyrus /srv/lab/mail
mkdir -p /run/cyrus
chown cyrus:mail /run/cyrus
cp /srv/lab/imapd.conf /srv/lab/cyrus.conf /etc/
/usr/lib/cyrus/bin/master -p /run/cyrus/master.pid &
master=$!
trap 'kill -s TERM $master' TERM
while kill -s 0 $master 2>/dev/null; do
	wait $master
done
END
}

old_prepare()
{
	for folder in proc db socket msg log ptclient sync sieve; do
		mkdir -p "$DIR/old/cyrus/$folder"
	done
	mkdir -p "$DIR/old/mail"
	printf '%s' "$PASSWORD" >"$DIR/old/password"
	echo "old.$DOMAIN" >"$DIR/old/realm"
	echo "$USERS" >"$DIR/old/names"
	old_cyrus_imapd_conf >"$DIR/old/imapd.conf"
	old_cyrus_conf >"$DIR/old/cyrus.conf"
	old_cyrus_start >"$DIR/old/start"
}

old_start()
{
	root_install cyrus cyrus-imapd cyrus-pop3d sasl2-bin libsasl2-modules \
		busybox
	root_start old "$DIR/old"
	for port in $PORT_OLD_IMAP $PORT_OLD_POP3 $PORT_OLD_LMTP; do
		port_wait "$port" old
	done
}

# How Postfix delivers to this server
old_transport()
{
	echo "lmtp:inet:127.0.0.1:$PORT_OLD_LMTP"
}
