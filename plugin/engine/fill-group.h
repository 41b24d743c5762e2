#ifndef FILL_GROUP_H
#define FILL_GROUP_H

/*
 * fill-group: many small mailboxes at once that nothing is here of.
 *
 * One after another they would take some round trips and some syncs each. Here
 * three round trips are for all of them (what they are, what is in them, the
 * bodies), and four syncs: their states say first that their copies count for
 * nothing; all is copied; one sync makes it durable; it is read back and compared;
 * then all states say that they are filled. What is killed in between is begun anew.
 *
 * For the usual case alone. A mailbox of which anything is unusual, or goes wrong,
 * is left to fill_mailbox().
 */

#include "filler.h"

/* At once: each has files open. */
#define FILL_GROUP_BOXES 64

struct fill_group_box {
	const char *vname, *old_name;
	/* it was filled: the result */
	bool done;
	struct fill_result result;
	/* it's one for fill_mailbox(), else for another group */
	bool unfit;
};

struct fill_group_settings {
	struct migration_user *muser;
	struct old_client *client;
	const struct fill_observer *observer;
	enum fill_flags flags;
};

/* Is there nothing here of it, by its state? */
bool fill_group_fits(struct migration_user *muser, const char *vname);
void fill_group(const struct fill_group_settings *set,
		struct fill_group_box *boxes, unsigned int count);

#endif
