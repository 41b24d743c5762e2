/*
 * demo-journal: what a mail client knows of INBOX and Trash
 *
 * It begins with a picture of the old server and takes in every write that the
 * server has acknowledged. What both servers must show in the end follows from
 * it, UID by UID. One thread at a time. Runs out of memory by abort().
 */
#ifndef DEMO_JOURNAL_H
#define DEMO_JOURNAL_H

#include "snapshot.h"

#define JOURNAL_TRASH "Trash"
#define JOURNAL_MAX_FLAGS 32

struct journal_message {
	/* In INBOX and in Trash; 0: not there. */
	uint32_t uid, trash_uid;
	/* What it is in the old server's INBOX, once frozen. */
	uint32_t old_uid;
	unsigned int flags, old_flags;
	/* Of one that the client wrote itself, else NULL. */
	char *message_id;
	uint64_t size;
	int64_t instant;
	unsigned char digest[SNAPSHOT_DIGEST_SIZE];
};

/* What a message of INBOX was after a write. */
struct journal_write {
	size_t message;
	uint32_t uid;
	unsigned int flags;
};

struct journal {
	const char *flags[JOURNAL_MAX_FLAGS];
	unsigned int flag_count;
	struct journal_message *messages;
	size_t count, room;
	/* Those that the old server may have got before the cutover or not, the
	   next one to come there being writes[advanced]. */
	struct journal_write *writes;
	size_t write_count, write_room, advanced;
	bool frozen;
};

/* before stays the caller's, and must live as long. */
void journal_init(struct journal *journal, const struct snapshot *before);
void journal_deinit(struct journal *journal);

/* A bit for the flag. */
unsigned int journal_flag(struct journal *journal, const char *flag);
/* The flags sorted, separated by spaces; static in the thread. */
const char *journal_flags_str(const struct journal *journal,
			      unsigned int flags);
/* flags: as journal_flags_str(). The other members are the caller's to fill. */
struct journal_message *journal_add(struct journal *journal, uint32_t uid,
				    const char *flags);
/* INBOX may be cut over from here on: the old server has all of this. */
void journal_freeze(struct journal *journal);
/* The message is what it is by a write that may have been before the cutover or
   after it; writes come in their order. */
void journal_note_unsure(struct journal *journal, size_t message);
/* The next of these writes was done on the old server. False: there's no more. */
bool journal_advance(struct journal *journal);

/* What the new server must show: `before` with INBOX and Trash as they are by
   now. The caller frees it. */
struct snapshot *journal_expect_new(const struct journal *journal,
				    const struct snapshot *before);
/* The same of the old server, as frozen and advanced: UIDs below the limits were
   made there. */
struct snapshot *journal_expect_old(const struct journal *journal,
				    const struct snapshot *before,
				    uint32_t inbox_limit, uint32_t trash_limit);
/* Not const, so that what others delivered can be added. */
struct snapshot_folder *
journal_folder(struct snapshot *expected, const char *name);

#endif
