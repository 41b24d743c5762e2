#include "lib.h"
#include "array.h"
#include "hash.h"
#include "ioloop.h"
#include "migration-user.h"
#include "migration-report.h"
#include "folder-move.h"
#include "folder-tree-file.h"
#include "folder-tree-pass.h"
#include "left-locks.h"
#include "local-folders.h"
#include "mailbox-files.h"
#include "mailbox-state.h"
#include "name-map.h"
#include "old-folders.h"
#include "old-settings.h"

/* A session that has a tree doesn't wait long for a newer one. */
#define REFRESH_PATIENCE_MSECS 3000
/* at least so many, and more than are left, must be gone to look like a fault */
#define SHRUNK_MIN_FOLDERS 2

struct tree_pass {
	struct migration_user *muser;
	/* NULL: one of its own */
	struct old_client *client;
	pool_t pool;
	struct name_map map;
	struct old_folders old;
	ARRAY_TYPE(local_folder) local;

	/* vname => struct */
	HASH_TABLE(const char *, const struct old_folder *) old_by_name;
	HASH_TABLE(const char *, const struct local_folder *) local_by_name;
	/* vname => itself */
	HASH_TABLE(const char *, const char *) subscribed;

	/* vnames: those of the old server; of these, to be here; of these,
	   without a state */
	ARRAY_TYPE(const_string) old_names, wanted, stateless;

	unsigned int made, removed, failed;
};

static void
folder_failed(struct tree_pass *pass, const char *vname, const char *action,
	      const char *error)
{
	pass->failed++;
	migration_report(pass->muser, "folder_failed", "mailbox", vname,
			 "action", action, "reason", error, NULL);
}

/* Is it to be made here? Collects those that have no state yet. */
static bool
is_wanted(struct tree_pass *pass, const char *vname,
	  const struct old_folder *folder)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	if (!folder->selectable)
		return TRUE;
	ret = mailbox_state_read(pass->muser->set.dir, vname, pass->pool,
				 &state, &error);
	if (ret < 0) {
		folder_failed(pass, vname, "create", error);
		return FALSE;
	}
	if (ret == 0)
		array_push_back(&pass->stateless, &vname);
	return ret == 0 || mailbox_state_authority_is_old(state.state);
}

/* By the names that they have here. */
static void index_old_folders(struct tree_pass *pass)
{
	const struct old_folder *folder;
	const char *vname;

	array_foreach(&pass->old.folders, folder) T_BEGIN {
		vname = name_map_from_old(&pass->map, folder->name);
		/* INBOX is told twice where it's the prefix of the others */
		if (vname != NULL &&
		    hash_table_lookup(pass->old_by_name, vname) == NULL) {
			vname = p_strdup(pass->pool, vname);
			hash_table_insert(pass->old_by_name, vname, folder);
			array_push_back(&pass->old_names, &vname);
		}
	} T_END;
}

static void collect_folders(struct tree_pass *pass)
{
	const struct old_folder *folder;
	const char *vname;

	array_foreach_elem(&pass->old_names, vname) T_BEGIN {
		folder = hash_table_lookup(pass->old_by_name, vname);
		if (is_wanted(pass, vname, folder))
			array_push_back(&pass->wanted, &vname);
	} T_END;
}

static void make_folder(struct tree_pass *pass, const char *vname)
{
	const struct old_folder *folder =
		hash_table_lookup(pass->old_by_name, vname);
	enum mail_error error_code;
	const struct local_folder *local =
		hash_table_lookup(pass->local_by_name, vname);
	const char *error;

	/* not selectable: it has children only, or was being made when that
	   process was killed */
	if (local != NULL && (local->selectable || !folder->selectable))
		return;
	if (local_folder_create(pass->muser, vname, folder->selectable,
				&error_code, &error) == 0) {
		if (folder->selectable)
			pass->made++;
	} else if (folder->selectable) {
		folder_failed(pass, vname, "create", error);
	} else {
		/* it comes with its children, or isn't missed */
		e_debug(pass->muser->user->event,
			"migration: Can't make folder %s: %s", vname, error);
	}
}

/* The states are there, durably, before the mailboxes: one without the other
   is never taken for a local one. */
static int make_folders(struct tree_pass *pass, const char **error_r)
{
	const struct mailbox_state_file remote = { .since = ioloop_time };
	const char *vname;

	collect_folders(pass);
	if (mailbox_state_write_many(pass->muser->set.dir, &pass->stateless,
				     &remote, error_r) < 0)
		return -1;
	array_foreach_elem(&pass->wanted, vname) T_BEGIN {
		make_folder(pass, vname);
	} T_END;
	return 0;
}

/* Is it ours to take away: from the old server, where it isn't any more? */
static bool
is_gone(struct tree_pass *pass, const struct local_folder *folder)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	if (hash_table_lookup(pass->old_by_name, folder->vname) != NULL ||
	    strcmp(folder->vname, "INBOX") == 0)
		return FALSE;
	ret = mailbox_state_read(pass->muser->set.dir, folder->vname,
				 pass->pool, &state, &error);
	if (ret < 0)
		folder_failed(pass, folder->vname, "delete", error);
	return ret > 0 && mailbox_state_authority_is_old(state.state);
}

