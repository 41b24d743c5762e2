/*
 * log-decode: the bytes of a compressed log, gzip (RFC 1952) or xz
 *
 * Which of them it is, is judged by how the data begins, never by a name. Several
 * members or streams one after another are one log, as `cat a.gz b.gz` makes it.
 */
#ifndef LOG_DECODE_H
#define LOG_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* So many bytes are enough to judge by. */
#define LOG_MAGIC_SIZE 6
/* More than what xz -9 needs; a log that wants more is refused. */
#define LOG_XZ_MEMORY (128 * 1024 * 1024)

struct log_decoder;

/* Data that is waiting to be decoded. */
struct log_coded {
	const unsigned char *data;
	size_t size;
	/* Nothing comes behind it. */
	bool last;
};

/* Of data that begins so; NULL when it isn't compressed. */
struct log_decoder *log_decoder_init(const unsigned char *start, size_t size);
void log_decoder_deinit(struct log_decoder **decoder);
/* Takes from coded and returns how many bytes it put out: 0 when it needs more,
   or, with coded->last set, at the end. -1 when the data is damaged or ends too
   early, with the reason, static; nothing comes after that. */
ssize_t log_decode(struct log_decoder *decoder, struct log_coded *coded,
		   void *out, size_t size, const char **error_r);

#endif
