/* catchup-uids: the local UIDs of what came to the old server after the cutover:
   of late mails that are in the mailbox of that name still, and of copy-back's. */

#include "catchup-private.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "copy-pairs.h"
#include "mailbox-state.h"

bool catchup_has_other_uid(const struct catchup_box *cbox, uint32_t old_uid)
{
	return seq_range_exists(&cbox->baseline.late, old_uid) ||
		seq_range_exists(&cbox->baseline.waiting, old_uid) ||
		seq_range_exists(&cbox->baseline.copied, old_uid);
}

/* Of those that are shown. */
static void
find_wanted(const struct catchup_box *cbox, ARRAY_TYPE(seq_range) *wanted)
{
	const struct inventory_item *item;

	array_foreach(&cbox->shown.items, item) {
		if (inventory_find(&cbox->baseline.messages,
				   item->uid) != NULL &&
		    catchup_has_other_uid(cbox, item->uid))
			seq_range_array_add(wanted, item->uid);
	}
}

static void
add_pair(struct catchup_box *cbox, ARRAY_TYPE(seq_range) *wanted,
	 uint32_t old_uid, uint32_t local_uid)
{
	struct copy_pair *pair = array_append_space(&cbox->local_uids);

	pair->old_uid = old_uid;
	pair->local_uid = local_uid;
	seq_range_array_remove(wanted, old_uid);
}

static int
find_pairs(struct catchup *catchup, struct catchup_box *cbox,
	   ARRAY_TYPE(seq_range) *wanted)
{
	struct copy_pairs pairs;
	const struct copy_pair *pair;
	const char *error;
	int ret;

	copy_pairs_init(&pairs);
	ret = copy_pairs_read(catchup_dir(catchup), cbox->vname, &pairs,
			      &error);
	if (ret > 0 && pairs.uid_validity == cbox->baseline.uid_validity) {
		array_foreach(&pairs.pairs, pair) {
			if (seq_range_exists(wanted, pair->old_uid))
				add_pair(cbox, wanted, pair->old_uid,
					 pair->local_uid);
		}
	}
	copy_pairs_deinit(&pairs);
	return ret < 0 ? catchup_fail(catchup, MAIL_ERROR_TEMP, error) : 0;
}

static uint32_t
find_guid(struct catchup *catchup, struct catchup_box *cbox,
	  const ARRAY_TYPE(seq_range) *wanted, const guid_128_t guid)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	guid_128_t late;
	uint32_t uid;

	seq_range_array_iter_init(&iter, wanted);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		late_mail_guid(catchup->muser->user->username, cbox->vname,
			       cbox->baseline.uid_validity,
			       cbox->baseline.resets, uid, late);
		if (guid_128_equals(late, guid))
			return uid;
	}
	return 0;
}

static void
find_guid_of(struct catchup *catchup, struct catchup_box *cbox,
	     struct mail *mail, ARRAY_TYPE(seq_range) *wanted)
{
	const char *str;
	guid_128_t guid;
	uint32_t uid;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &str) < 0 ||
	    guid_128_from_string(str, guid) < 0)
		return;
	uid = find_guid(catchup, cbox, wanted, guid);
	if (uid != 0)
		add_pair(cbox, wanted, uid, mail->uid);
}

/* Late mails have the highest UIDs, the last ones first. */
static void
find_guids(struct catchup *catchup, struct catchup_box *cbox,
	   struct mailbox *box, uint32_t uid_floor,
	   ARRAY_TYPE(seq_range) *wanted)
{
	struct mailbox_transaction_context *trans;
	struct mailbox_status status;
	struct mail *mail;

	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	trans = mailbox_transaction_begin(box, 0, "migration catchup");
	mail = mail_alloc(trans, 0, NULL);
	for (uint32_t seq = status.messages;
	     seq > 0 && array_not_empty(wanted); seq--) {
		mail_set_seq(mail, seq);
		if (mail->uid < uid_floor)
			break;
		T_BEGIN {
			find_guid_of(catchup, cbox, mail, wanted);
		} T_END;
	}
	mail_free(&mail);
	mailbox_transaction_rollback(&trans);
}

int catchup_find_local_uids(struct catchup *catchup, struct catchup_box *cbox,
			    struct mailbox *box)
{
	ARRAY_TYPE(seq_range) wanted;
	struct mailbox_state_file state;
	const char *error;
	int ret = 0;

	t_array_init(&wanted, 8);
	find_wanted(cbox, &wanted);
	if (array_is_empty(&wanted))
		return 0;
	if (mailbox_state_read(catchup_dir(catchup), cbox->vname,
			       pool_datastack_create(), &state, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	ret = find_pairs(catchup, cbox, &wanted);
	if (ret == 0 && array_not_empty(&wanted))
		find_guids(catchup, cbox, box, state.uid_floor, &wanted);
	return ret;
}

uint32_t catchup_local_uid(const struct catchup_box *cbox, uint32_t old_uid)
{
	const struct copy_pair *pair;

	if (!catchup_has_other_uid(cbox, old_uid))
		return old_uid;
	array_foreach(&cbox->local_uids, pair) {
		if (pair->old_uid == old_uid)
			return pair->local_uid;
	}
	return 0;
}
