/* catchup-mail: what a late mail is, where it goes, and whether it is here already. */

#include "catchup-private.h"
#include "istream.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mail-storage-settings.h"
#include "migration-user.h"
#include "var-expand.h"
#include "digest-file.h"
#include "flag-merge.h"
#include "late-twins.h"

#include <time.h>

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
		       mail->box->baseline.uid_validity,
		       mail->box->baseline.resets, mail->body->uid,
		       mail->guid);
	return ret;
}

/* Came from the old server before the cutover, and isn't where it was. */
static bool
has_digest(struct catchup *catchup, struct catchup_box *box,
	   const struct message_digest *digest, uint32_t *uid_r)
{
	struct message_digest known;
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
		if (digest_file_find(box->digests, *uid_r, &known) &&
		    known.size == digest->size &&
		    memcmp(known.wire, digest->wire,
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
		if (box != mail->box && !box->deleted && !box->own &&
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
     const struct inventory_item *item, const char *target,
     const char **error_r)
{
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

	if (give(catchup, mail, &mail->body->item, target, error_r) < 0)
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

/* With the flags that it has here, and what was changed there. */
static int
move_flagged(struct catchup *catchup, const struct catchup_mail *mail,
	     struct catchup_box *from, const struct inventory_item *local,
	     const char **error_r)
{
	const struct inventory_item *base =
		inventory_find(&from->baseline.messages, local->uid);
	struct inventory_item item = mail->body->item;

	if (base != NULL)
		flag_merge_item(catchup->keywords, base, &mail->body->item,
				local, &item);
	if (give(catchup, mail, &item, mail->box->vname, error_r) < 0)
		return -1;
	if (catchup_merge_expunge_one(catchup, from, local->uid) < 0) {
		*error_r = catchup->error;
		return -1;
	}
	catchup->result->moved++;
	catchup_report_moved(catchup, from, local->uid, mail->box);
	return 0;
}

/* Moved there, and so it is here, if the local one is still where it was; else
   the user has done something else with it, which stands. */
static int
move_here(struct catchup *catchup, const struct catchup_mail *mail,
	  struct catchup_box *from, uint32_t uid, const char **error_r)
{
	struct inventory local;
	int ret;

	inventory_init(&local, catchup->keywords);
	ret = catchup_merge_find(catchup, from, uid, &local);
	if (ret < 0)
		*error_r = catchup->error;
	else if (ret > 0)
		ret = move_flagged(catchup, mail, from,
				   array_front(&local.items), error_r);
	inventory_deinit(&local);
	return ret;
}

/* Where that fails it stays in the baseline: its way is known the next time. */
static int
move(struct catchup *catchup, struct catchup_mail *mail,
     struct catchup_box *from, uint32_t uid, const char **error_r)
{
	seq_range_array_remove(&from->gone, uid);
	if (!mail->box->deleted &&
	    move_here(catchup, mail, from, uid, error_r) < 0) {
		from->unsettled = TRUE;
		return -1;
	}
	from->moved++;
	seq_range_array_add(&from->moved_uids, uid);
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

int catchup_open_twins(struct catchup *catchup)
{
	const char *error;

	if (catchup->twins == NULL &&
	    late_twins_open(catchup_dir(catchup), &catchup->twins,
			    &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
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

int catchup_mail(struct catchup *catchup, struct catchup_mail *mail,
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
