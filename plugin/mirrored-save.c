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
#include "spool-stream.h"
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
	/* its bytes in the file, unless it has a source */
	uoff_t offset, size;
};

struct mirrored_saves {
	union mailbox_transaction_module_context module_ctx;
	pool_t pool;
	ARRAY(struct mirrored_save) all;
	/* unlinked; NULL before anything is written to it */
	struct ostream *output;
	int fd;
	/* where the mail begins that is being saved */
	uoff_t begin;
};

/* Where the words of ops are put together. */
struct save_writer {
	struct mailbox_transaction_context *t;
	struct mirrored_saves *saves;
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
		saves->fd = -1;
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
	if (saves->output != NULL) {
		o_stream_abort(saves->output);
		o_stream_destroy(&saves->output);
	}
	i_close_fd(&saves->fd);
	pool_unref(&saves->pool);
}

static int save_failed(struct mailbox *box, const char *error)
{
	mailbox_set_critical(box, "migration: %s", error);
	return -1;
}

/* The file for their bytes, as IMAP shows them. */
static int open_file(struct mailbox *box, struct mirrored_saves *saves)
{
	string_t *path;

	if (saves->output != NULL)
		return 0;
	path = t_str_new(128);
	mail_user_set_get_temp_prefix(path, box->storage->user->set);
	saves->fd = safe_mkstemp_hostpid(path, 0600, (uid_t)-1, (gid_t)-1);
	if (saves->fd == -1)
		return save_failed(box, t_strdup_printf(
			"safe_mkstemp(%s) failed: %m", str_c(path)));
	i_unlink(str_c(path));
	saves->output = o_stream_create_fd_file(saves->fd, 0, FALSE);
	return 0;
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

/* Not read back from the storage: mdbox' open files would keep in their buffers
   what is taken away again. */
static int mirrored_save_begin(struct mail_save_context *ctx,
			       struct istream *input)
{
	struct mailbox *box = ctx->transaction->box;
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);
	struct mirrored_saves *saves;
	struct istream *crlf_input, *spool_input;
	int ret;

	if (mbox->local || ctx->copying_via_save)
		return mbox->module_ctx.super.save_begin(ctx, input);
	saves = saves_get(ctx->transaction);
	if (open_file(box, saves) < 0)
		return -1;
	saves->begin = saves->output->offset;
	crlf_input = i_stream_create_crlf(input);
	spool_input = spool_stream_create(crlf_input, saves->output);
	ret = mbox->module_ctx.super.save_begin(ctx, spool_input);
	i_stream_unref(&spool_input);
	i_stream_unref(&crlf_input);
	return ret;
}

static int mirrored_save_finish(struct mail_save_context *ctx)
{
	struct mailbox_transaction_context *t = ctx->transaction;
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	struct mirrored_saves *saves;
	struct mirrored_save save = { .source = NULL };

	if (mbox->local || ctx->copying_via_save)
		return mbox->module_ctx.super.save_finish(ctx);
	/* it forgets these */
	save.flags = flag_words(ctx);
	set_date(&save, ctx, NULL);
	if (mbox->module_ctx.super.save_finish(ctx) < 0)
		return -1;
	saves = saves_get(t);
	save.offset = saves->begin;
	save.size = saves->output->offset - saves->begin;
	add_save(ctx, &save);
	return 0;
}

/* The bytes of a mail that is there. */
static int
write_mail(struct mailbox *box, struct mirrored_saves *saves,
	   struct mail *mail, struct mirrored_save *save)
{
	struct istream *input, *crlf_input;
	enum ostream_send_istream_result res;
	int ret = 0;

	if (open_file(box, saves) < 0)
		return -1;
	if (mail_get_stream(mail, NULL, NULL, &input) < 0) {
		mail_storage_copy_error(box->storage, mail->box->storage);
		return -1;
	}
	save->offset = saves->output->offset;
	crlf_input = i_stream_create_crlf(input);
	res = o_stream_send_istream(saves->output, crlf_input);
	if (res == OSTREAM_SEND_ISTREAM_RESULT_ERROR_INPUT)
		ret = save_failed(box, i_stream_get_error(crlf_input));
	else if (res != OSTREAM_SEND_ISTREAM_RESULT_FINISHED)
		ret = save_failed(box, o_stream_get_error(saves->output));
	i_stream_unref(&crlf_input);
	save->size = saves->output->offset - save->offset;
	return ret;
}

static int mirrored_copy(struct mail_save_context *ctx, struct mail *mail)
{
	struct mailbox_transaction_context *t = ctx->transaction;
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	struct mirrored_save save = { .source = NULL };

	if (mbox->local)
		return mbox->module_ctx.super.copy(ctx, mail);
	save.flags = flag_words(ctx);
	set_date(&save, ctx, mail);
	find_source(&save, ctx, mail);
	if (save.source == NULL &&
	    write_mail(t->box, saves_get(t), mail, &save) < 0) {
		mail_storage_last_error_push(t->box->storage);
		mailbox_save_cancel(&ctx);
		mail_storage_last_error_pop(t->box->storage);
		return -1;
	}
	if (mbox->module_ctx.super.copy(ctx, mail) < 0)
		return -1;
	add_save(ctx, &save);
	return 0;
}

void mirrored_save_init(struct mailbox_vfuncs *v)
{
	v->save_begin = mirrored_save_begin;
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

static void add_word(struct save_writer *writer, const char *word)
{
	array_push_back(writer->words, &word);
}

/* A copy, the source of which can't be asked: it was linked here meanwhile. */
static int
read_back(struct save_writer *writer, struct mirrored_save *save)
{
	struct mail *mail;
	int ret;

	mail = mail_alloc(writer->t, MAIL_FETCH_STREAM_HEADER |
			  MAIL_FETCH_STREAM_BODY, NULL);
	mail_set_seq_saving(mail, save->seq);
	ret = write_mail(writer->t->box, writer->saves, mail, save);
	mail_free(&mail);
	return ret;
}

static void
write_append(struct save_writer *writer, const struct mirrored_save *save)
{
	add_word(writer, "append");
	add_word(writer, dec2str(save->offset));
	add_word(writer, dec2str(save->size));
	add_word(writer, dec2str(save->date));
	/* it may be negative: not for dec2str() */
	add_word(writer, t_strdup_printf("%d", save->tz_offset));
	add_word(writer, save->flags);
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
	struct mirrored_save *save;

	array_foreach_modifiable(&writer->saves->all, save) {
		if (save->source != NULL && with_copies) {
			write_copy(writer, save);
			continue;
		}
		end_run(writer);
		if (save->source != NULL && read_back(writer, save) < 0)
			return -1;
		write_append(writer, save);
	}
	end_run(writer);
	return 0;
}

int mirrored_saves_write(struct mailbox_transaction_context *t,
			 bool with_copies, ARRAY_TYPE(const_string) *words,
			 int *fd_r)
{
	struct mirrored_saves *saves = SAVES_CONTEXT(t);
	struct save_writer writer = {
		.t = t, .saves = saves, .words = words,
	};

	*fd_r = -1;
	if (!mirrored_saves_any(t))
		return 0;
	t_array_init(&writer.run_uids, 16);
	if (write_saves(&writer, with_copies) < 0)
		return -1;
	if (saves->output != NULL && o_stream_flush(saves->output) < 0)
		return save_failed(t->box, o_stream_get_error(saves->output));
	*fd_r = saves->fd;
	return 0;
}
