#include "lib.h"
#include "array.h"
#include "str.h"
#include "strescape.h"
#include "unichar.h"
#include "service-picture.h"

/* A key of a line, and where its value goes. */
struct picture_key {
	const char *key;
	bool is_text;
	size_t offset;
};

#define NUMBER(type, name) { #name, FALSE, offsetof(struct type, name) }
#define TEXT(type, name) { #name, TRUE, offsetof(struct type, name) }
#define END { NULL, FALSE, 0 }

static const struct picture_key total_keys[] = {
	NUMBER(service_total, paused),
	NUMBER(service_total, users),
	NUMBER(service_total, unseen),
	NUMBER(service_total, moving),
	NUMBER(service_total, local),
	NUMBER(service_total, closed),
	NUMBER(service_total, failed),
	NUMBER(service_total, running),
	NUMBER(service_total, messages),
	NUMBER(service_total, done_messages),
	NUMBER(service_total, bytes),
	NUMBER(service_total, done_bytes),
	NUMBER(service_total, rate),
	NUMBER(service_total, seconds_left),
	NUMBER(service_total, since),
	NUMBER(service_total, catchup_oldest),
	END
};

static const struct picture_key server_keys[] = {
	TEXT(service_server, host),
	NUMBER(service_server, connections),
	NUMBER(service_server, limit),
	TEXT(service_server, state),
	NUMBER(service_server, until),
	TEXT(service_server, reason),
	NUMBER(service_server, today),
	NUMBER(service_server, daily),
	NUMBER(service_server, rate),
	END
};

static const struct picture_key running_keys[] = {
	TEXT(service_running, user),
	TEXT(service_running, host),
	TEXT(service_running, doing),
	TEXT(service_running, mailbox),
	TEXT(service_running, what),
	NUMBER(service_running, messages),
	NUMBER(service_running, done_messages),
	NUMBER(service_running, bytes),
	NUMBER(service_running, done_bytes),
	NUMBER(service_running, rate),
	NUMBER(service_running, since),
	END
};

static const struct picture_key failed_keys[] = {
	TEXT(service_failed, user),
	TEXT(service_failed, failure),
	TEXT(service_failed, reason),
	NUMBER(service_failed, since),
	NUMBER(service_failed, retry),
	END
};

/* Controls (C0, DEL, C1), and what changes the direction of a text. */
static bool is_harmful(unichar_t chr)
{
	return chr < 0x20 || (chr >= 0x7f && chr < 0xa0) ||
		chr == 0x061c || chr == 0x200e || chr == 0x200f ||
		(chr >= 0x2028 && chr <= 0x202e) ||
		(chr >= 0x2066 && chr <= 0x2069);
}

static const char *to_shown(pool_t pool, const char *text)
{
	string_t *str = str_new(pool, strlen(text) + 1);
	unichar_t chr;
	int size;

	while (*text != '\0') {
		size = uni_utf8_get_char(text, &chr);
		if (size <= 0 || is_harmful(chr)) {
			str_append_c(str, '?');
			text += I_MAX(size, 1);
		} else {
			str_append_data(str, text, size);
			text += size;
		}
	}
	return str_c(str);
}

static void
picture_set(pool_t pool, const struct picture_key *key, const char *value,
	    void *row)
{
	void *place = PTR_OFFSET(row, key->offset);
	uint64_t number;

	if (key->is_text)
		*(const char **)place = to_shown(pool, value);
	else if (str_to_uint64(value, &number) == 0)
		*(uint64_t *)place = number;
	else
		*(uint64_t *)place = SERVICE_UNKNOWN;
}

static void
picture_row(pool_t pool, const struct picture_key *keys,
	    const char *const *words, void *row)
{
	const struct picture_key *key;
	size_t size;

	for (key = keys; key->key != NULL; key++) {
		if (key->is_text)
			picture_set(pool, key, "", row);
	}
	for (; *words != NULL; words++) {
		size = strcspn(*words, "=");
		if ((*words)[size] == '\0')
			continue;
		for (key = keys; key->key != NULL; key++) {
			if (strlen(key->key) == size &&
			    memcmp(key->key, *words, size) == 0)
				picture_set(pool, key, *words + size + 1, row);
		}
	}
}

void service_picture_add(struct service_picture *picture, const char *line)
{
	T_BEGIN {
		const char *const *words = t_strsplit_tabescaped(line);
		const struct picture_key *keys = NULL;
		void *row = NULL;

		if (words[0] == NULL) {
			/* nothing */
		} else if (strcmp(words[0], "total") == 0) {
			row = &picture->total;
			keys = total_keys;
		} else if (strcmp(words[0], "server") == 0) {
			row = array_append_space(&picture->servers);
			keys = server_keys;
		} else if (strcmp(words[0], "running") == 0) {
			row = array_append_space(&picture->running);
			keys = running_keys;
		} else if (strcmp(words[0], "failed") == 0) {
			row = array_append_space(&picture->failed);
			keys = failed_keys;
		}
		if (row != NULL)
			picture_row(picture->pool, keys, words + 1, row);
	} T_END;
}

struct service_picture *service_picture_init(void)
{
	pool_t pool = pool_alloconly_create("service picture", 4096);
	struct service_picture *picture =
		p_new(pool, struct service_picture, 1);

	picture->pool = pool;
	p_array_init(&picture->servers, pool, 4);
	p_array_init(&picture->running, pool, 16);
	p_array_init(&picture->failed, pool, 16);
	return picture;
}

void service_picture_deinit(struct service_picture **_picture)
{
	struct service_picture *picture = *_picture;

	*_picture = NULL;
	pool_unref(&picture->pool);
}
