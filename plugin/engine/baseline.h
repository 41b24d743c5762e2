#ifndef BASELINE_H
#define BASELINE_H

/*
 * baseline: what a mailbox of the old server had when it was last compared with
 * the local one, from its cutover on: the base of a three-way merge.
 *
 * <migration_dir>/baseline/<key>, under the name that the mailbox had at its
 * cutover: it doesn't follow a RENAME here, for the old server's doesn't either.
 * Replaced durably. Lines of text, UIDs as sequence-sets, so that 200,000
 * messages are a few kB as a rule.
 */

#include "inventory.h"

struct baseline {
	uint32_t uid_validity;
	/* Messages with lower UIDs were looked at: they are in messages, or gone. */
	uint32_t next_uid;
	/* 0 where the old server has none */
	uint64_t modseq;
	/* UIDs, flags and keywords that the old server has shown; no dates, no
	   sizes. late, waiting and copied ones included. */
	struct inventory messages;
	/* UIDs that came after the cutover, and were delivered here or are here
	   already: their local copies have other UIDs */
	ARRAY_TYPE(seq_range) late;
	/* UIDs that came after the cutover, and are to be delivered yet */
	ARRAY_TYPE(seq_range) waiting;
	/* unix seconds when the first of these was tried first: a delivery that
	   failed may have come to some mailboxes; 0 for none */
	time_t waiting_begun;
	/* UIDs that copy-back made there */
	ARRAY_TYPE(seq_range) copied;
	/* messages that went there, which is only followed here when the
	   administrator says so; as the old server last showed them */
	struct inventory refused;
	/* The old mailbox was replaced since the cutover: messages with lower UIDs
	   may be here already, whatever they are. 0: it wasn't. */
	uint32_t reset_uid;
	/* how often that was: UIDs may mean other messages each time, under the
	   same UIDVALIDITY too */
	uint32_t resets;
};

void baseline_init(struct baseline *baseline,
		   struct inventory_keywords *keywords);
void baseline_deinit(struct baseline *baseline);
/* Empty again. */
void baseline_clear(struct baseline *baseline);
/* Of another mailbox from now on, none of which was looked at. */
void baseline_reset(struct baseline *baseline, uint32_t uid_validity,
		    uint32_t uid_next);

bool baseline_exists(const char *dir, const char *vname);
/* Into an empty one. Returns 1, 0 when there is none, -1 with an error. */
int baseline_read(const char *dir, const char *vname,
		  struct baseline *baseline, const char **error_r);
/* Returns 0, -1 with an error: the old one stands. */
int baseline_write(const char *dir, const char *vname,
		   const struct baseline *baseline, const char **error_r);
/* One that isn't there is fine. Returns 0, -1 with an error. */
int baseline_remove(const char *dir, const char *vname, const char **error_r);

#endif
