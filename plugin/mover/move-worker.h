#ifndef MOVE_WORKER_H
#define MOVE_WORKER_H

/*
 * move-worker: what is to be done with mailboxes that are mirrored, which
 * are the user's worker's.
 *
 * It wants what a filler holds: the caller has none when it asks.
 */

#include "engine/cutover.h"
#include "engine/filler.h"

struct migration_user;

bool move_worker_has(struct migration_user *muser, const char *vname);

/* As filler_run(). killed: asked often; TRUE ends it with an error. */
int move_worker_fill(struct migration_user *muser, const char *vname,
		     enum fill_flags flags,
		     const struct fill_observer *observer,
		     bool (*killed)(void), struct fill_result *result_r,
		     enum mail_error *error_code_r, const char **error_r);
/* As cutover(), by the filler, or by the worker where one of them is mirrored
   or *filler is NULL: then it is ended. The results' strings are in the data
   stack. */
int move_worker_cutover(struct migration_user *muser, struct filler **filler,
			const ARRAY_TYPE(const_string) *vnames,
			bool (*killed)(void),
			ARRAY_TYPE(cutover_result) *results_r,
			enum mail_error *error_code_r, const char **error_r);

#endif
