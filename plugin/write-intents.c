#include "lib.h"
#include "array.h"
#include "mail-index-transaction-private.h"
#include "remote-set.h"
#include "write-intents.h"

#define WRITE_INTENTS_CONTEXT(obj) MODULE_CONTEXT(obj, write_intents_module)

struct write_intents_transaction {
	union mailbox_transaction_module_context module_ctx;
	struct write_intents intents;
};

static MODULE_CONTEXT_DEFINE_INIT(write_intents_module,
				  &mail_storage_module_register);

struct write_intents *write_intents_get(struct mailbox_transaction_context *t)
{
	struct write_intents_transaction *wt = WRITE_INTENTS_CONTEXT(t);

	return wt == NULL ? NULL : &wt->intents;
}

static struct write_intents *
intents_make(struct mailbox_transaction_context *t)
{
	struct write_intents_transaction *wt = WRITE_INTENTS_CONTEXT(t);

	if (wt == NULL) {
		wt = i_new(struct write_intents_transaction, 1);
		wt->intents.stores = store_intents_init();
		i_array_init(&wt->intents.expunges, 16);
		MODULE_CONTEXT_SET(t, write_intents_module, wt);
	}
	return &wt->intents;
}

void write_intents_free(struct mailbox_transaction_context *t)
{
	struct write_intents_transaction *wt = WRITE_INTENTS_CONTEXT(t);

	if (wt == NULL)
		return;
	MODULE_CONTEXT_UNSET(t, write_intents_module);
	store_intents_deinit(&wt->intents.stores);
	array_free(&wt->intents.expunges);
	i_free(wt);
}

bool write_intents_flags(struct mail *mail, enum modify_type modify_type,
			 enum mail_flags flags)
{
	if (mail->saving)
		return FALSE;
	store_intents_flags(intents_make(mail->transaction)->stores, mail->uid,
			    modify_type, flags);
	return TRUE;
}

const char *const *
write_intents_keyword_names(struct mailbox *box,
			    const struct mail_keywords *keywords)
{
	const ARRAY_TYPE(keywords) *all = mail_index_get_keywords(box->index);
	const char **names = t_new(const char *, keywords->count + 1);

	for (unsigned int i = 0; i < keywords->count; i++)
		names[i] = array_idx_elem(all, keywords->idx[i]);
	return names;
}

bool write_intents_keywords(struct mail *mail, enum modify_type modify_type,
			    const struct mail_keywords *keywords)
{
	struct mailbox *box = mail->box;

	if (mail->saving)
		return FALSE;
	T_BEGIN {
		store_intents_keywords(
			intents_make(mail->transaction)->stores, mail->uid,
			modify_type, write_intents_keyword_names(box, keywords),
			remote_set_keywords(box, box->view, mail->seq));
	} T_END;
	return TRUE;
}

bool write_intents_expunge(struct mail *mail)
{
	if (mail->saving)
		return FALSE;
	seq_range_array_add(&intents_make(mail->transaction)->expunges,
			    mail->uid);
	return TRUE;
}

int write_intents_check(struct mailbox_transaction_context *t)
{
	if (t->itrans->max_modseq == 0)
		return 0;
	mail_storage_set_error(t->box->storage, MAIL_ERROR_NOTPOSSIBLE,
		"[NOMODSEQ] UNCHANGEDSINCE isn't supported while the "
		"mailbox is being moved to this server");
	return -1;
}
