/* rollback-check: what both servers have, message by message. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "baseline.h"
#include "digest-file.h"
#include "local-copy.h"
#include "old-digests.h"
#include "old-inventory.h"
#include "rollback-private.h"
#include "uid-sets.h"

struct check {
	struct copy_back *cb;
	ARRAY_TYPE(seq_range) *checked;
	/* the old server's UIDs whose bytes are to be looked at, and the local
	   ones of these messages */
	ARRAY_TYPE(seq_range) old_uids;
	ARRAY_TYPE(copy_pair) pairs;
	/* local UIDs of messages that aren't there as they are here */
	ARRAY_TYPE(seq_range) bad;
};

/*
 * What clients will see
 */

void rollback_count(struct copy_back *cb, struct rollback_result *result)
{
	const struct inventory_item *item;
	struct local_copy_status local;
	ARRAY_TYPE(seq_range) expunged;
	uint32_t old_uid;

	t_array_init(&expunged, 16);
	rollback_get_expunged(cb, &expunged);
	result->expunged = seq_range_count(&expunged);
	result->messages = array_count(&cb->local.items);
	result->moved = 0;
	array_foreach(&cb->local.items, item) {
		old_uid = copy_back_old_uid(cb, item->uid);
		if (old_uid != item->uid ||
		    !seq_range_exists(&cb->old_uids, old_uid))
			result->moved++;
	}
	local_copy_status(cb->copy, &local);
	result->seamless = cb->same_uids && result->moved == 0 &&
		result->expunged == 0 &&
		local.uid_next == cb->state.uid_floor &&
		cb->mailbox.uid_next == cb->state.old_uid_next;
}

/* Of late mail it can't be told: it may be in another mailbox here. */
void rollback_get_expunged(struct copy_back *cb, ARRAY_TYPE(seq_range) *uids)
{
	const struct inventory_item *item;
	const struct copy_pair *pair;

	array_foreach(&cb->pairs.pairs, pair) {
		if (!pair->late &&
		    inventory_find(&cb->local, pair->local_uid) == NULL)
			seq_range_array_add(uids, pair->old_uid);
	}
	array_foreach(&cb->baseline->messages.items, item) {
		if (cb->same_uids && item->uid < cb->state.old_uid_next &&
		    inventory_find(&cb->local, item->uid) == NULL)
			seq_range_array_add(uids, item->uid);
	}
	(void)seq_range_array_intersect(uids, &cb->old_uids);
}

/*
 * The check
 */

static const char *uids_to_str(const ARRAY_TYPE(seq_range) *uids)
{
	string_t *str = t_str_new(64);

	imap_write_seq_range(str, uids);
	return str_c(str);
}

static void
look_at(struct check *check, uint32_t local_uid, uint32_t old_uid)
{
	const struct copy_pair pair = { local_uid, old_uid, FALSE };

	array_push_back(&check->pairs, &pair);
	seq_range_array_add(&check->old_uids, old_uid);
}

static bool is_late(struct copy_back *cb, uint32_t local_uid)
{
	const struct copy_pair *pair;

	array_foreach(&cb->pairs.pairs, pair) {
		if (pair->local_uid == local_uid)
			return pair->late;
	}
	return FALSE;
}

/* A message of before the cutover has the digest of what came over the wire then,
   and was compared with it; its UID is still that message (RFC 3501 2.3.1.1). The
   size is for servers that don't know this. */
static void
check_item(struct check *check, const struct digest_file *digests,
	   const struct inventory *old, uint32_t local_uid)
{
	struct copy_back *cb = check->cb;
	uint32_t old_uid = copy_back_old_uid(cb, local_uid);
	const struct inventory_item *item = inventory_find(old, old_uid);
	struct message_digest digest;

	if (old_uid == 0 || is_late(cb, local_uid) ||
	    !seq_range_exists(&cb->old_uids, old_uid)) {
		/* copy_back_missing() knows where it is */
		seq_range_array_add(check->checked, local_uid);
		return;
	}
	if (item == NULL)
		seq_range_array_add(&check->bad, local_uid);
	else if (old_uid == local_uid &&
		 digest_file_find(digests, old_uid, &digest) &&
		 item->size == digest.size)
		seq_range_array_add(check->checked, local_uid);
	else
		look_at(check, local_uid, old_uid);
}

static int get_old(struct check *check, struct inventory *old)
{
	struct copy_back *cb = check->cb;
	enum mail_error error_code;
	const char *error;

	if (old_inventory_get(cb->set->client, 1, UINT32_MAX, old,
			      &error_code, &error) < 0)
		return copy_back_fail(cb, error_code, error);
	return 0;
}

/* From the UIDs and sizes; what is left is to be looked at. */
static int check_uids(struct check *check)
{
	struct copy_back *cb = check->cb;
	const struct inventory_item *item;
	struct digest_file *digests;
	struct inventory old;
	const char *error;
	int ret;

	if (digest_file_open(cb->set->muser->set.dir, cb->set->vname,
			     cb->state.uid_validity, &digests, &error) < 0)
		return copy_back_fail(cb, MAIL_ERROR_TEMP, error);
	inventory_init(&old, cb->local.keywords);
	ret = get_old(check, &old);
	array_foreach(&cb->local.items, item) {
		if (ret == 0 && !seq_range_exists(check->checked, item->uid))
			check_item(check, digests, &old, item->uid);
	}
	inventory_deinit(&old);
	digest_file_close(&digests);
	return ret;
}

