#include "lib.h"
#include "istream.h"
#include "istream-crlf.h"
#include "mail-search-build.h"
#include "mail-storage-private.h"
#include "engine/late-deliver.h"
#include "engine/message-digest.h"
#include "mirrored-mailbox.h"
#include "redirected-mailbox.h"
#include "late-find.h"

/* how much a clock may have been set back since */
#define CLOCK_SECS (60 * 60)

/*
 * By GUID
 */

/* A Maildir that was killed before its list of UIDs was written has the GUID by
   the file's name, but no UIDL. Others keep both, or nothing. */
static void mend_uidl(struct mail *mail, const struct late_mail *late)
{
	const char *uidl;

	if (late->pop3_uidl != NULL &&
	    mail_get_special(mail, MAIL_FETCH_UIDL_BACKEND, &uidl) == 0 &&
	    *uidl == '\0')
		mail_update_pop3_uidl(mail, late->pop3_uidl);
}

/* Returns 1, 0, -1 when the messages before it are too old. */
static int has_guid(struct mail *mail, const struct late_mail *late)
{
	const char *guid;
	time_t saved;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) == 0 &&
	    strcmp(guid, guid_128_to_string(late->guid)) == 0) {
		mend_uidl(mail, late);
		return 1;
	}
	if (mail_get_save_date(mail, &saved) < 0)
		return 0;
	return saved < late->begun - CLOCK_SECS ? -1 : 0;
}

static int find_guid(struct mailbox_transaction_context *t,
		     const struct late_mail *late)
{
	struct mail *mail = mail_alloc(t, MAIL_FETCH_GUID |
				       MAIL_FETCH_SAVE_DATE, NULL);
	uint32_t seq = mail_index_view_get_messages_count(t->box->view);
	int ret = 0;

	for (; seq > 0 && ret == 0; seq--) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = has_guid(mail, late);
	} T_END;
	mail_free(&mail);
	return ret > 0 ? 1 : 0;
}

/*
 * By its bytes
 */

/* As IMAP shows them. Returns 0, -1. */
static int get_digest(struct mail *mail, struct message_digest *digest_r)
{
	struct message_digest_context *ctx;
	struct istream *input, *crlf;
	const unsigned char *data;
	size_t size;
	int ret;

	if (mail_get_stream(mail, NULL, NULL, &input) < 0)
		return -1;
	ctx = message_digest_init(FALSE);
	crlf = i_stream_create_crlf(input);
	while (i_stream_read_more(crlf, &data, &size) > 0) {
		message_digest_more(ctx, data, size);
		i_stream_skip(crlf, size);
	}
	ret = crlf->stream_errno == 0 ? 0 : -1;
	i_stream_unref(&crlf);
	message_digest_finish(ctx, digest_r);
	message_digest_deinit(&ctx);
	return ret;
}

/* Those that may be it: with its Message-ID, or of its size. */
static struct mail_search_args *candidates(struct mail *src)
{
	struct mail_search_args *args = mail_search_build_init();
	struct mail_search_arg *arg;
	const char *id;
	uoff_t size;

	if (mail_get_first_header(src, "Message-ID", &id) > 0 && *id != '\0') {
		arg = mail_search_build_add(args, SEARCH_HEADER);
		arg->hdr_field_name = p_strdup(args->pool, "Message-ID");
		arg->value.str = p_strdup(args->pool, id);
	} else if (mail_get_virtual_size(src, &size) == 0 && size > 0) {
		arg = mail_search_build_add(args, SEARCH_LARGER);
		arg->value.size = size - 1;
		arg = mail_search_build_add(args, SEARCH_SMALLER);
		arg->value.size = size + 1;
	} else {
		mail_search_build_add_all(args);
	}
	return args;
}

static bool is_same(struct mail *mail, const struct message_digest *digest)
{
	struct message_digest its;

	return get_digest(mail, &its) == 0 &&
		memcmp(its.shown, digest->shown, sizeof(its.shown)) == 0;
}

static int find_bytes(struct mailbox_transaction_context *t, struct mail *src)
{
	struct mail_search_args *args;
	struct mail_search_context *search;
	struct message_digest digest;
	struct mail *mail;
	int ret = 0;

	if (get_digest(src, &digest) < 0) {
		mail_storage_copy_error(t->box->storage, src->box->storage);
		return -1;
	}
	args = candidates(src);
	search = mailbox_search_init(t, args, NULL, 0, NULL);
	mail_search_args_unref(&args);
	while (ret == 0 && mailbox_search_next(search, &mail)) T_BEGIN {
		ret = is_same(mail, &digest) ? 1 : 0;
	} T_END;
	if (mailbox_search_deinit(&search) < 0 && ret == 0)
		ret = -1;
	return ret;
}

static int find(struct mailbox *box, const struct late_mail *late,
		struct mail *src)
{
	struct mailbox_transaction_context *t;
	int ret;

	if (mailbox_open(box) < 0 ||
	    mailbox_sync(box, MAILBOX_SYNC_FLAG_FULL_READ) < 0)
		return -1;
	t = mailbox_transaction_begin(box, 0, __func__);
	if (MIRRORED_MAILBOX(box) == NULL && REDIRECTED_MAILBOX(box) == NULL)
		ret = find_guid(t, late);
	else
		ret = find_bytes(t, src);
	mailbox_transaction_rollback(&t);
	return ret;
}

int late_find(struct mailbox *box, const struct late_mail *late,
	      struct mail *src)
{
	struct mailbox *other = mailbox_alloc(box->list, box->vname, 0);
	int ret = find(other, late, src);

	if (ret < 0)
		mail_storage_copy_error(box->storage, other->storage);
	mail_storage_last_error_push(box->storage);
	mailbox_free(&other);
	mail_storage_last_error_pop(box->storage);
	return ret;
}
