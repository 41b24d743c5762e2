# old-courier: an old server that is Courier IMAP and POP3 with Maildir, in a
# root of its own. It has no LMTP: Postfix writes into the Maildirs.

OLD_HAS_LMTP=
OLD_PREFIX=INBOX.
# EXAMINE doesn't keep UIDVALIDITY there.
OLD_IMAPC_FEATURES=no-examine
OLD_LOG=old/syslog

old_supported()
{
	root_supported Courier
}

old_courier_userdb()
{
	hash=$(openssl passwd -5 "$PASSWORD")
	for user in $USERS; do
		printf '%s\tuid=%s|gid=%s|home=%s|mail=%s|systempw=%s\n' \
			"$user" "$MAIL_ID" "$MAIL_ID" "/srv/lab/mail/$user" \
			"/srv/lab/mail/$user/Maildir" "$hash"
	done
}

# Appended to Debian's files, where the last value of a name counts. Courier
# would empty the Trash of old mail by itself.
old_courier_imapd()
{
	cat <<END
ADDRESS=127.0.0.1
PORT=$PORT_OLD_IMAP
MAXDAEMONS=1000
MAXPERIP=1000
IMAP_ULIMITD=1048576
IMAP_EMPTYTRASH=
END
}

old_courier_pop3d()
{
	cat <<END
ADDRESS=127.0.0.1
PORT=$PORT_OLD_POP3
MAXDAEMONS=1000
MAXPERIP=1000
END
}

# Runs in the root as pid 1 of its namespace: when it ends, all end. Gamin, which
# Courier asks for changes, waits a second for each command of an owner without
# an account.
old_courier_start()
{
	cat <<'END'
set -e
trap 'exit 0' TERM
busybox syslogd -n -O /srv/lab/syslog &
syslogd=$!
id=$(cat /srv/lab/mail-id)
getent passwd $id >/dev/null ||
	echo "labmail:x:$id:$id::/srv/lab/mail:/usr/sbin/nologin" >>/etc/passwd
mkdir -p /run/courier/authdaemon
chown courier:courier /run/courier /run/courier/authdaemon
cp /srv/lab/userdb /etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb
echo 'authmodulelist="authuserdb"' >/srv/lab/authdaemonrc
for file in imapd pop3d authdaemonrc; do
	sed -i '/^# the lab$/,$d' /etc/courier/$file
	{ echo '# the lab'; cat /srv/lab/$file; } >>/etc/courier/$file
done
/usr/sbin/authdaemond start
/usr/lib/courier/imapd start
/usr/lib/courier/pop3d start
wait $syslogd
END
}

old_prepare()
{
	for user in $USERS; do
		for folder in cur new tmp; do
			mkdir -p "$DIR/old/mail/$user/Maildir/$folder"
		done
	done
	chown -R "$MAIL_ID:$MAIL_ID" "$DIR/old/mail"
	echo $MAIL_ID >"$DIR/old/mail-id"
	old_courier_userdb >"$DIR/old/userdb"
	old_courier_imapd >"$DIR/old/imapd"
	old_courier_pop3d >"$DIR/old/pop3d"
	old_courier_start >"$DIR/old/start"
}

old_start()
{
	root_install courier courier-imap courier-pop busybox
	root_start old "$DIR/old"
	port_wait $PORT_OLD_IMAP old
	port_wait $PORT_OLD_POP3 old
}

# How Postfix delivers to this server
old_transport()
{
	echo virtual:
}
