#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "istream.h"
#include "seq-range-array.h"
#include "sha2.h"
#include "mail-storage-private.h"
#include "mail-search-build.h"
#include "common/arrival-tag.h"
#include "migration-user.h"
#include "arrival-noted.h"
#include "arrival-records.h"
#include "local-folders.h"
#include "mailbox-state.h"
#include "arrival-index.h"

/* A mail that is gone stays known for so long: no server tries for longer. */
#define GONE_KEEP_SECS (30*24*3600)
/* Who is gone is looked for when there are twice as many records, and some... */
#define CHECK_COUNT_MIN 4096
/* ...or after so long. */
#define CHECK_INTERVAL_SECS (10*24*3600)

struct arrival_index {
	struct migration_user *muser;
	struct arrival_key *key;
	struct arrival_noted noted;
	bool noted_changed;
	/* NULL: not needed yet */
	struct arrival_records *records;
};

/*
 * Open, close
 */

static void load_key(struct arrival_index *index)
{
	static bool logged = FALSE;
	const char *error, *path = index->muser->set.key_file;

	if (path == NULL || arrival_key_load(path, &index->key, &error) == 0)
		return;
	if (!logged) {
		e_error(index->muser->user->event,
			"migration: Arrival tags aren't believed: "
			"migration_key_file %s: %s", path, error);
	}
	logged = TRUE;
}

/* Do the noted mailboxes belong to these records? */
static void check_noted(struct arrival_index *index, uint64_t generation,
			uint32_t in_file)
{
	struct arrival_noted *noted = &index->noted;

	if (noted->generation == generation && noted->in_file <= in_file)
		return;
	array_clear(&noted->boxes);
	noted->checked = 0;
	noted->left = 0;
}

static int read_noted(struct arrival_index *index, const char **error_r)
{
	const char *dir = index->muser->set.dir;
	uint64_t generation;
	uint32_t in_file;

	if (arrival_noted_read(dir, &index->noted, error_r) < 0 ||
	    arrival_records_peek(dir, &generation, &in_file, error_r) < 0)
		return -1;
	check_noted(index, generation, in_file);
	return 0;
}

int arrival_index_open(struct migration_user *muser,
		       struct arrival_index **index_r, const char **error_r)
{
	struct arrival_index *index = i_new(struct arrival_index, 1);

	index->muser = muser;
	arrival_noted_init(&index->noted);
	load_key(index);
	if (read_noted(index, error_r) < 0) {
		arrival_index_close(&index);
		return -1;
	}
	*index_r = index;
	return 0;
}

void arrival_index_close(struct arrival_index **_index)
{
	struct arrival_index *index = *_index;

	if (index == NULL)
		return;
	*_index = NULL;
	arrival_records_close(&index->records);
	arrival_noted_deinit(&index->noted);
	arrival_key_free(&index->key);
	i_free(index);
}

const struct arrival_key *arrival_index_key(struct arrival_index *index)
{
	return index->key;
}

static int need_records(struct arrival_index *index, const char **error_r)
{
	if (index->records != NULL)
		return 0;
	if (arrival_records_open(index->muser->set.dir, &index->records,
				 error_r) < 0)
		return -1;
	/* some may turn out to be damaged */
	check_noted(index, arrival_records_generation(index->records),
		    arrival_records_in_file(index->records));
	return 0;
}

/*
 * Records
 */

static void
vname_short(const char *vname, unsigned char short_r[ARRIVAL_RECORD_SHORT])
{
	unsigned char hash[SHA256_RESULTLEN];

	sha256_get_digest(vname, strlen(vname), hash);
	memcpy(short_r, hash, ARRIVAL_RECORD_SHORT);
}

static void
record_init(struct arrival_record *record, const char *vname,
	    const guid_128_t guid, const struct mail_identity *identity)
{
	i_zero(record);
	memcpy(record->digest, identity->digest, sizeof(record->digest));
	memcpy(record->tag, identity->tag, sizeof(record->tag));
	guid_128_copy(record->guid, guid);
	memcpy(record->message_id, identity->message_id,
	       sizeof(record->message_id));
	vname_short(vname, record->vname);
	record->flags = (identity->has_message_id ?
			 ARRIVAL_RECORD_MESSAGE_ID : 0) |
		(identity->has_date ? ARRIVAL_RECORD_DATE : 0) |
		(identity->arrived ? ARRIVAL_RECORD_ARRIVED : 0) |
		(identity->tagged ? ARRIVAL_RECORD_TAGGED : 0);
}

