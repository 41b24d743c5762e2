#ifndef LATE_TWINS_H
#define LATE_TWINS_H

/*
 * late-twins: local messages on account of which a late mail wasn't delivered,
 * since it was here already. What is expunged on the old server is never followed
 * for these: the other one may still be there.
 *
 * <migration_dir>/catchup/.twins: lines, appended: where on the old server the other
 * one is (mailbox, UIDVALIDITY, UID), and the GUID in hexadecimal digits; separated
 * by tabs.
 */

#include "guid.h"

struct late_twins;

struct late_place {
	/* as it was called at its cutover */
	const char *vname;
	uint32_t uid_validity, uid;
};

/* Returns 0, -1 with an error. */
int late_twins_open(const char *dir, struct late_twins **twins_r,
		    const char **error_r);
void late_twins_close(struct late_twins **twins);

/* Durable when this returns; the first place of a GUID counts. Returns 0, -1 with an
   error. */
int late_twins_add(struct late_twins *twins, const guid_128_t guid,
		   const struct late_place *place, const char **error_r);
bool late_twins_has(const struct late_twins *twins, const guid_128_t guid);
/* Where on the old server the other one is; NULL when there is none. */
const struct late_place *
late_twins_find(const struct late_twins *twins, const guid_128_t guid);

#endif
