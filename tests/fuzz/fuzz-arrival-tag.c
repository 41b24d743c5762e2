/* fuzz-arrival-tag: the input is a mail's header. Tags in it are checked, a tag for
   it is made, and what relays and forgers do to that one is tried. */
#include "common/arrival-tag.h"
#include "fuzz.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 32
#define KEYS "a-key-for-nothing-but-fuzzing\nanother-key-for-fuzzing\n"

struct header {
	char name[64];
	const char *value;
	size_t size;
};

struct header_list {
	struct header headers[HEADERS_MAX];
	unsigned int count;
};

/* What a mail goes through on its way from one server to the other. */
enum way {
	WAY_STRAIGHT,
	WAY_RELAY,
	/* One more From. */
	WAY_FORGER
};

static struct arrival_key *key;
static struct arrival_mail *mail;

static void setup(void)
{
	const char *error;

	if (key != NULL)
		return;
	FUZZ_CHECK(arrival_key_parse(KEYS, strlen(KEYS), &key, &error) == 0);
	mail = arrival_mail_init();
	FUZZ_CHECK(mail != NULL);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The end of the header that begins there: a newline not followed by white space,
   or the end of the input. */
static const char *header_end(const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p == '\n' && (end - p == 1 || !is_space(p[1])))
			break;
	}
	return p;
}

static void split_headers(const char *p, size_t size, struct header_list *list)
{
	const char *end = p + size, *stop, *colon;
	struct header *header;
	size_t name_size;

	for (list->count = 0; p < end && list->count < HEADERS_MAX; p = stop + 1) {
		stop = header_end(p, end);
		colon = memchr(p, ':', (size_t)(stop - p));
		if (colon == NULL)
			continue;
		header = &list->headers[list->count++];
		name_size = (size_t)(colon - p);
		if (name_size > sizeof(header->name) - 1)
			name_size = sizeof(header->name) - 1;
		memcpy(header->name, p, name_size);
		header->name[name_size] = '\0';
		header->value = colon + 1;
		header->size = (size_t)(stop - header->value);
	}
}

/* The header as a relay may spell it. */
static void add_respelled(const struct header *header)
{
	char name[sizeof(header->name)];
	char *value = malloc(header->size * 4 + 1);
	size_t used = 0, i;

	FUZZ_CHECK(value != NULL);
	for (i = 0; header->name[i] != '\0'; i++) {
		name[i] = (char)(i % 2 == 0 ? toupper((unsigned char)header->name[i]) :
				 tolower((unsigned char)header->name[i]));
	}
	name[i] = '\0';
	for (i = 0; i < header->size; i++) {
		if (is_space(header->value[i]))
			continue;
		if (i % 5 == 0) {
			memcpy(value + used, "\r\n\t", 3);
			used += 3;
		}
		value[used++] = header->value[i];
	}
	arrival_mail_add(mail, name, value, used);
	free(value);
}

static void read_mail(const struct header_list *list, enum way way)
{
	const struct header *header;
	unsigned int i;

	arrival_mail_begin(mail);
	for (i = 0; i < list->count; i++) {
		header = &list->headers[i];
		if (way == WAY_RELAY)
			add_respelled(header);
		else
			arrival_mail_add(mail, header->name, header->value,
					 header->size);
	}
	if (way == WAY_FORGER)
		arrival_mail_add(mail, "From", "mallory@example.org", 19);
	arrival_mail_end(mail);
}

static bool has_value(const struct header *header)
{
	size_t i;

	for (i = 0; i < header->size; i++) {
		if (!is_space(header->value[i]) && header->value[i] != '"' &&
		    header->value[i] != '\\')
			return true;
	}
	return false;
}

/* A mail that had a From can't get another one; neither can one of which the tag
   knows nothing at all. */
static enum arrival_result expect_with_from(const struct header_list *list)
{
	bool others = false;
	unsigned int i;
	char name[sizeof(list->headers[0].name)];

	for (i = 0; i < list->count; i++) {
		if (!has_value(&list->headers[i]))
			continue;
		strcpy(name, list->headers[i].name);
		while (name[0] != '\0' && is_space(name[strlen(name) - 1]))
			name[strlen(name) - 1] = '\0';
		if (strcasecmp(name, "From") == 0)
			return ARRIVAL_FORGED;
		if (strcasecmp(name, "Date") == 0 ||
		    strcasecmp(name, "Message-ID") == 0)
			others = true;
	}
	return others ? ARRIVAL_VALID : ARRIVAL_FORGED;
}

/* Without white space; returns the size. */
static size_t strip(const char *value, size_t size, char *to)
{
	size_t used = 0, i;

	for (i = 0; i < size; i++) {
		if (!is_space(value[i]))
			to[used++] = value[i];
	}
	return used;
}

/* A value with these fields has one spelling, up to its signature; and that is
   ours when it's valid. */
