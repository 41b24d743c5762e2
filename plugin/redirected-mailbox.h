#ifndef REDIRECTED_MAILBOX_H
#define REDIRECTED_MAILBOX_H

/*
 * redirected-mailbox: an imapc mailbox of the old server that stands for a
 * mailbox of the moved namespace.
 *
 * It holds its lease shared from mailbox_alloc() until it is freed or drained
 * (session-drain.h). What stock imapc does wrong is overridden in
 * the proxy-* files.
 */

#include "mail-storage-private.h"
#include "imapc-storage.h"
#include "engine/mailbox-state.h"
#include "session-drain.h"

struct redirect_decision;
struct migration_user;
struct read_through;

/* Sees a FETCH of a mail's flags before imapc does, while it is set. Returns
   TRUE to keep it from imapc's index. The flags are without \Recent. */
typedef bool
redirected_fetch_callback_t(uint32_t uid, enum mail_flags flags,
			    const char *const *keywords, void *context);

struct redirected_mailbox {
	union mailbox_module_context module_ctx;
	/* remote-select's */
	union mailbox_module_context inner_ctx;
	struct migration_user *muser;
	struct imapc_mailbox *mbox;
	struct session_hold hold;
	/* as it was when the mailbox was allocated */
	enum mailbox_state state;
	/* it has a state, so the old server has it */
	bool known;
	/* NULL while it isn't open */
	struct read_through *read_through;

	imapc_mailbox_callback_t *imapc_fetch, *imapc_expunge;
	redirected_fetch_callback_t *fetch_callback;
	void *fetch_context;

	/* the transaction in which a message was saved last (proxy-save.c) */
	const struct mail_save_context *appended;
	/* how often it was time for a poll while the last one had no answer */
	unsigned int polls_missed;

	/* Something was saved to it through another connection: the next sync
	   asks for it. */
	bool want_noop:1;
	/* ...and a later one of it failed. */
	bool append_failed:1;
	/* A poll of an idling client waits for its answer. */
	bool polling:1;
};

/* NULL for a mailbox that isn't redirected. */
#define REDIRECTED_MAILBOX(obj) \
	((struct redirected_mailbox *) \
	 MODULE_CONTEXT(obj, redirected_mailbox_module))

extern MODULE_CONTEXT_DEFINE(redirected_mailbox_module,
			     &mail_storage_module_register);

/* From the mailbox_allocated hook; takes over the decision's lease. */
void redirected_mailbox_init(struct migration_user *muser, struct mailbox *box,
			     struct redirect_decision *decision);
/* Fail a write to it, because it was given up. Returns -1. */
int redirected_mailbox_refuse(struct redirected_mailbox *rbox);

#endif
