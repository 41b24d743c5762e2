#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-burst.h"
#include "remote-namespace.h"
#include "remote-set.h"
#include "engine/own-expunges.h"
#include "proxy-expunge.h"

#define EXPUNGE_TRIES 3

struct deleted_others {
	const ARRAY_TYPE(seq_range) *ours;
	ARRAY_TYPE(seq_range) uids;
};

static int
expunge_with_uidplus(struct redirected_mailbox *rbox,
		     const ARRAY_TYPE(seq_range) *uids)
{
	struct remote_burst burst;

	remote_burst_begin(&burst, rbox);
	remote_set_send(&burst, "UID STORE", uids, "+FLAGS.SILENT (\\Deleted)");
	remote_set_send(&burst, "UID EXPUNGE", uids, NULL);
	return remote_burst_wait(&burst);
}

static bool
deleted_fetch_callback(uint32_t uid, enum mail_flags flags,
		       const char *const *keywords ATTR_UNUSED, void *context)
{
	struct deleted_others *others = context;

	if ((flags & MAIL_DELETED) != 0 &&
	    !seq_range_exists(others->ours, uid))
		seq_range_array_add(&others->uids, uid);
	return FALSE;
}

/* SEARCH would tell it as well, but its reply doesn't reach us. */
static int
find_deleted_others(struct redirected_mailbox *rbox,
		    struct deleted_others *others)
{
	int ret;

	rbox->fetch_callback = deleted_fetch_callback;
	rbox->fetch_context = others;
	ret = remote_burst_run(rbox, "UID FETCH 1:* (FLAGS)");
	rbox->fetch_callback = NULL;
	return ret;
}

static int
store_deleted(struct redirected_mailbox *rbox,
	      const ARRAY_TYPE(seq_range) *uids, const char *sign)
{
	struct remote_burst burst;

	if (array_is_empty(uids))
		return 0;
	remote_burst_begin(&burst, rbox);
	remote_set_send(&burst, "UID STORE", uids,
			t_strconcat(sign, "FLAGS (\\Deleted)", NULL));
	return remote_burst_wait(&burst);
}

static int
expunge_without_uidplus(struct redirected_mailbox *rbox,
			const ARRAY_TYPE(seq_range) *uids)
{
	struct deleted_others others = { .ours = uids };
	int ret;

	i_array_init(&others.uids, 16);
	ret = find_deleted_others(rbox, &others);
	if (ret == 0 && (ret = store_deleted(rbox, &others.uids, "-")) == 0) {
		ret = store_deleted(rbox, uids, "+");
		if (ret == 0)
			ret = remote_burst_run(rbox, "EXPUNGE");
		if (store_deleted(rbox, &others.uids, "+") < 0)
			ret = -1;
	}
	array_free(&others.uids);
	return ret;
}

static int expunge_unconfirmed(struct redirected_mailbox *rbox,
			       const ARRAY_TYPE(seq_range) *uids)
{
	struct mailbox *box = &rbox->mbox->box;
	string_t *set = t_str_new(64);

	imap_write_seq_range(set, uids);
	e_error(box->event, "migration: The old server said OK to EXPUNGE, "
		"but still has the mails: UIDs %s", str_c(set));
	mail_storage_set_error(box->storage,
		remote_unavailable(rbox->muser),
		"The old mail server didn't expunge the messages");
	return -1;
}

static int expunge_once(struct redirected_mailbox *rbox,
			ARRAY_TYPE(seq_range) *uids)
{
	int ret;

	if ((rbox->mbox->capabilities & IMAPC_CAPABILITY_UIDPLUS) != 0)
		ret = expunge_with_uidplus(rbox, uids);
	else
		ret = expunge_without_uidplus(rbox, uids);
	if (ret < 0)
		return -1;
	remote_set_drop_gone(rbox, uids);
	if (array_is_empty(uids))
		return 0;
	if (remote_burst_run(rbox, "NOOP") < 0)
		return -1;
	remote_set_drop_gone(rbox, uids);
	return 0;
}

/* The user wants it: a fill will follow, however many they are. */
static void
remember(struct redirected_mailbox *rbox, const ARRAY_TYPE(seq_range) *uids)
{
	struct mailbox *box = &rbox->mbox->box;
	struct mailbox_status status;
	const char *error;

	if (!rbox->known || array_is_empty(uids))
		return;
	mailbox_get_open_status(box, STATUS_UIDVALIDITY, &status);
	if (own_expunges_add(rbox->muser->set.dir, box->vname,
			     status.uidvalidity, uids, &error) < 0)
		e_error(box->event, "migration: %s", error);
}

int proxy_expunge(struct redirected_mailbox *rbox,
		  ARRAY_TYPE(seq_range) *uids)
{
	if (remote_set_learn(rbox, uids) < 0)
		return -1;
	remember(rbox, uids);
	/* with others at work, EXPUNGE may not see yet what STORE did */
	for (unsigned int tries = 0; tries < EXPUNGE_TRIES; tries++) {
		if (array_is_empty(uids))
			return 0;
		if (expunge_once(rbox, uids) < 0)
			return -1;
	}
	return array_is_empty(uids) ? 0 : expunge_unconfirmed(rbox, uids);
}
