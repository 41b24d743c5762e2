#ifndef LATE_PLACES_H
#define LATE_PLACES_H

/*
 * late-places: where on the old server a message of a local mailbox is that came
 * from there after the cutover, by its GUID, in whatever mailbox Sieve or the user
 * has put it since.
 *
 * Late mail has the GUID that its place makes (late_mail_guid()). Of mail that came
 * to both servers by itself <migration_dir>/doubles tells, a line for each.
 */

#include "guid.h"

struct migration_user;
struct late_places;

struct late_place {
	/* as it was called at its cutover */
	const char *vname;
	uint32_t uid_validity, uid;
};

/* Reads all baselines. Returns 0, -1 with an error. */
int late_places_init(struct migration_user *muser,
		     struct late_places **places_r, const char **error_r);
void late_places_deinit(struct late_places **places);
/* NULL when it isn't such a message. */
const struct late_place *
late_places_find(struct late_places *places, const guid_128_t guid);

/* The message here with that GUID is the same mail as the one at that place, and
   wasn't delivered again. For good, and durable. Returns 0, -1 with an error. */
int late_places_add_double(const char *dir, const guid_128_t guid,
			   const struct late_place *place,
			   const char **error_r);

#endif
