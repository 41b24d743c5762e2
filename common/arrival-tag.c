#include "arrival-tag-private.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

const char *arrival_at_name(enum arrival_at at)
{
	static const char *const names[] = {
		[ARRIVAL_AT_OLD] = "old",
		[ARRIVAL_AT_NEW] = "new"
	};

	return names[at];
}

const char *arrival_result_name(enum arrival_result result)
{
	static const char *const names[] = {
		[ARRIVAL_VALID] = "valid",
		[ARRIVAL_FORGED] = "forged",
		[ARRIVAL_MALFORMED] = "malformed",
		[ARRIVAL_UNKNOWN_VERSION] = "unknown-version",
		[ARRIVAL_UNCHECKED] = "unchecked"
	};

	return names[result];
}

/* NULL, or why it can't be in a tag. */
static const char *refuse_tag(const struct arrival_tag *tag)
{
	if (!arrival_is_word(tag->host, strnlen(tag->host, sizeof(tag->host)),
			     ARRIVAL_HOST_MAX))
		return "the host isn't a host name";
	if (!arrival_is_word(tag->id, strnlen(tag->id, sizeof(tag->id)),
			     ARRIVAL_ID_MAX))
		return "the queue ID is missing or has other than letters and digits";
	if (tag->time < 0 || tag->time > ARRIVAL_TIME_MAX)
		return "the time is out of range";
	return NULL;
}

int arrival_tag_make(const struct arrival_key *key,
		     const struct arrival_tag *tag, struct arrival_mail *mail,
		     char value_r[ARRIVAL_VALUE_SIZE], const char **error_r)
{
	char signature[ARRIVAL_SIGNATURE_LENGTH];

	value_r[0] = '\0';
	*error_r = refuse_tag(tag);
	if (*error_r != NULL)
		return -1;
	if (!arrival_mail_sign(mail, &key->secrets[0], tag,
			       ARRIVAL_HEADERS_NONE, signature)) {
		*error_r = "OpenSSL can't sign";
		return -1;
	}
	snprintf(value_r, ARRIVAL_VALUE_SIZE,
		 "v=" ARRIVAL_VERSION "; at=%s; host=%s; id=%s; t=%lld; s=%.*s",
		 arrival_at_name(tag->at), tag->host, tag->id,
		 (long long)tag->time, ARRIVAL_SIGNATURE_LENGTH, signature);
	return 0;
}

/* Is the signature that of any of our keys, for the mail without these headers? */
static enum arrival_result
check_lacking(const struct arrival_key *key, const struct arrival_tag *tag,
	      const char signature[ARRIVAL_SIGNATURE_LENGTH],
	      struct arrival_mail *mail, unsigned int lacking)
{
	char right[ARRIVAL_SIGNATURE_LENGTH];
	unsigned int i;

	for (i = 0; i < key->count; i++) {
		if (!arrival_mail_sign(mail, &key->secrets[i], tag, lacking,
				       right))
			return ARRIVAL_UNCHECKED;
		/* in a time that doesn't tell how much of it is right */
		if (CRYPTO_memcmp(signature, right, sizeof(right)) == 0)
			return ARRIVAL_VALID;
	}
	return ARRIVAL_FORGED;
}

static enum arrival_result
check_signature(const struct arrival_key *key, const struct arrival_tag *tag,
		const char signature[ARRIVAL_SIGNATURE_LENGTH],
		struct arrival_mail *mail)
{
	enum arrival_result result = ARRIVAL_FORGED;
	unsigned int lacking;

	for (lacking = ARRIVAL_HEADERS_NONE;
	     lacking < ARRIVAL_HEADERS_ALL && result == ARRIVAL_FORGED;
	     lacking++) {
		if (arrival_mail_may_lack(mail, lacking)) {
			result = check_lacking(key, tag, signature, mail,
					       lacking);
		}
	}
	return result;
}

enum arrival_result
arrival_tag_check(const struct arrival_key *key, const char *value,
		  size_t size, struct arrival_mail *mail,
		  struct arrival_tag *tag_r, const char **error_r)
{
	char signature[ARRIVAL_SIGNATURE_LENGTH];
	enum arrival_result result;

	result = arrival_tag_parse(value, size, tag_r, signature, error_r);
	if (result != ARRIVAL_VALID)
		return result;
	result = check_signature(key, tag_r, signature, mail);
	if (result == ARRIVAL_FORGED)
		*error_r = "not signed by us for this mail";
	else if (result == ARRIVAL_UNCHECKED) {
		*error_r = "OpenSSL can't verify";
		memset(tag_r, 0, sizeof(*tag_r));
	}
	return result;
}
