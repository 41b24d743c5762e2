#ifndef MIGRATION_USER_H
#define MIGRATION_USER_H

/*
 * migration-user: what the plugin knows of one mail user.
 *
 * Made by the mail_user_created hook when `migration` is on for the user;
 * lives in the user's pool. Users without it (autocreated, raw, migration=no,
 * closed) have no context: MIGRATION_USER_CONTEXT() is NULL for them, and
 * nothing of ours touches them.
 */

#include "mail-storage-private.h"
#include "mail-user.h"
#include "migration-settings.h"

struct late_save;
struct redirect_decision;
struct session_hold;
struct remote_status;
struct remote_watchdog;
struct status_listing;
struct session_catchup;
struct session_demand;
struct worker_client;

struct migration_user {
	union mail_user_module_context module_ctx;
	struct mail_user *user;
	struct migration_settings set;

	/* The namespace that is being moved: the one with inbox=yes. NULL
	   before its mailbox list is made. */
	struct mail_namespace *ns;
	/* The old server behind it: hidden, never linked into
	   user->namespaces. NULL before mail_namespaces_created and while the
	   user is deinitialized. */
	struct mail_namespace *remote_ns;
	struct remote_watchdog *remote_watchdog;
	/* NULL before a STATUS is first asked for */
	struct remote_status *remote_status;
	/* the listing of mailboxes that goes on, or NULL */
	struct status_listing *status_listing;
	/* NULL before it is first asked for */
	struct worker_client *worker_client;
	/* NULL in processes that don't look for late mail */
	struct session_catchup *session_catchup;
	/* NULL in processes that have no client */
	struct session_demand *session_demand;

	/* Called often while the engine waits for a lease whose holder may
	   wait for what this process has open. Set by the plugin. */
	void (*waits)(struct migration_user *muser);
	/* mailboxes that hold their leases */
	struct session_hold *holds;
	/* > 0: mailbox_alloc means the local mailbox, whatever its state */
	unsigned int bypass;
	/* how the mailbox is served that mailbox_alloc() is just making */
	struct redirect_decision *decision;
	/* while a late mail is delivered, else NULL */
	struct late_save *late_save;
	/* unix seconds of the last report that a copy wasn't fresh */
	time_t stale_reported;
	/* unix seconds when the folder tree couldn't be refreshed, 0: it could */
	time_t tree_failed;
	/* unix seconds of the last failure to connect or log in, 0: none */
	time_t remote_failed;
	/* it was the login that failed: why, with a response code; else NULL */
	char *remote_refusal;
	/* about how many connections there are */
	unsigned int remote_logins;
	/* migration_user_is_closed() has found that it is */
	bool closed;
	/* the old server has no SELECT and FETCH in one go */
	bool no_burst_select;
};

#define MIGRATION_USER_CONTEXT(obj) \
	MODULE_CONTEXT(obj, migration_user_module)

extern MODULE_CONTEXT_DEFINE(migration_user_module,
			     &mail_user_module_register);

/* The mail_user_created hook. Bad settings set user->error. */
void migration_user_created(struct mail_user *user);

/* Was the migration of this user closed (engine/migration-closed.h) since this
   session began? All of his mailboxes are ordinary local ones then. FALSE as
   well when it can't be told. */
bool migration_user_is_closed(struct migration_user *muser);

/* Between these two every mailbox of the user's own namespace is the local
   one: for the engine and for lib-storage's own inner allocations. They nest. */
void migration_bypass_begin(struct migration_user *muser);
void migration_bypass_end(struct migration_user *muser);

/* Allocate the local mailbox of that name, whatever its state. Never fails
   (as mailbox_alloc); mailbox_open() tells. */
struct mailbox *
migration_local_mailbox_alloc(struct migration_user *muser, const char *vname,
			      enum mailbox_flags flags);

#endif
