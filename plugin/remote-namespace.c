#include "lib.h"
#include "ioloop.h"
#include "mail-namespace.h"
#include "mailbox-list-private.h"
#include "mailbox-tree.h"
#include "imapc-storage.h"
#include "imapc-list.h"
#include "dovecot-compat.h"
#include "migration-user.h"
#include "engine/folder-tree.h"
#include "engine/name-map.h"
#include "engine/old-client.h"
#include "remote-status.h"
#include "remote-watchdog.h"
#include "remote-namespace.h"

#define PREFETCH_COUNT_MIN 100
#define RETRY_LOST_SECS 2
#define RETRY_LOGIN_SECS 15

#define ERRSTR_UNREACHABLE "The old mail server can't be reached, " \
	"try again later"
#define ERRSTR_FAILED "The old mail server failed, try again later"
#define ERRSTR_LOST "The connection to the old mail server was lost, try again"

/* What stock imapc needs to be a proxy: no whole body for a size, no whole
   header for a field. Taken away is what gives clients wrong answers. */
#define FEATURES_NEEDED \
	(IMAPC_FEATURE_RFC822_SIZE | IMAPC_FEATURE_FETCH_HEADERS | \
	 IMAPC_FEATURE_FETCH_BODYSTRUCTURE)
#define FEATURES_WRONG \
	(IMAPC_FEATURE_SEARCH | IMAPC_FEATURE_NO_MSN_UPDATES | \
	 IMAPC_FEATURE_MODSEQ)

#define REMOTE_LIST_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, remote_list_module)

struct remote_list {
	union mailbox_list_module_context module_ctx;
	struct migration_user *muser;
};

static MODULE_CONTEXT_DEFINE_INIT(remote_list_module,
				  &mailbox_list_module_register);

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

/* Why there is no connection now, NULL when there may be one. */
static const char *why_not_connected(struct migration_user *muser)
{
	if (muser->remote_failed == 0)
		return NULL;
	return muser->remote_refusal != NULL ? muser->remote_refusal :
		ERRSTR_UNREACHABLE;
}

static void remote_list_failed(struct migration_user *muser,
			       struct mailbox_list *list)
{
	const char *error = why_not_connected(muser);

	mailbox_list_set_error(list, remote_unavailable(muser),
			       error != NULL ? error : ERRSTR_FAILED);
}

/* lib-storage looks at subscriptions before it changes one; what imapc remembers
   from the time before doesn't have our own changes */
static int
remote_subscriptions_refresh(struct mailbox_list *src_list,
			     struct mailbox_list *dest_list)
{
	struct remote_list *rlist = REMOTE_LIST_CONTEXT(src_list);
	struct imapc_mailbox_list *ilist =
		container_of(src_list, struct imapc_mailbox_list, list);
	enum mail_error error_code;
	const char *error;

	if (ilist->iter_count == 0)
		ilist->refreshed_subscriptions = FALSE;
	if (remote_ready(rlist->muser, &error_code, &error) == 0 &&
	    rlist->module_ctx.super.
	    subscriptions_refresh(src_list, dest_list) == 0)
		return 0;
	remote_list_failed(rlist->muser, dest_list);
	return -1;
}

/* and at a folder's children before it renames it */
static int remote_iter_deinit(struct mailbox_list_iterate_context *ctx)
{
	struct mailbox_list *list = ctx->list;
	struct remote_list *rlist = REMOTE_LIST_CONTEXT(list);
	int ret = rlist->module_ctx.super.iter_deinit(ctx);

	if (ret < 0 && list->error == MAIL_ERROR_TEMP)
		remote_list_failed(rlist->muser, list);
	return ret;
}

void remote_list_created(struct migration_user *muser,
			 struct mailbox_list *list)
{
	struct mailbox_list_vfuncs *v = list->vlast;
	struct remote_list *rlist;

	rlist = p_new(list->pool, struct remote_list, 1);
	rlist->module_ctx.super = *v;
	list->vlast = &rlist->module_ctx.super;
	rlist->muser = muser;
	v->subscriptions_refresh = remote_subscriptions_refresh;
	v->iter_deinit = remote_iter_deinit;
	MODULE_CONTEXT_SET(list, remote_list_module, rlist);
	v->get_storage_name = remote_get_storage_name;
	v->get_vname = remote_get_vname;
}