static void records_failed(struct arrival_index *index, const char *error)
{
	e_error(index->muser->user->event,
		"migration: Mails that arrived twice aren't known: %s", error);
}

void arrival_index_add(struct arrival_index *index, const char *vname,
		       const guid_128_t guid,
		       const struct mail_identity *identity)
{
	struct arrival_record record;
	const char *error;

	if (need_records(index, &error) < 0) {
		records_failed(index, error);
		return;
	}
	record_init(&record, vname, guid, identity);
	arrival_records_put(index->records, &record);
}

/* As mail_identity_same(), of which the digest is equal. */
static bool is_same_mail(const struct arrival_record *a,
			 const struct arrival_record *b)
{
	if ((a->flags & b->flags & ARRIVAL_RECORD_MESSAGE_ID) != 0) {
		return memcmp(a->message_id, b->message_id,
			      sizeof(a->message_id)) == 0;
	}
	return (a->flags & ARRIVAL_RECORD_DATE) != 0;
}

static bool may_be_there(const struct arrival_record *a,
			 const struct arrival_record *b)
{
	return (a->flags & b->flags & ARRIVAL_RECORD_ARRIVED) != 0 ||
		memcmp(a->vname, b->vname, sizeof(a->vname)) == 0;
}

enum arrival_match
arrival_index_find(struct arrival_index *index, const char *vname,
		   const struct mail_identity *identity, guid_128_t guid_r)
{
	const struct arrival_record *found;
	struct arrival_record wanted;
	const char *error;
	uint32_t iter = 0;

	guid_128_empty(guid_r);
	if (need_records(index, &error) < 0) {
		records_failed(index, error);
		return ARRIVAL_UNKNOWN;
	}
	record_init(&wanted, vname, guid_r, identity);
	if (identity->tagged &&
	    (found = arrival_records_find(index->records, ARRIVAL_FIELD_TAG,
					  wanted.tag, &iter)) != NULL) {
		guid_128_copy(guid_r, found->guid);
		return ARRIVAL_BY_TAG;
	}
	iter = 0;
	while ((found = arrival_records_find(index->records,
					     ARRIVAL_FIELD_DIGEST,
					     wanted.digest, &iter)) != NULL) {
		if (is_same_mail(found, &wanted) &&
		    may_be_there(found, &wanted)) {
			guid_128_copy(guid_r, found->guid);
			return ARRIVAL_BY_DIGEST;
		}
	}
	return ARRIVAL_UNKNOWN;
}

/*
 * Noting mailboxes
 */

struct note {
	struct arrival_index *index;
	struct mailbox *box;
	const char *vname;
	guid_128_t box_guid;
	time_t since;
};

static void box_error(struct mailbox *box, const char **error_r)
{
	*error_r = t_strdup_printf("Local mailbox %s: %s",
		mailbox_get_vname(box),
		mailbox_get_last_internal_error(box, NULL));
}

static bool is_gone(struct mailbox *box)
{
	return mailbox_get_last_mail_error(box) == MAIL_ERROR_NOTFOUND;
}

/* Without opening it, where the mailbox list's index knows. Returns 1; 0 when it
   isn't there; -1 with an error. */
static int look(struct note *note, struct mailbox_status *status_r,
		const char **error_r)
{
	struct mailbox_metadata metadata;

	if (mailbox_get_status(note->box, STATUS_UIDNEXT | STATUS_UIDVALIDITY,
			       status_r) < 0 ||
	    mailbox_get_metadata(note->box, MAILBOX_METADATA_GUID,
				 &metadata) < 0) {
		if (is_gone(note->box))
			return 0;
		box_error(note->box, error_r);
		return -1;
	}
	guid_128_copy(note->box_guid, metadata.guid);
	return 1;
}

/* From which UID on is it to be noted? With what was noted of it, if that goes
   on, else NULL. */
