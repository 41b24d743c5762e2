#ifndef LATE_PLACES_H
#define LATE_PLACES_H

/*
 * late-places: where on the old server a message of a local mailbox is that came
 * from there after the cutover, by its GUID, in whatever mailbox Sieve or the user
 * has put it since.
 *
 * Late mail has the GUID that its place makes (late_mail_guid()). Of mail that came
 * to both servers by itself late-twins.h tells.
 */

#include "late-twins.h"

struct migration_user;
struct late_places;

/* Reads all baselines. Returns 0, -1 with an error. */
int late_places_init(struct migration_user *muser,
		     struct late_places **places_r, const char **error_r);
void late_places_deinit(struct late_places **places);
/* NULL when it isn't such a message. */
const struct late_place *
late_places_find(struct late_places *places, const guid_128_t guid);

#endif
