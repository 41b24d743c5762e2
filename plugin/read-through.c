#include "lib.h"
#include "array.h"
#include "imap-seqset.h"
#include "ioloop.h"
#include "istream.h"
#include "istream-crlf.h"
#include "istream-seekable.h"
#include "str.h"
#include "seq-range-array.h"
#include "imapc-mail.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "engine/mailbox-state.h"
#include "read-through.h"

#define READ_THROUGH_MAIL_CONTEXT(m) \
	MODULE_CONTEXT_REQUIRE(&(INDEX_MAIL(m))->mail, \
			       read_through_mail_module)

/* a larger message goes to a temporary file as it is read */
#define SEEKABLE_MEMORY (256 * 1024)
/* at most so often is it looked whether more is here */
#define STATE_MAX_AGE_SECS 1

struct read_through {
	struct redirected_mailbox *rbox;
	/* NULL until it is needed */
	struct mailbox *box;
	bool failed;

	/* the state, as it was when it was read */
	uint32_t uid_validity, durable_uid;
	/* these aren't quite the same on the old server */
	ARRAY_TYPE(seq_range) altered;
	time_t state_time;
};

struct read_through_mail {
	union mail_module_context module_ctx;
	struct read_through *rt;
	struct mailbox_transaction_context *trans;
	/* the local one; NULL until it is needed */
	struct mail *mail;
	/* it is on the same message as ours */
	bool opened;
	/* this message isn't here */
	uint32_t missing_uid;
};

static MODULE_CONTEXT_DEFINE_INIT(read_through_mail_module,
				  &mail_module_register);

struct read_through *read_through_init(struct redirected_mailbox *rbox)
{
	struct read_through *rt = i_new(struct read_through, 1);

	rt->rbox = rbox;
	i_array_init(&rt->altered, 8);
	return rt;
}

void read_through_deinit(struct read_through **_rt)
{
	struct read_through *rt = *_rt;

	if (rt == NULL)
		return;
	*_rt = NULL;
	if (rt->box != NULL)
		mailbox_free(&rt->box);
	array_free(&rt->altered);
	i_free(rt);
}

static void refresh_state(struct read_through *rt)
{
	struct mailbox *box = &rt->rbox->mbox->box;
	struct mailbox_state_file state;
	const char *error;
	pool_t pool;

	if (ioloop_time - rt->state_time < STATE_MAX_AGE_SECS)
		return;
	rt->state_time = ioloop_time;
	rt->durable_uid = 0;
	array_clear(&rt->altered);
	pool = pool_alloconly_create("read-through state", 512);
	if (mailbox_state_read(rt->rbox->muser->set.dir, box->vname, pool,
			       &state, &error) > 0 &&
	    (*state.altered_uids == '\0' ||
	     imap_seq_set_nostar_parse(state.altered_uids,
				       &rt->altered) == 0)) {
		rt->uid_validity = state.uid_validity;
		rt->durable_uid = state.durable_uid;
	}
	pool_unref(&pool);
}

static bool is_here(struct read_through *rt, uint32_t uid)
{
	struct mailbox_status status;

	if (rt->failed)
		return FALSE;
	if (uid > rt->durable_uid)
		refresh_state(rt);
	if (uid > rt->durable_uid || seq_range_exists(&rt->altered, uid))
		return FALSE;
	mailbox_get_open_status(&rt->rbox->mbox->box, STATUS_UIDVALIDITY,
				&status);
	return status.uidvalidity == rt->uid_validity;
}

static bool open_box(struct read_through *rt)
{
	struct mailbox *box = &rt->rbox->mbox->box;

	if (rt->box != NULL)
		return TRUE;
	rt->box = migration_local_mailbox_alloc(rt->rbox->muser, box->vname,
		MAILBOX_FLAG_READONLY | MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_open(rt->box) == 0 && mailbox_sync(rt->box, 0) == 0)
		return TRUE;
	e_debug(box->event, "migration: Local copy can't be read: %s",
		mailbox_get_last_internal_error(rt->box, NULL));
	mailbox_free(&rt->box);
	rt->failed = TRUE;
	return FALSE;
}

