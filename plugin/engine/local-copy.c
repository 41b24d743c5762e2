#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "ioloop.h"
#include "mailbox-list-private.h"
#include "mdbox-storage.h"
#include "migration-user.h"
#include "delta.h"
#include "local-copy.h"
#include "mailbox-durable.h"
#include "sdbox-strays.h"

#define LOCAL_COPY_TRANSACTION_FLAGS \
	(MAILBOX_TRANSACTION_FLAG_SYNC | MAILBOX_TRANSACTION_FLAG_NO_NOTIFY)

struct local_copy {
	struct migration_user *muser;
	char *vname;
	struct mailbox *box;
	bool was_dsyncing;

	/* saves since the last commit */
	struct mailbox_transaction_context *trans;
	struct mail_save_context *save;
	uint32_t save_uid;
	/* since the last commit: messages, index files */
	bool messages_changed, index_changed;
	bool lazy, deferred;
	bool last_cancelled;
	ARRAY_TYPE(seq_range) saved_uids;
};

static void box_error(struct local_copy *copy, const char *action,
		      const char **error_r)
{
	*error_r = t_strdup_printf("Local mailbox %s: %s failed: %s",
		copy->vname, action,
		mailbox_get_last_internal_error(copy->box, NULL));
}

/* mdbox closes files some time after they were used. Its timeout must outlast the
   inner ioloop in which messages are saved while the old server sends them. */
static void keep_timeouts(struct mail_storage *storage)
{
	struct mdbox_storage *mdbox;

	if (strcmp(storage->name, MDBOX_STORAGE_NAME) != 0)
		return;
	mdbox = MDBOX_STORAGE(storage);
	if (mdbox->to_close_unused_files != NULL)
		mdbox->to_close_unused_files = io_loop_move_timeout_to(
			io_loop_get_root(), &mdbox->to_close_unused_files);
}

/* Everything is synced together at commit. */
static void stop_fsyncs(struct mailbox *box)
{
	struct mail_storage_settings *set =
		(struct mail_storage_settings *)box->storage->set;

	set->parsed_fsync_mode = FSYNC_MODE_NEVER;
	mail_index_set_fsync_mode(box->index, FSYNC_MODE_NEVER, 0);
}

static int open_box(struct local_copy *copy, const char **error_r)
{
	copy->box = migration_local_mailbox_alloc(copy->muser, copy->vname,
		MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_open(copy->box) < 0) {
		box_error(copy, "open", error_r);
		return -1;
	}
	stop_fsyncs(copy->box);
	if (mailbox_sync(copy->box, MAILBOX_SYNC_FLAG_FULL_READ) < 0) {
		box_error(copy, "sync", error_r);
		return -1;
	}
	return 0;
}

int local_copy_open(struct migration_user *muser, const char *vname,
		    struct local_copy **copy_r, const char **error_r)
{
	struct local_copy *copy = i_new(struct local_copy, 1);

	copy->muser = muser;
	copy->vname = i_strdup(vname);
	i_array_init(&copy->saved_uids, 8);

	/* exempt from quota, not seen by notify */
	copy->was_dsyncing = muser->user->dsyncing;
	muser->user->dsyncing = TRUE;
	migration_bypass_begin(muser);
	if (open_box(copy, error_r) < 0) {
		local_copy_close(&copy);
		return -1;
	}
	*copy_r = copy;
	return 0;
}

static void rollback(struct local_copy *copy)
{
	if (copy->save != NULL)
		mailbox_save_cancel(&copy->save);
	if (copy->trans != NULL)
		mailbox_transaction_rollback(&copy->trans);
	copy->last_cancelled = FALSE;
	array_clear(&copy->saved_uids);
	if (copy->box != NULL)
		keep_timeouts(copy->box->storage);
}

