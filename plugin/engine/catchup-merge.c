/* catchup-merge: what the old server's clients did, to the local mailbox, which
   has the word: it is changed as by any other client, message by message. */

#include "catchup-private.h"
#include "imap-util.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "flag-merge.h"
#include "late-twins.h"

/* of a mailbox, in one pass, unless the administrator says otherwise */
#define EXPUNGE_MAX_MESSAGES 100
#define EXPUNGE_MAX_PERCENT 20

struct local_change {
	struct mailbox *box;
	struct mailbox_transaction_context *trans;
	struct mail *mail;
};

static int
local_fail(struct catchup *catchup, const struct catchup_box *cbox,
	   struct mailbox *box)
{
	enum mail_error error_code;
	const char *error = mailbox_get_last_internal_error(box, &error_code);

	return catchup_fail(catchup, error_code,
			    t_strdup_printf("%s: %s", cbox->vname, error));
}

/* Returns 1; 0 when it isn't there; -1. */
static int
local_open(struct catchup *catchup, const struct catchup_box *cbox,
	   struct mailbox **box_r)
{
	struct mailbox *box;
	int ret = 1;

	*box_r = NULL;
	if (cbox->deleted || cbox->own)
		return 0;
	box = migration_local_mailbox_alloc(catchup->muser, cbox->vname, 0);
	if (mailbox_open(box) < 0 ||
	    mailbox_sync(box, MAILBOX_SYNC_FLAG_FULL_READ) < 0)
		ret = mailbox_get_last_mail_error(box) == MAIL_ERROR_NOTFOUND ?
			0 : local_fail(catchup, cbox, box);
	if (ret > 0)
		*box_r = box;
	else
		mailbox_free(&box);
	return ret;
}

static void local_begin(struct local_change *change, struct mailbox *box)
{
	change->box = box;
	change->trans = mailbox_transaction_begin(box, 0, "migration catchup");
	change->mail = mail_alloc(change->trans, 0, NULL);
}

static int local_commit(struct local_change *change)
{
	mail_free(&change->mail);
	if (mailbox_transaction_commit(&change->trans) < 0)
		return -1;
	return mailbox_sync(change->box, 0);
}

/*
 * Flags
 */

static void
get_item(struct mail *mail, uint32_t old_uid, struct inventory *inventory)
{
	struct inventory_item *item;
	bool added;

	item = inventory_get(inventory, old_uid, &added);
	item->flags = mail_get_flags(mail) & INVENTORY_FLAGS;
	item->keywords = inventory_keywords_get(inventory->keywords,
						mail_get_keywords(mail));
}

static bool
set_uid(struct mail *mail, const struct catchup_box *cbox, uint32_t old_uid)
{
	uint32_t uid = catchup_local_uid(cbox, old_uid);

	return uid != 0 && mail_set_uid(mail, uid);
}

/* Those that the old server shows, under its UIDs. */
static void
get_local(struct mailbox *box, const struct catchup_box *cbox,
	  struct inventory *local)
{
	const struct inventory_item *item;
	struct local_change change;

	local_begin(&change, box);
	array_foreach(&cbox->shown.items, item) T_BEGIN {
		if (inventory_find(&cbox->baseline.messages,
				   item->uid) != NULL &&
		    set_uid(change.mail, cbox, item->uid))
			get_item(change.mail, item->uid, local);
	} T_END;
	mail_free(&change.mail);
	mailbox_transaction_rollback(&change.trans);
}

static void
change_keywords(struct local_change *local, enum modify_type type,
		const char *const *names)
{
	struct mail_keywords *keywords;

	if (names == NULL)
		return;
	keywords = mailbox_keywords_create_valid(local->box, names);
	mail_update_keywords(local->mail, type, keywords);
	mailbox_keywords_unref(&keywords);
}

static void
change_one(struct local_change *local, const struct catchup_box *cbox,
	   const struct flag_change *change)
{
	if (!set_uid(local->mail, cbox, change->uid))
		return;
	if (change->add != 0)
		mail_update_flags(local->mail, MODIFY_ADD, change->add);
	if (change->remove != 0)
		mail_update_flags(local->mail, MODIFY_REMOVE, change->remove);
	change_keywords(local, MODIFY_ADD, change->add_keywords);
	change_keywords(local, MODIFY_REMOVE, change->remove_keywords);
}

