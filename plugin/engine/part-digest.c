#include "lib.h"
#include "base64.h"
#include "buffer.h"
#include "qp-decoder.h"
#include "part-digest.h"

#include <openssl/evp.h>

/* A line of so many bytes was broken by a relay: 990 or 998 of them, while users'
   programs end theirs below 80. */
#define BROKEN_LINE_MIN 980
/* More white space than that isn't held back to see whether a line ends. */
#define BLANKS_MAX 1024
/* Decoded at a time. */
#define DECODE_MAX 8192

struct part_digest {
	EVP_MD_CTX *sha256;
	enum message_cte cte;
	struct base64_decoder base64;
	struct qp_decoder *qp;
	/* what a decoder gives */
	buffer_t *decoded;

	/* for sha256 */
	unsigned char out[4096];
	size_t out_used;
	bool has_content;

	/* seen, and counts only when something follows */
	unsigned char blanks[BLANKS_MAX];
	size_t blanks_used;
	uint64_t line_ends;
	/* bytes of this line */
	size_t line_size;
	/* the last byte was the end of an overlong line */
	bool broken;
};

/* The library fails only when it is out of memory, or misbuilt. */
static void evp(int ret)
{
	if (ret != 1)
		i_panic("OpenSSL can't compute SHA-256");
}

struct part_digest *part_digest_init(void)
{
	struct part_digest *digest = i_new(struct part_digest, 1);

	digest->decoded = buffer_create_dynamic(default_pool, DECODE_MAX);
	digest->qp = qp_decoder_init(digest->decoded);
	digest->sha256 = EVP_MD_CTX_new();
	evp(digest->sha256 != NULL);
	part_digest_begin(digest, MESSAGE_CTE_78BIT);
	return digest;
}

void part_digest_deinit(struct part_digest **_digest)
{
	struct part_digest *digest = *_digest;

	if (digest == NULL)
		return;
	*_digest = NULL;
	EVP_MD_CTX_free(digest->sha256);
	qp_decoder_deinit(&digest->qp);
	buffer_free(&digest->decoded);
	i_free(digest);
}

void part_digest_begin(struct part_digest *digest, enum message_cte cte)
{
	evp(EVP_DigestInit_ex(digest->sha256, EVP_sha256(), NULL));
	digest->cte = cte;
	base64_decode_init(&digest->base64, &base64_scheme, 0);
	digest->out_used = digest->blanks_used = digest->line_size = 0;
	digest->line_ends = 0;
	digest->has_content = digest->broken = FALSE;
}

static void flush(struct part_digest *digest)
{
	evp(EVP_DigestUpdate(digest->sha256, digest->out, digest->out_used));
	digest->out_used = 0;
}

static void
put(struct part_digest *digest, const unsigned char *data, size_t size)
{
	size_t n;

	for (; size > 0; data += n, size -= n) {
		if (digest->out_used == sizeof(digest->out))
			flush(digest);
		n = I_MIN(size, sizeof(digest->out) - digest->out_used);
		memcpy(digest->out + digest->out_used, data, n);
		digest->out_used += n;
	}
}

/* Something follows the white space. */
static void put_held_back(struct part_digest *digest)
{
	for (; digest->line_ends > 0; digest->line_ends--)
		put(digest, (const unsigned char *)"\n", 1);
	put(digest, digest->blanks, digest->blanks_used);
	digest->blanks_used = 0;
	digest->has_content = TRUE;
}

static void line_end(struct part_digest *digest)
{
	if (digest->blanks_used > 0 &&
	    digest->blanks[digest->blanks_used - 1] == '\r')
		digest->blanks_used--;
	/* what is before a break may be in the middle of a line */
	digest->broken = digest->line_size >= BROKEN_LINE_MIN;
	if (!digest->broken)
		digest->blanks_used = 0;
	digest->line_ends++;
	digest->line_size = 0;
}

/* The first byte after an overlong line. Returns TRUE when it belongs to the
   break. */
static bool after_broken(struct part_digest *digest, unsigned char c)
{
	digest->broken = FALSE;
	if (c != ' ') {
		digest->blanks_used = 0;
		return FALSE;
	}
	digest->line_ends--;
	return TRUE;
}

static void blank(struct part_digest *digest, unsigned char c)
{
	if (digest->blanks_used == sizeof(digest->blanks))
		put_held_back(digest);
	digest->blanks[digest->blanks_used++] = c;
}

static void
visible(struct part_digest *digest, const unsigned char *data, size_t size)
{
	put_held_back(digest);
	put(digest, data, size);
}

static size_t count_visible(const unsigned char *data, size_t size)
{
	size_t i;

	for (i = 0; i < size && data[i] > ' '; i++) ;
	return i;
}

static void special(struct part_digest *digest, unsigned char c)
{
	switch (c) {
	case '\n':
		line_end(digest);
		break;
	case ' ':
	case '\t':
	case '\r':
		blank(digest, c);
		break;
	case '\0':
		c = 0x80;
		/* fall through */
	default:
		visible(digest, &c, 1);
	}
}

static void
text_more(struct part_digest *digest, const unsigned char *data, size_t size)
{
	size_t i, n;

	for (i = 0; i < size; i += n) {
		n = 1;
		digest->line_size++;
		if (digest->broken && after_broken(digest, data[i]))
			continue;
		n = count_visible(data + i, size - i);
		if (n > 0) {
			visible(digest, data + i, n);
			digest->line_size += n - 1;
		} else {
			special(digest, data[i]);
			n = 1;
		}
	}
}

static void decoded_more(struct part_digest *digest)
{
	text_more(digest, digest->decoded->data, digest->decoded->used);
	buffer_set_used_size(digest->decoded, 0);
}

static void
qp_more(struct part_digest *digest, const unsigned char *data, size_t size)
{
	size_t invalid_pos;
	const char *error;

	/* it passes on what is invalid */
	(void)qp_decoder_more(digest->qp, data, size, &invalid_pos, &error);
	decoded_more(digest);
}

static void
base64_more(struct part_digest *digest, const unsigned char *data, size_t size)
{
	size_t pos = 0;
	int ret;

	ret = base64_decode_more(&digest->base64, data, size, &pos,
				 digest->decoded);
	decoded_more(digest);
	if (ret > 0 && pos == size)
		return;
	/* something behind the padding, or that never was base64 */
	digest->cte = MESSAGE_CTE_78BIT;
	text_more(digest, data + pos, size - pos);
}

void part_digest_more(struct part_digest *digest, const unsigned char *data,
		      size_t size)
{
	size_t n;

	for (; size > 0; data += n, size -= n) {
		n = I_MIN(size, DECODE_MAX);
		switch (digest->cte) {
		case MESSAGE_CTE_QP:
			qp_more(digest, data, n);
			break;
		case MESSAGE_CTE_BASE64:
			base64_more(digest, data, n);
			break;
		case MESSAGE_CTE_UNKNOWN:
		case MESSAGE_CTE_78BIT:
		case MESSAGE_CTE_BINARY:
			text_more(digest, data, n);
			break;
		}
	}
}

bool part_digest_end(struct part_digest *digest,
		     unsigned char digest_r[PART_DIGEST_SIZE])
{
	const char *error;

	if (digest->cte == MESSAGE_CTE_QP) {
		(void)qp_decoder_finish(digest->qp, &error);
		decoded_more(digest);
	}
	flush(digest);
	evp(EVP_DigestFinal_ex(digest->sha256, digest_r, NULL));
	return digest->has_content;
}
