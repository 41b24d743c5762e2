#include "lib.h"
#include "array.h"
#include "imap-util.h"
#include "index-pop3-uidl.h"
#include "mail-storage-private.h"
#include "engine/mailbox-durable.h"
#include "migration-user.h"
#include "mirrored-mailbox.h"
#include "redirected-mailbox.h"
#include "write-intents.h"
#include "late-find.h"
#include "late-save.h"

/* Other deliveries may give out so many UIDs between save and commit. */
#define UIDL_UIDS 1000

#define LATE_MAILBOX(obj) \
	MODULE_CONTEXT(obj, late_mailbox_module)
#define LATE_MAILBOX_REQUIRE(obj) \
	MODULE_CONTEXT_REQUIRE(obj, late_mailbox_module)

struct late_save {
	struct migration_user *muser;
	const struct late_mail *mail;
	enum mail_flags flags;
	ARRAY_TYPE(const_string) keywords;
	pool_t pool;
};

struct late_mailbox {
	union mailbox_module_context module_ctx;
	struct migration_user *muser;
};

static MODULE_CONTEXT_DEFINE_INIT(late_mailbox_module,
				  &mail_storage_module_register);

static void parse_flags(struct late_save *save)
{
	const char *const *words = t_strsplit_spaces(save->mail->flags, " ");
	const char *word;

	p_array_init(&save->keywords, save->pool, 8);
	for (; *words != NULL; words++) {
		if (**words == '\\') {
			save->flags |= imap_parse_system_flag(*words);
		} else {
			word = p_strdup(save->pool, *words);
			array_push_back(&save->keywords, &word);
		}
	}
	save->flags &= MAIL_FLAGS_NONRECENT;
}

struct late_save *
late_save_begin(struct migration_user *muser, const struct late_mail *mail)
{
	pool_t pool = pool_alloconly_create("late save", 512);
	struct late_save *save = p_new(pool, struct late_save, 1);

	i_assert(muser->late_save == NULL);
	save->pool = pool;
	save->muser = muser;
	save->mail = mail;
	T_BEGIN {
		parse_flags(save);
	} T_END;
	muser->late_save = save;
	return save;
}

void late_save_end(struct late_save **_save)
{
	struct late_save *save = *_save;

	*_save = NULL;
	save->muser->late_save = NULL;
	pool_unref(&save->pool);
}

/*
 * What is saved
 */

static void add_keywords(struct late_save *save, struct mail_save_context *ctx,
			 ARRAY_TYPE(const_string) *names)
{
	const char *const *sieves;

	array_append_array(names, &save->keywords);
	if (ctx->data.keywords == NULL)
		return;
	sieves = write_intents_keyword_names(ctx->transaction->box,
					     ctx->data.keywords);
	array_append(names, sieves, str_array_length(sieves));
}

/* Those of the old server and those of Sieve. */
static void set_flags(struct late_save *save, struct mail_save_context *ctx)
{
	struct mail_keywords *keywords = NULL;
	ARRAY_TYPE(const_string) names;

	t_array_init(&names, 8);
	add_keywords(save, ctx, &names);
	if (!array_is_empty(&names)) {
		array_append_zero(&names);
		keywords = mailbox_keywords_create_valid(
			ctx->transaction->box, array_front(&names));
	}
	mailbox_save_set_flags(ctx, ctx->data.flags | save->flags, keywords);
	if (keywords != NULL)
		mailbox_keywords_unref(&keywords);
}

/* sdbox in a mailbox that isn't empty forgets to say in the index that there
   are UIDLs. A higher UID than the last such costs a look, and nothing else. */
static void set_pop3_uidl(struct mail_save_context *ctx, const char *uidl)
{
	struct mailbox_transaction_context *t = ctx->transaction;
	const struct mail_index_header *hdr =
		mail_index_get_header(t->box->view);

	mailbox_save_set_pop3_uidl(ctx, uidl);
	if (strcmp(t->box->storage->name, "sdbox") == 0)
		index_pop3_uidl_set_max_uid(t->box, t->itrans,
					    hdr->next_uid + UIDL_UIDS);
}