static int
change_all(struct catchup *catchup, struct catchup_box *cbox,
	   struct mailbox *box, const struct flag_merge *merge)
{
	const struct flag_change *change;
	struct local_change local;

	if (array_is_empty(&merge->changes))
		return 0;
	local_begin(&local, box);
	array_foreach(&merge->changes, change) T_BEGIN {
		change_one(&local, cbox, change);
	} T_END;
	if (local_commit(&local) < 0)
		return local_fail(catchup, cbox, box);
	catchup->result->flags += array_count(&merge->changes);
	return 0;
}

static int
merge_flags(struct catchup *catchup, struct catchup_box *cbox,
	    struct mailbox *box)
{
	struct inventory local;
	struct flag_merge merge;
	int ret = 0;

	inventory_init(&local, catchup->keywords);
	flag_merge_init(&merge);
	if (box != NULL)
		get_local(box, cbox, &local);
	flag_merge_compute(&merge, &cbox->baseline.messages, &cbox->shown,
			   &local);
	cbox->flags = merge.changed;
	cbox->seen = merge.seen;
	if (array_not_empty(&merge.conflicts))
		catchup_report_uids(catchup, "flags_conflict", cbox,
				    &merge.conflicts);
	if (box != NULL)
		ret = change_all(catchup, cbox, box, &merge);
	flag_merge_deinit(&merge);
	inventory_deinit(&local);
	return ret;
}

int catchup_merge_flags(struct catchup *catchup, struct catchup_box *cbox)
{
	struct mailbox *box;
	int ret;

	if (array_is_empty(&cbox->shown.items))
		return 0;
	if ((ret = local_open(catchup, cbox, &box)) < 0)
		return -1;
	ret = box == NULL ? 0 : catchup_find_local_uids(catchup, cbox, box);
	if (ret == 0)
		ret = merge_flags(catchup, cbox, box);
	if (box != NULL)
		mailbox_free(&box);
	return ret;
}

/*
 * Expunges
 */

/* On its account another one wasn't delivered. What can't be told is one. */
static bool is_twin(struct catchup *catchup, struct mail *mail)
{
	const char *str;
	guid_128_t guid;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &str) < 0)
		return TRUE;
	mail_generate_guid_128_hash(str, guid);
	return late_twins_has(catchup->twins, guid);
}

static bool
is_unchanged(struct catchup *catchup, const struct catchup_box *cbox,
	     struct mail *mail)
{
	const struct inventory_item *base =
		inventory_find(&cbox->baseline.messages, mail->uid);

	if (base == NULL)
		base = inventory_find(&cbox->baseline.refused, mail->uid);
	return base != NULL &&
		(mail_get_flags(mail) & INVENTORY_FLAGS) ==
		(base->flags & INVENTORY_FLAGS) &&
		inventory_keywords_get(catchup->keywords,
			mail_get_keywords(mail)) == base->keywords;
}

/* Of these, the ones that are here and as they were. */
static void
find_unchanged(struct catchup *catchup, const struct catchup_box *cbox,
	       struct mailbox *box, const ARRAY_TYPE(seq_range) *uids,
	       ARRAY_TYPE(seq_range) *unchanged)
{
	struct local_change change;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	local_begin(&change, box);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) T_BEGIN {
		if (mail_set_uid(change.mail, uid) &&
		    is_unchanged(catchup, cbox, change.mail) &&
		    !is_twin(catchup, change.mail))
			seq_range_array_add(unchanged, uid);
	} T_END;
	mail_free(&change.mail);
	mailbox_transaction_rollback(&change.trans);
}

static int
expunge(struct catchup *catchup, struct catchup_box *cbox, struct mailbox *box,
	const ARRAY_TYPE(seq_range) *uids)
{
	struct local_change change;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	local_begin(&change, box);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (mail_set_uid(change.mail, uid))
			mail_expunge(change.mail);
	}
	return local_commit(&change) < 0 ?
		local_fail(catchup, cbox, box) : 0;
}

/* A mailbox that was wiped there is one that is gone. */
static bool
is_too_much(struct catchup *catchup, const struct catchup_box *cbox,
	    struct mailbox *box, unsigned int count)
{
	struct mailbox_status status;

