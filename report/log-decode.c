#include "log-decode.h"
#include "memory.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct log_format {
	const char *magic;
	size_t magic_size;
	bool (*init)(struct log_decoder *decoder);
	ssize_t (*decode)(struct log_decoder *decoder, struct log_coded *coded,
			  void *out, size_t size, const char **error_r);
	void (*deinit)(struct log_decoder *decoder);
};

struct log_decoder {
	const struct log_format *format;
	z_stream gzip;
	lzma_stream xz;
	/* Between two members: what was decoded is whole. */
	bool whole;
};

static const char damaged[] = "its compressed data is damaged";
static const char truncated[] = "ends in the middle of its compressed data";

static bool gzip_init(struct log_decoder *decoder)
{
	/* 16: gzip's header only */
	return inflateInit2(&decoder->gzip, MAX_WBITS + 16) == Z_OK;
}

static ssize_t
gzip_decode(struct log_decoder *decoder, struct log_coded *coded,
	    void *out, size_t size, const char **error_r)
{
	z_stream *z = &decoder->gzip;
	int ret = Z_OK;

	z->next_in = (Bytef *)coded->data;
	z->avail_in = (uInt)coded->size;
	z->next_out = out;
	z->avail_out = (uInt)size;
	while (z->avail_in > 0 && z->avail_out > 0 && ret == Z_OK) {
		if (decoder->whole && inflateReset(z) != Z_OK)
			break;
		ret = inflate(z, Z_NO_FLUSH);
		decoder->whole = ret == Z_STREAM_END;
		if (decoder->whole)
			ret = Z_OK;
	}
	coded->data = z->next_in;
	coded->size = z->avail_in;
	size -= z->avail_out;
	if (ret != Z_OK && ret != Z_BUF_ERROR && size == 0) {
		*error_r = damaged;
		return -1;
	}
	if (size == 0 && coded->last && coded->size == 0 && !decoder->whole) {
		*error_r = truncated;
		return -1;
	}
	return (ssize_t)size;
}

static void gzip_deinit(struct log_decoder *decoder)
{
	(void)inflateEnd(&decoder->gzip);
}

static bool xz_init(struct log_decoder *decoder)
{
	return lzma_stream_decoder(&decoder->xz, LOG_XZ_MEMORY,
				   LZMA_CONCATENATED) == LZMA_OK;
}

static const char *xz_error(lzma_ret ret, const struct log_coded *coded)
{
	if (ret == LZMA_MEMLIMIT_ERROR || ret == LZMA_MEM_ERROR)
		return "needs too much memory to decompress";
	return ret == LZMA_BUF_ERROR && coded->last ? truncated : damaged;
}

static ssize_t
xz_decode(struct log_decoder *decoder, struct log_coded *coded,
	  void *out, size_t size, const char **error_r)
{
	lzma_stream *xz = &decoder->xz;
	lzma_ret ret = LZMA_OK;

	xz->next_in = coded->data;
	xz->avail_in = coded->size;
	xz->next_out = out;
	xz->avail_out = size;
	while (ret == LZMA_OK && xz->avail_out > 0 && !decoder->whole &&
	       (xz->avail_in > 0 || coded->last)) {
		ret = lzma_code(xz, coded->last ? LZMA_FINISH : LZMA_RUN);
		decoder->whole = ret == LZMA_STREAM_END;
	}
	coded->data = xz->next_in;
	coded->size = xz->avail_in;
	size -= xz->avail_out;
	if (ret != LZMA_OK && ret != LZMA_STREAM_END && size == 0) {
		*error_r = xz_error(ret, coded);
		return -1;
	}
	return (ssize_t)size;
}

static void xz_deinit(struct log_decoder *decoder)
{
	lzma_end(&decoder->xz);
}

static const struct log_format formats[] = {
	{ "\x1f\x8b", 2, gzip_init, gzip_decode, gzip_deinit },
	{ "\xfd" "7zXZ", LOG_MAGIC_SIZE, xz_init, xz_decode, xz_deinit },
};

struct log_decoder *log_decoder_init(const unsigned char *start, size_t size)
{
	const struct log_format *format;
	struct log_decoder *decoder;
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		format = &formats[i];
		if (size < format->magic_size ||
		    memcmp(start, format->magic, format->magic_size) != 0)
			continue;
		decoder = memory_new(sizeof(*decoder));
		decoder->format = format;
		if (format->init(decoder))
			return decoder;
		free(decoder);
	}
	return NULL;
}

void log_decoder_deinit(struct log_decoder **_decoder)
{
	struct log_decoder *decoder = *_decoder;

	if (decoder == NULL)
		return;
	*_decoder = NULL;
	decoder->format->deinit(decoder);
	free(decoder);
}

ssize_t log_decode(struct log_decoder *decoder, struct log_coded *coded,
		   void *out, size_t size, const char **error_r)
{
	return decoder->format->decode(decoder, coded, out, size, error_r);
}
