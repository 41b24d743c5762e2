# dovecot: what the old and the new Dovecot of the lab have in common.

# dovecot_mail_location sdbox|mdbox|maildir
dovecot_mail_location()
{
	case $1 in
	maildir) echo "maildir:~/Maildir" ;;
	*) echo "$1:~/$1" ;;
	esac
}

# dovecot_config_common FOLDER NAME IMAP_PORT POP3_PORT LMTP_PORT
dovecot_config_common()
{
	cat <<END
base_dir = $1/run
state_dir = $1/state
instance_name = lab-$2
log_path = $1/dovecot.log
listen = 127.0.0.1
hostname = $2.$DOMAIN
postmaster_address = postmaster@$DOMAIN
protocols = imap pop3 lmtp
ssl = no
disable_plaintext_auth = no
auth_username_format = %Ln
import_environment = TZ CORE_OUTOFMEM CORE_ERROR DOVECOT_MIGRATION_LAB
verbose_proctitle = yes
mail_home = $1/home/%n
mail_max_userip_connections = 1000
default_process_limit = 1000
default_client_limit = 5000

passdb {
  driver = passwd-file
  args = username_format=%n $1/users
}
userdb {
  driver = passwd-file
  args = username_format=%n $1/users
}

namespace inbox {
  inbox = yes
  mailbox Drafts {
    special_use = \\Drafts
  }
  mailbox Junk {
    special_use = \\Junk
  }
  mailbox Sent {
    special_use = \\Sent
  }
  mailbox Trash {
    special_use = \\Trash
  }
}

service imap-login {
  inet_listener imap {
    port = $3
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $4
  }
  inet_listener pop3s {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    port = $5
  }
}
# Tests fail logins on purpose; all clients have the same address.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
END
}

# The folders of one server; mail belongs to an id that has no account.
dovecot_folders()
{
	mkdir -p "$1/run" "$1/state" "$1/home"
	chown "$MAIL_ID:$MAIL_ID" "$1/home"
	chmod 700 "$1/home"
}

# dovecot_start NAME FOLDER COMMAND...: after a kill too, when the master's pid
# may still be seen as a zombie
dovecot_start()
{
	rm -f "$2/run/master.pid"
	dovecot_name=$1
	shift 2
	process_start "$dovecot_name" "$@"
}