void local_copy_close(struct local_copy **_copy)
{
	struct local_copy *copy = *_copy;

	if (copy == NULL)
		return;
	*_copy = NULL;
	rollback(copy);
	mailbox_free(&copy->box);
	migration_bypass_end(copy->muser);
	copy->muser->user->dsyncing = copy->was_dsyncing;
	array_free(&copy->saved_uids);
	i_free(copy->vname);
	i_free(copy);
}

struct mailbox *local_copy_box(struct local_copy *copy)
{
	return copy->box;
}

bool local_copy_saves_crlf(struct local_copy *copy)
{
	/* the dbox formats never do */
	return copy->box->storage->set->mail_save_crlf &&
		strcmp(copy->box->storage->name, "maildir") == 0;
}

void local_copy_status(struct local_copy *copy,
		       struct local_copy_status *status_r)
{
	struct mailbox_status status;

	mailbox_get_open_status(copy->box, STATUS_UIDVALIDITY |
				STATUS_UIDNEXT | STATUS_MESSAGES, &status);
	status_r->uid_validity = status.uidvalidity;
	status_r->uid_next = status.uidnext;
	status_r->messages = status.messages;
}

int local_copy_remove_strays(struct local_copy *copy, const char **error_r)
{
	return sdbox_strays_remove(copy->box, error_r);
}

int local_copy_update(struct local_copy *copy,
		      const struct mailbox_update *update, const char **error_r)
{
	if (mailbox_update(copy->box, update) < 0 ||
	    mailbox_sync(copy->box, 0) < 0) {
		box_error(copy, "update", error_r);
		return -1;
	}
	copy->index_changed = TRUE;
	return 0;
}

int local_copy_sync(struct local_copy *copy, const char **error_r)
{
	if (mailbox_sync(copy->box, 0) < 0) {
		box_error(copy, "sync", error_r);
		return -1;
	}
	return 0;
}

int local_copy_set_uid_validity(struct local_copy *copy, uint32_t uid_validity,
				const char **error_r)
{
	const struct mailbox_update update = { .uid_validity = uid_validity };

	return local_copy_update(copy, &update, error_r);
}

int local_copy_recreate(struct local_copy *copy, const char **error_r)
{
	rollback(copy);
	if (mailbox_delete(copy->box) < 0) {
		box_error(copy, "delete", error_r);
		return -1;
	}
	mailbox_free(&copy->box);

	copy->box = migration_local_mailbox_alloc(copy->muser, copy->vname,
		MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_create(copy->box, NULL, FALSE) < 0 &&
	    mailbox_get_last_mail_error(copy->box) != MAIL_ERROR_EXISTS) {
		box_error(copy, "create", error_r);
		return -1;
	}
	mailbox_free(&copy->box);
	return open_box(copy, error_r);
}

static const char *const *
keyword_names(struct mailbox *box, uint32_t seq,
	      ARRAY_TYPE(keyword_indexes) *indexes)
{
	const ARRAY_TYPE(keywords) *all = mail_index_get_keywords(box->index);
	const char **names;
	unsigned int i, idx, count;

	mail_index_lookup_keywords(box->view, seq, indexes);
	count = array_count(indexes);
	names = t_new(const char *, count + 1);
	for (i = 0; i < count; i++) {
		idx = *(const unsigned int *)array_idx(indexes, i);
		names[i] = *(const char *const *)array_idx(all, idx);
	}
	return names;
}

static void
add_to_inventory(struct local_copy *copy, uint32_t seq,
		 ARRAY_TYPE(keyword_indexes) *indexes,
		 struct inventory *inventory)
{
	const struct mail_index_record *rec =
		mail_index_lookup(copy->box->view, seq);
	struct inventory_item *item;
	bool added;

	item = inventory_get(inventory, rec->uid, &added);
	item->flags = rec->flags & MAIL_FLAGS_NONRECENT;
	item->keywords = inventory_keywords_get(inventory->keywords,
		keyword_names(copy->box, seq, indexes));
}

