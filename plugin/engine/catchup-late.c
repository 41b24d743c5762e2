/* catchup-late: late mails of a mailbox are fetched, delivered and recorded, in
   batches. */

#include "catchup-private.h"
#include "migration-user.h"
#include "late-marker.h"
#include "migration-dir.h"

#include <time.h>

/* of a batch, by number and size: as much is on disk meanwhile */
#define BATCH_MAILS 50
#define BATCH_BYTES (64 * 1024 * 1024)
/* A sender tries again for five days, and lists and people for longer. */
#define DOUBLE_SECS (30 * 24 * 3600)

static time_t
get_begun(const struct late_marker *marker, const struct catchup_box *box,
	  uint32_t uid)
{
	if (seq_range_exists(&marker->uids, uid))
		return marker->begun;
	return seq_range_exists(&box->baseline.waiting, uid) ?
		box->baseline.waiting_begun : 0;
}

static void record_new(struct catchup_box *box, const struct late_body *body)
{
	struct inventory_item *item;
	bool added;

	item = inventory_get(&box->baseline.messages, body->uid, &added);
	item->flags = body->item.flags;
	item->keywords = body->item.keywords;
	seq_range_array_add(&box->baseline.late, body->uid);
	seq_range_array_remove(&box->baseline.waiting, body->uid);
}

static void
record_failed(struct catchup *catchup, struct catchup_box *box, uint32_t uid,
	      time_t begun, const char *reason)
{
	struct inventory_item *item;
	bool added;

	item = inventory_get(&box->baseline.messages, uid, &added);
	if (added) {
		item->flags = 0;
		item->keywords = NULL;
	}
	seq_range_array_add(&box->baseline.waiting, uid);
	if (box->baseline.waiting_begun == 0)
		box->baseline.waiting_begun = begun;
	catchup->result->failed++;
	catchup_report_failed(catchup, box, uid, reason);
}

static const struct late_body *
find_body(const ARRAY_TYPE(late_body) *bodies, uint32_t uid)
{
	const struct late_body *body;

	array_foreach(bodies, body) {
		if (body->uid == uid)
			return body;
	}
	return NULL;
}

static void
batch_one(struct catchup *catchup, struct catchup_box *box, uint32_t uid,
	  const struct late_body *body, const struct late_marker *former)
{
	struct catchup_mail mail = {
		.box = box,
		.body = body,
		.begun = get_begun(former, box, uid),
	};
	const char *error = "The old server doesn't give it";
	time_t now = time(NULL);

	if (body != NULL && catchup_mail(catchup, &mail, &error) == 0)
		record_new(box, body);
	else
		record_failed(catchup, box, uid,
			      mail.begun != 0 ? mail.begun : now, error);
}

/* Messages below have been dealt with. */
static uint32_t handled_to(const struct catchup_box *box, uint32_t last_uid)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, &box->late);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (uid >= box->baseline.next_uid)
			return I_MIN(uid, last_uid + 1);
	}
	return last_uid + 1;
}

