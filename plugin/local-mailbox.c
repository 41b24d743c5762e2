#include "lib.h"
#include "mail-index-transaction-private.h"
#include "folder-forward.h"
#include "imap-session.h"
#include "migration-user.h"
#include "redirect.h"
#include "local-mailbox.h"

struct local_mailbox {
	union mailbox_module_context module_ctx;
	/* folder-forward's */
	int (*open)(struct mailbox *box);
	struct session_hold hold;
};

static MODULE_CONTEXT_DEFINE_INIT(local_mailbox_module,
				  &mail_storage_module_register);

#define LOCAL_REQUIRE(obj) \
	((struct local_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, local_mailbox_module))

bool local_transaction_writes(struct mailbox_transaction_context *t)
{
	return t->save_count > 0 || t->itrans->log_updates;
}

int local_mailbox_refuse(struct session_hold *hold)
{
	imap_session_bye_now(hold->muser->user);
	mail_storage_set_error(hold->box->storage, MAIL_ERROR_INUSE,
			       "Mailbox was just moved, open it again");
	return -1;
}

static int local_open(struct mailbox *box)
{
	struct local_mailbox *lbox = LOCAL_REQUIRE(box);

	if (lbox->hold.drained)
		return local_mailbox_refuse(&lbox->hold);
	if (lbox->open(box) < 0)
		return -1;
	session_drain_init(&lbox->hold);
	return 0;
}

static void local_close(struct mailbox *box)
{
	struct local_mailbox *lbox = LOCAL_REQUIRE(box);

	session_drain_deinit(&lbox->hold);
	lbox->module_ctx.super.close(box);
}

static void local_free(struct mailbox *box)
{
	struct local_mailbox *lbox = LOCAL_REQUIRE(box);

	lbox->module_ctx.super.free(box);
	session_hold_deinit(&lbox->hold);
}

static bool local_is_inconsistent(struct mailbox *box)
{
	struct local_mailbox *lbox = LOCAL_REQUIRE(box);

	return lbox->hold.drained ||
		lbox->module_ctx.super.is_inconsistent(box);
}

/* The rollback copies what is there when it has the lease. */
static int
local_transaction_commit(struct mailbox_transaction_context *t,
			 struct mail_transaction_commit_changes *changes_r)
{
	struct mailbox *box = t->box;
	struct local_mailbox *lbox = LOCAL_REQUIRE(box);

	if (!lbox->hold.drained || !local_transaction_writes(t))
		return lbox->module_ctx.super.transaction_commit(t, changes_r);
	(void)local_mailbox_refuse(&lbox->hold);
	mail_storage_last_error_push(box->storage);
	lbox->module_ctx.super.transaction_rollback(t);
	mail_storage_last_error_pop(box->storage);
	return -1;
}

void local_mailbox_init(struct migration_user *muser, struct mailbox *box,
			struct redirect_decision *decision)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct local_mailbox *lbox;

	lbox = p_new(box->pool, struct local_mailbox, 1);
	lbox->module_ctx.super = *v;
	box->vlast = &lbox->module_ctx.super;
	MODULE_CONTEXT_SET(box, local_mailbox_module, lbox);
	folder_forward_init(muser, box, v, &lbox->module_ctx.super);
	lbox->open = v->open;
	v->open = local_open;
	v->close = local_close;
	v->free = local_free;
	v->is_inconsistent = local_is_inconsistent;
	v->transaction_commit = local_transaction_commit;
	session_hold_init(&lbox->hold, muser, box, &decision->lease);
}
