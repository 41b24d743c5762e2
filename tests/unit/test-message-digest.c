/* test-message-digest: both digests against a plain model of the rules in the
   header, however the message is cut. */
#include "engine-unit.h"
#include "buffer.h"
#include "istream.h"
#include "plugin/engine/body-stream.h"
#include "plugin/engine/message-digest.h"

#include <openssl/evp.h>

#define MAX_SIZE 200

struct model {
	buffer_t *shown;
	enum message_alteration altered;
};

/* Each byte looks only at those before it; of CR CR LF the CR that doesn't
   stay is the last one. */
static void model_run(const unsigned char *data, size_t size, bool save_crlf,
		      struct model *model)
{
	model->shown = t_buffer_create(MAX_SIZE * 2);
	model->altered = 0;
	for (size_t i = 0; i < size; i++) {
		bool cr = i > 0 && data[i - 1] == '\r';
		bool crcr = cr && i > 1 && data[i - 2] == '\r';

		if (data[i] == '\0') {
			model->altered |= MESSAGE_ALTERED_NUL;
			buffer_append_c(model->shown, 0x80);
			continue;
		}
		if (data[i] == '\n' && !cr) {
			model->altered |= MESSAGE_ALTERED_LF;
			buffer_append_c(model->shown, '\r');
		} else if (data[i] == '\n' && crcr && !save_crlf) {
			model->altered |= MESSAGE_ALTERED_CRCRLF;
			buffer_set_used_size(model->shown,
					     model->shown->used - 1);
		}
		buffer_append_c(model->shown, data[i]);
	}
}

static void sha256(const void *data, size_t size, unsigned char *digest_r)
{
	CU_ASSERT(EVP_Digest(data, size, digest_r, NULL, EVP_sha256(),
			     NULL) == 1);
}

/* In pieces of at most max_piece bytes, some of none. */
static void feed(struct message_digest_context *ctx, const unsigned char *data,
		 size_t size, unsigned int max_piece)
{
	size_t piece;

	for (; size > 0; data += piece, size -= piece) {
		piece = engine_unit_rand(max_piece + 1);
		piece = I_MIN(piece, size);
		message_digest_more(ctx, data, piece);
	}
}

static bool check(struct message_digest_context *ctx, bool save_crlf,
		  const unsigned char *data, size_t size,
		  unsigned int max_piece)
{
	unsigned char wire[MESSAGE_DIGEST_SIZE], shown[MESSAGE_DIGEST_SIZE];
	struct message_digest digest;
	struct model model;

	model_run(data, size, save_crlf, &model);
	sha256(data, size, wire);
	sha256(model.shown->data, model.shown->used, shown);
	message_digest_reset(ctx);
	feed(ctx, data, size, max_piece);
	message_digest_finish(ctx, &digest);
	return UNIT_CHECK(digest.size == size &&
			  digest.altered == model.altered &&
			  memcmp(digest.wire, wire, sizeof(wire)) == 0 &&
			  memcmp(digest.shown, shown, sizeof(shown)) == 0,
			  "size %zu, altered %d, expected %d, in pieces of %u",
			  size, digest.altered, model.altered, max_piece);
}

/* All messages of up to 6 bytes over the alphabet. */
static void test_all_short(void)
{
	static const unsigned char alphabet[] = { '\r', '\n', '\0', 'a' };
	struct message_digest_context *ctx;
	unsigned char data[6];
	size_t size;

	for (int save_crlf = 0; save_crlf < 2; save_crlf++) {
		ctx = message_digest_init(save_crlf == 1);
		for (size = 0; size <= sizeof(data); size++)
		for (unsigned int n = 0; n < 1U << (2 * size); n++) T_BEGIN {
			for (size_t i = 0; i < size; i++)
				data[i] = alphabet[(n >> (2 * i)) & 3];
			(void)check(ctx, save_crlf == 1, data, size, 1 + n % 4);
		} T_END;
		message_digest_deinit(&ctx);
	}
}

static void test_random(void)
{
	static const char *const alphabets[] = {
		"\r\na", "\r\r\r\n", "aaaaaaaaaaaaaaaa\n", "ab\r",
	};
	struct message_digest_context *ctx;
	unsigned char data[MAX_SIZE];
	bool ok = TRUE;

	for (unsigned int n = 0; ok && n < 20000; n++) T_BEGIN {
		const char *alphabet =
			alphabets[n % N_ELEMENTS(alphabets)];
		size_t size = engine_unit_rand(MAX_SIZE + 1);

		/* the NUL at the end is one of them, now and then */
		for (size_t i = 0; i < size; i++)
			data[i] = alphabet[engine_unit_rand(strlen(alphabet) +
							    (n / 4) % 2)];
		ctx = message_digest_init(n % 3 == 0);
		ok = check(ctx, n % 3 == 0, data, size,
			   1 + engine_unit_rand(20));
		message_digest_deinit(&ctx);
	} T_END;
}

