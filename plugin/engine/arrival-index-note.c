#include "lib.h"
#include "array.h"
#include "istream.h"
#include "migration-user.h"
#include "local-folders.h"
#include "mailbox-state.h"
#include "arrival-index-private.h"

struct note {
	struct arrival_index *index;
	struct mailbox *box;
	const char *vname;
	guid_128_t box_guid;
	time_t since;
};

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
		if (arrival_index_box_is_gone(note->box))
			return 0;
		arrival_index_box_error(note->box, error_r);
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
		arrival_index_box_error(mail->box, error_r);
		return -1;
	}
	if (mail_identity_get(input, note->index->key, &identity, error_r) < 0)
		return -1;
	arrival_index_record_init(&record, note->vname, guid, &identity);
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
		arrival_index_box_error(mail->box, error_r);
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
		if (arrival_index_box_is_gone(note->box))
			return 0;
		arrival_index_box_error(note->box, error_r);
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
	if (arrival_index_need_records(note->index, error_r) < 0)
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
