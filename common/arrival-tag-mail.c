#include "arrival-tag-private.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGEST_SIZE 32
#define SIGNATURE_BYTES 16

static const char *const signed_names[] = { "Message-ID", "Date", "From" };
#define SIGNED_COUNT (sizeof(signed_names) / sizeof(signed_names[0]))

struct arrival_mail {
	EVP_MD *sha256;
	EVP_MAC_CTX *hmac;
	/* One for each signed name. */
	EVP_MD_CTX *contexts[SIGNED_COUNT];
	unsigned char digests[SIGNED_COUNT][DIGEST_SIZE];
	/* Those that have a value, a bit each. */
	unsigned int present;
	/* OpenSSL didn't fail with this mail. */
	bool ok;
};

/* What is signed, with room for the longest fields. */
struct signed_text {
	unsigned char bytes[ARRIVAL_HOST_MAX + ARRIVAL_ID_MAX +
			    SIGNED_COUNT * DIGEST_SIZE + 128];
	size_t size;
};

static EVP_MAC_CTX *hmac_init(void)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *hmac = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

	/* the context keeps a reference */
	EVP_MAC_free(mac);
	if (hmac != NULL && EVP_MAC_CTX_set_params(hmac, params) != 1) {
		EVP_MAC_CTX_free(hmac);
		return NULL;
	}
	return hmac;
}

struct arrival_mail *arrival_mail_init(void)
{
	struct arrival_mail *mail = calloc(1, sizeof(*mail));
	bool ok;
	size_t i;

	if (mail == NULL)
		return NULL;
	/* fetched here: an implicit fetch would cost each mail a lock */
	mail->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	mail->hmac = hmac_init();
	ok = mail->sha256 != NULL && mail->hmac != NULL;
	for (i = 0; i < SIGNED_COUNT; i++) {
		mail->contexts[i] = EVP_MD_CTX_new();
		if (mail->contexts[i] == NULL)
			ok = false;
	}
	if (!ok)
		arrival_mail_deinit(&mail);
	else
		arrival_mail_begin(mail);
	return mail;
}

void arrival_mail_deinit(struct arrival_mail **mail)
{
	size_t i;

	if (*mail == NULL)
		return;
	for (i = 0; i < SIGNED_COUNT; i++)
		EVP_MD_CTX_free((*mail)->contexts[i]);
	EVP_MAC_CTX_free((*mail)->hmac);
	EVP_MD_free((*mail)->sha256);
	free(*mail);
	*mail = NULL;
}

void arrival_mail_begin(struct arrival_mail *mail)
{
	size_t i;

	mail->ok = true;
	mail->present = ARRIVAL_HEADERS_NONE;
	for (i = 0; i < SIGNED_COUNT; i++) {
		if (EVP_DigestInit_ex2(mail->contexts[i], mail->sha256,
				       NULL) != 1)
			mail->ok = false;
	}
}

/* The number of that name, SIGNED_COUNT when it isn't signed. */
static size_t find_signed(const char *name)
{
	size_t size = strlen(name), i;

	/* "From :" is an obsolete spelling, RFC 5322 part 4.5 */
	while (size > 0 && arrival_is_space(name[size - 1]))
		size--;
	for (i = 0; i < SIGNED_COUNT; i++) {
		if (strlen(signed_names[i]) == size &&
		    strncasecmp(signed_names[i], name, size) == 0)
			break;
	}
	return i;
}

/* What relays put in or take out. */
static bool is_ignored(char c)
{
	return arrival_is_space(c) || c == '"' || c == '\\';
}

static const char *skip_ignored(const char *p, const char *end)
{
	while (p < end && is_ignored(*p))
		p++;
	return p;
}

void arrival_mail_add(struct arrival_mail *mail, const char *name,
		      const char *value, size_t size)
{
	const char *end = value + size, *p = skip_ignored(value, end), *text;
	size_t n = find_signed(name);

	if (n == SIGNED_COUNT || p == end || !mail->ok)
		return;
	mail->present |= 1u << n;
	while (p < end) {
		for (text = p; p < end && !is_ignored(*p); p++) ;
		if (EVP_DigestUpdate(mail->contexts[n], text,
				     (size_t)(p - text)) != 1)
			mail->ok = false;
		p = skip_ignored(p, end);
	}
	if (EVP_DigestUpdate(mail->contexts[n], "\n", 1) != 1)
		mail->ok = false;
}

void arrival_mail_end(struct arrival_mail *mail)
{
	size_t i;

	/* OpenSSL crashes on a context that it couldn't begin */
	for (i = 0; i < SIGNED_COUNT && mail->ok; i++) {
		mail->ok = EVP_DigestFinal_ex(mail->contexts[i],
					      mail->digests[i], NULL) == 1;
	}
}

static void
put_field(struct signed_text *text, const void *data, size_t size)
{
	unsigned char *to = text->bytes + text->size;

	to[0] = (unsigned char)(size >> 24);
	to[1] = (unsigned char)(size >> 16);
	to[2] = (unsigned char)(size >> 8);
	to[3] = (unsigned char)size;
	memcpy(to + 4, data, size);
	text->size += 4 + size;
}

static void put_string(struct signed_text *text, const char *str)
{
	put_field(text, str, strlen(str));
}

static void
put_tag(struct signed_text *text, const struct arrival_tag *tag)
{
	char number[24];

	put_string(text, ARRIVAL_TAG_HEADER);
	put_string(text, ARRIVAL_VERSION);
	put_string(text, arrival_at_name(tag->at));
	put_string(text, tag->host);
	put_string(text, tag->id);
	snprintf(number, sizeof(number), "%lld", (long long)tag->time);
	put_string(text, number);
}

/* RFC 4648 part 5; 16 bytes end in 2 bits that fill nothing. */
static void
encode_base64url(const unsigned char bytes[SIGNATURE_BYTES],
		 char to[ARRIVAL_SIGNATURE_LENGTH])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned int bits = 0, count = 0, i, used = 0;

	for (i = 0; i < SIGNATURE_BYTES; i++) {
		bits = bits << 8 | bytes[i];
		for (count += 8; count >= 6; count -= 6)
			to[used++] = alphabet[bits >> (count - 6) & 0x3f];
	}
	to[used] = alphabet[bits << (6 - count) & 0x3f];
}

bool arrival_mail_may_lack(const struct arrival_mail *mail,
			   unsigned int headers)
{
	return headers == ARRIVAL_HEADERS_NONE ||
		((headers & ~mail->present) == 0 && headers != mail->present);
}

bool arrival_mail_sign(struct arrival_mail *mail,
		       const struct arrival_secret *secret,
		       const struct arrival_tag *tag, unsigned int lacking,
		       char signature_r[ARRIVAL_SIGNATURE_LENGTH])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	struct signed_text text = { .size = 0 };
	size_t size, i;

	if (!mail->ok)
		return false;
	put_tag(&text, tag);
	for (i = 0; i < SIGNED_COUNT; i++) {
		put_field(&text, mail->digests[i],
			  (mail->present & ~lacking & 1u << i) != 0 ?
			  DIGEST_SIZE : 0);
	}
	if (EVP_MAC_init(mail->hmac, secret->bytes, secret->size, NULL) != 1 ||
	    EVP_MAC_update(mail->hmac, text.bytes, text.size) != 1 ||
	    EVP_MAC_final(mail->hmac, mac, &size, sizeof(mac)) != 1)
		return false;
	encode_base64url(mac, signature_r);
	return true;
}
