#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "mail-index-transaction-private.h"
#include "mail-index-view-private.h"
#include "imap-session.h"
#include "local-mailbox.h"
#include "migration-user.h"
#include "mirrored-mailbox.h"
#include "mirrored-save.h"
#include "proxy-sync.h"
#include "remote-namespace.h"
#include "worker-client.h"
#include "write-intents.h"
#include "engine/mailbox-state.h"
#include "engine/seen-queue.h"
#include "mirrored-transaction.h"

#define MIRRORED_REQUIRE(obj) \
	((struct mirrored_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, mirrored_mailbox_module))
#define MIRRORED_MAIL_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, mirrored_mail_module)

/* of WRITE, before its ops */
#define WRITE_WORDS 3

/* What OK says of a WRITE. */
struct write_result {
	uint32_t log_seq;
	uoff_t log_offset;
	unsigned int log_size;
	/* NULL-terminated, UIDs of what was saved */
	const char *const *saved_uids;
};

static MODULE_CONTEXT_DEFINE_INIT(mirrored_mail_module, &mail_module_register);

static bool is_recorded(struct mail *mail)
{
	return !MIRRORED_REQUIRE(mail->box)->local;
}

static void
mirrored_mail_update_flags(struct mail *mail, enum modify_type modify_type,
			   enum mail_flags flags)
{
	union mail_module_context *mmail =
		MIRRORED_MAIL_CONTEXT((struct mail_private *)mail);

	if (is_recorded(mail))
		(void)write_intents_flags(mail, modify_type, flags);
	mmail->super.update_flags(mail, modify_type, flags);
}

static void
mirrored_mail_update_keywords(struct mail *mail, enum modify_type modify_type,
			      struct mail_keywords *keywords)
{
	union mail_module_context *mmail =
		MIRRORED_MAIL_CONTEXT((struct mail_private *)mail);

	if (is_recorded(mail))
		(void)write_intents_keywords(mail, modify_type, keywords);
	mmail->super.update_keywords(mail, modify_type, keywords);
}

static void mirrored_mail_expunge(struct mail *mail)
{
	union mail_module_context *mmail =
		MIRRORED_MAIL_CONTEXT((struct mail_private *)mail);

	if (is_recorded(mail))
		(void)write_intents_expunge(mail);
	mmail->super.expunge(mail);
}

void mirrored_mail_init(struct mail *_mail)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct mail_vfuncs *v = mail->vlast;
	union mail_module_context *mmail;

	mmail = p_new(mail->pool, union mail_module_context, 1);
	mmail->super = *v;
	mail->vlast = &mmail->super;
	v->update_flags = mirrored_mail_update_flags;
	v->update_keywords = mirrored_mail_update_keywords;
	v->expunge = mirrored_mail_expunge;
	MODULE_CONTEXT_SET_SELF(mail, mirrored_mail_module, mmail);
}

static void add_word(ARRAY_TYPE(const_string) *words, const char *word)
{
	array_push_back(words, &word);
}

static void
add_uids(ARRAY_TYPE(const_string) *words, const ARRAY_TYPE(seq_range) *uids)
{
	string_t *str = t_str_new(128);

	imap_write_seq_range(str, uids);
	add_word(words, str_c(str));
}

static void
add_stores(ARRAY_TYPE(const_string) *words, const struct store_intents *stores)
{
	ARRAY_TYPE(seq_range) uids;
	ARRAY_TYPE(store_command) commands;
	const struct store_command *command;

	t_array_init(&uids, 32);
	store_intents_uids(stores, &uids);
	t_array_init(&commands, 4);
	store_intents_commands(stores, &uids, &commands);
	array_foreach(&commands, command) {
		add_word(words, "store");
		add_uids(words, &command->uids);
		add_word(words, command->args);
	}
}

static void
add_expunge(ARRAY_TYPE(const_string) *words,
	    const ARRAY_TYPE(seq_range) *uids)
{
	if (array_is_empty(uids))
		return;
	add_word(words, "expunge");
	add_uids(words, uids);
}

/* A mailbox that is only saved to isn't synced: the view of an index that this
   process still had open may be from before the first fill. */
static uint32_t uid_validity(struct mailbox *box)
{
	struct mail_index_view *view;
	uint32_t value;

	if ((box->flags & MAILBOX_FLAG_SAVEONLY) == 0)
		return mail_index_get_header(box->view)->uid_validity;
	(void)mail_index_refresh(box->index);
	view = mail_index_view_open(box->index);
	value = mail_index_get_header(view)->uid_validity;
	mail_index_view_close(&view);
	return value;
}

/* Returns 1; 0 when there's nothing to write; -1 with the storage's error set:
   nothing was asked. */
