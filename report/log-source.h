/*
 * log-source: the bytes of a log: a file, compressed or not, or a pipe
 *
 * The file is held open from the start, so that a rotation while others are read
 * takes nothing away. Where the end is reached, the reader can ask whether the
 * file was rotated or truncated meanwhile.
 *
 * Error texts are valid until the next call.
 */
#ifndef LOG_SOURCE_H
#define LOG_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct log_source;

/* "-" is standard input. NULL with errno when it can't be opened. */
struct log_source *log_source_init(const char *path);
void log_source_deinit(struct log_source **source);

/* How many bytes came; 0 at the end (as of now), -1 on an error. */
ssize_t log_source_read(struct log_source *source, void *data, size_t size,
			const char **error_r);
/* Back to the first byte, where that's possible. Frees what reading needs, until
   it's read again. */
bool log_source_can_rewind(const struct log_source *source);
bool log_source_rewind(struct log_source *source);

/* At the end: did it become shorter? Then it's read from its beginning. */
bool log_source_was_truncated(struct log_source *source);
/* At the end: another file has its name by now; that one, else NULL. This one may
   still grow, until its writers have noticed. */
struct log_source *log_source_successor(const struct log_source *source);

/* When it was last written; now for a pipe. */
int64_t log_source_mtime(const struct log_source *source);
/* It may grow or be rotated: a plain file. */
bool log_source_is_growing(const struct log_source *source);
/* To be waited for with poll(2); -1 for a file. */
int log_source_pipe_fd(const struct log_source *source);

#endif
