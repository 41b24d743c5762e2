#ifndef DIGEST_FILE_H
#define DIGEST_FILE_H

/*
 * digest-file: the digests of a mailbox's messages as they came over the wire.
 *
 * <migration_dir>/digest/<key>: a header and records of fixed size, appended
 * as messages are saved and synced before the state moves on. The last record
 * of a UID counts; records of messages that never got into the mailbox do no
 * harm. An incomplete record at the end (a crash) is cut off.
 */

#include "message-digest.h"

struct digest_file;

/* Opened for reading and appending, made when it isn't there. uid_validity is
   the old mailbox's: a file of another one is begun anew. Returns 0, -1 with
   an error. */
int digest_file_open(const char *dir, const char *vname, uint32_t uid_validity,
		     struct digest_file **file_r, const char **error_r);
void digest_file_close(struct digest_file **file);
bool digest_file_exists(const char *dir, const char *vname);
/* It follows a RENAME, which may be told more than once: where the new name has
   one that is the older, and stays. None there is fine. */
int digest_file_rename(const char *dir, const char *from, const char *to,
		       const char **error_r);
int digest_file_remove(const char *dir, const char *vname,
		       const char **error_r);

bool digest_file_has(const struct digest_file *file, uint32_t uid);
/* FALSE when there is none, or it can't be read, which is logged. */
bool digest_file_find(const struct digest_file *file, uint32_t uid,
		      struct message_digest *digest_r);
void digest_file_add(struct digest_file *file, uint32_t uid,
		     const struct message_digest *digest);
/* Write what was added. Returns 0, -1 with an error. */
int digest_file_write(struct digest_file *file, const char **error_r);
/* Write what was added and make it durable. Returns 0, -1 with an error. */
int digest_file_sync(struct digest_file *file, const char **error_r);

#endif
