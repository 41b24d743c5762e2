#include "lib.h"
#include "imap-arg.h"
#include "imap-util.h"
#include "imapc-msgmap.h"
#include "folder-forward.h"
#include "imap-session.h"
#include "migration-user.h"
#include "proxy-save.h"
#include "proxy-search.h"
#include "proxy-sync.h"
#include "proxy-transaction.h"
#include "read-through.h"
#include "redirect.h"
#include "remote-namespace.h"
#include "remote-status.h"
#include "session-demand.h"
#include "engine/lease.h"
#include "redirected-mailbox.h"

struct redirected_mailbox_module redirected_mailbox_module =
	MODULE_CONTEXT_INIT(&mail_storage_module_register);

#define REDIRECTED_REQUIRE(obj) \
	((struct redirected_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, redirected_mailbox_module))

int redirected_mailbox_refuse(struct redirected_mailbox *rbox)
{
	imap_session_bye_now(rbox->muser->user);
	mail_storage_set_error(rbox->mbox->box.storage, MAIL_ERROR_INUSE,
		"Mailbox was just moved to this server, open it again");
	return -1;
}

/* The old server has other names for it, and may not say why it says NO. */
static void refine_error(struct redirected_mailbox *rbox)
{
	struct mailbox *box = &rbox->mbox->box;

	remote_refine_error(rbox->muser);
	if (box->storage->error == MAIL_ERROR_NOTFOUND ||
	    (box->storage->error == MAIL_ERROR_PARAMS && !rbox->known))
		mail_storage_set_error(box->storage, MAIL_ERROR_NOTFOUND,
			T_MAIL_ERR_MAILBOX_NOT_FOUND(box->vname));
}

/* imapc opens a mailbox for saving without a look. */
static int verify_existence(struct redirected_mailbox *rbox)
{
	struct mailbox *box = &rbox->mbox->box;
	enum mailbox_existence existence;

	if (rbox->known || (box->flags & MAILBOX_FLAG_SAVEONLY) == 0 ||
	    box->creating || box->deleting)
		return 0;
	if (rbox->module_ctx.super.exists(box, FALSE, &existence) < 0) {
		refine_error(rbox);
		return -1;
	}
	if (existence == MAILBOX_EXISTENCE_SELECT)
		return 0;
	mail_storage_set_error(box->storage, MAIL_ERROR_NOTFOUND,
			       T_MAIL_ERR_MAILBOX_NOT_FOUND(box->vname));
	return -1;
}

static int redirected_open(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	/* or it was renamed since: its lease is that of another name */
	if (rbox->hold.drained || !lease_is_current(rbox->hold.lease))
		return redirected_mailbox_refuse(rbox);
	if (remote_box_ready(rbox->muser, box) < 0 ||
	    verify_existence(rbox) < 0)
		return -1;
	if (rbox->module_ctx.super.open(box) < 0) {
		refine_error(rbox);
		return -1;
	}
	session_demand_mailbox(rbox->muser, box->vname);
	session_drain_init(&rbox->hold);
	rbox->read_through = read_through_init(rbox);
	return 0;
}

static void redirected_close(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	remote_box_unselect(rbox->mbox);
	session_drain_deinit(&rbox->hold);
	read_through_deinit(&rbox->read_through);
	rbox->module_ctx.super.close(box);
}

static int
redirected_exists(struct mailbox *box, bool auto_boxes,
		  enum mailbox_existence *existence_r)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	if (rbox->known) {
		/* imapc would LIST all folders */
		*existence_r = MAILBOX_EXISTENCE_SELECT;
		return 0;
	}
	if (remote_box_ready(rbox->muser, box) < 0)
		return -1;
	if (rbox->module_ctx.super.exists(box, auto_boxes, existence_r) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

/* imapc's part logs in, and opens the mailbox for what STATUS doesn't have. */
static int
get_closed_status(struct redirected_mailbox *rbox,
		  enum mailbox_status_items items,
		  struct mailbox_status *status_r)
{
	struct mailbox *box = &rbox->mbox->box;

	if (rbox->module_ctx.super.get_status(box,
			items & ENUM_NEGATE(REMOTE_STATUS_ITEMS), status_r) < 0)
		return -1;
	if (box->opened)
		return rbox->module_ctx.super.get_status(box, items, status_r);
	return remote_status_get(rbox, items & REMOTE_STATUS_ITEMS, status_r);
}

static int
redirected_get_status(struct mailbox *box, enum mailbox_status_items items,
		      struct mailbox_status *status_r)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	if (box->opened) {
		/* It comes from the index and can't fail, or lib-storage
		   panics. Courier is asked for UIDNEXT: the index knows one. */
		(void)rbox->module_ctx.super.get_status(box, items, status_r);
		/* those of the index aren't the old server's (I2) */
		status_r->nonpermanent_modseqs = TRUE;
		return 0;
	}
	if (remote_box_ready(rbox->muser, box) < 0)
		return -1;
	if (get_closed_status(rbox, items, status_r) == 0)
		return 0;
	refine_error(rbox);
	return -1;
}