static int
ask_write(struct mailbox_transaction_context *t, bool with_copies,
	  struct worker_reply *reply_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	struct write_intents *intents = write_intents_get(t);
	ARRAY_TYPE(const_string) words;
	int fd, ret;

	t_array_init(&words, 16);
	add_word(&words, "WRITE");
	add_word(&words, t->box->vname);
	add_word(&words, dec2str(uid_validity(t->box)));
	if (intents != NULL)
		add_stores(&words, intents->stores);
	ret = mirrored_saves_write(t, with_copies, &words, &fd);
	if (intents != NULL)
		add_expunge(&words, &intents->expunges);
	if (ret < 0 || array_count(&words) == WRITE_WORDS)
		return ret;
	array_append_zero(&words);
	worker_client_ask(worker_client_get(mbox->muser), array_front(&words),
			  fd, 0, reply_r);
	return 1;
}

/* The same. */
static int
write_to_worker(struct mailbox_transaction_context *t,
		struct worker_reply *reply_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	int ret;

	if (write_intents_check(t) < 0)
		return -1;
	if ((ret = ask_write(t, TRUE, reply_r)) <= 0)
		return ret;
	/* it may be where a mail comes from */
	if (reply_r->answer == WORKER_GONE && mirrored_saves_any_copies(t) &&
	    ask_write(t, FALSE, reply_r) < 0)
		return -1;
	/* nobody could be asked, but a cutover was before that */
	if (reply_r->answer == WORKER_LOST && !reply_r->sent &&
	    mailbox_state_is(mbox->muser->set.dir, t->box->vname,
			     MAILBOX_STATE_LOCAL))
		reply_r->answer = WORKER_LOCAL;
	return 1;
}

static int
parse_result(const char *const *args, struct write_result *result_r)
{
	i_zero(result_r);
	if (str_array_length(args) < 3 ||
	    str_to_uint32(args[0], &result_r->log_seq) < 0 ||
	    str_to_uoff(args[1], &result_r->log_offset) < 0 ||
	    str_to_uint(args[2], &result_r->log_size) < 0)
		return -1;
	result_r->saved_uids = args + 3;
	return 0;
}

/* In the order in which they were saved: COPYUID pairs them. */
static int
add_saved_uids(ARRAY_TYPE(seq_range) *saved_uids, const char *const *uids)
{
	struct seq_range *range = NULL;
	uint32_t uid;

	for (; *uids != NULL; uids++) {
		if (str_to_uint32(*uids, &uid) < 0 || uid == 0)
			return -1;
		if (range != NULL && range->seq2 + 1 == uid) {
			range->seq2 = uid;
			continue;
		}
		range = array_append_space(saved_uids);
		range->seq1 = range->seq2 = uid;
	}
	return 0;
}

static void forget(struct mailbox_transaction_context *t)
{
	write_intents_free(t);
	mirrored_saves_free(t);
}

static void roll_back(struct mailbox_transaction_context *t)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);

	forget(t);
	mbox->module_ctx.super.transaction_rollback(t);
}

static int
commit_here(struct mailbox_transaction_context *t,
	    struct mail_transaction_commit_changes *changes_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);

	forget(t);
	return mbox->module_ctx.super.transaction_commit(t, changes_r);
}

/* The changes that the worker was asked for. */
static void drop_changes(struct mail_index_transaction *itrans)
{
	struct mail_index_transaction_keyword_update *update;

	if (array_is_created(&itrans->keyword_updates)) {
		array_foreach_modifiable(&itrans->keyword_updates, update) {
			array_free(&update->add_seq);
			array_free(&update->remove_seq);
		}
	}
	array_free(&itrans->keyword_updates);
	array_free(&itrans->updates);
	array_free(&itrans->expunges);
	array_free(&itrans->modseq_updates);
	itrans->last_update_idx = 0;
	itrans->min_flagupdate_seq = itrans->max_flagupdate_seq = 0;
	mail_index_transaction_set_log_updates(itrans);
}

/* What is left is this process' own: what it has learnt for the cache. The
   write is done, whatever becomes of that. */
static int
finish_changed(struct mailbox_transaction_context *t,
	       struct mail_transaction_commit_changes *changes_r)
{
	drop_changes(t->itrans);
	(void)commit_here(t, changes_r);
	return 0;
}

static int
finish_saved(struct mailbox_transaction_context *t, const char *const *uids,
	     struct mail_transaction_commit_changes *changes_r)
{
	ARRAY_TYPE(seq_range) *saved_uids = &changes_r->saved_uids;

	i_zero(changes_r);
	changes_r->pool = pool_alloconly_create("transaction changes", 512);
	p_array_init(saved_uids, changes_r->pool, 32);
	changes_r->uid_validity = uid_validity(t->box);
	if (add_saved_uids(saved_uids, uids) < 0 ||
	    seq_range_count(saved_uids) != t->save_count) {
		/* some of what was to be copied may have gone meanwhile */
		if (!mirrored_saves_any_copies(t)) {
			e_error(t->box->event, "migration: Worker said OK to "
				"WRITE, but not which UIDs %u messages have",
				t->save_count);
		}
		array_clear(saved_uids);
	}
	roll_back(t);
	return 0;
}

