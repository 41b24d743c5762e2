#include "lib.h"
#include "mail-storage-private.h"
#include "engine/late-deliver.h"
#include "late-find.h"

/* how much a clock may have been set back since */
#define CLOCK_SECS (60 * 60)

/* Returns 1, 0, -1 when the messages before it are too old. */
static int is_late_mail(struct mail *mail, const struct late_mail *late)
{
	const char *guid;
	time_t saved;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) == 0 &&
	    strcmp(guid, guid_128_to_string(late->guid)) == 0)
		return 1;
	if (mail_get_save_date(mail, &saved) < 0)
		return 0;
	return saved < late->begun - CLOCK_SECS ? -1 : 0;
}

static int find(struct mailbox *box, const struct late_mail *late)
{
	struct mailbox_transaction_context *t;
	struct mail *mail;
	uint32_t seq;
	int ret = 0;

	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, MAIL_FETCH_GUID | MAIL_FETCH_SAVE_DATE, NULL);
	seq = mail_index_view_get_messages_count(box->view);
	for (; seq > 0 && ret == 0; seq--) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = is_late_mail(mail, late);
	} T_END;
	mail_free(&mail);
	mailbox_transaction_rollback(&t);
	return ret > 0 ? 1 : 0;
}

int late_find(struct mailbox *box, const struct late_mail *mail)
{
	struct mailbox *found = mailbox_alloc(box->list, box->vname, 0);
	int ret = -1;

	if (mailbox_open(found) < 0 ||
	    mailbox_sync(found, MAILBOX_SYNC_FLAG_FULL_READ) < 0)
		mail_storage_copy_error(box->storage, found->storage);
	else
		ret = find(found, mail);
	mailbox_free(&found);
	return ret;
}