static void remove_folder(struct tree_pass *pass, const char *vname)
{
	enum mail_error error_code;
	const char *error;

	if (local_folder_delete(pass->muser, vname, &error_code,
				&error) < 0 ||
	    mailbox_files_remove(pass->muser->set.dir, vname, &error) < 0) {
		folder_failed(pass, vname, "delete", error);
		return;
	}
	pass->removed++;
	migration_report(pass->muser, "folder_removed", "mailbox", vname, NULL);
}

static void remove_folders(struct tree_pass *pass)
{
	ARRAY_TYPE(const_string) gone;
	const struct local_folder *folder;
	const char *vname;
	unsigned int known = hash_table_count(pass->old_by_name);

	p_array_init(&gone, pass->pool, 8);
	array_foreach(&pass->local, folder) {
		if (is_gone(pass, folder))
			array_push_back(&gone, &folder->vname);
	}
	if (array_count(&gone) >= SHRUNK_MIN_FOLDERS &&
	    array_count(&gone) > known) {
		migration_report(pass->muser, "folders_shrunk",
				 "old", dec2str(known),
				 "missing", dec2str(array_count(&gone)), NULL);
		return;
	}
	array_foreach_elem(&gone, vname)
		remove_folder(pass, vname);
}

/* A crash between a folder and its state leaves the state alone. Of a mailbox
   that nobody has any more it would keep CREATE from making another. */
static void forget_orphan(struct tree_pass *pass, const char *vname)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	ret = mailbox_state_read(pass->muser->set.dir, vname,
				 pool_datastack_create(), &state, &error);
	if (ret > 0 && mailbox_state_authority_is_old(state.state))
		ret = mailbox_files_remove(pass->muser->set.dir, vname, &error);
	if (ret < 0)
		folder_failed(pass, vname, "forget", error);
}

static void forget_orphans(struct tree_pass *pass)
{
	ARRAY_TYPE(const_string) known, orphans;
	const struct local_folder *folder;
	const char *vname, *key, *error;

	t_array_init(&known, 64);
	array_foreach_elem(&pass->old_names, vname) {
		key = mailbox_state_key(vname);
		array_push_back(&known, &key);
	}
	array_foreach(&pass->local, folder) {
		key = mailbox_state_key(folder->vname);
		array_push_back(&known, &key);
	}
	p_array_init(&orphans, pass->pool, 8);
	if (mailbox_state_find_others(pass->muser->set.dir, &known, pass->pool,
				      &orphans, &error) < 0) {
		e_error(pass->muser->user->event, "migration: %s", error);
		return;
	}
	array_foreach_elem(&orphans, vname) T_BEGIN {
		forget_orphan(pass, vname);
	} T_END;
}

static void
subscribe(struct tree_pass *pass, const char *vname, bool set)
{
	enum mail_error error_code;
	const char *error;

	if (local_folder_subscribe(pass->muser, vname, set, &error_code,
				   &error) < 0)
		folder_failed(pass, vname, "subscribe", error);
}

/* Its subscription isn't the old server's any more. */
static bool is_ours(struct tree_pass *pass, const char *vname)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	ret = mailbox_state_read(pass->muser->set.dir, vname, pass->pool,
				 &state, &error);
	return ret < 0 ||
		(ret > 0 && !mailbox_state_authority_is_old(state.state));
}

static void copy_subscriptions(struct tree_pass *pass)
{
	const struct local_folder *folder;
	const char *old_name, *vname;

	array_foreach_elem(&pass->old.subscribed, old_name) T_BEGIN {
		vname = name_map_from_old(&pass->map, old_name);
		if (vname != NULL) {
			vname = p_strdup(pass->pool, vname);
			hash_table_update(pass->subscribed, vname, vname);
			folder = hash_table_lookup(pass->local_by_name, vname);
			if ((folder == NULL || !folder->subscribed) &&
			    !is_ours(pass, vname))
				subscribe(pass, vname, TRUE);
		}
	} T_END;
	array_foreach(&pass->local, folder) {
		if (folder->subscribed &&
		    hash_table_lookup(pass->old_by_name, folder->vname) != NULL &&
		    hash_table_lookup(pass->subscribed, folder->vname) == NULL &&
		    !is_ours(pass, folder->vname))
			subscribe(pass, folder->vname, FALSE);
	}
}

static int ask(struct tree_pass *pass, struct old_client *client,
	       enum mail_error *error_code_r, const char **error_r)
{
	int ret;

	folder_tree_map_init(pass->muser, '\0', &pass->map);
	ret = old_folders_get(client, pass->map.old_prefix, pass->pool,
			      &pass->old, error_code_r, error_r);
	if (ret < 0)
		*error_r = p_strdup(pass->pool, *error_r);
	return ret;
}

