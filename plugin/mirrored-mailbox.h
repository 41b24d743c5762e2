#ifndef MIRRORED_MAILBOX_H
#define MIRRORED_MAILBOX_H

/*
 * mirrored-mailbox: a local mailbox while the old server has the word on it.
 *
 * It is read like any other. What is written goes to the user's worker, which
 * does it on the old server first and then here (mirrored-transaction): this
 * process never changes its mails. News from the old server come through its
 * index like those of any other process; the worker is asked for them when a
 * client selects it, asks with NOOP, CHECK or STATUS, or logs in with POP3.
 *
 * Innermost of all hooks, so that all other plugins see their stock storage;
 * but for get_status, which the list index answers by itself.
 */

#include "mail-storage-private.h"
#include "session-drain.h"

struct migration_user;
struct mirrored_notify;

struct mirrored_mailbox {
	union mailbox_module_context module_ctx;
	/* below get_status and folder-forward */
	struct mailbox_vfuncs outer;
	struct migration_user *muser;
	struct mailbox *box;
	/* once it is local: a rollback may take it back */
	struct session_hold hold;

	/* the next sync asks for what is newer than that */
	unsigned int max_age_msecs;
	/* the worker's connection that was told that a client has it selected;
	   0: none */
	unsigned int watched_on;
	struct timeout *to_watch;
	/* while a client idles */
	struct mirrored_notify *notify;

	bool want_fresh:1;
	/* It was cut over: it is an ordinary local mailbox from now on. */
	bool local:1;
	/* It isn't mirrored any more, or another one: it is inconsistent and
	   refuses everything. */
	bool gone:1;
};

/* NULL for a mailbox that isn't mirrored, or wasn't when it was allocated. */
#define MIRRORED_MAILBOX(obj) \
	((struct mirrored_mailbox *) \
	 MODULE_CONTEXT(obj, mirrored_mailbox_module))

extern MODULE_CONTEXT_DEFINE(mirrored_mailbox_module,
			     &mail_storage_module_register);

/* From the plugin's mailbox_allocated hook, and from an internal one after
   that of all plugins. */
void mirrored_mailbox_init(struct migration_user *muser, struct mailbox *box);
void mirrored_mailbox_init_inner(struct mirrored_mailbox *mbox);

/* The next sync shows what the old server has. */
void mirrored_mailbox_want_fresh(struct mirrored_mailbox *mbox);
/* A client has it selected: news are wanted at once. Cheap, and to be told
   often: the worker may be another one each time. */
void mirrored_mailbox_watch(struct mirrored_mailbox *mbox);

/* The worker has said LOCAL. Returns FALSE when it isn't any more: it is gone. */
bool mirrored_mailbox_set_local(struct mirrored_mailbox *mbox);
/* The worker has said GONE. */
void mirrored_mailbox_set_gone(struct mirrored_mailbox *mbox);
/* Fail what is done with it, because it is gone. Returns -1. */
int mirrored_mailbox_refuse(struct mirrored_mailbox *mbox);

#endif
