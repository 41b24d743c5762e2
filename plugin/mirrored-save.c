#include "lib.h"
#include "istream.h"
#include "istream-crlf.h"
#include "ostream.h"
#include "safe-mkstemp.h"
#include "str.h"
#include "imap-util.h"
#include "seq-range-array.h"
#include "ioloop.h"
#include "utc-offset.h"
#include "mirrored-mailbox.h"
#include "write-intents.h"
#include "mirrored-save.h"

#include <time.h>
#include <unistd.h>

#define MIRRORED_REQUIRE(obj) \
	((struct mirrored_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, mirrored_mailbox_module))
#define SAVES_CONTEXT(obj) MODULE_CONTEXT(obj, mirrored_saves_module)

struct mirrored_save {
	/* in the transaction */
	uint32_t seq;
	time_t date;
	int tz_offset;
	/* as in a STORE, without parentheses */
	const char *flags;
	/* a mail of a mirrored mailbox; else source is NULL */
	const char *source;
	uint32_t source_uid_validity, source_uid;
};

struct mirrored_saves {
	union mailbox_transaction_module_context module_ctx;
	pool_t pool;
	ARRAY(struct mirrored_save) all;
};

/* Where the words of ops are put together. */
struct save_writer {
	struct mailbox_transaction_context *t;
	struct ostream *output;
	ARRAY_TYPE(const_string) *words;
	/* the copies that can go into one op */
	const struct mirrored_save *run;
	ARRAY_TYPE(seq_range) run_uids;
	uint32_t run_last;
};

static MODULE_CONTEXT_DEFINE_INIT(mirrored_saves_module,
				  &mail_storage_module_register);

static struct mirrored_saves *
saves_get(struct mailbox_transaction_context *t)
{
	struct mirrored_saves *saves = SAVES_CONTEXT(t);
	pool_t pool;

	if (saves == NULL) {
		pool = pool_alloconly_create("mirrored saves", 1024);
		saves = p_new(pool, struct mirrored_saves, 1);
		saves->pool = pool;
		p_array_init(&saves->all, pool, 16);
		MODULE_CONTEXT_SET(t, mirrored_saves_module, saves);
	}
	return saves;
}

void mirrored_saves_free(struct mailbox_transaction_context *t)
{
	struct mirrored_saves *saves = SAVES_CONTEXT(t);

	if (saves == NULL)
		return;
	MODULE_CONTEXT_UNSET(t, mirrored_saves_module);
	pool_unref(&saves->pool);
}

static const char *flag_words(const struct mail_save_context *ctx)
{
	const struct mail_save_data *data = &ctx->data;
	string_t *str = t_str_new(64);

	imap_write_flags(str, data->flags & MAIL_FLAGS_NONRECENT,
			 data->keywords == NULL ? NULL :
			 write_intents_keyword_names(ctx->transaction->box,
						     data->keywords));
	return str_c(str);
}

static const char *mail_flag_words(struct mail *mail)
{
	string_t *str = t_str_new(64);

	imap_write_flags(str, mail_get_flags(mail) & MAIL_FLAGS_NONRECENT,
			 mail_get_keywords(mail));
	return str_c(str);
}

/* Mail of a delivery has none: it's received now. */
static void
set_date(struct mirrored_save *save, const struct mail_save_context *ctx,
	 struct mail *source)
{
	save->date = ctx->data.received_date;
	save->tz_offset = ctx->data.received_tz_offset;
	if (save->date == (time_t)-1 && source != NULL &&
	    mail_get_received_date(source, &save->date) < 0)
		save->date = (time_t)-1;
	if (save->date == (time_t)-1) {
		save->date = ioloop_time;
		save->tz_offset = utc_offset(localtime(&save->date),
					     save->date);
	}
}

/* Can the old server do it? Not where the copy is to have other flags or
   another date. */
static void
find_source(struct mirrored_save *save, const struct mail_save_context *ctx,
	    struct mail *mail)
{
	struct mirrored_mailbox *dest = MIRRORED_REQUIRE(ctx->transaction->box);
	struct mirrored_mailbox *source = MIRRORED_MAILBOX(mail->box);

	if (source == NULL || source->muser != dest->muser ||
	    source->local || source->gone || mail->uid == 0 || mail->saving ||
	    ctx->data.received_date != (time_t)-1 ||
	    strcmp(save->flags, mail_flag_words(mail)) != 0)
		return;
	save->source = mail->box->vname;
	save->source_uid = mail->uid;
	save->source_uid_validity =
		mail_index_get_header(mail->box->view)->uid_validity;
}

static void
add_save(struct mail_save_context *ctx, const struct mirrored_save *save)
{
	struct mirrored_saves *saves = saves_get(ctx->transaction);
	struct mirrored_save *copy = array_append_space(&saves->all);

	*copy = *save;
	copy->seq = ctx->dest_mail->seq;
	copy->flags = p_strdup(saves->pool, save->flags);
	copy->source = p_strdup(saves->pool, save->source);
}

static int mirrored_save_finish(struct mail_save_context *ctx)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(ctx->transaction->box);
	struct mirrored_save save = { .source = NULL };

	if (mbox->local || ctx->copying_via_save)
		return mbox->module_ctx.super.save_finish(ctx);
	/* it forgets these */
	save.flags = flag_words(ctx);
	set_date(&save, ctx, NULL);
	if (mbox->module_ctx.super.save_finish(ctx) < 0)
		return -1;
	add_save(ctx, &save);
	return 0;
}

static int mirrored_copy(struct mail_save_context *ctx, struct mail *mail)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(ctx->transaction->box);
	struct mirrored_save save = { .source = NULL };

	if (mbox->local)
		return mbox->module_ctx.super.copy(ctx, mail);
	save.flags = flag_words(ctx);
	set_date(&save, ctx, mail);
	find_source(&save, ctx, mail);
	if (mbox->module_ctx.super.copy(ctx, mail) < 0)
		return -1;
	add_save(ctx, &save);
	return 0;
}

