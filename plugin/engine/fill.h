#ifndef FILL_H
#define FILL_H

/*
 * fill: one mailbox, from the old server to its local copy, for filler.c.
 *
 *   open both -> inventories -> delta -> flags and expunges -> bodies ->
 *   read back -> state filled
 *
 * Where a message must be added below the copy's UIDNEXT (it couldn't be had
 * before, or its copy is damaged), the copy is made anew, once in a run.
 */

#include "filler.h"

struct fill_settings {
	struct migration_user *muser;
	struct old_client *client;
	const struct fill_observer *observer;
	const char *vname, *old_name;
	enum fill_flags flags;
};

int fill_mailbox(const struct fill_settings *set, struct fill_result *result_r,
		 enum mail_error *error_code_r, const char **error_r);

#endif
