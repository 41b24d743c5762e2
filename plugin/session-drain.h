#ifndef SESSION_DRAIN_H
#define SESSION_DRAIN_H

/*
 * session-drain: gives a mailbox up when a cutover or a rollback asks for it.
 *
 * A mailbox that the other server may become the authority of holds its lease
 * from mailbox_alloc() on: one that is redirected, and a local one. While it is
 * open it watches the lease. When that is recalled, no write can be under way:
 * writes to the old server wait for it in an ioloop of their own, and this one is
 * called from the process' main one. So the lease is given up at once; what is
 * saved or stored from then on is refused. IMAP clients that have the mailbox
 * selected are told with BYE, as soon as no command of theirs is being answered,
 * and find the other server's when they come again.
 */

struct lease;
struct mailbox;
struct migration_user;
struct session_drain;

/* In the mailbox' own structure. All zero: it holds none. */
struct session_hold {
	struct session_hold *prev, *next;
	struct migration_user *muser;
	struct mailbox *box;
	/* NULL when it was given up */
	struct lease *lease;
	/* NULL while the mailbox isn't open */
	struct session_drain *drain;
	/* It was given up: the mailbox is inconsistent and refuses everything. */
	bool drained;
};

/* Takes over the lease. */
void session_hold_init(struct session_hold *hold, struct migration_user *muser,
		       struct mailbox *box, struct lease **lease);
/* One that was never taken, or is ended already, is fine. */
void session_hold_deinit(struct session_hold *hold);
/* Give the lease up: the mailbox can't be used any more. */
void session_hold_release(struct session_hold *hold);

/* The mailbox was opened; it is closed. */
void session_drain_init(struct session_hold *hold);
void session_drain_deinit(struct session_hold *hold);
/* Give up what is recalled of all that the user has open, without waiting for
   the ioloop: for who is about to wait for a cutover. */
void session_drain_check(struct migration_user *muser);
/* Was something given up that this session still has open? Nothing new should
   begin in it: the first half of a MOVE would be done, and not the second. */
bool session_drain_pending(struct migration_user *muser);

#endif