/* From the index itself: a search costs ten times as much. */
void local_copy_inventory(struct local_copy *copy, struct inventory *inventory)
{
	uint32_t count = mail_index_view_get_messages_count(copy->box->view);
	ARRAY_TYPE(keyword_indexes) indexes;

	i_array_init(&indexes, 16);
	for (uint32_t seq = 1; seq <= count; seq++) T_BEGIN {
		add_to_inventory(copy, seq, &indexes, inventory);
	} T_END;
	array_free(&indexes);
}

void local_copy_inventory_of(struct local_copy *copy,
			     const struct inventory *wanted,
			     struct inventory *inventory)
{
	const struct inventory_item *item;
	ARRAY_TYPE(keyword_indexes) indexes;
	uint32_t seq;

	i_array_init(&indexes, 16);
	array_foreach(&wanted->items, item) T_BEGIN {
		if (mail_index_lookup_seq(copy->box->view, item->uid, &seq))
			add_to_inventory(copy, seq, &indexes, inventory);
	} T_END;
	array_free(&indexes);
}

void local_copy_inventory_of_uids(struct local_copy *copy,
				  const ARRAY_TYPE(seq_range) *uids,
				  struct inventory *inventory)
{
	ARRAY_TYPE(keyword_indexes) indexes;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid, seq;

	i_array_init(&indexes, 16);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) T_BEGIN {
		if (mail_index_lookup_seq(copy->box->view, uid, &seq))
			add_to_inventory(copy, seq, &indexes, inventory);
	} T_END;
	array_free(&indexes);
}

void local_copy_uids(struct local_copy *copy, ARRAY_TYPE(seq_range) *uids)
{
	struct mail_index_view *view = copy->box->view;
	uint32_t seq, uid, count = mail_index_view_get_messages_count(view);

	for (seq = 1; seq <= count; seq++) {
		mail_index_lookup_uid(view, seq, &uid);
		seq_range_array_add(uids, uid);
	}
}

/* What comes into a mirror is new to its clients. Maildir takes a message that has
   its UID already for one that isn't, unless it's told. */
static enum mail_flags recent_flag(const struct local_copy *copy)
{
	return copy->lazy &&
		strcmp(copy->box->storage->name, "maildir") == 0 ?
		MAIL_RECENT : 0;
}

/* The save of a message under its UID, with its flags and keywords. */
static void
save_alloc(struct local_copy *copy, const struct inventory_item *item)
{
	struct mail_keywords *keywords = NULL;

	i_assert(copy->save == NULL);
	if (copy->trans == NULL) {
		copy->trans = mailbox_transaction_begin(copy->box,
			LOCAL_COPY_TRANSACTION_FLAGS |
			MAILBOX_TRANSACTION_FLAG_EXTERNAL |
			MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, __func__);
	}
	if (item->keywords != NULL) {
		keywords = mailbox_keywords_create_valid(copy->box,
							 item->keywords);
	}
	copy->save = mailbox_save_alloc(copy->trans);
	copy->save_uid = item->uid;
	mailbox_save_set_uid(copy->save, item->uid);
	mailbox_save_set_flags(copy->save, (item->flags & INVENTORY_FLAGS) |
			       recent_flag(copy), keywords);
	if (keywords != NULL)
		mailbox_keywords_unref(&keywords);
}

static void saved(struct local_copy *copy)
{
	copy->last_cancelled = FALSE;
	copy->messages_changed = TRUE;
	seq_range_array_add(&copy->saved_uids, copy->save_uid);
}

int local_copy_save_begin(struct local_copy *copy,
			  const struct inventory_item *item,
			  struct istream *input, const char **error_r)
{
	int ret;

	save_alloc(copy, item);
	mailbox_save_set_received_date(copy->save, item->date,
				       item->tz_offset);
	ret = mailbox_save_begin(&copy->save, input);
	keep_timeouts(copy->box->storage);
	if (ret < 0)
		box_error(copy, "save", error_r);
	return ret;
}