static void
local_mail_free(struct mail **mail, struct mailbox_transaction_context **trans)
{
	if (*mail != NULL)
		mail_free(mail);
	if (*trans != NULL)
		mailbox_transaction_rollback(trans);
}

static void local_mail_alloc(struct read_through_mail *rmail)
{
	rmail->trans = mailbox_transaction_begin(rmail->rt->box,
		MAILBOX_TRANSACTION_FLAG_NO_CACHE_DEC, "read-through");
	rmail->mail = mail_alloc(rmail->trans, 0, NULL);
}

/* The local mailbox may have got the message since it was looked at. */
static bool local_mail_seek(struct read_through_mail *rmail, uint32_t uid)
{
	struct mailbox *box = rmail->rt->box;

	if (rmail->mail == NULL)
		local_mail_alloc(rmail);
	if (mail_set_uid(rmail->mail, uid))
		return TRUE;
	local_mail_free(&rmail->mail, &rmail->trans);
	/* other mails of the session keep it as it is */
	if (box->transaction_count > 0 || mailbox_sync(box, 0) < 0)
		return FALSE;
	local_mail_alloc(rmail);
	return mail_set_uid(rmail->mail, uid);
}

static bool
local_mail_open(struct read_through_mail *rmail, struct mail *mail)
{
	if (rmail->opened)
		return TRUE;
	if (mail->uid == 0 || mail->saving || rmail->missing_uid == mail->uid ||
	    rmail->rt == NULL || !is_here(rmail->rt, mail->uid))
		return FALSE;
	if (!open_box(rmail->rt) || !local_mail_seek(rmail, mail->uid)) {
		rmail->missing_uid = mail->uid;
		return FALSE;
	}
	rmail->opened = TRUE;
	return TRUE;
}

/* Sizes of what the old server shows, CR LF and all, are the local virtual
   ones. */
static bool
local_mail_get_size(struct read_through_mail *rmail, struct mail *mail,
		    uoff_t *size_r)
{
	return local_mail_open(rmail, mail) &&
		mail_get_virtual_size(rmail->mail, size_r) == 0;
}

/* Readers go back and forth in it, which a CR LF filter can't. */
static struct istream *
create_seekable_crlf(struct read_through *rt, struct istream *input)
{
	struct istream *inputs[] = { i_stream_create_crlf(input), NULL };
	string_t *temp_prefix = t_str_new(128);
	struct istream *seekable;

	mail_user_set_get_temp_prefix(temp_prefix, rt->rbox->muser->user->set);
	seekable = i_stream_create_seekable_path(inputs, SEEKABLE_MEMORY,
						 str_c(temp_prefix));
	i_stream_set_name(seekable, i_stream_get_name(input));
	i_stream_unref(&inputs[0]);
	return seekable;
}

/* Give our mail the local stream, unless it has one. */
static bool local_stream_open(struct read_through_mail *rmail,
			      struct mail *mail)
{
	struct imapc_mail *imail = IMAPC_MAIL(mail);
	struct index_mail_data *data = &imail->imail.data;
	struct istream *input;
	uoff_t size;

	if (data->stream != NULL)
		return imail->body_fetched;
	if (!local_mail_get_size(rmail, mail, &size) ||
	    mail_get_stream(rmail->mail, NULL, NULL, &input) < 0)
		return FALSE;

	mail->mail_stream_accessed = TRUE;
	data->stream = create_seekable_crlf(rmail->rt, input);
	data->stream_has_only_header = FALSE;
	data->physical_size = size;
	data->virtual_size = size;
	data->inexact_total_sizes = FALSE;
	imail->header_fetched = TRUE;
	imail->body_fetched = TRUE;
	return TRUE;
}

static int
read_through_get_stream(struct mail *mail, bool get_body,
			struct message_size *hdr_size,
			struct message_size *body_size,
			struct istream **stream_r)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);
	struct imapc_mail *imail = IMAPC_MAIL(mail);

	if (local_stream_open(rmail, mail))
		return index_mail_init_stream(&imail->imail, hdr_size,
					      body_size, stream_r);
	return rmail->module_ctx.super.get_stream(mail, get_body, hdr_size,
						  body_size, stream_r);
}

