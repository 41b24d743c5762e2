#ifndef ARRIVAL_NOTED_H
#define ARRIVAL_NOTED_H

/*
 * arrival-noted: which messages of which local mailboxes an arrival-index has,
 * so that a look at their UIDNEXTs tells whether there is anything new.
 *
 * <migration_dir>/arrivals/mailboxes, text, replaced durably after the records
 * are: it is believed only when it belongs to a file of that generation and not
 * more records than there are. A line for the file and one for each mailbox,
 * words separated by tabs.
 */

#include "guid.h"

struct arrival_noted_box {
	guid_128_t guid;
	uint32_t uid_validity;
	/* Messages with lower UIDs are in the index... */
	uint32_t uid_next;
	/* ...that were received since then; unix seconds, 0: all */
	time_t since;
};

struct arrival_noted {
	/* of the records; which generation and how many of them in the file */
	uint64_t generation;
	uint32_t in_file;
	/* unix seconds of the last check for messages that are gone, 0: never;
	   and how many records it left */
	time_t checked;
	uint32_t left;
	/* struct arrival_noted_box */
	ARRAY(struct arrival_noted_box) boxes;
};

void arrival_noted_init(struct arrival_noted *noted);
void arrival_noted_deinit(struct arrival_noted *noted);

/* Into an empty one. One that isn't there or can't be understood stays empty.
   Returns 0, -1 with an error. */
int arrival_noted_read(const char *dir, struct arrival_noted *noted,
		       const char **error_r);
int arrival_noted_write(const char *dir, const struct arrival_noted *noted,
			const char **error_r);

/* NULL when there is none. */
struct arrival_noted_box *
arrival_noted_find(struct arrival_noted *noted, const guid_128_t guid);

#endif