static void
check_spelling(const char *value, size_t size, const struct arrival_tag *tag,
	       enum arrival_result result)
{
	char made[ARRIVAL_VALUE_SIZE], stripped[2][ARRIVAL_VALUE_MAX];
	size_t sizes[2], same;
	const char *error;

	FUZZ_CHECK(size <= ARRIVAL_VALUE_MAX);
	FUZZ_CHECK(arrival_tag_make(key, tag, mail, made, &error) == 0);
	sizes[0] = strip(value, size, stripped[0]);
	sizes[1] = strip(made, strlen(made), stripped[1]);
	FUZZ_CHECK(sizes[0] == sizes[1]);
	same = sizes[0] - strlen("ABCDEFGHIJKLMNOPQRSTUV");
	FUZZ_CHECK(memcmp(stripped[0], stripped[1], same) == 0);
	FUZZ_CHECK(result == ARRIVAL_VALID ||
		   memcmp(stripped[0], stripped[1], sizes[0]) != 0);
}

/* A tag from outside; *tag is replaced when it had fields. */
static void check_header(const struct header *header, struct arrival_tag *tag)
{
	static const struct arrival_tag empty;
	struct arrival_tag found;
	enum arrival_result result;
	const char *error = NULL;
	char *value = malloc(header->size + 1);

	FUZZ_CHECK(value != NULL);
	/* at the end of its block */
	memcpy(value + 1, header->value, header->size);
	result = arrival_tag_check(key, value + 1, header->size, mail, &found,
				   &error);
	FUZZ_CHECK(result == ARRIVAL_VALID || error != NULL);
	if (result == ARRIVAL_VALID || result == ARRIVAL_FORGED) {
		check_spelling(value + 1, header->size, &found, result);
		*tag = found;
	} else {
		FUZZ_CHECK(result != ARRIVAL_UNCHECKED);
		FUZZ_CHECK(memcmp(&found, &empty, sizeof(found)) == 0);
	}
	free(value);
}

static enum arrival_result check_value(const char *value)
{
	struct arrival_tag found;
	const char *error;

	return arrival_tag_check(key, value, strlen(value), mail, &found, &error);
}

/* White space where relays put it. */
static void fold_value(const char *value, char folded[ARRIVAL_VALUE_MAX])
{
	size_t used = 0;

	for (; *value != '\0'; value++) {
		if (*value == '=' || *value == ';')
			folded[used++] = '\t';
		folded[used++] = *value;
		if (*value == '=' || *value == ';') {
			memcpy(folded + used, "\r\n ", 3);
			used += 3;
		}
	}
	folded[used] = '\0';
}

/* One byte changed, where and how as chosen. */
static void check_changed(char *value, uint32_t choice)
{
	size_t pos = choice % strlen(value);
	char before = value[pos], change = (char)(choice >> 16);

	if (change == 0 || (char)(before ^ change) == '\0')
		return;
	value[pos] = (char)(before ^ change);
	FUZZ_CHECK((check_value(value) == ARRIVAL_VALID) ==
		   (is_space(before) && is_space(value[pos])));
	value[pos] = before;
}

/* A tag of ours for that mail. */
static void check_own(const struct header_list *list,
		      const struct arrival_tag *tag, uint32_t choice)
{
	char value[ARRIVAL_VALUE_SIZE], folded[ARRIVAL_VALUE_MAX];
	const char *error;

	FUZZ_CHECK(arrival_tag_make(key, tag, mail, value, &error) == 0);
	FUZZ_CHECK(check_value(value) == ARRIVAL_VALID);
	fold_value(value, folded);
	FUZZ_CHECK(check_value(folded) == ARRIVAL_VALID);
	check_changed(value, choice);
	read_mail(list, WAY_RELAY);
	FUZZ_CHECK(check_value(folded) == ARRIVAL_VALID);
	read_mail(list, WAY_FORGER);
	FUZZ_CHECK(check_value(value) == expect_with_from(list));
}

/* FNV-1a: another place and change for each input */
static uint32_t hash(const uint8_t *data, size_t size)
{
	uint32_t value = 2166136261u;
	size_t i;

	for (i = 0; i < size; i++)
		value = (value ^ data[i]) * 16777619u;
	return value;
}

static void check_as_key(const char *data, size_t size)
{
	struct arrival_key *other;
	const char *error = NULL;

	if (arrival_key_parse(data, size, &other, &error) < 0)
		FUZZ_CHECK(other == NULL && error != NULL);
	arrival_key_free(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arrival_tag tag = { ARRIVAL_AT_OLD, "mx.old.example", "1", 0 };
	struct header_list list;
	unsigned int i;

	setup();
	check_as_key((const char *)data, size);
	split_headers((const char *)data, size, &list);
	read_mail(&list, WAY_STRAIGHT);
	for (i = 0; i < list.count; i++) {
		if (strcasecmp(list.headers[i].name, ARRIVAL_TAG_HEADER) == 0)
			check_header(&list.headers[i], &tag);
	}
	check_own(&list, &tag, hash(data, size));
	return 0;
}