	if ((catchup->flags & CATCHUP_FLAG_FOLLOW_EXPUNGES) != 0)
		return FALSE;
	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	return cbox->emptied || count > EXPUNGE_MAX_MESSAGES ||
		count > status.messages * EXPUNGE_MAX_PERCENT / 100;
}

static void
add_refused(struct baseline *baseline, const ARRAY_TYPE(seq_range) *uids)
{
	const struct inventory_item *base;
	struct inventory_item *item;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;
	bool added;

	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		base = inventory_find(&baseline->messages, uid);
		if (base == NULL)
			continue;
		item = inventory_get(&baseline->refused, uid, &added);
		item->flags = base->flags;
		item->keywords = base->keywords;
	}
}

static int
follow_expunges(struct catchup *catchup, struct catchup_box *cbox,
		struct mailbox *box, const ARRAY_TYPE(seq_range) *gone)
{
	ARRAY_TYPE(seq_range) unchanged;
	unsigned int count;
	int ret = 0;

	i_array_init(&unchanged, 16);
	find_unchanged(catchup, cbox, box, gone, &unchanged);
	count = seq_range_count(&unchanged);
	if (count > 0 && is_too_much(catchup, cbox, box, count)) {
		add_refused(&cbox->baseline, &unchanged);
		catchup_report_count(catchup, "late_expunge_refused", cbox,
				     count);
	} else if (count > 0 &&
		   (ret = expunge(catchup, cbox, box, &unchanged)) == 0) {
		inventory_remove(&cbox->baseline.refused, &unchanged);
		catchup->result->expunged += count;
		catchup_report_count(catchup, "late_expunged", cbox, count);
	}
	array_free(&unchanged);
	return ret;
}

/* With the administrator's word, those too that were refused before. */
static void
get_gone(struct catchup *catchup, const struct catchup_box *cbox,
	 ARRAY_TYPE(seq_range) *gone)
{
	const struct inventory_item *item;

	seq_range_array_merge(gone, &cbox->gone);
	if ((catchup->flags & CATCHUP_FLAG_FOLLOW_EXPUNGES) != 0) {
		array_foreach(&cbox->baseline.refused.items, item)
			seq_range_array_add(gone, item->uid);
	}
	/* their local copies have other UIDs */
	seq_range_array_remove_seq_range(gone, &cbox->baseline.late);
	seq_range_array_remove_seq_range(gone, &cbox->baseline.waiting);
	seq_range_array_remove_seq_range(gone, &cbox->baseline.copied);
}

int catchup_merge_expunges(struct catchup *catchup, struct catchup_box *cbox)
{
	ARRAY_TYPE(seq_range) gone;
	struct mailbox *box;
	int ret;

	cbox->expunged = seq_range_count(&cbox->gone);
	if (!catchup->muser->set.late_expunge &&
	    (catchup->flags & CATCHUP_FLAG_FOLLOW_EXPUNGES) == 0)
		return 0;
	if (catchup_open_twins(catchup) < 0)
		return -1;
	i_array_init(&gone, 16);
	get_gone(catchup, cbox, &gone);
	ret = array_is_empty(&gone) ? 0 : local_open(catchup, cbox, &box);
	if (ret > 0) {
		ret = follow_expunges(catchup, cbox, box, &gone);
		mailbox_free(&box);
	}
	array_free(&gone);
	return ret < 0 ? -1 : 0;
}

int catchup_merge_find(struct catchup *catchup, struct catchup_box *cbox,
		       uint32_t uid, struct inventory *local)
{
	struct local_change change;
	struct mailbox *box;
	int ret;

	if ((ret = local_open(catchup, cbox, &box)) <= 0)
		return ret;
	local_begin(&change, box);
	if (mail_set_uid(change.mail, uid))
		get_item(change.mail, uid, local);
	mail_free(&change.mail);
	mailbox_transaction_rollback(&change.trans);
	mailbox_free(&box);
	return array_is_empty(&local->items) ? 0 : 1;
}

int catchup_merge_expunge_one(struct catchup *catchup,
			      struct catchup_box *cbox, uint32_t uid)
{
	ARRAY_TYPE(seq_range) uids;
	struct mailbox *box;
	int ret;

	if ((ret = local_open(catchup, cbox, &box)) <= 0)
		return ret;
	t_array_init(&uids, 1);
	seq_range_array_add(&uids, uid);
	ret = expunge(catchup, cbox, box, &uids);
	mailbox_free(&box);
	return ret;
}