int local_copy_save_continue(struct local_copy *copy, const char **error_r)
{
	if (mailbox_save_continue(copy->save) < 0) {
		box_error(copy, "save", error_r);
		return -1;
	}
	return 0;
}

int local_copy_save_finish(struct local_copy *copy, const char **error_r)
{
	int ret = mailbox_save_finish(&copy->save);

	keep_timeouts(copy->box->storage);
	if (ret < 0)
		box_error(copy, "save", error_r);
	else
		saved(copy);
	return ret;
}

int local_copy_save_from(struct local_copy *copy,
			 const struct inventory_item *item,
			 struct local_copy *source, uint32_t source_uid,
			 const char **error_r)
{
	struct mailbox_transaction_context *trans =
		mailbox_transaction_begin(source->box, 0, __func__);
	struct mail *mail = mail_alloc(trans, 0, NULL);
	int ret = -1;

	if (!mail_set_uid(mail, source_uid)) {
		*error_r = t_strdup_printf("Local mailbox %s has no UID %u",
					   source->vname, source_uid);
	} else {
		save_alloc(copy, item);
		ret = mailbox_copy(&copy->save, mail);
		if (ret == 0)
			saved(copy);
		else
			box_error(copy, "copy", error_r);
	}
	mail_free(&mail);
	mailbox_transaction_rollback(&trans);
	return ret;
}

void local_copy_save_cancel(struct local_copy *copy)
{
	if (copy->save == NULL)
		return;
	mailbox_save_cancel(&copy->save);
	copy->last_cancelled = TRUE;
	keep_timeouts(copy->box->storage);
}

bool local_copy_must_rollback(struct local_copy *copy)
{
	return copy->trans != NULL && copy->last_cancelled;
}

void local_copy_rollback(struct local_copy *copy)
{
	rollback(copy);
}

static void expunge_all(struct mail *mail, const ARRAY_TYPE(seq_range) *uids)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (mail_set_uid(mail, uid))
			mail_expunge(mail);
	}
}

static void
set_flags(struct local_copy *copy, struct mail_index_transaction *trans,
	  uint32_t seq, const struct inventory_item *item)
{
	static const char *const none[] = { NULL };
	struct mail_keywords *keywords;

	keywords = mailbox_keywords_create_valid(copy->box,
		item->keywords != NULL ? item->keywords : none);
	mail_index_update_flags(trans, seq, MODIFY_REPLACE,
				item->flags & INVENTORY_FLAGS);
	mail_index_update_keywords(trans, seq, MODIFY_REPLACE, keywords);
	mailbox_keywords_unref(&keywords);
}

static void
set_all_flags(struct local_copy *copy, struct mail_index_transaction *trans,
	      const struct inventory *old, const ARRAY_TYPE(seq_range) *uids)
{
	const struct inventory_item *item;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid, seq;

	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) T_BEGIN {
		item = inventory_find(old, uid);
		if (item != NULL &&
		    mail_index_lookup_seq(copy->box->view, uid, &seq))
			set_flags(copy, trans, seq, item);
	} T_END;
}

/* Maildir has the flags in the messages' names */
static void flags_changed(struct local_copy *copy)
{
	if (strcmp(copy->box->storage->name, "maildir") != 0)
		copy->index_changed = TRUE;
	else
		copy->messages_changed = TRUE;
}

