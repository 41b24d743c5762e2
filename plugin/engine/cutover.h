#ifndef CUTOVER_H
#define CUTOVER_H

/*
 * cutover: the authority over mailboxes goes from the old server to here.
 *
 * From `filled` or `mirrored`: the folder tree is held, the sessions that have a
 * mailbox open through the old server are asked to finish, the last delta is
 * pulled, the UID gap is left (I9), all is made durable, and one rename makes the
 * mailbox local (I3). What fails before that leaves it as it was. Who has a mirror
 * open isn't disturbed: the worker answers his next write by LOCAL.
 */

#include "mail-error.h"

struct filler;

struct cutover_result {
	const char *vname;
	/* it was local before */
	bool was_local;
	unsigned int messages;
	/* how long clients were kept waiting */
	unsigned int usecs;
};
ARRAY_DEFINE_TYPE(cutover_result, struct cutover_result);

/* Cut over all of these, or none: an error in one of them leaves all where
   they were. The results are in their order. Returns 0, -1 with an error. */
int cutover(struct filler *filler, const ARRAY_TYPE(const_string) *vnames,
	    ARRAY_TYPE(cutover_result) *results_r,
	    enum mail_error *error_code_r, const char **error_r);

/* Its two halves, with something else in between: all but what came last is
   copied and durable; then the rest, while clients wait. */
int cutover_prepare(struct filler *filler,
		    const ARRAY_TYPE(const_string) *vnames,
		    enum mail_error *error_code_r, const char **error_r);
int cutover_prepared(struct filler *filler,
		     const ARRAY_TYPE(const_string) *vnames,
		     ARRAY_TYPE(cutover_result) *results_r,
		     enum mail_error *error_code_r, const char **error_r);

/* The administrator gives up these messages (IMAP sequence-set of UIDs), which
   can't be had from the old server: they must be among the bad ones of the
   mailbox' state. Returns 0, -1 with an error. */
int cutover_without(struct filler *filler, const char *vname,
		    const char *uid_set, const char **error_r);

#endif