static void remote_failed(struct migration_user *muser, const char *reason)
{
	muser->remote_failed = time(NULL);
	e_debug(muser->user->event, "migration: %s", reason);
}

/* The old server's own words, unless it repeats what we sent. */
static void remote_refused(struct migration_user *muser, const char *reply)
{
	const char *password = remote_storage(muser)->set->imapc_password;
	const char *code, *text;

	remote_failed(muser, reply);
	i_free(muser->remote_refusal);
	code = old_login_refusal(reply, &text);
	if (*password != '\0' && strstr(reply, password) != NULL)
		text = "";
	muser->remote_refusal = i_strdup_printf(
		"[%s] The old mail server refused the login%s%s", code,
		*text == '\0' ? "" : ": ", text);
}

static void remote_forget_failure(struct migration_user *muser)
{
	muser->remote_failed = 0;
	i_free_and_null(muser->remote_refusal);
}

/* A lost connection is made again at once; one that can't be made isn't tried
   again for a moment. */
static void remote_disconnected(struct migration_user *muser, const char *reason)
{
	if (muser->remote_logins > 0)
		muser->remote_logins--;
	else if (muser->remote_refusal == NULL || muser->remote_failed == 0)
		remote_failed(muser, reason);
}

/* Called for each login and for each lost connection. imapc's own would
   remember a failure for ever. */
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

	switch (reply->state) {
	case IMAPC_COMMAND_STATE_OK:
		remote_forget_failure(muser);
		muser->remote_logins++;
		break;
	case IMAPC_COMMAND_STATE_DISCONNECTED:
		remote_disconnected(muser, reply->text_full);
		break;
	default:
		remote_refused(muser, reply->text_full);
		break;
	}
}

static void remote_storage_tune(struct migration_user *muser)
{
	struct imapc_storage *storage = remote_storage(muser);
	pool_t pool = storage->storage.pool;
	struct imapc_settings *imapc_set;

	imapc_set = p_new(pool, struct imapc_settings, 1);
	*imapc_set = *storage->set;
	imapc_set->parsed_features |= FEATURES_NEEDED;
	imapc_set->parsed_features &= ENUM_NEGATE(FEATURES_WRONG);
	storage->set = imapc_set;
	storage->storage.nonbody_access_fields |=
		MAIL_FETCH_IMAP_BODY | MAIL_FETCH_IMAP_BODYSTRUCTURE;

	imapc_client_set_login_callback(storage->client->client,
					remote_login_callback, muser);
	muser->remote_watchdog = remote_watchdog_init(storage->client->client);
}

