#include "lib.h"
#include "istream.h"
#include "istream-crlf.h"
#include "mail-search-build.h"
#include "mail-storage-private.h"
#include "maildir-storage.h"
#include "maildir-uidlist.h"
#include "engine/late-deliver.h"
#include "engine/message-digest.h"
#include "engine/sdbox-strays.h"
#include "mirrored-mailbox.h"
#include "redirected-mailbox.h"
#include "late-find.h"

/* how much a clock may have been set back since */
#define CLOCK_SECS (60 * 60)

struct late_find {
	const struct late_mail *late;
	/* the mail that is to be saved */
	struct mail *src;
	struct message_digest digest;
	bool has_digest;
};

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

static bool is_same(struct late_find *find, struct mail *mail)
{
	struct message_digest digest;

	if (!find->has_digest && get_digest(find->src, &find->digest) < 0)
		return FALSE;
	find->has_digest = TRUE;
	return get_digest(mail, &digest) == 0 &&
		memcmp(digest.shown, find->digest.shown,
		       sizeof(digest.shown)) == 0;
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

static int
find_bytes(struct late_find *find, struct mailbox_transaction_context *t)
{
	struct mail_search_args *args = candidates(find->src);
	struct mail_search_context *search =
		mailbox_search_init(t, args, NULL, 0, NULL);
	struct mail *mail;
	int ret = 0;

	mail_search_args_unref(&args);
	while (ret == 0 && mailbox_search_next(search, &mail)) T_BEGIN {
		ret = is_same(find, mail) ? 1 : 0;
	} T_END;
	if (mailbox_search_deinit(&search) < 0 && ret == 0)
		ret = -1;
	return ret;
}

/*
 * By GUID
 */

/* Maildir moves the file to its place first, and then writes GUID and UIDL into
   its list: killed in between, it has another GUID and the default's UIDL. */
static bool
is_half_saved(struct late_find *find, struct mail *mail)
{
	uoff_t size, its_size;
	time_t date;

	return strcmp(mail->box->storage->name, MAILDIR_STORAGE_NAME) == 0 &&
		mail_get_received_date(mail, &date) == 0 &&
		date == find->late->date &&
		mail_get_virtual_size(find->src, &size) == 0 &&
		mail_get_virtual_size(mail, &its_size) == 0 &&
		size == its_size && is_same(find, mail);
}

static void mend(struct late_find *find, struct mail *mail)
{
	struct maildir_mailbox *mbox = MAILDIR_MAILBOX(mail->box);
	const struct late_mail *late = find->late;

	maildir_uidlist_set_ext(mbox->uidlist, mail->uid,
				MAILDIR_UIDLIST_REC_EXT_GUID,
				guid_128_to_string(late->guid));
	if (late->pop3_uidl != NULL)
		mail_update_pop3_uidl(mail, late->pop3_uidl);
}

/* Returns 1, 0, -1 when the messages before it are too old. */
static int is_late_mail(struct late_find *find, struct mail *mail)
{
	const char *guid;
	time_t saved;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) == 0 &&
	    strcmp(guid, guid_128_to_string(find->late->guid)) == 0)
		return 1;
	if (mail_get_save_date(mail, &saved) >= 0 &&
	    saved < find->late->begun - CLOCK_SECS)
		return -1;
	if (!is_half_saved(find, mail))
		return 0;
	mend(find, mail);
	return 1;
}

static int
find_guid(struct late_find *find, struct mailbox_transaction_context *t)
{
	struct mail *mail = mail_alloc(t, MAIL_FETCH_GUID |
				       MAIL_FETCH_SAVE_DATE, NULL);
	uint32_t seq = mail_index_view_get_messages_count(t->box->view);
	int ret = 0;

	for (; seq > 0 && ret == 0; seq--) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = is_late_mail(find, mail);
	} T_END;
	mail_free(&mail);
	return ret > 0 ? 1 : 0;
}

static int
find_here(struct late_find *find, struct mailbox_transaction_context *t)
{
	const char *error;
	int ret = find_guid(find, t);

	/* it may be one of these, which are in the way of its next save */
	if (ret == 0 && sdbox_strays_remove(t->box, &error) < 0) {
		mailbox_set_critical(t->box, "migration: %s", error);
		ret = -1;
	}
	return ret;
}

static int find_in(struct late_find *find, struct mailbox *box)
{
	struct mailbox_transaction_context *t;
	int ret;

	if (mailbox_open(box) < 0 ||
	    mailbox_sync(box, MAILBOX_SYNC_FLAG_FULL_READ) < 0)
		return -1;
	t = mailbox_transaction_begin(box, 0, __func__);
	if (MIRRORED_MAILBOX(box) == NULL && REDIRECTED_MAILBOX(box) == NULL)
		ret = find_here(find, t);
	else
		ret = find_bytes(find, t);
	mailbox_transaction_rollback(&t);
	return ret;
}

int late_find(struct mailbox *box, const struct late_mail *late,
	      struct mail *src)
{
	struct late_find find = { .late = late, .src = src };
	struct mailbox *other = mailbox_alloc(box->list, box->vname, 0);
	int ret = find_in(&find, other);

	if (ret < 0)
		mail_storage_copy_error(box->storage, other->storage);
	mail_storage_last_error_push(box->storage);
	mailbox_free(&other);
	mail_storage_last_error_pop(box->storage);
	return ret;
}