static void test_large(void)
{
	struct message_digest_context *ctx = message_digest_init(FALSE);
	size_t size = 3 * 1024 * 1024 + 7;
	unsigned char *data = i_malloc(size);
	unsigned char sum[MESSAGE_DIGEST_SIZE];
	struct message_digest digest;

	memset(data, 'x', size);
	for (size_t i = 77; i < size; i += 78)
		memcpy(data + i - 1, "\r\n", 2);
	sha256(data, size, sum);
	feed(ctx, data, size, 65536);
	message_digest_finish(ctx, &digest);
	CU_ASSERT(digest.altered == 0 && digest.size == size);
	CU_ASSERT(memcmp(digest.wire, sum, sizeof(sum)) == 0);
	CU_ASSERT(memcmp(digest.shown, sum, sizeof(sum)) == 0);
	message_digest_deinit(&ctx);
	i_free(data);
}

static void test_names(void)
{
	static const char *const names[] = {
		"", "LF", "CRCRLF", "LF CRCRLF", "NUL", "LF NUL",
		"CRCRLF NUL", "LF CRCRLF NUL"
	};

	for (unsigned int i = 0; i < N_ELEMENTS(names); i++) {
		UNIT_CHECK(strcmp(message_alteration_to_str(i), names[i]) == 0,
			   "%u: %s", i, message_alteration_to_str(i));
	}
}

/* Read what the body has. Returns FALSE at its end. */
static bool read_body(struct istream *body, buffer_t *out)
{
	const unsigned char *data;
	size_t size;
	int ret;

	while ((ret = i_stream_read_more(body, &data, &size)) > 0) {
		buffer_append(out, data, size);
		i_stream_skip(body, size);
	}
	return ret == 0;
}

/* A body from several sources: all their bytes in order, digested on the way,
   and never an end before it is said. */
static void test_body_stream(void)
{
	struct message_digest_context *ctx = message_digest_init(FALSE);
	struct istream *source, *body = body_stream_create(ctx);
	unsigned char sum[MESSAGE_DIGEST_SIZE];
	buffer_t *in = t_buffer_create(1024), *out = t_buffer_create(1024);
	struct message_digest digest;

	CU_ASSERT(read_body(body, out));
	for (unsigned int i = 0; i < 20; i++) {
		size_t start = in->used, size = engine_unit_rand(300000);

		for (size_t j = 0; j < size; j++)
			buffer_append_c(in, "ab\r"[engine_unit_rand(3)]);
		source = i_stream_create_from_data(
			CONST_PTR_OFFSET(in->data, start), size);
		body_stream_set_source(body, source);
		UNIT_CHECK(read_body(body, out), "ended at source %u", i);
		body_stream_set_source(body, NULL);
		i_stream_unref(&source);
		CU_ASSERT(read_body(body, out));
		CU_ASSERT(out->used == in->used);
	}
	body_stream_set_eof(body);
	CU_ASSERT(!read_body(body, out));
	CU_ASSERT(body->eof && body->stream_errno == 0);
	CU_ASSERT(in->used == out->used &&
		  memcmp(in->data, out->data, in->used) == 0);
	message_digest_finish(ctx, &digest);
	sha256(in->data, in->used, sum);
	CU_ASSERT(digest.size == in->used);
	CU_ASSERT(memcmp(digest.wire, sum, sizeof(sum)) == 0);
	i_stream_unref(&body);
	message_digest_deinit(&ctx);
}

static void test_body_stream_error(void)
{
	struct message_digest_context *ctx = message_digest_init(FALSE);
	struct istream *body = body_stream_create(ctx);
	struct istream *source = i_stream_create_error_str(EIO, "gone");

	body_stream_set_source(body, source);
	CU_ASSERT(!read_body(body, t_buffer_create(16)));
	CU_ASSERT(body->stream_errno == EIO);
	CU_ASSERT(strstr(i_stream_get_error(body), "gone") != NULL);
	i_stream_unref(&body);
	i_stream_unref(&source);
	message_digest_deinit(&ctx);
}

static const struct unit_test tests[] = {
	{ "all short messages", test_all_short },
	{ "random messages", test_random },
	{ "large message", test_large },
	{ "names", test_names },
	{ "body stream", test_body_stream },
	{ "body stream, error", test_body_stream_error },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("message-digest", tests);
}
