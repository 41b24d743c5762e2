#include "report-event.h"

#include <string.h>

/* A power of two, several times the number of keys. */
#define SLOTS 256

static const char *const key_names[REPORT_KEYS] = {
#define X(name) #name,
	REPORT_EVENT_KEYS(X)
#undef X
};

static const unsigned char key_sizes[REPORT_KEYS] = {
#define X(name) sizeof(#name) - 1,
	REPORT_EVENT_KEYS(X)
#undef X
};

/* Key + 1 by the hash of its name, 0 for none; with linear probing. */
static unsigned char slots[SLOTS];

static unsigned int hash_key(const char *key, size_t size)
{
	return ((unsigned char)key[0] * 5U + (unsigned char)key[size - 1] * 17U +
		(unsigned char)key[size / 2] * 3U + (unsigned int)size * 61U) %
		SLOTS;
}

static void __attribute__((constructor)) slots_init(void)
{
	unsigned int key, slot;

	_Static_assert(REPORT_KEYS <= 64, "present has 64 bits");
	for (key = 0; key < REPORT_KEYS; key++) {
		slot = hash_key(key_names[key], strlen(key_names[key]));
		while (slots[slot] != 0)
			slot = (slot + 1) % SLOTS;
		slots[slot] = (unsigned char)(key + 1);
	}
}

/* REPORT_KEYS when it isn't known. */
static unsigned int find_key(const char *name, size_t size)
{
	unsigned int slot = hash_key(name, size), key;

	for (; slots[slot] != 0; slot = (slot + 1) % SLOTS) {
		key = slots[slot] - 1U;
		if (key_sizes[key] == size &&
		    memcmp(key_names[key], name, size) == 0)
			return key;
	}
	return REPORT_KEYS;
}

int report_event_parse(struct report_event *event, const char *message,
		       size_t size, const char **error_r)
{
	struct report_parser parser;
	struct report_part part;
	unsigned int key;
	char *buffer = event->decoded;
	int ret;

	event->present = 0;
	report_parser_init(&parser, message, size);
	while ((ret = report_parser_next_part(&parser, buffer, &part,
					      error_r)) > 0) {
		key = find_key(part.key, part.key_size);
		if (key == REPORT_KEYS)
			continue;
		event->present |= UINT64_C(1) << key;
		event->keys[key].data = part.value;
		event->keys[key].size = part.value_size;
		/* a line isn't longer than what is decoded of it */
		if (part.value == buffer)
			buffer += part.value_size;
	}
	return ret;
}

bool report_event_is(const struct report_event *event, enum report_key key,
		     const char *value)
{
	struct text text = report_event_get(event, key);

	return text.size == strlen(value) &&
		memcmp(text.data, value, text.size) == 0;
}

static void to_field(const struct report_event *event, enum report_key key,
		     struct report_field *field)
{
	struct text text = report_event_get(event, key);

	field->size = text.size;
	memcpy(field->value, text.data, text.size);
	field->value[text.size] = '\0';
}

uint64_t report_event_number(const struct report_event *event,
			     enum report_key key)
{
	struct report_field field;
	uint64_t number;

	to_field(event, key, &field);
	return report_field_number(&field, &number) ? number : 0;
}

uint64_t report_event_millis(const struct report_event *event,
			     enum report_key key)
{
	struct report_field field;
	uint64_t millis;

	to_field(event, key, &field);
	return report_field_millis(&field, &millis) ? millis : 0;
}

bool report_event_side(const struct report_event *event,
		       enum report_side *side_r)
{
	*side_r = report_event_is(event, KEY_at, "old") ? REPORT_OLD :
		REPORT_NEW;
	return *side_r == REPORT_OLD || report_event_is(event, KEY_at, "new");
}