static int
read_through_get_header_stream(struct mail *mail,
			       struct mailbox_header_lookup_ctx *headers,
			       struct istream **stream_r)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	/* from the cache, else from the stream, which is ours */
	if (local_mail_open(rmail, mail))
		return index_mail_get_header_stream(mail, headers, stream_r);
	return rmail->module_ctx.super.get_header_stream(mail, headers,
							 stream_r);
}

static int
read_through_get_special(struct mail *mail, enum mail_fetch_field field,
			 const char **value_r)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	if ((field == MAIL_FETCH_IMAP_BODY ||
	     field == MAIL_FETCH_IMAP_BODYSTRUCTURE) &&
	    local_mail_open(rmail, mail))
		return index_mail_get_special(mail, field, value_r);
	return rmail->module_ctx.super.get_special(mail, field, value_r);
}

static int read_through_get_physical_size(struct mail *mail, uoff_t *size_r)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	if (local_mail_get_size(rmail, mail, size_r))
		return 0;
	return rmail->module_ctx.super.get_physical_size(mail, size_r);
}

static int read_through_get_virtual_size(struct mail *mail, uoff_t *size_r)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	if (local_mail_get_size(rmail, mail, size_r))
		return 0;
	return rmail->module_ctx.super.get_virtual_size(mail, size_r);
}

static int read_through_get_received_date(struct mail *mail, time_t *date_r)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	if (local_mail_open(rmail, mail) &&
	    mail_get_received_date(rmail->mail, date_r) == 0)
		return 0;
	return rmail->module_ctx.super.get_received_date(mail, date_r);
}

/* Nothing of a message that is here is asked for in advance. */
static bool read_through_prefetch(struct mail *mail)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	if (local_mail_open(rmail, mail))
		return TRUE;
	return rmail->module_ctx.super.prefetch(mail);
}

static void
read_through_set_seq(struct mail *mail, uint32_t seq, bool saving)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);
	struct index_mail *imail = INDEX_MAIL(mail);
	bool search_mail = imail->mail.search_mail;

	/* imapc prefetches right away, past v.prefetch */
	imail->mail.search_mail = TRUE;
	rmail->module_ctx.super.set_seq(mail, seq, saving);
	imail->mail.search_mail = search_mail;
	if (!search_mail && !saving)
		(void)imail->mail.v.prefetch(mail);
}

static void read_through_close(struct mail *mail)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	/* ours has a reference to the local stream: it goes first. What was
	   read isn't kept for the next FETCH: it is on disk anyway. */
	if (rmail->opened)
		(IMAPC_MAIL(mail))->body_fetched = FALSE;
	rmail->module_ctx.super.close(mail);
	if (rmail->opened)
		(INDEX_MAIL(rmail->mail))->mail.v.close(rmail->mail);
	rmail->opened = FALSE;
	rmail->missing_uid = 0;
}

static void read_through_free(struct mail *mail)
{
	struct read_through_mail *rmail = READ_THROUGH_MAIL_CONTEXT(mail);

	struct mail *local_mail = rmail->mail;
	struct mailbox_transaction_context *trans = rmail->trans;

	/* it closes, and frees the context */
	rmail->module_ctx.super.free(mail);
	local_mail_free(&local_mail, &trans);
}

void read_through_mail_allocated(struct mail *_mail)
{
	struct mail_private *mail = container_of(_mail, struct mail_private,
						 mail);
	struct mail_vfuncs *v = mail->vlast;
	struct read_through_mail *rmail;

	rmail = p_new(mail->pool, struct read_through_mail, 1);
	rmail->module_ctx.super = *v;
	mail->vlast = &rmail->module_ctx.super;
	rmail->rt = REDIRECTED_MAILBOX(_mail->box)->read_through;

	v->close = read_through_close;
	v->free = read_through_free;
	v->set_seq = read_through_set_seq;
	v->prefetch = read_through_prefetch;
	v->get_received_date = read_through_get_received_date;
	v->get_virtual_size = read_through_get_virtual_size;
	v->get_physical_size = read_through_get_physical_size;
	v->get_header_stream = read_through_get_header_stream;
	v->get_stream = read_through_get_stream;
	v->get_special = read_through_get_special;
	MODULE_CONTEXT_SET(mail, read_through_mail_module, rmail);
}
