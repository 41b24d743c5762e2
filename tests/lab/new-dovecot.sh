# new-dovecot: the new server, Dovecot with our plugin, all in $DIR/new.
#
# doveadm's module folder is compiled into it. So the modules of the system and
# ours lie in $DIR/modules, and a private mount namespace shows that folder
# where the system's is; nothing of the machine's own changes. Our services'
# programs are in $DIR/bin, and the configuration says so.

NEW=new
NEW_MODULES=modules
NEW_SERVICES="migration-worker migration-deliver migration-mover \
	migration-scheduler"

# new_modules_install: the system's modules, and ours from the build tree
new_modules_install()
{
	moduledir=$(dovecot_moduledir)
	rm -rf "$DIR/$NEW_MODULES"
	cp -a "$moduledir" "$DIR/$NEW_MODULES"
	[ "$PLUGIN" = yes ] || return 0
	make -s -C "$BUILD/plugin" install DESTDIR="$DIR/stage" \
		>"$DIR/log/install.out" 2>&1 ||
		fail "our modules can't be installed: see $DIR/log/install.out"
	cp -a "$DIR/stage$moduledir/." "$DIR/$NEW_MODULES/"
	mkdir -p "$DIR/bin"
	for service in $NEW_SERVICES; do
		find "$DIR/stage" -name "$service" -exec cp {} "$DIR/bin" \;
	done
	rm -rf "$DIR/stage"
}

dovecot_moduledir()
{
	sed -n 's/^dovecot_moduledir=//p' /usr/lib/dovecot/dovecot-config
}

# Clients meet the names that they know from the old server, or plain ones.
new_separator()
{
	[ "$NAMES" = same ] && echo . || echo /
}

new_prefix()
{
	[ "$NAMES" = plain ] || echo "$OLD_PREFIX"
}

# The milters' key as our plugin may read it: the mail users' own.
new_key()
{
	! milter_there || install -m 600 -o "$MAIL_ID" -g "$MAIL_ID" \
		"$DIR/milter/key" "$DIR/$NEW/key"
}

# That of a program: its name, but for one.
new_service_name()
{
	[ "$1" = migration-scheduler ] && echo migration || echo "$1"
}

new_config_services()
{
	for service in $NEW_SERVICES; do
		[ ! -x "$DIR/bin/$service" ] || cat <<END
service $(new_service_name "$service") {
  executable = $DIR/bin/$service
}
END
	done
}

