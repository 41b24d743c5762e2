#include "mail-headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int mail_headers_init(struct mail_headers *headers)
{
	memset(headers, 0, sizeof(*headers));
	headers->mail = arrival_mail_init();
	return headers->mail == NULL ? -1 : 0;
}

static void forget_tags(struct mail_headers *headers)
{
	unsigned int i;

	for (i = 0; i < headers->tag_count; i++)
		free(headers->tags[i].value);
	headers->tag_count = 0;
	headers->more_tags = 0;
}

void mail_headers_deinit(struct mail_headers *headers)
{
	forget_tags(headers);
	free(headers->tags);
	arrival_mail_deinit(&headers->mail);
}

void mail_headers_begin(struct mail_headers *headers)
{
	forget_tags(headers);
	headers->spam = false;
	headers->failed = false;
	arrival_mail_begin(headers->mail);
}

static bool make_room(struct mail_headers *headers)
{
	unsigned int wanted = headers->tags_allocated == 0 ? 4 :
		headers->tags_allocated * 2;
	struct mail_tag *tags;

	if (headers->tag_count < headers->tags_allocated)
		return true;
	tags = realloc(headers->tags, wanted * sizeof(*tags));
	if (tags == NULL)
		return false;
	headers->tags = tags;
	headers->tags_allocated = wanted;
	return true;
}

static void add_tag(struct mail_headers *headers, const char *value)
{
	struct mail_tag *tag;

	if (headers->tag_count == MAIL_TAGS_MAX) {
		headers->more_tags++;
		return;
	}
	if (!make_room(headers)) {
		headers->failed = true;
		return;
	}
	tag = &headers->tags[headers->tag_count];
	memset(tag, 0, sizeof(*tag));
	tag->size = strlen(value);
	tag->value = strndup(value, ARRIVAL_VALUE_MAX);
	if (tag->value == NULL)
		headers->failed = true;
	else
		headers->tag_count++;
}

void mail_headers_add(struct mail_headers *headers,
		      const struct spam_header *spam_headers,
		      const char *name, const char *value)
{
	if (strcasecmp(name, ARRIVAL_TAG_HEADER) == 0)
		add_tag(headers, value);
	else
		arrival_mail_add(headers->mail, name, value, strlen(value));
	if (spam_header_matches(spam_headers, name, value))
		headers->spam = true;
}

static void
check_tag(struct mail_headers *headers, struct mail_tag *tag,
	  const struct arrival_key *key)
{
	if (tag->size > ARRIVAL_VALUE_MAX) {
		tag->size = ARRIVAL_VALUE_MAX;
		tag->result = ARRIVAL_MALFORMED;
		tag->reason = "too long";
		return;
	}
	tag->result = arrival_tag_check(key, tag->value, tag->size,
					headers->mail, &tag->tag,
					&tag->reason);
	if (tag->result == ARRIVAL_VALID)
		tag->reason = NULL;
}

void mail_headers_check(struct mail_headers *headers,
			const struct arrival_key *key)
{
	unsigned int i;

	arrival_mail_end(headers->mail);
	for (i = 0; i < headers->tag_count; i++)
		check_tag(headers, &headers->tags[i], key);
}
