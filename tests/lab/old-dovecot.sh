# old-dovecot: an old server that is Dovecot, in $DIR/old.

OLD_HAS_LMTP=yes
OLD_PREFIX=
OLD_IMAPC_FEATURES=
OLD_LOG=old/dovecot.log

# Can this machine have such a server?
old_supported()
{
	:
}

old_prepare()
{
	dovecot_folders "$DIR/old"
	for user in $USERS; do
		printf '%s:{PLAIN}%s:%s:%s::%s::\n' "$user" "$PASSWORD" \
			"$MAIL_ID" "$MAIL_ID" "$DIR/old/home/$user"
	done >"$DIR/old/users"
	{
		dovecot_config_common "$DIR/old" old "$PORT_OLD_IMAP" \
			"$PORT_OLD_POP3" "$PORT_OLD_LMTP"
		echo "mail_location = $(dovecot_mail_location "$OLD_STORE")"
		echo "!include_try $DIR/old/extra.conf"
	} >"$DIR/old/dovecot.conf"
}

old_start()
{
	dovecot_start old "$DIR/old" dovecot -F -c "$DIR/old/dovecot.conf"
	for port in $PORT_OLD_IMAP $PORT_OLD_POP3 $PORT_OLD_LMTP; do
		port_wait "$port" old
	done
}

# How Postfix delivers to this server
old_transport()
{
	echo "lmtp:inet:127.0.0.1:$PORT_OLD_LMTP"
}
