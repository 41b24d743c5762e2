#include "lib.h"
#include "istream.h"
#include "str.h"
#include "message-digest.h"

#include <openssl/evp.h>

struct message_digest_context {
	EVP_MD_CTX *wire, *shown;
	bool save_crlf;

	uint64_t size;
	enum message_alteration altered;
	/* the last two bytes, of the line end that may be coming */
	bool last_cr, last_crcr;
	/* the last byte, a CR, isn't in the wire digest yet */
	bool wire_cr;
};

/* The library fails only when it is out of memory, or misbuilt. */
static void evp(int ret)
{
	if (ret != 1)
		i_panic("OpenSSL can't compute SHA-256");
}

struct message_digest_context *message_digest_init(bool save_crlf)
{
	struct message_digest_context *ctx =
		i_new(struct message_digest_context, 1);

	ctx->save_crlf = save_crlf;
	ctx->wire = EVP_MD_CTX_new();
	ctx->shown = EVP_MD_CTX_new();
	evp(ctx->wire != NULL && ctx->shown != NULL);
	message_digest_reset(ctx);
	return ctx;
}

void message_digest_reset(struct message_digest_context *ctx)
{
	evp(EVP_DigestInit_ex(ctx->wire, EVP_sha256(), NULL));
	ctx->size = 0;
	ctx->altered = 0;
	ctx->last_cr = ctx->last_crcr = ctx->wire_cr = FALSE;
}

static void remember_line_end(struct message_digest_context *ctx,
			      unsigned char c)
{
	ctx->last_crcr = c == '\r' && ctx->last_cr;
	ctx->last_cr = c == '\r';
}

/* What happens to this byte, after those before it? */
static enum message_alteration
alteration(const struct message_digest_context *ctx, unsigned char c)
{
	if (c == '\0')
		return MESSAGE_ALTERED_NUL;
	if (c != '\n')
		return 0;
	if (!ctx->last_cr)
		return MESSAGE_ALTERED_LF;
	return ctx->last_crcr && !ctx->save_crlf ? MESSAGE_ALTERED_CRCRLF : 0;
}

static const unsigned char *
next_suspect(const unsigned char *p, const unsigned char *end)
{
	while (p < end && *p != '\n' && *p != '\0')
		p++;
	return p;
}

/* Index of the first byte that is altered, or size. */
static size_t
find_altered(struct message_digest_context *ctx, const unsigned char *data,
	     size_t size)
{
	const unsigned char *p = data, *end = data + size, *q;

	while (p < end) {
		q = next_suspect(p, end);
		if (q - p >= 2)
			remember_line_end(ctx, q[-2]);
		if (q - p >= 1)
			remember_line_end(ctx, q[-1]);
		if (q == end || alteration(ctx, *q) != 0)
			return q - data;
		remember_line_end(ctx, *q);
		p = q + 1;
	}
	return size;
}

/* A CR is held back until it is known that no CR LF follows it. */
static void
shown_byte(struct message_digest_context *ctx, unsigned char c)
{
	enum message_alteration altered = alteration(ctx, c);
	const char *bytes;
	size_t len = 1;

	ctx->altered |= altered;
	if (c == '\n') {
		/* of one or more CRs the last but one were given out */
		bytes = (altered & MESSAGE_ALTERED_CRCRLF) != 0 ? "\n" : "\r\n";
		len = strlen(bytes);
	} else {
		if (ctx->last_cr)
			evp(EVP_DigestUpdate(ctx->shown, "\r", 1));
		bytes = c == '\0' ? "\x80" : (const char *)&c;
		len = c == '\r' ? 0 : 1;
	}
	evp(EVP_DigestUpdate(ctx->shown, bytes, len));
	remember_line_end(ctx, c);
}

static void wire_flush_cr(struct message_digest_context *ctx)
{
	if (ctx->wire_cr)
		evp(EVP_DigestUpdate(ctx->wire, "\r", 1));
	ctx->wire_cr = FALSE;
}

/* A CR at the end is held back here too, so that the shown digest can go its
   own way in front of it. */
static void
wire_more(struct message_digest_context *ctx, const unsigned char *data,
	  size_t size)
{
	if (size == 0)
		return;
	wire_flush_cr(ctx);
	ctx->wire_cr = data[size - 1] == '\r';
	evp(EVP_DigestUpdate(ctx->wire, data, size - (ctx->wire_cr ? 1 : 0)));
}

void message_digest_more(struct message_digest_context *ctx,
			 const unsigned char *data, size_t size)
{
	size_t plain;

	ctx->size += size;
	if (ctx->altered == 0) {
		plain = find_altered(ctx, data, size);
		wire_more(ctx, data, plain);
		data += plain;
		size -= plain;
		if (size == 0)
			return;
		/* the first byte that is altered */
		evp(EVP_MD_CTX_copy_ex(ctx->shown, ctx->wire));
	}
	wire_more(ctx, data, size);
	for (size_t i = 0; i < size; i++)
		shown_byte(ctx, data[i]);
}

void message_digest_finish(struct message_digest_context *ctx,
			   struct message_digest *digest_r)
{
	digest_r->size = ctx->size;
	digest_r->altered = ctx->altered;
	wire_flush_cr(ctx);
	evp(EVP_DigestFinal_ex(ctx->wire, digest_r->wire, NULL));
	if (ctx->altered == 0) {
		memcpy(digest_r->shown, digest_r->wire, MESSAGE_DIGEST_SIZE);
		return;
	}
	if (ctx->last_cr)
		evp(EVP_DigestUpdate(ctx->shown, "\r", 1));
	evp(EVP_DigestFinal_ex(ctx->shown, digest_r->shown, NULL));
}

int message_digest_stream(struct message_digest_context *ctx,
			  struct istream *input,
			  struct message_digest *digest_r)
{
	const unsigned char *data;
	size_t size;

	message_digest_reset(ctx);
	while (i_stream_read_more(input, &data, &size) > 0) {
		message_digest_more(ctx, data, size);
		i_stream_skip(input, size);
	}
	message_digest_finish(ctx, digest_r);
	return input->stream_errno == 0 ? 0 : -1;
}

void message_digest_deinit(struct message_digest_context **_ctx)
{
	struct message_digest_context *ctx = *_ctx;

	if (ctx == NULL)
		return;
	*_ctx = NULL;
	EVP_MD_CTX_free(ctx->wire);
	EVP_MD_CTX_free(ctx->shown);
	i_free(ctx);
}

const char *message_alteration_to_str(enum message_alteration altered)
{
	string_t *str = t_str_new(16);

	if ((altered & MESSAGE_ALTERED_LF) != 0)
		str_append(str, "LF ");
	if ((altered & MESSAGE_ALTERED_CRCRLF) != 0)
		str_append(str, "CRCRLF ");
	if ((altered & MESSAGE_ALTERED_NUL) != 0)
		str_append(str, "NUL ");
	if (str_len(str) > 0)
		str_truncate(str, str_len(str) - 1);
	return str_c(str);
}
