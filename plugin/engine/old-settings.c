/* old-settings: imapc_* of Dovecot 2.3 as settings of the client to the old
   server. */

#include "lib.h"
#include "str.h"
#include "mail-user.h"
#include "mail-namespace.h"
#include "mail-storage-settings.h"
#include "imapc-settings.h"
#include "migration-user.h"
#include "old-limits.h"
#include "old-settings.h"

#include <string.h>

static int
old_settings_login(struct mail_namespace *ns, const struct imapc_settings *set,
		   struct old_client_settings *set_r, const char **error_r)
{
	struct mail_user *owner = ns->owner != NULL ? ns->owner : ns->user;

	if (*set->imapc_host == '\0') {
		*error_r = "imapc_host is empty: which is the old server?";
		return -1;
	}
	if (*set->imapc_password == '\0') {
		*error_r = "imapc_password is empty";
		return -1;
	}
	set_r->host = set->imapc_host;
	set_r->port = set->imapc_port;
	set_r->user = *set->imapc_user != '\0' ? set->imapc_user :
		owner->username;
	set_r->master_user = set->imapc_master_user;
	set_r->password = set->imapc_password;
	set_r->sasl_mechanisms = set->imapc_sasl_mechanisms;
	return 0;
}

static int
old_settings_ssl(struct mail_namespace *ns, const struct imapc_settings *set,
		 struct old_client_settings *set_r, const char **error_r)
{
	if (strcmp(set->imapc_ssl, "imaps") == 0)
		set_r->ssl_mode = OLD_SSL_IMAPS;
	else if (strcmp(set->imapc_ssl, "starttls") == 0)
		set_r->ssl_mode = OLD_SSL_STARTTLS;
	else if (strcmp(set->imapc_ssl, "no") == 0)
		set_r->ssl_mode = OLD_SSL_NONE;
	else {
		*error_r = t_strdup_printf("imapc_ssl = %s: expected no, imaps "
					   "or starttls", set->imapc_ssl);
		return -1;
	}
	mail_user_init_ssl_client_settings(ns->user, &set_r->ssl_set);
	set_r->ssl_verify = set->imapc_ssl_verify;
	return 0;
}

static struct old_limits *
old_settings_limits(struct mail_user *user,
		    const struct old_client_settings *set)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(user);

	return muser == NULL ? NULL :
		old_limits_get(set->host, set->port, &muser->set);
}

int old_settings_read(struct mail_namespace *ns,
		      struct old_client_settings *set_r, const char **error_r)
{
	const struct imapc_settings *set =
		mail_user_set_get_driver_settings(ns->user->set_info,
						  ns->user_set, "imapc");
	string_t *prefix = t_str_new(128);

	i_zero(set_r);
	if (old_settings_login(ns, set, set_r, error_r) < 0 ||
	    old_settings_ssl(ns, set, set_r, error_r) < 0)
		return -1;
	mail_user_set_get_temp_prefix(prefix, ns->user->set);
	set_r->temp_path_prefix = str_c(prefix);
	set_r->rawlog_dir = *set->imapc_rawlog_dir == '\0' ? NULL :
		mail_user_home_expand(ns->user, set->imapc_rawlog_dir);
	set_r->cmd_timeout_msecs = set->imapc_cmd_timeout * 1000;
	set_r->limits = old_settings_limits(ns->user, set_r);
	return 0;
}
