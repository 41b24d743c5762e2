/* catchup-late: a late mail is fetched, recognised, delivered, recorded. */

#include "catchup-private.h"
#include "istream.h"
#include "str.h"
#include "imap-util.h"
#include "mail-storage-private.h"
#include "mail-storage-settings.h"
#include "migration-user.h"
#include "var-expand.h"
#include "digest-file.h"
#include "late-marker.h"
#include "late-twins.h"
#include "mailbox-state.h"
#include "migration-dir.h"

#include <time.h>

/* of a batch, by number and size: as much is on disk meanwhile */
#define BATCH_MAILS 50
#define BATCH_BYTES (64 * 1024 * 1024)
/* A sender tries again for five days, and lists and people for longer. */
#define DOUBLE_SECS (30 * 24 * 3600)

/*
 * What is it?
 */

static bool is_junk(struct catchup *catchup, const struct catchup_box *box)
{
	const struct mailbox_settings *set =
		mailbox_settings_find(catchup->muser->ns, box->vname);

	return set != NULL && strcmp(set->special_use, "\\Junk") == 0;
}

static int
identify_stream(struct catchup *catchup, struct catchup_mail *mail,
		struct istream *input, const char **error_r)
{
	if (mail_identity_get(input, arrival_index_key(catchup->index),
			      &mail->identity, error_r) < 0)
		return -1;
	i_stream_seek(input, 0);
	return received_header_get(input, catchup->pool,
				   &mail->received, error_r);
}

static int
identify(struct catchup *catchup, struct catchup_mail *mail,
	 const char **error_r)
{
	struct istream *input =
		i_stream_create_fd(mail->body->fd, IO_BLOCK_SIZE);
	int ret;

	i_stream_seek(input, 0);
	ret = identify_stream(catchup, mail, input, error_r);
	i_stream_unref(&input);
	mail->spam = mail->identity.spam || is_junk(catchup, mail->box);
	late_mail_guid(catchup->muser->user->username, mail->box->vname,
		       mail->box->baseline.uid_validity, mail->body->uid,
		       mail->guid);
	return ret;
}