/* Why a mail couldn't be fetched is told when the search of it ends. */
static int redirected_search_deinit(struct mail_search_context *ctx)
{
	struct mailbox *box = ctx->transaction->box;
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);
	int ret = rbox->module_ctx.super.search_deinit(ctx);

	if (!rbox->mbox->selected)
		(void)remote_box_ready(rbox->muser, box);
	if (box->storage->error == MAIL_ERROR_TEMP)
		remote_refine_error(rbox->muser);
	return ret;
}

static void redirected_free(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	rbox->module_ctx.super.free(box);
	session_hold_deinit(&rbox->hold);
}

/* Returns FALSE when it has no FLAGS, or they aren't flags. */
static bool
parse_fetch(const struct imap_arg *args, uint32_t *uid_r,
	    enum mail_flags *flags_r, const char *const **keywords_r)
{
	const struct imap_arg *flags = NULL;
	const char *atom;
	ARRAY_TYPE(const_string) keywords;

	for (; args[0].type != IMAP_ARG_EOL && args[1].type != IMAP_ARG_EOL;
	     args += 2) {
		if (imap_arg_atom_equals(&args[0], "FLAGS") &&
		    args[1].type == IMAP_ARG_LIST)
			flags = imap_arg_as_list(&args[1]);
		else if (imap_arg_atom_equals(&args[0], "UID") &&
			 imap_arg_get_atom(&args[1], &atom) &&
			 str_to_uint32(atom, uid_r) < 0)
			return FALSE;
	}
	if (flags == NULL)
		return FALSE;

	*flags_r = 0;
	t_array_init(&keywords, 8);
	for (; flags->type != IMAP_ARG_EOL; flags++) {
		if (!imap_arg_get_atom(flags, &atom))
			return FALSE;
		if (atom[0] == '\\')
			*flags_r |= imap_parse_system_flag(atom);
		else
			array_push_back(&keywords, &atom);
	}
	*flags_r &= ENUM_NEGATE(MAIL_RECENT);
	array_append_zero(&keywords);
	*keywords_r = array_front(&keywords);
	return TRUE;
}

static bool
fetch_is_taken(struct redirected_mailbox *rbox,
	       const struct imapc_untagged_reply *reply)
{
	struct imapc_msgmap *msgmap;
	const struct imap_arg *args;
	const char *const *keywords;
	enum mail_flags flags;
	uint32_t uid = 0, known_uid;

	if (!imap_arg_get_list(reply->args, &args) ||
	    !parse_fetch(args, &uid, &flags, &keywords))
		return FALSE;
	msgmap = imapc_client_mailbox_get_msgmap(rbox->mbox->client_box);
	if (reply->num == 0 || reply->num > imapc_msgmap_count(msgmap))
		return FALSE;
	known_uid = imapc_msgmap_rseq_to_uid(msgmap, reply->num);
	if (uid != 0 && uid != known_uid)
		return FALSE;
	return rbox->fetch_callback(known_uid, flags, keywords,
				    rbox->fetch_context);
}

static void
redirected_untagged_fetch(const struct imapc_untagged_reply *reply,
			  struct imapc_mailbox *mbox)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(&mbox->box);
	bool taken = FALSE;

	if (mbox->selecting)
		return;
	if (rbox->fetch_callback != NULL && mbox->client_box != NULL)
		taken = fetch_is_taken(rbox, reply);
	if (!taken)
		rbox->imapc_fetch(reply, mbox);
}

/* SELECT on a connection that has another mailbox selected: until its reply
   FETCH and EXPUNGE are that one's, which imapc doesn't know. */
static void
redirected_untagged_expunge(const struct imapc_untagged_reply *reply,
			    struct imapc_mailbox *mbox)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(&mbox->box);

	if (!mbox->selecting)
		rbox->imapc_expunge(reply, mbox);
}

static void
take_untagged(struct redirected_mailbox *rbox, const char *name,
	      imapc_mailbox_callback_t *callback,
	      imapc_mailbox_callback_t **super_r)
{
	struct imapc_mailbox_event_callback *cb;

	array_foreach_modifiable(&rbox->mbox->untagged_callbacks, cb) {
		if (strcmp(cb->name, name) == 0) {
			*super_r = cb->callback;
			cb->callback = callback;
			return;
		}
	}
	i_unreached();
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
	rbox->state = decision->state;
	rbox->known = decision->known;
	session_hold_init(&rbox->hold, muser, box, &decision->lease);

	v->open = redirected_open;
	v->close = redirected_close;
	v->exists = redirected_exists;
	v->get_status = redirected_get_status;
	v->search_deinit = redirected_search_deinit;
	v->free = redirected_free;
	proxy_save_init(v);
	proxy_search_init(v);
	proxy_sync_init(v);
	proxy_transaction_init(v);
	MODULE_CONTEXT_SET(box, redirected_mailbox_module, rbox);
	folder_forward_init(muser, box, v, &rbox->module_ctx.super);
	take_untagged(rbox, "FETCH", redirected_untagged_fetch,
		      &rbox->imapc_fetch);
	take_untagged(rbox, "EXPUNGE", redirected_untagged_expunge,
		      &rbox->imapc_expunge);
}
