#ifndef PASSED_FILE_H
#define PASSED_FILE_H

/*
 * passed-file: a file that came along with a line (SCM_RIGHTS, unix(7)), on a
 * stream of i_stream_create_unix().
 */

struct istream;

/* The descriptor that came with the last line, -1 for none; the next line may
   have one. It becomes the caller's. */
int passed_file_take(struct istream *input);
/* Is it a regular file of at least so many bytes? */
bool passed_file_has(int fd, uoff_t size);

#endif