int remote_namespace_create(struct migration_user *muser, const char **error_r)
{
	if (strcmp(muser->ns->list->name, MAILBOX_LIST_NAME_IMAPC) == 0) {
		*error_r = "mail_location of the namespace with inbox = yes "
			"must be local, not imapc";
		return -1;
	}
	if (compat_imapc_namespace_create(muser->ns, PREFETCH_COUNT_MIN,
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
	remote_status_deinit(&muser->remote_status);
	remote_forget_failure(muser);
	muser->remote_ns = NULL;
	remote_watchdog_deinit(&muser->remote_watchdog);
}

enum mail_error remote_unavailable(struct migration_user *muser)
{
	/* pop3 says [SYS/PERM] for all errors but this one */
	return strcmp(muser->user->service, "pop3") == 0 ?
		MAIL_ERROR_TEMP : MAIL_ERROR_UNAVAILABLE;
}

int remote_ready(struct migration_user *muser,
		 enum mail_error *error_code_r, const char **error_r)
{
	time_t wait = muser->remote_refusal != NULL ?
		RETRY_LOGIN_SECS : RETRY_LOST_SECS;

	if (muser->remote_failed == 0 ||
	    time(NULL) - muser->remote_failed >= wait) {
		remote_forget_failure(muser);
		return 0;
	}
	*error_code_r = remote_unavailable(muser);
	*error_r = why_not_connected(muser);
	return -1;
}

int remote_box_ready(struct migration_user *muser, struct mailbox *box)
{
	enum mail_error error_code;
	const char *error;

	if (remote_ready(muser, &error_code, &error) == 0)
		return 0;
	mail_storage_set_error(box->storage, error_code, error);
	return -1;
}

/* The folder tree knows the separator: one round trip less. */
static bool separator_from_tree(struct migration_user *muser)
{
	struct imapc_mailbox_list *list = remote_list(muser);
	struct name_map map;
	const char *error;

	if (folder_tree_name_map(muser, &map, &error) <= 0 ||
	    map.old_sep == '\0')
		return FALSE;
	list->root_sep = map.old_sep;
	mailbox_tree_set_separator(list->mailboxes, map.old_sep);
	return TRUE;
}

int remote_connect(struct migration_user *muser,
		   enum mail_error *error_code_r, const char **error_r)
{
	char sep;

	if (remote_list(muser)->root_sep != '\0' || separator_from_tree(muser))
		return 0;
	if (remote_ready(muser, error_code_r, error_r) < 0)
		return -1;
	if (imapc_list_try_get_root_sep(remote_list(muser), &sep) == 0)
		return 0;
	remote_last_error(muser, error_code_r, error_r);
	return -1;
}

static bool is_delivery(struct migration_user *muser)
{
	const char *service = muser->user->service;

	return strcmp(service, "lmtp") == 0 || strcmp(service, "lda") == 0;
}

enum mail_error
remote_error_code(struct migration_user *muser, enum mail_error error_code)
{
	/* a delivery must be tried again, not bounced (I5) */
	if (error_code == MAIL_ERROR_UNAVAILABLE ||
	    (error_code == MAIL_ERROR_NOQUOTA && is_delivery(muser)))
		return remote_unavailable(muser);
	return error_code;
}

/* imapc gives these as if the old server had said NO */
static bool is_lost_connection(const struct mail_storage *storage)
{
	return storage->error == MAIL_ERROR_PARAMS &&
		(str_begins(storage->error_string, "Disconnected from") ||
		 strcmp(storage->error_string, "Mailbox not open") == 0 ||
		 strcmp(storage->error_string, "Unselecting mailbox") == 0);
}

void remote_last_error(struct migration_user *muser,
		       enum mail_error *error_code_r, const char **error_r)
{
	struct mail_storage *storage = muser->remote_ns->storage;

	*error_code_r = remote_unavailable(muser);
	if (muser->remote_failed != 0)
		*error_r = why_not_connected(muser);
	else if (storage->error == MAIL_ERROR_NONE ||
		 (storage->error == MAIL_ERROR_TEMP &&
		  str_begins(storage->error_string, MAIL_ERRSTR_CRITICAL_MSG)))
		*error_r = ERRSTR_FAILED;
	else if (storage->error == MAIL_ERROR_TEMP)
		*error_r = storage->error_string;
	else if (is_lost_connection(storage))
		*error_r = ERRSTR_LOST;
	else {
		*error_r = mail_storage_get_last_error(storage, error_code_r);
		*error_code_r = remote_error_code(muser, *error_code_r);
	}
}

void remote_refine_error(struct migration_user *muser)
{
	struct mail_storage *storage = muser->remote_ns->storage;
	enum mail_error error_code;
	const char *error;

	remote_last_error(muser, &error_code, &error);
	if (error != storage->error_string || error_code != storage->error)
		mail_storage_set_error(storage, error_code, error);
}

static void
unselect_callback(const struct imapc_command_reply *reply ATTR_UNUSED,
		  void *context ATTR_UNUSED)
{
}

void remote_box_unselect(struct imapc_mailbox *mbox)
{
	struct imapc_command *cmd;

	if (mbox->client_box == NULL ||
	    !imapc_client_mailbox_is_opened(mbox->client_box) ||
	    (mbox->capabilities & IMAPC_CAPABILITY_UNSELECT) == 0)
		return;
	cmd = imapc_client_mailbox_cmd(mbox->client_box, unselect_callback,
				       NULL);
	imapc_command_send(cmd, "UNSELECT");
}
