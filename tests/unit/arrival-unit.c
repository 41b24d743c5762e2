#include "arrival-unit.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

const struct header mail_headers[HEADERS_MAX] = { MAIL };
const struct arrival_tag mail_tag = {
	ARRIVAL_AT_NEW, "mx1.new.example", "4XyZ", TIME
};

struct arrival_key *new_key(const char *text)
{
	struct arrival_key *key;
	const char *error = "";

	if (arrival_key_parse(text, strlen(text), &key, &error) < 0) {
		UNIT_CHECK(false, "key %s: %s", text, error);
		abort();
	}
	return key;
}

static void
read_mail(struct arrival_mail *mail, const struct header *headers)
{
	unsigned int i;

	arrival_mail_begin(mail);
	for (i = 0; i < HEADERS_MAX && headers[i].name != NULL; i++) {
		arrival_mail_add(mail, headers[i].name, headers[i].value,
				 strlen(headers[i].value));
	}
	arrival_mail_end(mail);
}

struct arrival_mail *new_mail(const struct header *headers)
{
	struct arrival_mail *mail = arrival_mail_init();

	if (mail == NULL)
		abort();
	read_mail(mail, headers);
	return mail;
}

const char *make(const char *key_text, const struct arrival_tag *tag,
		 const struct header *headers)
{
	static char value[ARRIVAL_VALUE_SIZE];
	struct arrival_key *key = new_key(key_text);
	struct arrival_mail *mail = new_mail(headers);
	const char *error = "";

	UNIT_CHECK(arrival_tag_make(key, tag, mail, value, &error) == 0,
		   "make: %s", error);
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
	return value;
}

enum arrival_result check(const char *key_text, const char *value, size_t size,
			  const struct header *headers)
{
	struct arrival_key *key = new_key(key_text);
	struct arrival_mail *mail = new_mail(headers);
	struct arrival_tag tag;
	const char *error;
	char *copy = malloc(size + (size == 0));
	enum arrival_result result;

	if (copy == NULL)
		abort();
	memcpy(copy, value, size);
	result = arrival_tag_check(key, copy, size, mail, &tag, &error);
	free(copy);
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
	return result;
}