void mirrored_save_init(struct mailbox_vfuncs *v)
{
	v->save_finish = mirrored_save_finish;
	v->copy = mirrored_copy;
}

bool mirrored_saves_any(struct mailbox_transaction_context *t)
{
	struct mirrored_saves *saves = SAVES_CONTEXT(t);

	return saves != NULL && array_count(&saves->all) > 0;
}

bool mirrored_saves_any_copies(struct mailbox_transaction_context *t)
{
	struct mirrored_saves *saves = SAVES_CONTEXT(t);
	const struct mirrored_save *save;

	if (saves == NULL)
		return FALSE;
	array_foreach(&saves->all, save) {
		if (save->source != NULL)
			return TRUE;
	}
	return FALSE;
}

static int temp_failed(struct mailbox *box, const char *error)
{
	mailbox_set_critical(box, "migration: %s", error);
	return -1;
}

static int temp_file(struct mailbox *box, int *fd_r)
{
	string_t *path = t_str_new(128);

	mail_user_set_get_temp_prefix(path, box->storage->user->set);
	*fd_r = safe_mkstemp_hostpid(path, 0600, (uid_t)-1, (gid_t)-1);
	if (*fd_r == -1)
		return temp_failed(box, t_strdup_printf(
			"safe_mkstemp(%s) failed: %m", str_c(path)));
	i_unlink(str_c(path));
	return 0;
}

static int
send_mail(struct save_writer *writer, struct mail *mail, uint32_t seq)
{
	struct mailbox *box = writer->t->box;
	struct istream *input, *crlf_input;
	enum ostream_send_istream_result res;

	mail_set_seq_saving(mail, seq);
	if (mail_get_stream(mail, NULL, NULL, &input) < 0)
		return -1;
	crlf_input = i_stream_create_crlf(input);
	res = o_stream_send_istream(writer->output, crlf_input);
	if (res != OSTREAM_SEND_ISTREAM_RESULT_FINISHED)
		(void)temp_failed(box, res ==
			OSTREAM_SEND_ISTREAM_RESULT_ERROR_INPUT ?
			i_stream_get_error(crlf_input) :
			o_stream_get_error(writer->output));
	i_stream_unref(&crlf_input);
	return res == OSTREAM_SEND_ISTREAM_RESULT_FINISHED ? 0 : -1;
}

static void add_word(struct save_writer *writer, const char *word)
{
	array_push_back(writer->words, &word);
}

static int
write_append(struct save_writer *writer, const struct mirrored_save *save)
{
	uoff_t offset = writer->output->offset;
	struct mail *mail;
	int ret;

	mail = mail_alloc(writer->t, MAIL_FETCH_STREAM_HEADER |
			  MAIL_FETCH_STREAM_BODY, NULL);
	ret = send_mail(writer, mail, save->seq);
	mail_free(&mail);
	if (ret < 0)
		return -1;
	add_word(writer, "append");
	add_word(writer, dec2str(offset));
	add_word(writer, dec2str(writer->output->offset - offset));
	add_word(writer, dec2str(save->date));
	/* it may be negative: not for dec2str() */
	add_word(writer, t_strdup_printf("%d", save->tz_offset));
	add_word(writer, save->flags);
	return 0;
}

static void end_run(struct save_writer *writer)
{
	string_t *uids = t_str_new(64);

	if (writer->run == NULL)
		return;
	imap_write_seq_range(uids, &writer->run_uids);
	add_word(writer, "copy");
	add_word(writer, writer->run->source);
	add_word(writer, dec2str(writer->run->source_uid_validity));
	add_word(writer, str_c(uids));
	array_clear(&writer->run_uids);
	writer->run = NULL;
}

/* Their new UIDs come in the order of the old ones. */
static void
write_copy(struct save_writer *writer, const struct mirrored_save *save)
{
	if (writer->run != NULL &&
	    (strcmp(writer->run->source, save->source) != 0 ||
	     writer->run->source_uid_validity != save->source_uid_validity ||
	     save->source_uid <= writer->run_last))
		end_run(writer);
	if (writer->run == NULL)
		writer->run = save;
	seq_range_array_add(&writer->run_uids, save->source_uid);
	writer->run_last = save->source_uid;
}

static int
write_saves(struct save_writer *writer, bool with_copies)
{
	struct mirrored_saves *saves = SAVES_CONTEXT(writer->t);
	const struct mirrored_save *save;

	array_foreach(&saves->all, save) {
		if (save->source != NULL && with_copies) {
			write_copy(writer, save);
			continue;
		}
		end_run(writer);
		if (write_append(writer, save) < 0)
			return -1;
	}
	end_run(writer);
	if (o_stream_finish(writer->output) < 0)
		return temp_failed(writer->t->box,
				   o_stream_get_error(writer->output));
	return 0;
}

int mirrored_saves_write(struct mailbox_transaction_context *t,
			 bool with_copies, ARRAY_TYPE(const_string) *words,
			 int *fd_r)
{
	struct save_writer writer = { .t = t, .words = words };
	int ret;

	*fd_r = -1;
	if (!mirrored_saves_any(t))
		return 0;
	if (temp_file(t->box, fd_r) < 0)
		return -1;
	t_array_init(&writer.run_uids, 16);
	writer.output = o_stream_create_fd_file(*fd_r, 0, FALSE);
	ret = write_saves(&writer, with_copies);
	if (ret < 0)
		o_stream_abort(writer.output);
	o_stream_destroy(&writer.output);
	return ret;
}
