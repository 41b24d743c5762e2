#include "lib.h"
#include "ioloop.h"
#include "mail-namespace.h"
#include "mailbox-list-private.h"
#include "imapc-storage.h"
#include "imapc-list.h"
#include "dovecot-compat.h"
#include "migration-user.h"
#include "engine/name-map.h"
#include "remote-namespace.h"

#define PREFETCH_COUNT_MIN 100
#define RETRY_LOST_SECS 2
#define RETRY_LOGIN_SECS 15

#define ERRSTR_UNREACHABLE "The old mail server can't be reached, " \
	"try again later"
#define ERRSTR_FAILED "The old mail server failed, try again later"
#define ERRSTR_LOGIN "[AUTHENTICATIONFAILED] The old mail server refused " \
	"the login"

/* What stock imapc needs to be a proxy: no whole body for a size, no whole
   header for a field. Taken away is what gives clients wrong answers. */
#define FEATURES_NEEDED \
	(IMAPC_FEATURE_RFC822_SIZE | IMAPC_FEATURE_FETCH_HEADERS | \
	 IMAPC_FEATURE_FETCH_BODYSTRUCTURE)
#define FEATURES_WRONG \
	(IMAPC_FEATURE_SEARCH | IMAPC_FEATURE_NO_MSN_UPDATES | \
	 IMAPC_FEATURE_MODSEQ)

struct imapc_storage *remote_storage(struct migration_user *muser)
{
	return IMAPC_STORAGE(muser->remote_ns->storage);
}

struct imapc_mailbox_list *remote_list(struct migration_user *muser)
{
	return container_of(muser->remote_ns->list,
			    struct imapc_mailbox_list, list);
}

static void
name_map_init(struct mailbox_list *list, struct name_map *map_r)
{
	struct imapc_mailbox_list *ilist =
		container_of(list, struct imapc_mailbox_list, list);

	i_zero(map_r);
	map_r->old_sep = mailbox_list_get_hierarchy_sep(list);
	map_r->old_prefix = ilist->set->imapc_list_prefix;
	map_r->sep = mail_namespace_get_sep(list->ns);
	map_r->prefix = list->ns->prefix;
}

static const char *
remote_get_storage_name(struct mailbox_list *list, const char *vname)
{
	struct name_map map;
	const char *old_name;

	name_map_init(list, &map);
	old_name = name_map_to_old(&map, vname);
	if (old_name == NULL) {
		/* the namespace's root, or a name that can't be there; the
		   old server refuses it in its own words */
		old_name = *vname == '\0' ? "" : vname;
	}
	return mailbox_list_escape_name_params(old_name, "", map.old_sep,
		map.old_sep, list->set.storage_name_escape_char, "");
}

static const char *
remote_get_vname(struct mailbox_list *list, const char *storage_name)
{
	struct name_map map;
	const char *old_name, *vname;

	name_map_init(list, &map);
	old_name = mailbox_list_unescape_name_params(storage_name, "",
		map.old_sep, map.old_sep, list->set.storage_name_escape_char);
	vname = name_map_from_old(&map, old_name);
	if (vname == NULL)
		return mailbox_list_default_get_vname(list, storage_name);
	return vname;
}

void remote_list_created(struct migration_user *muser ATTR_UNUSED,
			 struct mailbox_list *list)
{
	struct mailbox_list_vfuncs *v = list->vlast;

	v->get_storage_name = remote_get_storage_name;
	v->get_vname = remote_get_vname;
}

/* Called for each login and for each lost connection. */
static void
remote_login_callback(const struct imapc_command_reply *reply, void *context)
{
	struct migration_user *muser = context;
	struct imapc_storage_client *client = remote_storage(muser)->client;

	client->auth_returned = TRUE;
	imapc_client_set_login_callback(client->client, remote_login_callback,
					muser);
	imapc_client_stop(client->client);
	if (client->destroying || muser->user->deinitializing)
		return;

	i_free(client->auth_failed_reason);
	client->auth_failed_state = reply->state;
	if (reply->state == IMAPC_COMMAND_STATE_OK)
		muser->remote_failed = 0;
	else {
		client->auth_failed_reason = i_strdup(reply->text_full);
		muser->remote_failed = time(NULL);
	}
}