/* The worker has done all of it. */
static int
finish_written(struct mailbox_transaction_context *t,
	       const char *const *args,
	       struct mail_transaction_commit_changes *changes_r)
{
	static const char *const no_uids[] = { NULL };
	struct write_result result;

	/* those that were opened before it was mirrored */
	proxy_sync_want(MIRRORED_REQUIRE(t->box)->muser, t->box->vname, NULL);
	if (parse_result(args, &result) < 0)
		result.saved_uids = no_uids;
	if ((t->flags & MAILBOX_TRANSACTION_FLAG_HIDE) != 0 &&
	    result.log_size != 0)
		mail_index_view_add_hidden_transaction(t->box->view,
			result.log_seq, result.log_offset, result.log_size);
	return mirrored_saves_any(t) ?
		finish_saved(t, result.saved_uids, changes_r) :
		finish_changed(t, changes_r);
}

static int
finish_failed(struct mailbox_transaction_context *t)
{
	struct mail_storage *storage = t->box->storage;

	mail_storage_last_error_push(storage);
	roll_back(t);
	mail_storage_last_error_pop(storage);
	return -1;
}

/* What FETCH of a body and POP3's RETR do by the way. */
static bool is_implicit_seen(struct mailbox_transaction_context *t)
{
	struct write_intents *intents = write_intents_get(t);

	return !mirrored_saves_any(t) && intents != NULL &&
		array_is_empty(&intents->expunges) &&
		store_intents_only_add(intents->stores, MAIL_SEEN) &&
		(strncasecmp(t->reason, "FETCH ", 6) == 0 ||
		 strncasecmp(t->reason, "UID FETCH ", 10) == 0 ||
		 strcmp(t->box->storage->user->service, "pop3") == 0);
}

/* Whoever reads a mail isn't told that the old server can't be: it will be when
   it is back. What it refuses for good is dropped. */
static int
finish_seen(struct mailbox_transaction_context *t,
	    const struct worker_reply *reply,
	    struct mail_transaction_commit_changes *changes_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	ARRAY_TYPE(seq_range) uids;
	const char *error;

	t_array_init(&uids, 16);
	store_intents_uids(write_intents_get(t)->stores, &uids);
	if ((reply->answer == WORKER_LOST ||
	     reply->error_code == MAIL_ERROR_UNAVAILABLE ||
	     reply->error_code == MAIL_ERROR_TEMP) &&
	    seen_queue_add(mbox->muser->set.dir, t->box->vname,
			   uid_validity(t->box), &uids, &error) < 0)
		e_error(t->box->event, "migration: %s", error);
	return finish_changed(t, changes_r);
}

static int
finish_refused(struct mailbox_transaction_context *t,
	       const struct worker_reply *reply,
	       struct mail_transaction_commit_changes *changes_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);

	if (is_implicit_seen(t))
		return finish_seen(t, reply, changes_r);
	mail_storage_set_error(t->box->storage,
		remote_error_code(mbox->muser, reply->error_code),
		reply->error);
	return finish_failed(t);
}

static int finish_gone(struct mailbox_transaction_context *t)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);

	mirrored_mailbox_set_gone(mbox);
	imap_session_bye_now(mbox->muser->user);
	(void)mirrored_mailbox_refuse(mbox);
	return finish_failed(t);
}

/* Frees the transaction. */
static int
commit_written(struct mailbox_transaction_context *t,
	       struct mail_transaction_commit_changes *changes_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	struct worker_reply reply;
	int ret;

	if (mbox->gone)
		return finish_gone(t);
	if ((ret = write_to_worker(t, &reply)) < 0)
		return finish_failed(t);
	if (ret == 0)
		return commit_here(t, changes_r);
	switch (reply.answer) {
	case WORKER_OK:
		return finish_written(t, reply.args, changes_r);
	case WORKER_LOCAL:
		return mirrored_mailbox_set_local(mbox) ?
			commit_here(t, changes_r) : finish_gone(t);
	case WORKER_GONE:
		return finish_gone(t);
	case WORKER_NO:
	case WORKER_LOST:
		return finish_refused(t, &reply, changes_r);
	}
	i_unreached();
}

static int
mirrored_transaction_commit(struct mailbox_transaction_context *t,
			    struct mail_transaction_commit_changes *changes_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	int ret;

	if (mbox->hold.drained && local_transaction_writes(t))
		return finish_gone(t);
	if (mbox->local ||
	    (write_intents_get(t) == NULL && !mirrored_saves_any(t)))
		return commit_here(t, changes_r);
	T_BEGIN {
		ret = commit_written(t, changes_r);
	} T_END;
	return ret;
}

void mirrored_transaction_init(struct mailbox_vfuncs *v)
{
	v->transaction_commit = mirrored_transaction_commit;
	v->transaction_rollback = roll_back;
	mirrored_save_init(v);
}
