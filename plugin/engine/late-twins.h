#ifndef LATE_TWINS_H
#define LATE_TWINS_H

/*
 * late-twins: local messages on account of which a late mail wasn't delivered,
 * since it was here already. What is expunged on the old server is never followed
 * for these: the other one may still be there.
 *
 * <migration_dir>/catchup/.twins: a GUID a line, in hexadecimal digits, appended.
 */

#include "guid.h"

struct late_twins;

/* Returns 0, -1 with an error. */
int late_twins_open(const char *dir, struct late_twins **twins_r,
		    const char **error_r);
void late_twins_close(struct late_twins **twins);

/* Durable when this returns. Returns 0, -1 with an error. */
int late_twins_add(struct late_twins *twins, const guid_128_t guid,
		   const char **error_r);
bool late_twins_has(const struct late_twins *twins, const guid_128_t guid);

#endif
