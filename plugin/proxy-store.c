#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "redirected-mailbox.h"
#include "remote-burst.h"
#include "remote-namespace.h"
#include "remote-set.h"
#include "store-intents.h"
#include "proxy-store.h"

struct proxy_store {
	struct redirected_mailbox *rbox;
	const struct store_intents *intents;
	/* not confirmed yet */
	ARRAY_TYPE(seq_range) uids;
	enum mail_flags flags_mask;
	bool check_keywords, hide;
};

struct index_mail_flags {
	enum mail_flags flags;
	const char *const *keywords;
};

/* Returns FALSE when the index doesn't have the mail. */
static bool
index_flags(struct proxy_store *store, uint32_t uid,
	    struct index_mail_flags *flags_r)
{
	struct mailbox *box = &store->rbox->mbox->box;
	uint32_t seq;

	if (!mail_index_lookup_seq(box->view, uid, &seq))
		return FALSE;
	flags_r->flags = mail_index_lookup(box->view, seq)->flags &
		MAIL_FLAGS_NONRECENT;
	flags_r->keywords = remote_set_keywords(box, box->view, seq);
	return TRUE;
}

/* A hidden change mustn't come back to the client through imapc's index; one
   that somebody else made at the same time must. */
static bool
is_only_ours(struct proxy_store *store, uint32_t uid, enum mail_flags flags,
	     const char *const *keywords)
{
	struct index_mail_flags old;

	return index_flags(store, uid, &old) &&
		store_intents_result_is(store->intents, uid, old.flags,
					old.keywords, flags, keywords);
}

static bool
store_fetch_callback(uint32_t uid, enum mail_flags flags,
		     const char *const *keywords, void *context)
{
	struct proxy_store *store = context;

	if (!store_intents_match(store->intents, uid, store->flags_mask,
				 store->check_keywords, flags, keywords))
		return FALSE;
	seq_range_array_remove(&store->uids, uid);
	return store->hide && is_only_ours(store, uid, flags, keywords);
}

/* A server needn't answer a STORE that changes nothing. Those that look so in
   the index are asked for in the same burst. */
static void
store_send_fetch(struct proxy_store *store, struct remote_burst *burst)
{
	ARRAY_TYPE(seq_range) needless;
	struct seq_range_iter iter;
	struct index_mail_flags old;
	unsigned int n = 0;
	uint32_t uid;

	i_array_init(&needless, 16);
	seq_range_array_iter_init(&iter, &store->uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) T_BEGIN {
		if (index_flags(store, uid, &old) &&
		    store_intents_match(store->intents, uid,
					store->flags_mask,
					store->check_keywords,
					old.flags, old.keywords))
			seq_range_array_add(&needless, uid);
	} T_END;
	remote_set_send(burst, "UID FETCH", &needless, "(FLAGS)");
	array_free(&needless);
}

static int store_send(struct proxy_store *store)
{
	ARRAY_TYPE(store_command) commands;
	const struct store_command *command;
	struct remote_burst burst;

	t_array_init(&commands, 4);
	store_intents_commands(store->intents, &store->uids, &commands);
	remote_burst_begin(&burst, store->rbox);
	array_foreach(&commands, command)
		remote_set_send(&burst, "UID STORE", &command->uids,
				command->args);
	store_send_fetch(store, &burst);
	return remote_burst_wait(&burst);
}

static int store_ask(struct proxy_store *store)
{
	struct remote_burst burst;

	if (remote_burst_run(store->rbox, "NOOP") < 0)
		return -1;
	remote_set_drop_gone(store->rbox, &store->uids);
	if (array_is_empty(&store->uids))
		return 0;
	remote_burst_begin(&burst, store->rbox);
	remote_set_send(&burst, "UID FETCH", &store->uids, "(FLAGS)");
	return remote_burst_wait(&burst);
}

static int store_unconfirmed(struct proxy_store *store)
{
	struct mailbox *box = &store->rbox->mbox->box;
	string_t *uids = t_str_new(64);

	imap_write_seq_range(uids, &store->uids);
	e_error(box->event, "migration: The old server said OK to STORE, "
		"but doesn't show its result: UIDs %s", str_c(uids));
	mail_storage_set_error(box->storage,
		remote_unavailable(store->rbox->muser),
		"The old mail server didn't store the flags");
	return -1;
}

static int store_until_confirmed(struct proxy_store *store)
{
	for (unsigned int tries = 0; tries < 2; tries++) {
		if (store_send(store) < 0)
			return -1;
		remote_set_drop_gone(store->rbox, &store->uids);
		if (array_is_empty(&store->uids))
			return 0;
		if (store_ask(store) < 0)
			return -1;
		if (array_is_empty(&store->uids))
			return 0;
	}
	return store_unconfirmed(store);
}

int proxy_store(struct redirected_mailbox *rbox, struct store_intents *intents,
		bool hide)
{
	struct imapc_mailbox *mbox = rbox->mbox;
	struct proxy_store store = {
		.rbox = rbox,
		.intents = intents,
		.hide = hide,
		.flags_mask = mbox->permanent_flags,
		.check_keywords = !mbox->box.disallow_new_keywords,
	};
	int ret;

	/* it shrinks in callbacks, in other data stack frames */
	i_array_init(&store.uids, 32);
	store_intents_uids(intents, &store.uids);
	ret = remote_set_learn(rbox, &store.uids);
	if (ret == 0 && !array_is_empty(&store.uids)) {
		rbox->fetch_callback = store_fetch_callback;
		rbox->fetch_context = &store;
		ret = store_until_confirmed(&store);
		rbox->fetch_callback = NULL;
	}
	array_free(&store.uids);
	return ret;
}
