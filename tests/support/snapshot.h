/*
 * snapshot: a picture of a whole account, and what differs between two
 *
 * Taken over IMAP (every folder that LIST or LSUB shows, examined one by one)
 * and, where asked, POP3 (the UIDL list). Bodies are digested while they come in;
 * what stays in memory is some 80 bytes a message. Folder names are made
 * comparable between servers: UTF-8, without the personal namespace's prefix,
 * levels separated by "/", a "/" or "\" inside of a level written \x2f, \x5c.
 * Sizes are bytes, instants seconds since 1970.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "imap-client.h"
#include "pop3-client.h"

#include <stdio.h>

#define SNAPSHOT_DIGEST_SIZE 32

struct snapshot_message {
	uint32_t uid;
	bool has_flags, has_date, has_size, has_digest;
	uint64_t size;
	int64_t instant;
	/* Sorted, separated by spaces, without \Recent; shared. */
	const char *flags;
	/* SHA-256 of BODY.PEEK[]. */
	unsigned char digest[SNAPSHOT_DIGEST_SIZE];
};

struct snapshot_folder {
	char *name;
	bool listed, subscribed, selectable;
	/* "\Sent" or several, sorted; "" for none. */
	const char *special_use;
	uint32_t uidvalidity, uidnext;
	/* Why it couldn't be read, wholly or in part; NULL for all well. */
	char *error;
	struct snapshot_message *messages;
	size_t count, room;
};

struct snapshot {
	struct snapshot_folder *folders;
	size_t count;
	bool has_pop3;
	struct pop3_list pop3;
	/* Strings that are shared. */
	char **strings;
	size_t string_count;
};

enum snapshot_take_flags {
	/* Flags, dates and sizes only. */
	SNAPSHOT_NO_BODIES = 1,
	/* SELECT, for servers whose EXAMINE forgets UIDVALIDITY (Courier). */
	SNAPSHOT_SELECT = 2
};

struct snapshot_source {
	const char *imap, *user, *password;
	/* NULL: without POP3. */
	const char *pop3;
	unsigned int timeout_ms;
	unsigned int flags;
};

/* A folder that can't be read is noted in the picture, a lost connection is a
   failure. *error_r is static. */
int snapshot_take(const struct snapshot_source *source,
		  struct snapshot **snapshot_r, const char **error_r);
void snapshot_free(struct snapshot **snapshot);
uint64_t snapshot_messages(const struct snapshot *snapshot);
/* NULL when there's none of that (comparable) name. */
const struct snapshot_folder *
snapshot_find(const struct snapshot *snapshot, const char *name);

int snapshot_save(const struct snapshot *snapshot, const char *path,
		  const char **error_r);
int snapshot_load(const char *path, struct snapshot **snapshot_r,
		  const char **error_r);

enum snapshot_compare_flags {
	SNAPSHOT_IGNORE_UIDNEXT = 1,
	SNAPSHOT_IGNORE_SPECIAL_USE = 2,
	SNAPSHOT_IGNORE_SUBSCRIPTIONS = 4,
	SNAPSHOT_IGNORE_POP3 = 8
};

struct snapshot_diff {
	/* Messages of A that B hasn't: by UID, or by digest in a folder whose
	   UIDVALIDITY changed; and POP3 UIDLs that B hasn't. */
	uint64_t lost;
	/* Messages that B has besides, with a body that A has in that folder. */
	uint64_t doubled;
	/* The same with a body that A hasn't there. */
	uint64_t added;
	/* Messages under the same UID with another body, size, date or flags,
	   and POP3 messages whose place or size is another. */
	uint64_t changed;
	uint64_t folders_lost, folders_added;
	/* UIDVALIDITY, UIDNEXT, subscription, special use or an error. */
	uint64_t folders_changed;
};

/* Each difference also as a line "FOLDER: UID 5: what" in out, NULL for none.
   Returns true when there's no difference at all. */
bool snapshot_compare(const struct snapshot *a, const struct snapshot *b,
		      unsigned int flags, FILE *out,
		      struct snapshot_diff *diff_r);

/* For snapshot.c, snapshot-file.c: parts of a picture. */
struct snapshot *snapshot_new(void);
const char *snapshot_intern(struct snapshot *snapshot, const char *str);
struct snapshot_folder *
snapshot_add_folder(struct snapshot *snapshot, const char *name);
struct snapshot_message *
snapshot_add_message(struct snapshot_folder *folder, uint32_t uid);
/* Sorts folders by name and messages by UID; a UID that is there twice becomes
   the folder's error. */
void snapshot_finish(struct snapshot *snapshot);
void snapshot_folder_fail(struct snapshot_folder *folder, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