static const struct old_digest *
find_digest(const ARRAY_TYPE(old_digest) *digests, uint32_t old_uid)
{
	const struct old_digest *digest;

	array_foreach(digests, digest) {
		if (digest->uid == old_uid)
			return digest;
	}
	return NULL;
}

/* Returns 1 when they are the same, or it is gone here; 0; -1. */
static int
compare_bytes(struct check *check, struct mail *mail,
	      const struct copy_pair *pair,
	      const ARRAY_TYPE(old_digest) *digests)
{
	const struct old_digest *old = find_digest(digests, pair->old_uid);
	struct message_digest local;
	int ret;

	if (!mail_set_uid(mail, pair->local_uid))
		return 1;
	if (old == NULL)
		return 0;
	if ((ret = copy_back_digest(check->cb, mail, &local)) <= 0)
		return ret < 0 ? -1 : 1;
	/* what this server's store can't keep, it shows otherwise */
	return memcmp(local.shown, old->digest.shown,
		      sizeof(local.shown)) == 0 ? 1 : 0;
}

static int
compare_all(struct check *check, const ARRAY_TYPE(old_digest) *digests)
{
	struct mailbox_transaction_context *trans =
		mailbox_transaction_begin(local_copy_box(check->cb->copy), 0,
					  __func__);
	struct mail *mail = mail_alloc(trans, 0, NULL);
	const struct copy_pair *pair;
	int ret = 0;

	array_foreach(&check->pairs, pair) {
		if (ret >= 0)
			ret = compare_bytes(check, mail, pair, digests);
		if (ret > 0)
			seq_range_array_add(check->checked, pair->local_uid);
		else
			seq_range_array_add(&check->bad, pair->local_uid);
	}
	mail_free(&mail);
	mailbox_transaction_rollback(&trans);
	return ret < 0 ? -1 : 0;
}

static int check_bytes(struct check *check)
{
	struct copy_back *cb = check->cb;
	ARRAY_TYPE(old_digest) digests;
	enum mail_error error_code;
	const char *error;
	int ret;

	if (array_is_empty(&check->old_uids))
		return 0;
	i_array_init(&digests, 64);
	if (old_digests_get(cb->set->client, &check->old_uids, &digests,
			    &error_code, &error) < 0)
		ret = copy_back_fail(cb, error_code, error);
	else
		ret = compare_all(check, &digests);
	array_free(&digests);
	return ret;
}

/* Is there still one that isn't there? */
static int check_missing(struct copy_back *cb)
{
	ARRAY_TYPE(seq_range) missing;

	t_array_init(&missing, 16);
	if (copy_back_missing(cb, &missing) < 0)
		return -1;
	if (array_is_empty(&missing))
		return 0;
	return copy_back_fail(cb, MAIL_ERROR_TEMP, t_strdup_printf(
		"The old server hasn't got UIDs %s", uids_to_str(&missing)));
}

int rollback_check(struct copy_back *cb, ARRAY_TYPE(seq_range) *checked)
{
	struct check check = { .cb = cb, .checked = checked };
	int ret;

	i_array_init(&check.old_uids, 16);
	i_array_init(&check.pairs, 16);
	i_array_init(&check.bad, 8);
	ret = check_missing(cb);
	if (ret == 0)
		ret = check_uids(&check);
	if (ret == 0)
		ret = check_bytes(&check);
	if (ret == 0 && array_not_empty(&check.bad)) {
		ret = copy_back_fail(cb, MAIL_ERROR_TEMP, t_strdup_printf(
			"The old server has other bytes than are here for "
			"UIDs %s", uids_to_str(&check.bad)));
	}
	array_free(&check.bad);
	array_free(&check.pairs);
	array_free(&check.old_uids);
	return ret;
}

/*
 * Expunges
 */

static void
expunge_reply(const struct old_reply *reply, struct copy_back *cb)
{
	if (reply->state != OLD_REPLY_OK)
		(void)copy_back_fail(cb, reply->error_code, reply->error);
}

int rollback_expunge(struct copy_back *cb, const ARRAY_TYPE(seq_range) *uids)
{
	struct old_client *client = cb->set->client;
	ARRAY_TYPE(const_string) sets;
	enum mail_error error_code;
	const char *set, *error;

	if (array_is_empty(uids))
		return 0;
	if (!old_client_has(client, "UIDPLUS")) {
		return copy_back_fail(cb, MAIL_ERROR_NOTPOSSIBLE,
			"The old server has no UIDPLUS: it can't be told which "
			"messages to expunge");
	}
	cb->error = NULL;
	uid_sets(uids, &sets);
	array_foreach_elem(&sets, set) {
		old_client_send(client, expunge_reply, cb,
			"UID STORE %s +FLAGS.SILENT (\\Deleted)", set);
		old_client_send(client, expunge_reply, cb, "UID EXPUNGE %s",
				set);
	}
	if (old_client_wait(client, &error_code, &error) < 0)
		return copy_back_fail(cb, error_code, error);
	return cb->error == NULL ? 0 : -1;
}
