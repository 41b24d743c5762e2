#ifndef USER_MOVE_H
#define USER_MOVE_H

/*
 * user-move: moves the mailboxes of one user on: fills them, or asks the worker
 * for those that are mirrored, and cuts over as migration_cutover says. For
 * doveadm migration fill and the mover, which say in what order.
 *
 * One a user at a time, over all processes (lease_fill), but for what the worker
 * does.
 */

#include "array-decl.h"
#include "engine/filler.h"

struct migration_user;
struct user_move;

struct user_move_settings {
	/* how long another one is waited for */
	unsigned int lock_secs;
	enum fill_flags flags;
	/* only a part of his mailboxes is gone through: those of
	   migration_cutover = user aren't cut over at the end */
	bool partial;
	/* sees fills, the worker's as well */
	const struct fill_observer *observer;
	/* asked often while the worker is waited for: TRUE gives that up */
	bool (*killed)(void);
};

struct user_move_result {
	struct fill_result fill;
	/* it became local by this */
	bool cut_over;
	/* why it couldn't, else NULL; in the data stack */
	enum mail_error cutover_error_code;
	const char *cutover_error;
};

/* Refreshes the folder tree. The settings are copied, but for the observer, which
   must live as long. Returns 0, -1 with an error: MAIL_ERROR_INUSE when another
   one is at it. */
int user_move_init(struct migration_user *muser,
		   const struct user_move_settings *set,
		   struct user_move **move_r,
		   enum mail_error *error_code_r, const char **error_r);
void user_move_deinit(struct user_move **move);

/* These will come, best in this order: then small ones are filled together. */
void user_move_expect(struct user_move *move,
		      const ARRAY_TYPE(const_string) *vnames);
/* One more mailbox. Those that are mirrored best come last: each change between
   them and others costs a login. Returns 0, -1 with an error as filler_run(). */
int user_move_mailbox(struct user_move *move, const char *vname,
		      struct user_move_result *result_r,
		      enum mail_error *error_code_r, const char **error_r);
/* All have had their turn: migration_cutover = user, when each of them was filled the
   last time that it had one. Returns 0, -1 with an error. */
int user_move_finish(struct user_move *move,
		     enum mail_error *error_code_r, const char **error_r);

/* Nothing more: as filler_stop(). A cutover that is under way isn't interrupted. */
void user_move_stop(struct user_move *move);
/* The same for a fill that is under way, whose mailbox will come again. */
void user_move_interrupt(struct user_move *move);
/* Does the old server take us? What failed was then the mailbox' fault. Returns 0,
   -1 with an error. */
int user_move_reconnect(struct user_move *move,
			enum mail_error *error_code_r, const char **error_r);

#endif