static uint32_t
first_uid(const struct note *note, uint32_t uid_validity,
	  struct arrival_noted_box **noted_r)
{
	*noted_r = arrival_noted_find(&note->index->noted, note->box_guid);
	if (*noted_r != NULL && (*noted_r)->uid_validity == uid_validity &&
	    (*noted_r)->since <= note->since)
		return (*noted_r)->uid_next;
	*noted_r = NULL;
	return 1;
}

static void
set_noted(struct note *note, uint32_t uid_validity, uint32_t uid_next)
{
	struct arrival_noted_box *noted =
		arrival_noted_find(&note->index->noted, note->box_guid);

	if (noted == NULL) {
		noted = array_append_space(&note->index->noted.boxes);
		guid_128_copy(noted->guid, note->box_guid);
	}
	noted->uid_validity = uid_validity;
	noted->uid_next = uid_next;
	noted->since = note->since;
	note->index->noted_changed = TRUE;
}

static int
get_guid(struct mail *mail, guid_128_t guid_r)
{
	const char *guid;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) < 0)
		return -1;
	if (guid_128_from_string(guid, guid_r) < 0)
		mail_generate_guid_128_hash(guid, guid_r);
	return 0;
}

static void
put_here(struct note *note, struct mail *mail, struct arrival_record *record)
{
	memcpy(record->box, note->box_guid, sizeof(record->box));
	record->uid = mail->uid;
	record->gone = 0;
	arrival_records_put(note->index->records, record);
}

static bool is_here(const struct note *note, const struct mail *mail,
		    const struct arrival_record *record)
{
	return record->uid == mail->uid && record->gone == 0 &&
		memcmp(record->box, note->box_guid, sizeof(record->box)) == 0;
}

/* Returns 0, -1 when the mail's error was set, -1 with an error else. */
static int
identify(struct note *note, struct mail *mail, const guid_128_t guid,
	 const char **error_r)
{
	struct mail_identity identity;
	struct arrival_record record;
	struct istream *input;

	if (mail_get_stream(mail, NULL, NULL, &input) < 0) {
		box_error(mail->box, error_r);
		return -1;
	}
	if (mail_identity_get(input, note->index->key, &identity, error_r) < 0)
		return -1;
	record_init(&record, note->vname, guid, &identity);
	put_here(note, mail, &record);
	return 0;
}

/* Returns 0, -1 with an error. */
static int
note_mail(struct note *note, struct mail *mail, const char **error_r)
{
	const struct arrival_record *known;
	struct arrival_record record;
	uint32_t iter = 0;
	guid_128_t guid;
	time_t date;

	if (note->since > 0 &&
	    mail_get_received_date(mail, &date) == 0 && date < note->since)
		return 0;
	if (get_guid(mail, guid) < 0) {
		box_error(mail->box, error_r);
		return -1;
	}
	known = arrival_records_find(note->index->records, ARRIVAL_FIELD_GUID,
				     guid, &iter);
	if (known == NULL)
		return identify(note, mail, guid, error_r);
	if (!is_here(note, mail, known)) {
		record = *known;
		put_here(note, mail, &record);
	}
	return 0;
}

static void note_mails(struct note *note, uint32_t seq1, uint32_t seq2)
{
	struct mailbox_transaction_context *trans =
		mailbox_transaction_begin(note->box,
			MAILBOX_TRANSACTION_FLAG_NO_CACHE_DEC, __func__);
	struct mail *mail = mail_alloc(trans, 0, NULL);
	const char *error;

	for (uint32_t seq = seq1; seq <= seq2; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		if (note_mail(note, mail, &error) < 0 && !mail->expunged) {
			e_warning(note->index->muser->user->event,
				  "migration: %s UID %u isn't known among the "
				  "mails that arrived: %s", note->vname,
				  mail->uid, error);
		}
	} T_END;
	mail_free(&mail);
	mailbox_transaction_rollback(&trans);
}

