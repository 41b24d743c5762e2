#ifndef DELIVERED_H
#define DELIVERED_H

/*
 * delivered: which late mails were delivered to the end, wherever Sieve has put
 * them and whatever became of them since.
 *
 * <migration_dir>/deliver/delivered: GUIDs of late_mail_guid() as records of
 * fixed size, appended; an incomplete one at the end is cut off. The oldest go
 * when there are many: a mail is asked for again only if a crash came between
 * its delivery and its record in the baseline. The caller has lease_deliver().
 */

#include "guid.h"

/* Returns 1, 0, -1 with an error. */
int delivered_find(const char *dir, const guid_128_t guid,
		   const char **error_r);
/* Durably. Returns 0, -1 with an error. */
int delivered_add(const char *dir, const guid_128_t guid,
		  const char **error_r);

#endif
