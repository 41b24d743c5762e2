#include "lib.h"
#include "migration-user.h"
#include "redirect.h"
#include "remote-namespace.h"
#include "engine/lease.h"
#include "redirected-mailbox.h"

struct redirected_mailbox_module redirected_mailbox_module =
	MODULE_CONTEXT_INIT(&mail_storage_module_register);

#define REDIRECTED_REQUIRE(obj) \
	((struct redirected_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, redirected_mailbox_module))

static int refuse_drained(struct redirected_mailbox *rbox)
{
	mail_storage_set_error(rbox->mbox->box.storage, MAIL_ERROR_UNAVAILABLE,
		"Mailbox was just moved to this server, open it again");
	return -1;
}

static int redirected_open(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	if (rbox->drained)
		return refuse_drained(rbox);
	remote_retry(rbox->muser);
	if (rbox->module_ctx.super.open(box) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

static int
redirected_exists(struct mailbox *box, bool auto_boxes,
		  enum mailbox_existence *existence_r)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	remote_retry(rbox->muser);
	if (rbox->module_ctx.super.exists(box, auto_boxes, existence_r) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

static int
redirected_get_status(struct mailbox *box, enum mailbox_status_items items,
		      struct mailbox_status *status_r)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	remote_retry(rbox->muser);
	if (rbox->module_ctx.super.get_status(box, items, status_r) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

static void redirected_free(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	rbox->module_ctx.super.free(box);
	lease_release(&rbox->lease);
}

static bool redirected_is_inconsistent(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	return rbox->drained || rbox->module_ctx.super.is_inconsistent(box);
}

void redirected_mailbox_init(struct migration_user *muser, struct mailbox *box,
			     struct redirect_decision *decision)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct redirected_mailbox *rbox;

	rbox = p_new(box->pool, struct redirected_mailbox, 1);
	rbox->module_ctx.super = *v;
	box->vlast = &rbox->module_ctx.super;
	rbox->muser = muser;
	rbox->mbox = IMAPC_MAILBOX(box);
	rbox->lease = decision->lease;
	rbox->state = decision->state;
	decision->lease = NULL;

	v->open = redirected_open;
	v->exists = redirected_exists;
	v->get_status = redirected_get_status;
	v->free = redirected_free;
	v->is_inconsistent = redirected_is_inconsistent;
	MODULE_CONTEXT_SET(box, redirected_mailbox_module, rbox);
}

void redirected_mailbox_release(struct redirected_mailbox *rbox)
{
	rbox->drained = TRUE;
	lease_release(&rbox->lease);
}
