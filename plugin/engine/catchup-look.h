#ifndef CATCHUP_LOOK_H
#define CATCHUP_LOOK_H

/*
 * catchup-look: STATUS of all mailboxes of an account in one round trip
 * (LIST-STATUS, RFC 5819; pipelined STATUS elsewhere, RFC 3501 6.3.10), and what
 * the last look has shown: <migration_dir>/catchup/.look.
 */

#include "mirror-watch.h"
#include "old-client.h"

struct catchup_seen {
	/* the name that it had at its cutover, and the old server's */
	const char *vname, *old_name;
	/* as the old server tells it now; all 0: it isn't there */
	struct mirror_status status;
};
ARRAY_DEFINE_TYPE(catchup_seen, struct catchup_seen);

/* Fills in the status of each. others_r: the old server's other folders, by name,
   where it was asked for all; from pool. prefix as in old_folders_get(). Returns
   0, -1 with an error. */
int catchup_look(struct old_client *client, const char *prefix, pool_t pool,
		 ARRAY_TYPE(catchup_seen) *boxes,
		 ARRAY_TYPE(const_string) *others_r,
		 enum mail_error *error_code_r, const char **error_r);

struct catchup_last {
	ARRAY_TYPE(catchup_seen) boxes;
	/* a sum of the names of the other folders */
	uint32_t others;
	/* unix seconds when all flags were looked at; for servers without
	   CONDSTORE, the STATUS of which doesn't show changes of flags */
	time_t flags;
};

/* What isn't in it wasn't seen, or is to be looked at again. Returns 1, 0 when there was none, also where it can't be used; -1 with
   an error. */
int catchup_look_read(const char *dir, pool_t pool,
		      struct catchup_last *last_r, const char **error_r);
/* Returns 0, -1 with an error. */
int catchup_look_write(const char *dir, const struct catchup_last *last,
		       const char **error_r);

#endif
