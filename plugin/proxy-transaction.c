#include "lib.h"
#include "array.h"
#include "mail-index-transaction-private.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-namespace.h"
#include "proxy-expunge.h"
#include "proxy-store.h"
#include "proxy-sync.h"
#include "write-intents.h"
#include "proxy-transaction.h"

#define PROXY_MAIL_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, proxy_mail_module)

static MODULE_CONTEXT_DEFINE_INIT(proxy_mail_module, &mail_module_register);

static void
proxy_mail_update_flags(struct mail *mail, enum modify_type modify_type,
			enum mail_flags flags)
{
	union mail_module_context *mmail =
		PROXY_MAIL_CONTEXT((struct mail_private *)mail);

	(void)write_intents_flags(mail, modify_type, flags);
	mmail->super.update_flags(mail, modify_type, flags);
}

static void
proxy_mail_update_keywords(struct mail *mail, enum modify_type modify_type,
			   struct mail_keywords *keywords)
{
	union mail_module_context *mmail =
		PROXY_MAIL_CONTEXT((struct mail_private *)mail);

	(void)write_intents_keywords(mail, modify_type, keywords);
	mmail->super.update_keywords(mail, modify_type, keywords);
}

/* The index has it when the old server says EXPUNGE. */
static void proxy_mail_expunge(struct mail *mail)
{
	union mail_module_context *mmail =
		PROXY_MAIL_CONTEXT((struct mail_private *)mail);

	if (!write_intents_expunge(mail))
		mmail->super.expunge(mail);
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
		       struct write_intents *intents)
{
	bool hide = (t->flags & MAILBOX_TRANSACTION_FLAG_HIDE) != 0;
	int ret = 0;

	if (rbox->hold.drained)
		return redirected_mailbox_refuse(rbox);
	if (write_intents_check(t) < 0)
		return -1;
	if (!store_intents_is_empty(intents->stores))
		ret = proxy_store(rbox, intents->stores, hide);
	if (ret == 0 && !array_is_empty(&intents->expunges))
		ret = proxy_expunge(rbox, &intents->expunges);
	return ret;
}

static int
proxy_transaction_commit(struct mailbox_transaction_context *t,
			 struct mail_transaction_commit_changes *changes_r)
{
	struct mailbox *box = t->box;
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(box);
	struct write_intents *intents = write_intents_get(t);
	bool saved = t->save_count > 0, wanted = intents != NULL;
	int ret = 0;

	if (wanted) {
		if (rbox->hold.drained)
			ret = redirected_mailbox_refuse(rbox);
		else T_BEGIN {
			ret = proxy_transaction_send(rbox, t, intents);
		} T_END;
		write_intents_free(t);
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
	else if (saved || wanted)
		proxy_sync_want(rbox->muser, box->vname,
				saved ? NULL : rbox);
	return ret;
}

static void
proxy_transaction_rollback(struct mailbox_transaction_context *t)
{
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(t->box);

	write_intents_free(t);
	rbox->module_ctx.super.transaction_rollback(t);
}

void proxy_transaction_init(struct mailbox_vfuncs *v)
{
	v->transaction_commit = proxy_transaction_commit;
	v->transaction_rollback = proxy_transaction_rollback;
}
