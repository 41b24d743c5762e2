#include "lib.h"
#include "istream-private.h"
#include "ostream.h"
#include "spool-stream.h"

#define SPOOL_BUFFER_SIZE (64 * 1024)

struct spool_stream {
	struct istream_private istream;
	/* Not its parent: who reads the source as well would make our buffer
	   invalid. */
	struct istream *source;
	struct ostream *output;
};

static ssize_t
i_stream_spool_end(struct spool_stream *sstream)
{
	struct istream_private *stream = &sstream->istream;

	if (sstream->source->stream_errno != 0) {
		stream->istream.stream_errno = sstream->source->stream_errno;
		io_stream_set_error(&stream->iostream, "%s",
				    i_stream_get_error(sstream->source));
	}
	stream->istream.eof = TRUE;
	return -1;
}

static ssize_t i_stream_spool_read(struct istream_private *stream)
{
	struct spool_stream *sstream =
		container_of(stream, struct spool_stream, istream);
	const unsigned char *data;
	size_t size, avail;
	int ret;

	ret = i_stream_read_more(sstream->source, &data, &size);
	if (ret <= 0)
		return ret == 0 ? 0 : i_stream_spool_end(sstream);
	if (!i_stream_try_alloc(stream, size, &avail))
		return -2;
	size = I_MIN(size, avail);
	memcpy(stream->w_buffer + stream->pos, data, size);
	stream->pos += size;
	o_stream_nsend(sstream->output, data, size);
	i_stream_skip(sstream->source, size);
	return size;
}

static void i_stream_spool_destroy(struct iostream_private *stream)
{
	struct spool_stream *sstream =
		container_of(stream, struct spool_stream, istream.iostream);

	i_stream_free_buffer(&sstream->istream);
	i_stream_unref(&sstream->source);
}

struct istream *
spool_stream_create(struct istream *source, struct ostream *output)
{
	struct spool_stream *sstream = i_new(struct spool_stream, 1);

	sstream->source = source;
	i_stream_ref(source);
	sstream->output = output;
	sstream->istream.max_buffer_size = SPOOL_BUFFER_SIZE;
	sstream->istream.read = i_stream_spool_read;
	sstream->istream.iostream.destroy = i_stream_spool_destroy;
	sstream->istream.istream.blocking = source->blocking;
	sstream->istream.istream.seekable = FALSE;
	return i_stream_create(&sstream->istream, NULL, -1, 0);
}
