#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "sha2.h"
#include "common/arrival-tag.h"
#include "migration-user.h"
#include "arrival-index-private.h"

/* Who is gone is looked for when there are twice as many records, and some... */
#define CHECK_COUNT_MIN 4096
/* ...or after so long. */
#define CHECK_INTERVAL_SECS (10*24*3600)

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

int arrival_index_need_records(struct arrival_index *index,
			       const char **error_r)
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

void arrival_index_box_error(struct mailbox *box, const char **error_r)
{
	*error_r = t_strdup_printf("Local mailbox %s: %s",
		mailbox_get_vname(box),
		mailbox_get_last_internal_error(box, NULL));
}

bool arrival_index_box_is_gone(struct mailbox *box)
{
	return mailbox_get_last_mail_error(box) == MAIL_ERROR_NOTFOUND;
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

void arrival_index_record_init(struct arrival_record *record,
			       const char *vname, const guid_128_t guid,
			       const struct mail_identity *identity)
{
	i_zero(record);
	memcpy(record->digest, identity->digest, sizeof(record->digest));
	memcpy(record->tag, identity->tag, sizeof(record->tag));
	memcpy(record->message_id, identity->message_id,
	       sizeof(record->message_id));
	guid_128_copy(record->guid, guid);
	vname_short(vname, record->vname);
	record->flags = (identity->has_message_id ?
			 ARRIVAL_RECORD_MESSAGE_ID : 0) |
		(identity->has_date ? ARRIVAL_RECORD_DATE : 0) |
		(identity->arrived ? ARRIVAL_RECORD_ARRIVED : 0) |
		(identity->tagged ? ARRIVAL_RECORD_TAGGED : 0);
}

/* As far as its record tells. */
static void
identity_of(const struct arrival_record *record,
	    struct mail_identity *identity_r)
{
	i_zero(identity_r);
	memcpy(identity_r->digest, record->digest, sizeof(record->digest));
	memcpy(identity_r->tag, record->tag, sizeof(record->tag));
	memcpy(identity_r->message_id, record->message_id,
	       sizeof(record->message_id));
	identity_r->has_message_id =
		(record->flags & ARRIVAL_RECORD_MESSAGE_ID) != 0;
	identity_r->has_date = (record->flags & ARRIVAL_RECORD_DATE) != 0;
	identity_r->arrived = (record->flags & ARRIVAL_RECORD_ARRIVED) != 0;
	identity_r->tagged = (record->flags & ARRIVAL_RECORD_TAGGED) != 0;
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

	if (arrival_index_need_records(index, &error) < 0) {
		records_failed(index, error);
		return;
	}
	arrival_index_record_init(&record, vname, guid, identity);
	arrival_records_put(index->records, &record);
}

/* A mail that a client saved may be saved into another mailbox as well. */
static bool
is_same_place(const struct arrival_record *record, const char *vname,
	      const struct mail_identity *identity)
{
	unsigned char place[ARRIVAL_RECORD_SHORT];

	if (identity->arrived && (record->flags & ARRIVAL_RECORD_ARRIVED) != 0)
		return TRUE;
	vname_short(vname, place);
	return memcmp(place, record->vname, sizeof(place)) == 0;
}

static const struct arrival_record *
find_by_digest(struct arrival_index *index, const char *vname,
	       const struct mail_identity *identity)
{
	const struct arrival_record *record;
	struct mail_identity found;
	uint32_t iter = 0;

	while ((record = arrival_records_find(index->records,
					      ARRIVAL_FIELD_DIGEST,
					      identity->digest,
					      &iter)) != NULL) {
		identity_of(record, &found);
		if (mail_identity_same(&found, identity) &&
		    is_same_place(record, vname, identity))
			return record;
	}
	return NULL;
}

static const struct arrival_record *
find_by_tag(struct arrival_index *index, const struct mail_identity *identity)
{
	uint32_t iter = 0;

	return !identity->tagged ? NULL :
		arrival_records_find(index->records, ARRIVAL_FIELD_TAG,
				     identity->tag, &iter);
}

enum arrival_match
arrival_index_find(struct arrival_index *index, const char *vname,
		   const struct mail_identity *identity, guid_128_t guid_r)
{
	const struct arrival_record *found;
	enum arrival_match match = ARRIVAL_BY_TAG;
	const char *error;

	guid_128_empty(guid_r);
	if (arrival_index_need_records(index, &error) < 0) {
		records_failed(index, error);
		return ARRIVAL_UNKNOWN;
	}
	found = find_by_tag(index, identity);
	if (found == NULL) {
		match = ARRIVAL_BY_DIGEST;
		found = find_by_digest(index, vname, identity);
	}
	if (found == NULL)
		return ARRIVAL_UNKNOWN;
	guid_128_copy(guid_r, found->guid);
	return match;
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
	if (want_check(index) && arrival_index_forget_gone(index, error_r) < 0)
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
