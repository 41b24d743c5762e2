#ifndef BODY_STREAM_H
#define BODY_STREAM_H

/*
 * body-stream: a message on its way from the old server into a save.
 *
 * An istream that is fed from other streams, one after another (the pieces of
 * a large message), and digests what passes. It never blocks: without a
 * source, or when the source has nothing yet, read returns 0.
 */

struct message_digest_context;

struct istream *body_stream_create(struct message_digest_context *digest);
/* Where the next bytes come from, NULL for none; not referenced. */
void body_stream_set_source(struct istream *body, struct istream *source);
/* The message is complete: EOF follows. */
void body_stream_set_eof(struct istream *body);

#endif
