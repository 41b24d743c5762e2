#include "lib.h"
#include "istream-private.h"
#include "message-digest.h"
#include "body-stream.h"

#define BODY_BUFFER_SIZE (64 * 1024)

struct body_stream {
	struct istream_private istream;
	struct istream *source;
	struct message_digest_context *digest;
	bool eof;
};

static ssize_t body_stream_copy(struct body_stream *bstream,
				const unsigned char *data, size_t size)
{
	struct istream_private *stream = &bstream->istream;
	size_t avail;

	if (!i_stream_try_alloc(stream, size, &avail))
		return -2;
	size = I_MIN(size, avail);
	memcpy(stream->w_buffer + stream->pos, data, size);
	stream->pos += size;
	message_digest_more(bstream->digest, data, size);
	i_stream_skip(bstream->source, size);
	return size;
}

static ssize_t i_stream_body_read(struct istream_private *stream)
{
	struct body_stream *bstream =
		container_of(stream, struct body_stream, istream);
	const unsigned char *data;
	size_t size;
	int ret;

	if (bstream->eof) {
		stream->istream.eof = TRUE;
		return -1;
	}
	if (bstream->source == NULL)
		return 0;

	ret = i_stream_read_more(bstream->source, &data, &size);
	if (ret > 0)
		return body_stream_copy(bstream, data, size);
	if (ret == 0 || bstream->source->stream_errno == 0) {
		/* more may come, from here or from the next source */
		return 0;
	}
	stream->istream.stream_errno = bstream->source->stream_errno;
	io_stream_set_error(&stream->iostream, "%s",
			    i_stream_get_error(bstream->source));
	return -1;
}

struct istream *body_stream_create(struct message_digest_context *digest)
{
	struct body_stream *bstream = i_new(struct body_stream, 1);

	bstream->digest = digest;
	bstream->istream.max_buffer_size = BODY_BUFFER_SIZE;
	bstream->istream.read = i_stream_body_read;
	bstream->istream.istream.blocking = FALSE;
	bstream->istream.istream.seekable = FALSE;
	return i_stream_create(&bstream->istream, NULL, -1, 0);
}

static struct body_stream *body_stream(struct istream *body)
{
	return container_of(body->real_stream, struct body_stream, istream);
}

void body_stream_set_source(struct istream *body, struct istream *source)
{
	body_stream(body)->source = source;
}

void body_stream_set_eof(struct istream *body)
{
	body_stream(body)->source = NULL;
	body_stream(body)->eof = TRUE;
}
