/*
 * journal: what servers promised about messages, and whether they kept it
 *
 * A note for each message says how often it must be, at least and at most, in
 * each of two mailboxes, and what flags it must have in the first one. Messages
 * are known by their Message-ID. Not locked.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum journal_place {
	/* the mailbox that it was written to */
	JOURNAL_HOME,
	/* where copies go */
	JOURNAL_OTHER,
	JOURNAL_PLACES
};

struct journal_note {
	char id[64];
	/* Index of its mailbox. */
	unsigned int home;
	/* 0: not known. */
	uint32_t uid;
	unsigned int min[JOURNAL_PLACES], max[JOURNAL_PLACES];
	/* Bits of journal_flags; unsure: either way. */
	unsigned int flags, unsure;
	/* A MOVE was left unanswered: it must be in one of the two. */
	bool moving;
	/* How often it was in its mailbox when that was judged last. */
	unsigned int seen;
};

struct journal {
	struct journal_note *notes;
	size_t count, room;
};

/* Flags and keywords that writers set; ended by NULL. */
extern const char *const journal_flags[];

struct journal_note *journal_add(struct journal *journal, const char *id,
				 unsigned int home);
void journal_free(struct journal *journal);

/* What a mailbox has. */
struct journal_found {
	char id[64];
	unsigned int count, flags;
	bool known;
};

struct journal_mailbox {
	struct journal_found *found;
	size_t count, messages;
};

struct imap_client;

/* Reads the selected mailbox. -1: the connection says why. */
int journal_read(struct imap_client *client, struct journal_mailbox *box_r);
void journal_mailbox_free(struct journal_mailbox *box);

struct journal_verdict {
	unsigned int lost, doubled, changed;
};

/* Judges the notes whose mailbox this is (any, for JOURNAL_OTHER, which comes
   last), and marks what they know. */
void journal_judge(struct journal *journal, struct journal_mailbox *box,
		   enum journal_place place, unsigned int home, FILE *out,
		   struct journal_verdict *verdict);

#endif