/* All of these are in the baseline, before anybody forgets that they were begun. */
static int
batch_record(struct catchup *catchup, struct catchup_box *box,
	     const ARRAY_TYPE(seq_range) *uids)
{
	struct baseline *baseline = &box->baseline;
	const struct seq_range *last = array_back(uids);
	const char *error;

	seq_range_array_remove_seq_range(&box->late, uids);
	baseline->next_uid = I_MAX(baseline->next_uid,
				   handled_to(box, last->seq2));
	if (array_is_empty(&baseline->waiting))
		baseline->waiting_begun = 0;
	if (arrival_index_sync(catchup->index, &error) < 0 ||
	    baseline_write(catchup_dir(catchup), box->vname, baseline,
			   &error) < 0 ||
	    late_marker_remove(catchup_dir(catchup), box->vname, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
}

static int
batch_begin(struct catchup *catchup, struct catchup_box *box,
	    const ARRAY_TYPE(seq_range) *uids,
	    const struct late_marker *former)
{
	struct late_marker marker = {
		.uid_validity = box->baseline.uid_validity,
		.begun = former->begun != 0 ? former->begun : time(NULL),
		.uids = *uids,
	};
	const char *error;

	if (late_marker_write(catchup_dir(catchup), box->vname, &marker,
			      &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
}

static int
batch_deliver(struct catchup *catchup, struct catchup_box *box,
	      const ARRAY_TYPE(seq_range) *uids,
	      const ARRAY_TYPE(late_body) *bodies,
	      const struct late_marker *former)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	if (batch_begin(catchup, box, uids, former) < 0)
		return -1;
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) T_BEGIN {
		batch_one(catchup, box, uid, find_body(bodies, uid), former);
	} T_END;
	return batch_record(catchup, box, uids);
}

static const char *temp_prefix(struct catchup *catchup, const char **error_r)
{
	const char *path;

	return migration_dir_path(catchup_dir(catchup), "tmp", "late.", &path,
				  error_r) < 0 ? NULL : path;
}

static int
batch(struct catchup *catchup, struct catchup_box *box,
      const ARRAY_TYPE(seq_range) *uids, const struct late_marker *former)
{
	ARRAY_TYPE(late_body) bodies;
	const char *prefix, *error;
	int ret;

	if ((prefix = temp_prefix(catchup, &error)) == NULL)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	if (catchup_box_select(catchup, box) < 0)
		return -1;
	i_array_init(&bodies, BATCH_MAILS);
	ret = late_fetch(catchup->client, prefix, catchup->keywords, uids,
			 &bodies, &catchup->error_code, &error);
	if (ret < 0)
		(void)catchup_fail(catchup, catchup->error_code, error);
	else
		ret = batch_deliver(catchup, box, uids, &bodies, former);
	late_bodies_free(&bodies);
	array_free(&bodies);
	return ret;
}

static void
next_batch(const struct catchup_box *box, ARRAY_TYPE(seq_range) *uids_r)
{
	const struct inventory_item *item;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint64_t bytes = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, &box->late);
	while (n < BATCH_MAILS && seq_range_array_iter_nth(&iter, n, &uid)) {
		item = inventory_find(&box->shown, uid);
		bytes += item == NULL ? 0 : item->size;
		if (n++ > 0 && bytes > BATCH_BYTES)
			break;
		seq_range_array_add(uids_r, uid);
	}
}

/* What another one had begun comes first, by itself: only its marker tells. */
static void
first_batch(const struct catchup_box *box, const struct late_marker *former,
	    ARRAY_TYPE(seq_range) *uids_r)
{
	seq_range_array_merge(uids_r, &former->uids);
	seq_range_array_intersect(uids_r, &box->late);
	if (array_is_empty(uids_r))
		next_batch(box, uids_r);
}

static int
all_batches(struct catchup *catchup, struct catchup_box *box,
	    const struct late_marker *former)
{
	ARRAY_TYPE(seq_range) uids;
	int ret = 0;

	i_array_init(&uids, 8);
	while (ret == 0 && array_not_empty(&box->late)) {
		array_clear(&uids);
		first_batch(box, former, &uids);
		T_BEGIN {
			ret = batch(catchup, box, &uids, former);
		} T_END;
	}
	array_free(&uids);
	return ret;
}

/* What is here, so that doubles are seen; of an old mailbox that was replaced any
   mail may be here. */
static int
prepare(struct catchup *catchup, const struct catchup_box *box,
	struct late_marker *former)
{
	const char *error;
	int ret;

	if (catchup->index == NULL &&
	    arrival_index_open(catchup->muser, &catchup->index, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	if (catchup->deliver == NULL)
		catchup->deliver = late_deliver_init(catchup->muser);
	ret = late_marker_read(catchup_dir(catchup), box->vname, former,
			       &error);
	if (ret > 0)
		ret = late_deliver_settle(catchup->deliver, &error);
	/* of a mailbox that isn't there any more */
	if (former->uid_validity != box->baseline.uid_validity)
		array_clear(&former->uids);
	if (ret < 0 ||
	    arrival_index_note_all(catchup->index,
			box->baseline.reset_uid != 0 ? 0 :
			time(NULL) - DOUBLE_SECS, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
}

int catchup_late(struct catchup *catchup, struct catchup_box *box)
{
	struct late_marker former = { .begun = 0 };
	int ret;

	if (array_is_empty(&box->late))
		return 0;
	i_array_init(&former.uids, 8);
	ret = prepare(catchup, box, &former);
	if (ret == 0)
		ret = all_batches(catchup, box, &former);
	array_free(&former.uids);
	return ret;
}
