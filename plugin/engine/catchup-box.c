#include "catchup-private.h"
#include "copy-back.h"
#include "digest-file.h"
#include "old-inventory.h"

/* Its messages may be here, or some of them: nothing is known of their UIDs. */
static void
begin_anew(struct catchup *catchup, struct catchup_box *box,
	   const char *reason)
{
	catchup_report_reset(catchup, box, reason);
	baseline_reset(&box->baseline, box->mailbox.uid_validity,
		       box->mailbox.uid_next);
}

static int read_baseline(struct catchup *catchup, struct catchup_box *box)
{
	struct baseline *baseline = &box->baseline;
	const char *error;
	int ret;

	ret = baseline_read(catchup_dir(catchup), box->vname, baseline, &error);
	if (ret < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	if (ret == 0)
		begin_anew(catchup, box, "no baseline");
	else if (baseline->uid_validity != box->mailbox.uid_validity)
		begin_anew(catchup, box, "uidvalidity");
	else if (box->mailbox.uid_next < baseline->next_uid)
		begin_anew(catchup, box, "uidnext");
	return 0;
}

int catchup_box_select(struct catchup *catchup, struct catchup_box *box)
{
	uint32_t uid_validity = box->mailbox.uid_validity;
	struct old_mailbox mailbox;
	const char *error;

	if (catchup->selected == box &&
	    old_client_is_connected(catchup->client))
		return 0;
	catchup->selected = NULL;
	if (old_mailbox_open(catchup->client, box->old_name, FALSE, &mailbox,
			     &catchup->error_code, &error) < 0)
		return catchup_fail(catchup, catchup->error_code, error);
	if (uid_validity != 0 && mailbox.uid_validity != uid_validity)
		return catchup_fail(catchup, MAIL_ERROR_TEMP,
			"The old server has another mailbox of that name now");
	if (uid_validity == 0)
		box->mailbox = mailbox;
	catchup->selected = box;
	return 0;
}

/* Since the baseline; all flags where the old server can't tell, or counts anew. */
static int look_at_known(struct catchup *catchup, struct catchup_box *box)
{
	const struct baseline *baseline = &box->baseline;
	uint32_t end_uid = I_MIN(baseline->next_uid, box->mailbox.uid_next);
	const char *error;
	int ret = 0;

	if (baseline->modseq == 0 || box->mailbox.modseq < baseline->modseq ||
	    (catchup->flags & CATCHUP_FLAG_FULL) != 0) {
		if (catchup->look_at_flags || box->mailbox.modseq != 0)
			ret = old_inventory_get_flags(catchup->client, end_uid,
				&box->shown, &catchup->error_code, &error);
	} else if (baseline->modseq != box->mailbox.modseq) {
		ret = old_inventory_get_changed(catchup->client,
			baseline->modseq, end_uid, &box->shown,
			&catchup->error_code, &error);
	}
	return ret == 0 ? 0 :
		catchup_fail(catchup, catchup->error_code, error);
}

/* By UID: an index that was made anew gives new mails lower MODSEQs than the
   baseline's. */
static int look_at_new(struct catchup *catchup, struct catchup_box *box)
{
	uint32_t first_uid = box->baseline.next_uid;
	const char *error;

	if (first_uid >= box->mailbox.uid_next ||
	    old_inventory_get(catchup->client, first_uid, box->mailbox.uid_next,
			      &box->shown, &catchup->error_code, &error) == 0)
		return 0;
	return catchup_fail(catchup, catchup->error_code, error);
}

/* Returns how many messages there are that the baseline doesn't have. */
static unsigned int find_new(struct catchup_box *box)
{
	const struct baseline *baseline = &box->baseline;
	const struct inventory_item *item;
	unsigned int there = 0, added = 0, given_out;

	array_foreach(&box->shown.items, item) {
		if (item->uid < baseline->next_uid)
			continue;
		there++;
		/* else it is one that copy-back made */
		if (inventory_find(&baseline->messages, item->uid) == NULL) {
			seq_range_array_add(&box->late, item->uid);
			added++;
		}
	}
	/* UIDs that were given out since the baseline, and aren't there any more */
	given_out = box->mailbox.uid_next - baseline->next_uid;
	if (baseline->reset_uid == 0 &&
	    box->mailbox.uid_next > baseline->next_uid && given_out > there)
		box->missed = given_out - there;
	return added;
}

static void
add_gone(struct catchup_box *box, const ARRAY_TYPE(seq_range) *there)
{
	const struct inventory_item *item;

	array_foreach(&box->baseline.messages.items, item) {
		if (!seq_range_exists(there, item->uid))
			seq_range_array_add(&box->gone, item->uid);
	}
}

/* The numbers tell whether anything is: all that is new was shown. */
static int
find_gone(struct catchup *catchup, struct catchup_box *box, unsigned int added)
{
	unsigned int known = array_count(&box->baseline.messages.items);
	ARRAY_TYPE(seq_range) there;
	const char *error;
	int ret;

	if (known + added == box->mailbox.messages)
		return 0;
	i_array_init(&there, 64);
	ret = old_mailbox_uids(catchup->client, &there, &catchup->error_code,
			       &error);
	if (ret == 0)
		add_gone(box, &there);
	array_free(&there);
	if (ret < 0)
		return catchup_fail(catchup, catchup->error_code, error);
	box->emptied = box->mailbox.messages == 0 && known > 1;
	if (box->emptied)
		catchup_report_reset(catchup, box, "emptied");
	return 0;
}

/* Mails that couldn't be delivered the last time. */
static void add_waiting(struct catchup *catchup, struct catchup_box *box)
{
	if ((catchup->flags & CATCHUP_FLAG_BACKGROUND) != 0 &&
	    !catchup->look_at_flags)
		return;
	seq_range_array_merge(&box->late, &box->baseline.waiting);
	seq_range_array_remove_seq_range(&box->late, &box->gone);
}

static bool is_missing(const struct catchup *catchup)
{
	return catchup->error_code == MAIL_ERROR_NOTFOUND;
}

/* What copy-back was doing when it was cut short isn't late mail. */
static int settle_copies(struct catchup *catchup, struct catchup_box *box)
{
	const char *error;

	if (box->deleted || box->own ||
	    copy_back_settle(catchup->muser, catchup->client, box->vname,
			     box->old_name, &box->baseline,
			     &catchup->error_code, &error) == 0)
		return 0;
	return catchup_fail(catchup, catchup->error_code, error);
}

int catchup_box_open(struct catchup *catchup, struct catchup_box *box)
{
	unsigned int added;

	baseline_init(&box->baseline, catchup->keywords);
	inventory_init(&box->shown, catchup->keywords);
	i_array_init(&box->late, 16);
	i_array_init(&box->gone, 16);
	i_array_init(&box->moved_uids, 16);
	i_array_init(&box->local_uids, 16);
	box->opened = TRUE;
	if (catchup_box_select(catchup, box) < 0) {
		if (!is_missing(catchup))
			return -1;
		catchup_report_reset(catchup, box, "gone");
		return 0;
	}
	if (read_baseline(catchup, box) < 0 || settle_copies(catchup, box) < 0 ||
	    look_at_known(catchup, box) < 0 || look_at_new(catchup, box) < 0)
		return -1;
	added = find_new(box);
	if (find_gone(catchup, box, added) < 0)
		return -1;
	add_waiting(catchup, box);
	return 1;
}

/* What is new was recorded by who delivered it. */
static void record_flags(struct catchup_box *box)
{
	struct inventory *messages = &box->baseline.messages;
	const struct inventory_item *item;
	struct inventory_item *known;
	bool added;

	array_foreach(&box->shown.items, item) {
		if (inventory_find(messages, item->uid) == NULL ||
		    seq_range_exists(&box->shown.unknown, item->uid))
			continue;
		known = inventory_get(messages, item->uid, &added);
		known->flags = item->flags;
		known->keywords = item->keywords;
	}
}

static void record_gone(struct catchup_box *box)
{
	struct baseline *baseline = &box->baseline;

	seq_range_array_merge(&box->gone, &box->moved_uids);
	inventory_remove(&baseline->messages, &box->gone);
	seq_range_array_remove_seq_range(&baseline->waiting, &box->gone);
	seq_range_array_remove_seq_range(&baseline->late, &box->gone);
	seq_range_array_remove_seq_range(&baseline->copied, &box->gone);
}

int catchup_box_record(struct catchup *catchup, struct catchup_box *box)
{
	const char *error;

	record_flags(box);
	record_gone(box);
	box->baseline.next_uid = I_MAX(box->baseline.next_uid,
				       box->mailbox.uid_next);
	box->baseline.modseq = box->mailbox.modseq;
	if (baseline_write(catchup_dir(catchup), box->vname, &box->baseline,
			   &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
}

void catchup_box_close(struct catchup_box *box)
{
	if (!box->opened)
		return;
	if (box->digests != NULL)
		digest_file_close(&box->digests);
	baseline_deinit(&box->baseline);
	inventory_deinit(&box->shown);
	array_free(&box->late);
	array_free(&box->gone);
	array_free(&box->moved_uids);
	array_free(&box->local_uids);
	box->opened = FALSE;
}
