#include "lib.h"
#include "array.h"
#include "mail-index-transaction-private.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-namespace.h"
#include "remote-set.h"
#include "store-intents.h"
#include "proxy-expunge.h"
#include "proxy-store.h"
#include "proxy-sync.h"
#include "proxy-transaction.h"

#define PROXY_TRANSACTION_CONTEXT(obj) \
	MODULE_CONTEXT(obj, proxy_transaction_module)
#define PROXY_MAIL_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, proxy_mail_module)

struct proxy_transaction {
	union mailbox_transaction_module_context module_ctx;
	struct store_intents *intents;
	ARRAY_TYPE(seq_range) expunges;
};

static MODULE_CONTEXT_DEFINE_INIT(proxy_transaction_module,
				  &mail_storage_module_register);
static MODULE_CONTEXT_DEFINE_INIT(proxy_mail_module, &mail_module_register);

static struct proxy_transaction *
proxy_transaction_get(struct mailbox_transaction_context *t)
{
	struct proxy_transaction *pt = PROXY_TRANSACTION_CONTEXT(t);

	if (pt != NULL)
		return pt;
	pt = i_new(struct proxy_transaction, 1);
	pt->intents = store_intents_init();
	i_array_init(&pt->expunges, 16);
	MODULE_CONTEXT_SET(t, proxy_transaction_module, pt);
	return pt;
}

static void proxy_transaction_free(struct proxy_transaction *pt)
{
	if (pt == NULL)
		return;
	store_intents_deinit(&pt->intents);
	array_free(&pt->expunges);
	i_free(pt);
}

/* A mail that is being saved gets its flags with APPEND. */
static bool is_recorded(struct mail *mail)
{
	return !mail->saving && REDIRECTED_MAILBOX(mail->box) != NULL;
}

static void
proxy_mail_update_flags(struct mail *mail, enum modify_type modify_type,
			enum mail_flags flags)
{
	union mail_module_context *mmail =
		PROXY_MAIL_CONTEXT((struct mail_private *)mail);

	if (is_recorded(mail)) {
		struct proxy_transaction *pt =
			proxy_transaction_get(mail->transaction);
		store_intents_flags(pt->intents, mail->uid, modify_type,
				    flags);
	}
	mmail->super.update_flags(mail, modify_type, flags);
}

static const char *const *
keyword_names(struct mailbox *box, const struct mail_keywords *keywords)
{
	const ARRAY_TYPE(keywords) *all = mail_index_get_keywords(box->index);
	const char **names = t_new(const char *, keywords->count + 1);

	for (unsigned int i = 0; i < keywords->count; i++)
		names[i] = array_idx_elem(all, keywords->idx[i]);
	return names;
}

static void
proxy_mail_update_keywords(struct mail *mail, enum modify_type modify_type,
			   struct mail_keywords *keywords)
{
	union mail_module_context *mmail =
		PROXY_MAIL_CONTEXT((struct mail_private *)mail);

	if (is_recorded(mail)) T_BEGIN {
		struct proxy_transaction *pt =
			proxy_transaction_get(mail->transaction);
		store_intents_keywords(pt->intents, mail->uid, modify_type,
			keyword_names(mail->box, keywords),
			remote_set_keywords(mail->box, mail->box->view,
					    mail->seq));
	} T_END;
	mmail->super.update_keywords(mail, modify_type, keywords);
}

static void proxy_mail_expunge(struct mail *mail)
{
	union mail_module_context *mmail =
		PROXY_MAIL_CONTEXT((struct mail_private *)mail);
	struct proxy_transaction *pt;

	if (!is_recorded(mail)) {
		mmail->super.expunge(mail);
		return;
	}
	/* the index has it when the old server says EXPUNGE */
	pt = proxy_transaction_get(mail->transaction);
	seq_range_array_add(&pt->expunges, mail->uid);
}

/* imapc leaves the value as it was where the header isn't there; THREAD then
   takes that for one. */
static int
proxy_mail_get_first_header(struct mail *mail, const char *field,
			    bool decode_to_utf8, const char **value_r)
{
	union mail_module_context *mmail =
		PROXY_MAIL_CONTEXT((struct mail_private *)mail);

	*value_r = NULL;
	return mmail->super.get_first_header(mail, field, decode_to_utf8,
					     value_r);
}

void proxy_mail_init(struct mail *_mail)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct mail_vfuncs *v = mail->vlast;
	union mail_module_context *mmail;

	mmail = p_new(mail->pool, union mail_module_context, 1);
	mmail->super = *v;
	mail->vlast = &mmail->super;
	v->update_flags = proxy_mail_update_flags;
	v->update_keywords = proxy_mail_update_keywords;
	v->expunge = proxy_mail_expunge;
	v->get_first_header = proxy_mail_get_first_header;
	MODULE_CONTEXT_SET_SELF(mail, proxy_mail_module, mmail);
}

static int
proxy_transaction_send(struct redirected_mailbox *rbox,
		       struct mailbox_transaction_context *t,
		       struct proxy_transaction *pt)
{
	bool hide = (t->flags & MAILBOX_TRANSACTION_FLAG_HIDE) != 0;
	int ret = 0;

	if (rbox->drained)
		return redirected_mailbox_refuse(rbox);
	if (t->itrans->max_modseq != 0) {
		/* the index' MODSEQs miss conflicts on the old server */
		mail_storage_set_error(t->box->storage, MAIL_ERROR_NOTPOSSIBLE,
			"[NOMODSEQ] UNCHANGEDSINCE isn't supported while the "
			"mailbox is being moved to this server");
		return -1;
	}
	if (!store_intents_is_empty(pt->intents))
		ret = proxy_store(rbox, pt->intents, hide);
	if (ret == 0 && !array_is_empty(&pt->expunges))
		ret = proxy_expunge(rbox, &pt->expunges);
	return ret;
}

static int
proxy_transaction_commit(struct mailbox_transaction_context *t,
			 struct mail_transaction_commit_changes *changes_r)
{
	struct mailbox *box = t->box;
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(box);
	struct proxy_transaction *pt = PROXY_TRANSACTION_CONTEXT(t);
	bool saved = t->save_count > 0;
	int ret = 0;

	if (pt != NULL) {
		if (rbox->drained)
			ret = redirected_mailbox_refuse(rbox);
		else T_BEGIN {
			ret = proxy_transaction_send(rbox, t, pt);
		} T_END;
		proxy_transaction_free(pt);
		/* imapc's sync must not send it again */
		t->itrans->flags |= MAIL_INDEX_TRANSACTION_FLAG_EXTERNAL;
	}
	if (ret < 0) {
		mail_storage_last_error_push(box->storage);
		rbox->module_ctx.super.transaction_rollback(t);
		mail_storage_last_error_pop(box->storage);
		return -1;
	}
	ret = rbox->module_ctx.super.transaction_commit(t, changes_r);
	if (ret < 0)
		remote_refine_error(rbox->muser);
	else if (saved || pt != NULL)
		proxy_sync_want(rbox, saved);
	return ret;
}

static void
proxy_transaction_rollback(struct mailbox_transaction_context *t)
{
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(t->box);

	proxy_transaction_free(PROXY_TRANSACTION_CONTEXT(t));
	rbox->module_ctx.super.transaction_rollback(t);
}

void proxy_transaction_init(struct mailbox_vfuncs *v)
{
	v->transaction_commit = proxy_transaction_commit;
	v->transaction_rollback = proxy_transaction_rollback;
}