int local_copy_set_flags(struct local_copy *copy, const struct inventory *old,
			 const ARRAY_TYPE(seq_range) *uids,
			 struct local_copy_log_area *area_r,
			 const char **error_r)
{
	struct mail_index_transaction_commit_result result;
	struct mail_index_transaction *trans;

	if (area_r != NULL)
		i_zero(area_r);
	if (array_is_empty(uids))
		return 0;
	i_zero(&result);
	trans = mail_index_transaction_begin(copy->box->view, 0);
	set_all_flags(copy, trans, old, uids);
	if (mail_index_transaction_commit_full(&trans, &result) < 0) {
		mailbox_set_index_error(copy->box);
		box_error(copy, "changing flags", error_r);
		return -1;
	}
	if (area_r != NULL && result.commit_size > 0) {
		area_r->seq = result.log_file_seq;
		area_r->offset = result.log_file_offset - result.commit_size;
		area_r->length = result.commit_size;
	}
	flags_changed(copy);
	if (mailbox_sync(copy->box, MAILBOX_SYNC_FLAG_FULL_WRITE) < 0) {
		box_error(copy, "changing flags", error_r);
		return -1;
	}
	return 0;
}

static int
expunge(struct local_copy *copy, const ARRAY_TYPE(seq_range) *uids,
	const char **error_r)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;

	if (array_is_empty(uids))
		return 0;
	trans = mailbox_transaction_begin(copy->box,
		LOCAL_COPY_TRANSACTION_FLAGS, __func__);
	mail = mail_alloc(trans, 0, NULL);
	expunge_all(mail, uids);
	mail_free(&mail);
	copy->messages_changed = TRUE;
	if (mailbox_transaction_commit(&trans) < 0 ||
	    mailbox_sync(copy->box, MAILBOX_SYNC_FLAG_FULL_WRITE) < 0) {
		box_error(copy, "expunge", error_r);
		return -1;
	}
	return 0;
}

int local_copy_apply(struct local_copy *copy, const struct inventory *old,
		     const struct delta *delta, const char **error_r)
{
	if (local_copy_set_flags(copy, old, &delta->changed, NULL,
				 error_r) < 0)
		return -1;
	return expunge(copy, &delta->expunged, error_r);
}

/* lib-storage gives another UID to a message whose own can't be had */
static bool
got_their_uids(struct local_copy *copy,
	       const struct mail_transaction_commit_changes *changes)
{
	return array_cmp(&copy->saved_uids, &changes->saved_uids);
}

static int commit_saves(struct local_copy *copy, const char **error_r)
{
	struct mail_transaction_commit_changes changes;
	int ret = 0;

	if (copy->trans == NULL)
		return 0;
	i_assert(copy->save == NULL);
	if (mailbox_transaction_commit_get_changes(&copy->trans,
						   &changes) < 0) {
		box_error(copy, "commit", error_r);
		ret = -1;
	} else {
		if (!got_their_uids(copy, &changes)) {
			*error_r = t_strdup_printf("Local mailbox %s: "
				"messages got other UIDs than they have",
				copy->vname);
			ret = -1;
		}
		pool_unref(&changes.pool);
	}
	array_clear(&copy->saved_uids);
	if (mailbox_sync(copy->box, 0) < 0 && ret == 0) {
		box_error(copy, "sync", error_r);
		ret = -1;
	}
	keep_timeouts(copy->box->storage);
	return ret;
}

void local_copy_want_all_durable(struct local_copy *copy)
{
	copy->messages_changed = TRUE;
}

void local_copy_set_lazy(struct local_copy *copy)
{
	copy->lazy = TRUE;
}

void local_copy_set_deferred(struct local_copy *copy)
{
	copy->deferred = TRUE;
}

int local_copy_make_durable(struct local_copy *copy, const char **error_r)
{
	if (!copy->messages_changed && !copy->index_changed)
		return 0;
	if (mailbox_durable(copy->box, copy->messages_changed, error_r) < 0)
		return -1;
	copy->messages_changed = copy->index_changed = FALSE;
	return 0;
}

int local_copy_commit(struct local_copy *copy, const char **error_r)
{
	if (commit_saves(copy, error_r) < 0)
		return -1;
	return copy->lazy || copy->deferred ? 0 :
		local_copy_make_durable(copy, error_r);
}