static void remote_storage_tune(struct migration_user *muser)
{
	struct imapc_storage *storage = remote_storage(muser);
	pool_t pool = storage->storage.pool;
	struct mail_storage_settings *set;
	struct imapc_settings *imapc_set;

	set = p_new(pool, struct mail_storage_settings, 1);
	*set = *storage->storage.set;
	if (set->mail_prefetch_count < PREFETCH_COUNT_MIN)
		set->mail_prefetch_count = PREFETCH_COUNT_MIN;
	storage->storage.set = set;

	imapc_set = p_new(pool, struct imapc_settings, 1);
	*imapc_set = *storage->set;
	imapc_set->parsed_features |= FEATURES_NEEDED;
	imapc_set->parsed_features &= ENUM_NEGATE(FEATURES_WRONG);
	storage->set = imapc_set;
	storage->storage.nonbody_access_fields |=
		MAIL_FETCH_IMAP_BODY | MAIL_FETCH_IMAP_BODYSTRUCTURE;

	imapc_client_set_login_callback(storage->client->client,
					remote_login_callback, muser);
}

int remote_namespace_create(struct migration_user *muser, const char **error_r)
{
	const char *index_dir = t_strconcat(muser->set.dir, "/proxy", NULL);

	if (strcmp(muser->ns->list->name, MAILBOX_LIST_NAME_IMAPC) == 0) {
		*error_r = "mail_location of the namespace with inbox = yes "
			"must be local, not imapc";
		return -1;
	}
	if (compat_imapc_namespace_create(muser->ns, index_dir,
					  &muser->remote_ns, error_r) < 0)
		return -1;
	remote_storage_tune(muser);
	return 0;
}

void remote_namespace_destroy(struct migration_user *muser)
{
	struct mail_namespace *ns = muser->remote_ns;

	if (ns == NULL)
		return;
	mail_namespace_destroy(ns);
	muser->remote_ns = NULL;
}

static bool login_refused(const struct imapc_storage_client *client)
{
	return client->auth_failed_state != IMAPC_COMMAND_STATE_OK &&
		client->auth_failed_state != IMAPC_COMMAND_STATE_DISCONNECTED;
}

void remote_retry(struct migration_user *muser)
{
	struct imapc_storage_client *client = remote_storage(muser)->client;
	time_t wait = login_refused(client) ?
		RETRY_LOGIN_SECS : RETRY_LOST_SECS;

	if (muser->remote_failed == 0 ||
	    time(NULL) - muser->remote_failed < wait)
		return;
	muser->remote_failed = 0;
	client->auth_failed_state = IMAPC_COMMAND_STATE_OK;
	i_free(client->auth_failed_reason);
}

int remote_connect(struct migration_user *muser,
		   enum mail_error *error_code_r, const char **error_r)
{
	char sep;

	remote_retry(muser);
	if (imapc_list_try_get_root_sep(remote_list(muser), &sep) == 0)
		return 0;
	remote_last_error(muser, error_code_r, error_r);
	return -1;
}

void remote_last_error(struct migration_user *muser,
		       enum mail_error *error_code_r, const char **error_r)
{
	struct mail_storage *storage = muser->remote_ns->storage;
	struct imapc_storage_client *client = remote_storage(muser)->client;

	*error_code_r = MAIL_ERROR_UNAVAILABLE;
	if (login_refused(client))
		*error_r = ERRSTR_LOGIN;
	else if (client->auth_failed_state == IMAPC_COMMAND_STATE_DISCONNECTED)
		*error_r = ERRSTR_UNREACHABLE;
	else if (storage->error == MAIL_ERROR_TEMP ||
		 storage->error == MAIL_ERROR_NONE)
		*error_r = ERRSTR_FAILED;
	else
		*error_r = mail_storage_get_last_error(storage, error_code_r);
}

void remote_refine_error(struct migration_user *muser)
{
	struct mail_storage *storage = muser->remote_ns->storage;
	enum mail_error error_code;
	const char *error;

	remote_last_error(muser, &error_code, &error);
	if (error != storage->error_string)
		mail_storage_set_error(storage, error_code, error);
}