/* Returns 0, -1 with an error. */
static int note_new(struct note *note, const char **error_r)
{
	struct arrival_noted_box *noted;
	struct mailbox_status status;
	uint32_t first, seq1, seq2;

	if (mailbox_sync(note->box, MAILBOX_SYNC_FLAG_FULL_READ) < 0) {
		if (is_gone(note->box))
			return 0;
		box_error(note->box, error_r);
		return -1;
	}
	mailbox_get_open_status(note->box, STATUS_UIDNEXT | STATUS_UIDVALIDITY,
				&status);
	first = first_uid(note, status.uidvalidity, &noted);
	/* what was noted before goes on as it began */
	if (noted != NULL)
		note->since = noted->since;
	if (first < status.uidnext) {
		mailbox_get_seq_range(note->box, first, status.uidnext - 1,
				      &seq1, &seq2);
		if (seq1 > 0)
			note_mails(note, seq1, seq2);
	}
	set_noted(note, status.uidvalidity, status.uidnext);
	return 0;
}

static int note_box(struct note *note, const char **error_r)
{
	struct arrival_noted_box *noted;
	struct mailbox_status status;
	int ret;

	ret = look(note, &status, error_r);
	if (ret <= 0)
		return ret;
	if (first_uid(note, status.uidvalidity, &noted) == status.uidnext &&
	    noted != NULL)
		return 0;
	if (need_records(note->index, error_r) < 0)
		return -1;
	return note_new(note, error_r);
}

/* Returns 1 when it's here that the mailbox is, 0, -1 with an error. */
static int is_local(struct arrival_index *index, const char *vname,
		    const char **error_r)
{
	struct mailbox_state_file state;
	pool_t pool = pool_alloconly_create("mailbox state", 512);
	int ret;

	ret = mailbox_state_read(index->muser->set.dir, vname, pool, &state,
				 error_r);
	if (ret >= 0) {
		ret = ret == 0 ||
			!mailbox_state_authority_is_old(state.state);
	}
	pool_unref(&pool);
	return ret;
}

int arrival_index_note(struct arrival_index *index, const char *vname,
		       time_t since, const char **error_r)
{
	struct note note = { .index = index, .vname = vname, .since = since };
	int ret;

	ret = is_local(index, vname, error_r);
	if (ret <= 0)
		return ret;
	migration_bypass_begin(index->muser);
	note.box = migration_local_mailbox_alloc(index->muser, vname,
						 MAILBOX_FLAG_IGNORE_ACLS);
	ret = note_box(&note, error_r);
	mailbox_free(&note.box);
	migration_bypass_end(index->muser);
	return ret;
}

int arrival_index_note_all(struct arrival_index *index, time_t since,
			   const char **error_r)
{
	ARRAY_TYPE(local_folder) folders;
	const struct local_folder *folder;
	enum mail_error error_code;
	const char *error;
	pool_t pool = pool_alloconly_create("local folders", 4096);
	int ret;

	p_array_init(&folders, pool, 64);
	ret = local_folders_get(index->muser, pool, &folders, &error_code,
				error_r);
	if (ret == 0) {
		array_foreach(&folders, folder) {
			if (!folder->selectable ||
			    arrival_index_note(index, folder->vname, since,
					       &error) == 0)
				continue;
			if (ret == 0)
				*error_r = error;
			ret = -1;
		}
	}
	pool_unref(&pool);
	return ret;
}

/*
 * Forgetting
 */

/* A mailbox' messages. */
struct present {
	unsigned char box[ARRIVAL_RECORD_SHORT];
	ARRAY_TYPE(seq_range) uids;
};

struct check {
	pool_t pool;
	/* by box */
	ARRAY(struct present) boxes;
	time_t now;
};

static int present_cmp(const struct present *a, const struct present *b)
{
	return memcmp(a->box, b->box, sizeof(a->box));
}

static bool is_present(struct check *check, const struct arrival_record *record)
{
	struct present key;
	const struct present *present;

	memcpy(key.box, record->box, sizeof(key.box));
	present = array_bsearch(&check->boxes, &key, present_cmp);
	return present != NULL && seq_range_exists(&present->uids, record->uid);
}

static bool keep_record(struct arrival_record *record, void *context)
{
	struct check *check = context;

	if (is_present(check, record))
		record->gone = 0;
	else if (record->gone == 0)
		record->gone = check->now;
	return record->gone == 0 ||
		check->now - (time_t)record->gone < GONE_KEEP_SECS;
}

