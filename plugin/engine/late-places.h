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

#include "mail-error.h"
#include "late-twins.h"

struct migration_user;
struct name_map;
struct old_client;
struct late_places;

/* Reads all baselines. Returns 0, -1 with an error. */
int late_places_init(struct migration_user *muser,
		     struct late_places **places_r, const char **error_r);
void late_places_deinit(struct late_places **places);
/* Which of them are there still? Another mailbox is selected after it. */
int late_places_look(struct late_places *places, struct old_client *client,
		     const struct name_map *map,
		     enum mail_error *error_code_r, const char **error_r);
/* NULL when it isn't such a message, or the last look at that mailbox has shown
   that it isn't there any more. */
const struct late_place *
late_places_find(struct late_places *places, const guid_128_t guid);

#endif
