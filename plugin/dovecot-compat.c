#include "lib.h"
#include "settings-parser.h"
#include "mail-namespace.h"
#include "mail-storage-private.h"
#include "mail-user.h"
#include "imapc-storage.h"
#include "dovecot-compat.h"

const char *compat_plugin_setting(struct mail_user *user, const char *name)
{
	return mail_user_plugin_getenv(user, name);
}

/* Without a path the indexes are in memory, each mailbox object's its own.
   imapc's index files, shared by the sessions of a user, are no good: sessions
   that change a mailbox at the same time panic and corrupt them. */
#define IMAPC_LOCATION IMAPC_STORAGE_NAME":"

static struct mail_namespace_settings *
hidden_settings_dup(pool_t pool, const struct mail_namespace_settings *like,
		    char sep, const char *location)
{
	struct mail_namespace_settings *set =
		p_new(pool, struct mail_namespace_settings, 1);
	const char seps[] = { sep, '\0' };

	*set = *like;
	set->name = "migration";
	set->separator = p_strdup(pool, seps);
	set->location = p_strdup(pool, location);
	set->alias_for = NULL;
	set->hidden = TRUE;
	set->list = "no";
	set->subscriptions = TRUE;
	return set;
}

/* imapc's list keeps its index files with a second list, for which a list
   index has no use and in which it makes the ACL plugin panic. */
static const struct mail_storage_settings *
hidden_mail_settings_dup(pool_t pool, const struct mail_storage_settings *like,
			 unsigned int min_prefetch)
{
	struct mail_storage_settings *set =
		p_new(pool, struct mail_storage_settings, 1);

	*set = *like;
	set->mailbox_list_index = FALSE;
	if (set->mail_prefetch_count < min_prefetch)
		set->mail_prefetch_count = min_prefetch;
	return set;
}

int compat_imapc_namespace_create(struct mail_namespace *like,
				  unsigned int min_prefetch,
				  struct mail_namespace **ns_r,
				  const char **error_r)
{
	struct mail_user *user = like->user;
	char sep = mail_namespace_get_sep(like);
	struct mail_namespace_settings *set, *unexpanded_set;
	struct mail_namespace *ns;

	set = hidden_settings_dup(user->pool, like->set, sep, IMAPC_LOCATION);
	unexpanded_set = hidden_settings_dup(user->pool, like->unexpanded_set,
		sep, SETTING_STRVAR_EXPANDED IMAPC_LOCATION);
	if (mail_namespace_alloc(user, user->set, set, unexpanded_set,
				 &ns, error_r) < 0)
		return -1;
	/* its quota is the old server's */
	ns->flags |= NAMESPACE_FLAG_NOQUOTA;
	ns->mail_set = hidden_mail_settings_dup(user->pool, ns->mail_set,
						min_prefetch);
	if (mail_storage_create(ns, NULL, 0, error_r) < 0) {
		mail_namespace_destroy(ns);
		return -1;
	}
	*ns_r = ns;
	return 0;
}