static void set_all(struct late_save *save, struct mail_save_context *ctx)
{
	const struct late_mail *mail = save->mail;

	mailbox_save_set_guid(ctx, guid_128_to_string(mail->guid));
	mailbox_save_set_received_date(ctx, mail->date, mail->tz_offset);
	if (mail->pop3_uidl != NULL)
		set_pop3_uidl(ctx, mail->pop3_uidl);
	set_flags(save, ctx);
}

/*
 * Where it is saved
 */

static bool is_at_old_server(struct mailbox *box)
{
	return MIRRORED_MAILBOX(box) != NULL || REDIRECTED_MAILBOX(box) != NULL;
}

/* Its place by now may be the old server again: there it is. */
static bool is_its_own(struct late_save *save, struct mailbox *box)
{
	const char *vname = save->mail->save_into;

	if (vname == NULL)
		vname = "INBOX";
	return strcmp(box->vname, vname) == 0 && is_at_old_server(box);
}

/* Returns 1 when it's to be saved, 0 when it is there, -1 with the storage's
   error set. */
static int check_mailbox(struct late_save *save, struct mailbox *box,
			 struct mail *src)
{
	int ret;

	if (is_its_own(save, box)) {
		mail_storage_set_error(box->storage, MAIL_ERROR_TEMP,
			"Mailbox isn't local any more");
		return -1;
	}
	if (save->mail->begun == 0)
		return 1;
	ret = late_find(box, save->mail, src);
	if (ret > 0)
		e_info(box->event, "migration: This late mail is here already: "
		       "it isn't saved again");
	return ret < 0 ? -1 : ret == 0;
}

static void cancel(struct mail_save_context *ctx)
{
	struct mail_storage *storage = ctx->transaction->box->storage;

	mail_storage_last_error_push(storage);
	mailbox_save_cancel(&ctx);
	mail_storage_last_error_pop(storage);
}

static int late_copy(struct mail_save_context *ctx, struct mail *mail)
{
	struct late_mailbox *lbox = LATE_MAILBOX_REQUIRE(ctx->transaction->box);
	struct late_save *save = lbox->muser->late_save;
	int ret;

	if (save == NULL)
		return lbox->module_ctx.super.copy(ctx, mail);
	ret = check_mailbox(save, ctx->transaction->box, mail);
	if (ret <= 0) {
		cancel(ctx);
		return ret;
	}
	set_all(save, ctx);
	return lbox->module_ctx.super.copy(ctx, mail);
}

/* Also when it was here already: who saved it may have been killed before it
   was durable. */
static int late_commit(struct mailbox_transaction_context *t,
		       struct mail_transaction_commit_changes *changes_r)
{
	struct mailbox *box = t->box;
	struct late_mailbox *lbox = LATE_MAILBOX_REQUIRE(box);
	struct late_save *save = lbox->muser->late_save;
	bool saved = t->save_count > 0;
	const char *error;

	if (lbox->module_ctx.super.transaction_commit(t, changes_r) < 0)
		return -1;
	if (save == NULL || !saved || mailbox_durable(box, TRUE, &error) == 0)
		return 0;
	mailbox_set_critical(box, "migration: %s", error);
	return -1;
}

void late_save_mailbox_opened(struct mailbox *box)
{
	struct migration_user *muser =
		MIGRATION_USER_CONTEXT(box->storage->user);
	struct late_mailbox *lbox;

	if (muser == NULL || muser->late_save == NULL ||
	    (box->flags & MAILBOX_FLAG_POST_SESSION) == 0 ||
	    LATE_MAILBOX(box) != NULL)
		return;
	lbox = p_new(box->pool, struct late_mailbox, 1);
	lbox->muser = muser;
	lbox->module_ctx.super = box->v;
	box->v.copy = late_copy;
	box->v.transaction_commit = late_commit;
	MODULE_CONTEXT_SET(box, late_mailbox_module, lbox);
}