/* Came from the old server before the cutover, and isn't where it was. */
static bool
has_digest(struct catchup *catchup, struct catchup_box *box,
	   const struct message_digest *digest, uint32_t *uid_r)
{
	const struct message_digest *known;
	struct seq_range_iter iter;
	unsigned int n = 0;
	const char *error;

	/* of the mailbox that was replaced */
	if (box->baseline.reset_uid != 0)
		return FALSE;
	if (box->digests == NULL &&
	    (!digest_file_exists(catchup_dir(catchup), box->vname) ||
	     digest_file_open(catchup_dir(catchup), box->vname,
			      box->baseline.uid_validity, &box->digests,
			      &error) < 0))
		return FALSE;
	seq_range_array_iter_init(&iter, &box->gone);
	while (seq_range_array_iter_nth(&iter, n++, uid_r)) {
		known = digest_file_find(box->digests, *uid_r);
		if (known != NULL && known->size == digest->size &&
		    memcmp(known->wire, digest->wire,
			   sizeof(digest->wire)) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The mailbox from which a client has moved it there. */
static struct catchup_box *
find_moved(struct catchup *catchup, const struct catchup_mail *mail,
	   uint32_t *uid_r)
{
	struct catchup_box *box;

	array_foreach_elem(&catchup->boxes, box) {
		if (box != mail->box && !box->deleted &&
		    array_not_empty(&box->gone) &&
		    has_digest(catchup, box, &mail->body->digest, uid_r))
			return box;
	}
	return NULL;
}

/*
 * Where does it go?
 */

/* What this server's POP3 would make of the old UID, as it does of those that
   came before the cutover; NULL where the format has more than that. */
static const char *
get_uidl(struct catchup *catchup, const struct catchup_mail *mail)
{
	const char *format = mail_user_set_get_storage_set(
		catchup->muser->user)->pop3_uidl_format;
	const struct var_expand_table table[] = {
		{ 'v', dec2str(mail->box->baseline.uid_validity), NULL },
		{ 'u', dec2str(mail->body->uid), NULL },
		{ '\0', NULL, NULL }
	};
	string_t *uidl = t_str_new(64);
	const char *error;

	if (strcmp(mail->box->vname, "INBOX") != 0 ||
	    var_expand(uidl, format, table, &error) <= 0)
		return NULL;
	return str_c(uidl);
}

/* NULL: to be delivered. */
static const char *
get_target(struct catchup *catchup, const struct catchup_mail *mail)
{
	const char *vname = mail->box->deleted ? "INBOX" : mail->box->vname;

	if (strcmp(vname, "INBOX") == 0 && mail->identity.arrived &&
	    catchup->muser->set.late_delivery == MIGRATION_LATE_DELIVER)
		return NULL;
	return vname;
}

static int
give(struct catchup *catchup, const struct catchup_mail *mail,
     const char *target, const char **error_r)
{
	const struct inventory_item *item = &mail->body->item;
	string_t *flags = t_str_new(64);
	struct late_mail late = {
		.save_into = target,
		.fd = mail->body->fd,
		.size = mail->body->size,
		.date = item->date,
		.tz_offset = item->tz_offset,
		.pop3_uidl = get_uidl(catchup, mail),
		.from = mail->received.return_path,
		.to = mail->received.recipient,
		.begun = mail->begun,
	};
	enum mail_error error_code;

	inventory_flags_append(flags, item->flags, item->keywords);
	late.flags = str_c(flags);
	if (*late.to == '\0')
		late.to = catchup->muser->user->username;
	guid_128_copy(late.guid, mail->guid);
	return late_deliver(catchup->deliver, &late, &error_code, error_r);
}

static int
deliver(struct catchup *catchup, struct catchup_mail *mail,
	const char **error_r)
{
	const char *target = get_target(catchup, mail);

	if (give(catchup, mail, target, error_r) < 0)
		return -1;
	arrival_index_add(catchup->index, mail->box->vname, mail->guid,
			  &mail->identity);
	catchup->result->late++;
	if (!mail->identity.arrived)
		mail->box->saved++;
	else if (!mail->spam)
		catchup->account.late = time(NULL);
	catchup_report_late(catchup, mail,
			    target == NULL ? "delivered" : "saved");
	return 0;
}

/* Moved there, and so it is here, if the local one is still where it was; else
   the user has done something else with it, which stands. */
static int
move(struct catchup *catchup, struct catchup_mail *mail,
     struct catchup_box *from, uint32_t uid, const char **error_r)
{
	bool has;

	from->moved++;
	seq_range_array_remove(&from->gone, uid);
	/* gone from its baseline all the same */
	seq_range_array_add(&from->moved_uids, uid);
	if (mail->box->deleted)
		return 0;
	if (catchup_merge_has(catchup, from, uid, &has) < 0) {
		*error_r = catchup->error;
		return -1;
	}
	if (!has)
		return 0;
	if (give(catchup, mail, mail->box->vname, error_r) < 0)
		return -1;
	if (catchup_merge_expunge_one(catchup, from, uid) < 0) {
		*error_r = catchup->error;
		return -1;
	}
	catchup->result->moved++;
	catchup_report_moved(catchup, from, uid, mail->box);
	return 0;
}

static const char *match_name(enum arrival_match match)
{
	return match == ARRIVAL_BY_TAG ? "tag" : "digest";
}

/* Is it here already? One that may have been delivered by who was killed in the
   middle of it is given to the deliverer again, which knows where it is missing
   yet. */
static enum arrival_match
find_double(struct catchup *catchup, const struct catchup_mail *mail,
	    guid_128_t guid_r)
{
	enum arrival_match match;

	match = arrival_index_find(catchup->index, mail->box->vname,
				   &mail->identity, guid_r);
	if (match == ARRIVAL_UNKNOWN)
		return match;
	if (guid_128_equals(guid_r, mail->guid) ? mail->begun != 0 :
	    catchup->muser->set.late_doubles)
		return ARRIVAL_UNKNOWN;
	return match;
}

static int
leave_out(struct catchup *catchup, const struct catchup_mail *mail,
	  enum arrival_match match, const guid_128_t twin,
	  const char **error_r)
{
	const struct late_place place = {
		.vname = mail->box->vname,
		.uid_validity = mail->box->baseline.uid_validity,
		.uid = mail->body->uid,
	};

	if (guid_128_equals(twin, mail->guid))
		return 0;
	if (catchup_open_twins(catchup) < 0) {
		*error_r = catchup->error;
		return -1;
	}
	if (late_twins_add(catchup->twins, twin, &place, error_r) < 0)
		return -1;
	catchup->result->doubles++;
	if (mail->identity.arrived && !mail->spam)
		catchup->account.late = time(NULL);
	catchup_report_double(catchup, mail, match_name(match));
	return 0;
}

static int
late_one(struct catchup *catchup, struct catchup_mail *mail,
	 const char **error_r)
{
	enum arrival_match match;
	struct catchup_box *from;
	guid_128_t twin;
	uint32_t uid;

	if (identify(catchup, mail, error_r) < 0)
		return -1;
	if ((from = find_moved(catchup, mail, &uid)) != NULL)
		return move(catchup, mail, from, uid, error_r);
	match = find_double(catchup, mail, twin);
	return match == ARRIVAL_UNKNOWN ? deliver(catchup, mail, error_r) :
		leave_out(catchup, mail, match, twin, error_r);
}

/*
 * Batches
 */

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

	if (body != NULL && late_one(catchup, &mail, &error) == 0)
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

int catchup_open_twins(struct catchup *catchup)
{
	const char *error;

	if (catchup->twins == NULL &&
	    late_twins_open(catchup_dir(catchup), &catchup->twins,
			    &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
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
