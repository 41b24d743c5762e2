#ifndef SPOOL_STREAM_H
#define SPOOL_STREAM_H

/*
 * spool-stream: what is read from it, which is what its source has, is also
 * written to an output.
 *
 * Both are the caller's, the output until the stream is gone or at its end; the
 * stream refers to its source. Errors of the output are seen when that is
 * flushed.
 */

struct istream;
struct ostream;

struct istream *
spool_stream_create(struct istream *source, struct ostream *output);

#endif
