/* fuzz-mail-identity: the input is a mail. What relays do to it leaves its
   identity. */
#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "common/arrival-tag.h"
#include "engine/mail-identity.h"
#include "fuzz.h"

#include <string.h>

#define KEY "a-key-for-nothing-but-fuzzing\n"
#define TRACE "Received: from a by b; Mon, 5 Jan 2026 10:11:12 +0100\n" \
	"X-Relay: yes\n"

static struct arrival_key *key;

static void get(const void *data, size_t size, struct mail_identity *identity_r)
{
	struct istream *input = i_stream_create_from_data(data, size);
	const char *error;

	FUZZ_CHECK(mail_identity_get(input, key, identity_r, &error) == 0);
	i_stream_unref(&input);
}

static void check_identity(const struct mail_identity *identity)
{
	FUZZ_CHECK(identity->has_message_id ||
		   *identity->message_id_text == '\0');
	FUZZ_CHECK(strpbrk(identity->message_id_text, " \t\r\n") == NULL);
	/* nobody knows the key */
	FUZZ_CHECK(!identity->tagged);
}

/* Each line ends in one LF, the last one too, so that what relays do is no more
   than what it is. */
static bool is_regular(const uint8_t *data, size_t size)
{
	return size > 0 && data[size - 1] == '\n' &&
		memchr(data, '\r', size) == NULL && data[0] != '\n' &&
		data[0] != ' ' && data[0] != '\t';
}

static void append_crlf(buffer_t *mail, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			buffer_append_c(mail, '\r');
		buffer_append_c(mail, data[i]);
	}
}

static void check_same(const struct mail_identity *identity,
		       const buffer_t *relayed)
{
	struct mail_identity other;

	get(relayed->data, relayed->used, &other);
	FUZZ_CHECK(memcmp(identity->digest, other.digest,
			  sizeof(identity->digest)) == 0);
	FUZZ_CHECK(identity->has_message_id == other.has_message_id &&
		   memcmp(identity->message_id, other.message_id,
			  sizeof(identity->message_id)) == 0);
	FUZZ_CHECK(identity->spam == other.spam && other.arrived);
}

static void check_relayed(const struct mail_identity *identity,
			  const uint8_t *data, size_t size)
{
	buffer_t *relayed = t_buffer_create(size * 2 + sizeof(TRACE));

	buffer_append(relayed, TRACE, strlen(TRACE));
	buffer_append(relayed, data, size);
	check_same(identity, relayed);

	buffer_set_used_size(relayed, 0);
	append_crlf(relayed, (const uint8_t *)TRACE, strlen(TRACE));
	append_crlf(relayed, data, size);
	buffer_append(relayed, "\r\n \r\n", 5);
	check_same(identity, relayed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_identity identity;
	const char *error;

	if (key == NULL) {
		lib_init();
		FUZZ_CHECK(arrival_key_parse(KEY, strlen(KEY), &key,
					     &error) == 0);
	}
	T_BEGIN {
		get(data, size, &identity);
		check_identity(&identity);
		if (is_regular(data, size))
			check_relayed(&identity, data, size);
	} T_END;
	return 0;
}
