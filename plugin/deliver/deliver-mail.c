#include "lib.h"
#include "istream.h"
#include "mail-storage-private.h"
#include "mail-user.h"
#include "raw-storage.h"
#include "smtp-address.h"
#include "engine/late-deliver.h"
#include "deliver-mail.h"

/* what deliveries look at */
static const char *const wanted_headers[] = {
	"From", "To", "Message-ID", "Subject", "Return-Path", NULL
};

struct deliver_mails {
	struct mail_user *raw_user;
};

int deliver_mails_init(struct mail_user *user, struct deliver_mails **mails_r,
		       const char **error_r)
{
	struct deliver_mails *mails;
	struct mail_user *raw_user =
		raw_storage_create_from_set(user->set_info,
					    user->unexpanded_set);

	if (raw_user->error != NULL) {
		*error_r = t_strdup(raw_user->error);
		mail_user_deinit(&raw_user);
		return -1;
	}
	mails = i_new(struct deliver_mails, 1);
	mails->raw_user = raw_user;
	*mails_r = mails;
	return 0;
}

void deliver_mails_deinit(struct deliver_mails **_mails)
{
	struct deliver_mails *mails = *_mails;

	*_mails = NULL;
	mail_user_deinit(&mails->raw_user);
	i_free(mails);
}

static struct mail *open_only_mail(struct mailbox *box)
{
	struct mailbox_transaction_context *t =
		mailbox_transaction_begin(box, 0, __func__);
	struct mailbox_header_lookup_ctx *headers =
		mailbox_header_lookup_init(box, wanted_headers);
	struct mail *mail = mail_alloc(t, 0, headers);

	mailbox_header_lookup_unref(&headers);
	mail_set_seq(mail, 1);
	return mail;
}

int deliver_mail_open(struct deliver_mails *mails, const struct late_mail *mail,
		      struct mail **src_r, const char **error_r)
{
	struct istream *file, *input;
	struct mailbox *box;
	int ret;

	file = i_stream_create_fd(mail->fd, IO_BLOCK_SIZE);
	input = i_stream_create_limit(file, mail->size);
	i_stream_set_name(input, "late mail");
	ret = raw_mailbox_alloc_stream(mails->raw_user, input, mail->date,
				       mail->from, &box);
	i_stream_unref(&input);
	i_stream_unref(&file);
	if (ret < 0) {
		*error_r = t_strdup_printf("It can't be opened: %s",
			mailbox_get_last_internal_error(box, NULL));
		mailbox_free(&box);
		return -1;
	}
	*src_r = open_only_mail(box);
	return 0;
}

void deliver_mail_close(struct mail **src)
{
	struct mailbox_transaction_context *t = (*src)->transaction;
	struct mailbox *box = (*src)->box;

	mail_free(src);
	mailbox_transaction_rollback(&t);
	mailbox_free(&box);
}

static int save(struct mailbox *box, struct mail *src)
{
	struct mailbox_transaction_context *t;
	struct mail_save_context *ctx;

	if (mailbox_open(box) < 0)
		return -1;
	t = mailbox_transaction_begin(box, MAILBOX_TRANSACTION_FLAG_EXTERNAL,
				      __func__);
	ctx = mailbox_save_alloc(t);
	if (mailbox_save_using_mail(&ctx, src) < 0) {
		mailbox_transaction_rollback(&t);
		return -1;
	}
	return mailbox_transaction_commit(&t);
}

int deliver_mail_save(struct mail_user *user, struct mail *src,
		      const char *vname, enum mail_error *error_code_r,
		      const char **error_r)
{
	struct mailbox *box = mailbox_alloc_for_user(user, vname,
						     MAILBOX_FLAG_POST_SESSION);
	int ret = save(box, src);

	if (ret < 0)
		*error_r = t_strdup(mailbox_get_last_error(box, error_code_r));
	mailbox_free(&box);
	return ret;
}
