#ifndef DOVEADM_WORKER_H
#define DOVEADM_WORKER_H

/*
 * doveadm-worker: what is to be done with mailboxes that are mirrored, which
 * are the user's worker's.
 *
 * It wants what a filler holds: the caller has none when it asks.
 */

#include "engine/cutover.h"
#include "engine/filler.h"

struct migration_user;

bool doveadm_worker_has(struct migration_user *muser, const char *vname);

/* As filler_run(). */
int doveadm_worker_fill(struct migration_user *muser, const char *vname,
			enum fill_flags flags,
			const struct fill_observer *observer,
			struct fill_result *result_r,
			enum mail_error *error_code_r, const char **error_r);
/* As cutover(), by the filler, or by the worker where one of them is mirrored
   or *filler is NULL: then it is ended. The results' strings are in the data
   stack. */
int doveadm_worker_cutover(struct migration_user *muser, struct filler **filler,
			   const ARRAY_TYPE(const_string) *vnames,
			   ARRAY_TYPE(cutover_result) *results_r,
			   enum mail_error *error_code_r, const char **error_r);

#endif