new_config_plugin()
{
	[ "$PLUGIN" = yes ] || return 0
	cat <<END

!include $TOP/conf.d/90-migration.conf
mail_plugins = \$mail_plugins migration
plugin {
  migration = yes
END
	! milter_there || echo "  migration_key_file = $DIR/$NEW/key"
	echo "}"
	new_config_services
}

# Pigeonhole, where this machine has it: users' scripts are ~/.dovecot.sieve.
new_config_sieve()
{
	[ ! -e "$DIR/$NEW_MODULES/lib90_sieve_plugin.so" ] || cat <<END

protocol lmtp {
  mail_plugins = \$mail_plugins sieve
}
END
}

new_config()
{
	dovecot_config_common "$DIR/$NEW" new "$PORT_NEW_IMAP" \
		"$PORT_NEW_POP3" "$PORT_NEW_LMTP"
	cat <<END
mail_location = $(dovecot_mail_location "$STORE")
mail_plugin_dir = $DIR/$NEW_MODULES
# Folder names with characters that the store can't have.
mail_plugins = listescape
mail_attribute_dict = file:%h/dovecot-attributes
# A doveadm that was preloaded with something still is when it has read this.
import_environment = \$import_environment LD_PRELOAD FAULT

namespace inbox {
  separator = $(new_separator)
  prefix = $(new_prefix)
}

# The old server; host, port, user and password are in the user database.
imapc_features = rfc822.size fetch-headers fetch-bodystructure $OLD_IMAPC_FEATURES
mail_prefetch_count = 100

protocol imap {
  imap_metadata = yes
}
END
	new_config_plugin
	echo "!include_try $DIR/$NEW/extra.conf"
	# behind it: LMTP has what plugins it gives to all
	new_config_sieve
}

# name:password:uid:gid::home::extra fields
new_users()
{
	for user in $USERS; do
		printf '%s:{PLAIN}%s:%s:%s::%s::' "$user" "$PASSWORD" \
			"$MAIL_ID" "$MAIL_ID" "$DIR/$NEW/home/$user"
		printf 'userdb_imapc_host=127.0.0.1 userdb_imapc_port=%s ' \
			"$PORT_PROXY_IMAP"
		printf 'userdb_imapc_user=%s userdb_imapc_password=%s' \
			"$user" "$PASSWORD"
		# a field without a value would mean "yes"
		[ -z "$OLD_PREFIX" ] ||
			printf ' userdb_imapc_list_prefix=%s' "${OLD_PREFIX%.}"
		echo
	done
}

# Where mount namespaces aren't allowed, a copy of doveadm is made to look for
# its modules at a path of the same length, which is a link to ours.
new_doveadm_link()
{
	# shellcheck disable=SC2046
	printf '/var/lib/dovecot-lab-%0*d' \
		$(($(dovecot_moduledir | wc -c) - 1 + 8 - 21)) "$PORT_BASE"
}

new_doveadm_copy()
{
	ln -sfn "$DIR/$NEW_MODULES/doveadm" "$(new_doveadm_link)"
	mkdir -p "$DIR/bin/copy"
	sed "s,$(dovecot_moduledir)/doveadm,$(new_doveadm_link),g" \
		"$(command -v doveadm)" >"$DIR/bin/copy/doveadm"
	chmod 755 "$DIR/bin/copy/doveadm"
}

new_namespaces_allowed()
{
	unshare --mount mount --bind "$DIR" "$DIR" 2>/dev/null
}

# The doveadm command, for whoever has the lab's environment
new_doveadm_wrapper()
{
	mkdir -p "$DIR/bin"
	{
		cat <<END
#!/bin/sh
# doveadm, seeing the lab's modules where its own are.
export DOVECOT_MIGRATION_LAB='$DIR'
END
		if [ "$NAMESPACES" = yes ]; then
			cat <<END
exec unshare --mount sh -c \\
	'mount --bind "$DIR/$NEW_MODULES" $(dovecot_moduledir) &&
	exec doveadm "\$@"' doveadm "\$@"
END
		else
			new_doveadm_copy
			echo "exec '$DIR/bin/copy/doveadm' \"\$@\""
		fi
	} >"$DIR/bin/doveadm"
	chmod 755 "$DIR/bin/doveadm"
}

new_forget()
{
	rm -f "$(new_doveadm_link)"
}

new_prepare()
{
	dovecot_folders "$DIR/$NEW"
}

new_start()
{
	new_modules_install
	new_key
	new_users >"$DIR/$NEW/users"
	new_config >"$DIR/$NEW/dovecot.conf"
	NAMESPACES=yes
	new_namespaces_allowed || NAMESPACES=no
	new_doveadm_wrapper
	if [ "$NAMESPACES" = yes ]; then
		dovecot_start new "$DIR/$NEW" unshare --mount sh -c \
			'mount --bind "$1" "$2" && exec dovecot -F -c "$3"' \
			sh "$DIR/$NEW_MODULES" "$(dovecot_moduledir)" \
			"$DIR/$NEW/dovecot.conf"
	else
		dovecot_start new "$DIR/$NEW" \
			dovecot -F -c "$DIR/$NEW/dovecot.conf"
	fi
	for port in $PORT_NEW_IMAP $PORT_NEW_POP3 $PORT_NEW_LMTP; do
		port_wait "$port" new
	done
}

new_env()
{
	cat <<END
NEW_IMAP=127.0.0.1:$PORT_NEW_IMAP
NEW_POP3=127.0.0.1:$PORT_NEW_POP3
NEW_LMTP=127.0.0.1:$PORT_NEW_LMTP
NEW_LOG=$DIR/$NEW/dovecot.log
NEW_CONF=$DIR/$NEW/dovecot.conf
NEW_EXTRA_CONF=$DIR/$NEW/extra.conf
NEW_HOME=$DIR/$NEW/home
NEW_PLUGIN=$PLUGIN
DOVEADM=$DIR/bin/doveadm -c $DIR/$NEW/dovecot.conf
END
}