static int get_uids(struct mailbox *box, ARRAY_TYPE(seq_range) *uids)
{
	struct mail_search_args *args = mail_search_build_init();
	struct mailbox_transaction_context *trans =
		mailbox_transaction_begin(box, 0, __func__);
	struct mail_search_context *search;
	struct mail *mail;
	int ret;

	mail_search_build_add_all(args);
	search = mailbox_search_init(trans, args, NULL, 0, NULL);
	mail_search_args_unref(&args);
	while (mailbox_search_next(search, &mail))
		seq_range_array_add(uids, mail->uid);
	ret = mailbox_search_deinit(&search);
	mailbox_transaction_rollback(&trans);
	return ret;
}

/* Returns 0, -1 with an error. */
static int
check_box(struct check *check, struct mailbox *box, const char **error_r)
{
	struct mailbox_metadata metadata;
	struct present *present;

	if (mailbox_sync(box, 0) < 0 ||
	    mailbox_get_metadata(box, MAILBOX_METADATA_GUID, &metadata) < 0) {
		if (is_gone(box))
			return 0;
		box_error(box, error_r);
		return -1;
	}
	present = array_append_space(&check->boxes);
	memcpy(present->box, metadata.guid, sizeof(present->box));
	p_array_init(&present->uids, check->pool, 16);
	if (get_uids(box, &present->uids) < 0) {
		box_error(box, error_r);
		return -1;
	}
	return 0;
}

/* All that is in local mailboxes, whoever has the word on them. */
static int check_boxes(struct arrival_index *index, struct check *check,
		       const char **error_r)
{
	ARRAY_TYPE(local_folder) folders;
	const struct local_folder *folder;
	enum mail_error error_code;
	struct mailbox *box;
	int ret;

	ret = local_folders_get(index->muser, check->pool, &folders,
				&error_code, error_r);
	if (ret < 0)
		return -1;
	array_foreach(&folders, folder) {
		if (!folder->selectable || ret < 0)
			continue;
		migration_bypass_begin(index->muser);
		box = migration_local_mailbox_alloc(index->muser,
			folder->vname, MAILBOX_FLAG_IGNORE_ACLS);
		ret = check_box(check, box, error_r);
		mailbox_free(&box);
		migration_bypass_end(index->muser);
	}
	array_sort(&check->boxes, present_cmp);
	return ret;
}

/* Returns 0, -1 with an error. */
static int forget_gone(struct arrival_index *index, const char **error_r)
{
	struct check check = { .now = ioloop_time };
	int ret;

	check.pool = pool_alloconly_create("arrival check", 16*1024);
	p_array_init(&check.boxes, check.pool, 64);
	ret = check_boxes(index, &check, error_r);
	if (ret == 0) {
		ret = arrival_records_filter(index->records, keep_record,
					     &check, error_r);
		index->noted.checked = check.now;
		index->noted.left = arrival_records_count(index->records);
		index->noted_changed = TRUE;
	}
	pool_unref(&check.pool);
	return ret;
}

static bool want_check(const struct arrival_index *index)
{
	const struct arrival_noted *noted = &index->noted;
	uint32_t count;

	if (index->records == NULL)
		return FALSE;
	count = arrival_records_in_file(index->records);
	return count > noted->left * 2 + CHECK_COUNT_MIN ||
		(count > CHECK_COUNT_MIN &&
		 ioloop_time - noted->checked > CHECK_INTERVAL_SECS);
}

int arrival_index_sync(struct arrival_index *index, const char **error_r)
{
	if (want_check(index) && forget_gone(index, error_r) < 0)
		return -1;
	if (index->records != NULL &&
	    arrival_records_sync(index->records, error_r) < 0)
		return -1;
	if (!index->noted_changed || index->records == NULL)
		return 0;
	index->noted.generation = arrival_records_generation(index->records);
	index->noted.in_file = arrival_records_in_file(index->records);
	if (arrival_noted_write(index->muser->set.dir, &index->noted,
				error_r) < 0)
		return -1;
	index->noted_changed = FALSE;
	return 0;
}
