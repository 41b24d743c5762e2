#include "lib.h"
#include "istream.h"
#include "istream-crlf.h"
#include "mail-search-build.h"
#include "mail-storage-private.h"
#include "digest-file.h"
#include "local-copy.h"
#include "verify-ahead.h"
#include "verify.h"

struct verify {
	const struct digest_file *digests;
	const struct inventory *dates;
	const struct verify_observer *observer;
	struct message_digest_context *digest;
};

/* Returns 0, -1 with an error. */
static int
digest_stream(struct verify *verify, struct istream *input,
	      struct message_digest *digest_r, const char **error_r)
{
	struct istream *crlf = i_stream_create_crlf(input);
	int ret = message_digest_stream(verify->digest, crlf, digest_r);

	if (ret < 0)
		*error_r = t_strdup_printf("it can't be read: %s",
					   i_stream_get_error(crlf));
	i_stream_unref(&crlf);
	return ret;
}

/* Returns TRUE when the message is as it should be, else with the reason. */
static bool
verify_bytes(struct verify *verify, struct mail *mail, uint64_t *bytes_r,
	     const char **reason_r)
{
	struct message_digest wire, local;
	struct istream *input;

	*bytes_r = 0;
	if (!digest_file_find(verify->digests, mail->uid, &wire)) {
		*reason_r = "its digest isn't known";
		return FALSE;
	}
	if (mail_get_stream(mail, NULL, NULL, &input) < 0) {
		*reason_r = t_strdup_printf("it can't be opened: %s",
			mailbox_get_last_internal_error(mail->box, NULL));
		return FALSE;
	}
	if (digest_stream(verify, input, &local, reason_r) < 0)
		return FALSE;
	*bytes_r = local.size;
	if (memcmp(local.shown, wire.shown, sizeof(local.shown)) != 0) {
		*reason_r = t_strdup_printf(
			"its bytes differ (%"PRIu64" here, %"PRIu64
			" on the wire)", local.size, wire.size);
		return FALSE;
	}
	return TRUE;
}

static bool
verify_date(struct verify *verify, struct mail *mail, const char **reason_r)
{
	const struct inventory_item *item;
	time_t date;

	if (verify->dates == NULL ||
	    seq_range_exists(&verify->dates->unknown, mail->uid) ||
	    (item = inventory_find(verify->dates, mail->uid)) == NULL)
		return TRUE;
	if (mail_get_received_date(mail, &date) < 0) {
		*reason_r = "its INTERNALDATE can't be read";
		return FALSE;
	}
	if (date != item->date) {
		*reason_r = t_strdup_printf(
			"its INTERNALDATE differs (%"PRIdTIME_T" here, %"
			PRIdTIME_T" there)", date, item->date);
		return FALSE;
	}
	return TRUE;
}

static void verify_message(struct verify *verify, struct mail *mail)
{
	const struct verify_observer *observer = verify->observer;
	const char *reason;
	uint64_t bytes;

	if (!verify_bytes(verify, mail, &bytes, &reason) ||
	    !verify_date(verify, mail, &reason))
		observer->bad(observer->context, mail->uid, reason);
	observer->progress(observer->context, bytes);
}

static void
get_uids(struct mailbox *box, uint32_t seq1, uint32_t seq2,
	 ARRAY_TYPE(seq_range) *uids)
{
	uint32_t uid;

	for (uint32_t seq = seq1; seq <= seq2; seq++) {
		mail_index_lookup_uid(box->view, seq, &uid);
		seq_range_array_add(uids, uid);
	}
}

static int
verify_range(struct verify *verify, struct mailbox_transaction_context *trans,
	     uint32_t seq1, uint32_t seq2, struct verify_ahead *ahead)
{
	struct mail_search_args *args = mail_search_build_init();
	struct mail_search_context *search;
	struct mail *mail;

	mail_search_build_add_seqset(args, seq1, seq2);
	search = mailbox_search_init(trans, args, NULL, 0, NULL);
	mail_search_args_unref(&args);
	while (mailbox_search_next(search, &mail)) T_BEGIN {
		if (ahead != NULL)
			verify_ahead_wait(ahead, mail->uid);
		verify_message(verify, mail);
	} T_END;
	return mailbox_search_deinit(&search);
}

static int
verify_from(struct verify *verify, struct mailbox_transaction_context *trans,
	    uint32_t first_uid)
{
	struct mailbox *box = trans->box;
	struct verify_ahead *ahead;
	ARRAY_TYPE(seq_range) uids;
	uint32_t seq1, seq2;
	int ret;

	if (!mail_index_lookup_seq_range(box->view, first_uid, UINT32_MAX,
					 &seq1, &seq2))
		return 0;
	i_array_init(&uids, 64);
	get_uids(box, seq1, seq2, &uids);
	ahead = verify_ahead_init(box, &uids);
	ret = verify_range(verify, trans, seq1, seq2, ahead);
	verify_ahead_deinit(&ahead);
	array_free(&uids);
	return ret;
}

int verify_copy(struct local_copy *copy, const struct digest_file *digests,
		uint32_t first_uid, const struct inventory *dates,
		const struct verify_observer *observer, const char **error_r)
{
	struct verify verify = {
		.digests = digests, .dates = dates, .observer = observer,
	};
	struct mailbox *box = local_copy_box(copy);
	struct mailbox_transaction_context *trans;
	int ret;

	/* what is read back was altered already, where it had to be */
	verify.digest = message_digest_init(TRUE);
	trans = mailbox_transaction_begin(box,
		MAILBOX_TRANSACTION_FLAG_NO_CACHE_DEC, __func__);
	ret = verify_from(&verify, trans, first_uid);
	if (mailbox_transaction_commit(&trans) < 0)
		ret = -1;
	if (ret < 0) {
		*error_r = t_strdup(mailbox_get_last_internal_error(box,
								    NULL));
	}
	message_digest_deinit(&verify.digest);
	return ret;
}