static int ask_by_own(struct tree_pass *pass, bool first,
		      enum mail_error *error_code_r, const char **error_r)
{
	struct old_client_settings set;
	struct old_client *client;
	int ret;

	if (old_settings_read(pass->muser->ns, &set, error_r) < 0) {
		*error_code_r = MAIL_ERROR_TEMP;
		return -1;
	}
	if (!first) {
		set.connect_timeout_msecs = REFRESH_PATIENCE_MSECS;
		set.cmd_timeout_msecs = REFRESH_PATIENCE_MSECS;
	}
	client = old_client_init(&set, pass->muser->user->event);
	ret = ask(pass, client, error_code_r, error_r);
	old_client_deinit(&client);
	return ret;
}

static int ask_old_server(struct tree_pass *pass, bool first,
			  enum mail_error *error_code_r, const char **error_r)
{
	return pass->client != NULL ?
		ask(pass, pass->client, error_code_r, error_r) :
		ask_by_own(pass, first, error_code_r, error_r);
}

static int look_here(struct tree_pass *pass, enum mail_error *error_code_r,
		     const char **error_r)
{
	const struct local_folder *folder;

	hash_table_clear(pass->local_by_name, FALSE);
	if (local_folders_get(pass->muser, pass->pool, &pass->local,
			      error_code_r, error_r) < 0)
		return -1;
	array_foreach(&pass->local, folder)
		hash_table_update(pass->local_by_name, folder->vname, folder);
	return 0;
}

static bool old_server_has(void *context, const char *vname)
{
	struct tree_pass *pass = context;

	return hash_table_lookup(pass->old_by_name, vname) != NULL;
}

static int look_around(struct tree_pass *pass, bool first,
		       enum mail_error *error_code_r, const char **error_r)
{
	if (ask_old_server(pass, first, error_code_r, error_r) < 0)
		return -1;
	folder_tree_map_init(pass->muser, pass->old.sep, &pass->map);
	index_old_folders(pass);
	if (folder_move_recover(pass->muser, old_server_has, pass,
				error_code_r, error_r) < 0)
		return -1;
	return look_here(pass, error_code_r, error_r);
}

static void tree_pass_report(struct tree_pass *pass, bool first)
{
	if (!first && pass->made == 0 && pass->removed == 0 &&
	    pass->failed == 0)
		return;
	migration_report(pass->muser, "tree",
		"folders", dec2str(hash_table_count(pass->old_by_name)),
		"made", dec2str(pass->made), "removed", dec2str(pass->removed),
		"failed", dec2str(pass->failed),
		"foreign", dec2str(pass->old.foreign), NULL);
}

/* What is lost in a power cut the next pass makes again. */
static int change_folders(struct tree_pass *pass, const char **error_r)
{
	enum fsync_mode mode =
		local_folders_set_fsync(pass->muser, FSYNC_MODE_NEVER);
	int ret;

	if ((ret = make_folders(pass, error_r)) == 0) {
		remove_folders(pass);
		forget_orphans(pass);
		copy_subscriptions(pass);
	}
	(void)local_folders_set_fsync(pass->muser, mode);
	return ret;
}

static int tree_pass_run(struct tree_pass *pass, bool first,
			 enum mail_error *error_code_r, const char **error_r)
{
	struct folder_tree_file file = { .checked = ioloop_time };

	/* An earlier one may have been killed. Nobody else gets to the local
	   mailboxes before the tree is made. */
	if (first)
		left_locks_remove(pass->muser);
	if (look_around(pass, first, error_code_r, error_r) < 0)
		return -1;
	*error_code_r = MAIL_ERROR_TEMP;
	if (change_folders(pass, error_r) < 0)
		return -1;
	tree_pass_report(pass, first);

	file.old_sep = pass->old.sep;
	return folder_tree_file_write(pass->muser->set.dir, &file, error_r);
}

int folder_tree_pass(struct migration_user *muser, struct old_client *client,
		     bool first, enum mail_error *error_code_r,
		     const char **error_r)
{
	struct tree_pass pass = { .muser = muser, .client = client };
	const char *error = NULL;
	int ret;

	pass.pool = pool_alloconly_create("folder tree", 16*1024);
	p_array_init(&pass.old_names, pass.pool, 64);
	p_array_init(&pass.wanted, pass.pool, 64);
	p_array_init(&pass.stateless, pass.pool, 64);
	hash_table_create(&pass.old_by_name, pass.pool, 0, str_hash, strcmp);
	hash_table_create(&pass.local_by_name, pass.pool, 0, str_hash, strcmp);
	hash_table_create(&pass.subscribed, pass.pool, 0, str_hash, strcmp);
	if ((ret = tree_pass_run(&pass, first, error_code_r, &error)) < 0)
		*error_r = t_strdup(error);
	hash_table_destroy(&pass.old_by_name);
	hash_table_destroy(&pass.local_by_name);
	hash_table_destroy(&pass.subscribed);
	pool_unref(&pass.pool);
	return ret;
}
