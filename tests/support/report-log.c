#include "report-log.h"
#include "common/report-line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts the lines for which is_meant says yes; size is without the newline. */
static unsigned int
count_lines(const char *path, void *context,
	    bool (*is_meant)(const char *line, size_t size, void *context))
{
	FILE *in = fopen(path, "r");
	unsigned int count = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	if (in == NULL)
		return 0;
	while ((size = getline(&line, &room, in)) > 0) {
		if (line[size - 1] == '\n')
			line[--size] = '\0';
		if (is_meant(line, (size_t)size, context))
			count++;
	}
	free(line);
	fclose(in);
	return count;
}

struct wanted_event {
	const char *event;
	/* One; or several, "key=value key=value". NULL: not looked at. */
	const char *key, *value, *keys;
	/* Of this one the value is wanted, unless it is NULL. */
	const char *asked;
	struct report_field *answer;
};

static bool has_value(const char *message, size_t size, const char *key,
		      const char *value, size_t value_size)
{
	struct report_field field;

	return report_line_get(message, size, key, &field) &&
		field.size == value_size &&
		memcmp(field.value, value, value_size) == 0;
}

static bool has_values(const char *message, size_t size, const char *keys)
{
	char key[REPORT_NAME_MAX + 1];
	size_t key_size, value_size;

	for (keys += strspn(keys, " "); *keys != '\0';
	     keys += strspn(keys, " ")) {
		key_size = strcspn(keys, "=");
		snprintf(key, sizeof(key), "%.*s", (int)key_size, keys);
		keys += key_size + 1;
		value_size = strcspn(keys, " ");
		if (!has_value(message, size, key, keys, value_size))
			return false;
		keys += value_size;
	}
	return true;
}

static bool is_event(const char *line, size_t line_size, void *context)
{
	const struct wanted_event *wanted = context;
	struct report_head head;
	const char *message, *error;
	size_t size;

	if (report_line_find(line, line_size, &head, &message, &size) !=
			REPORT_FOUND ||
	    report_line_check(message, size, &error) < 0 ||
	    !has_value(message, size, "event", wanted->event,
		       strlen(wanted->event)) ||
	    (wanted->key != NULL &&
	     !has_value(message, size, wanted->key, wanted->value,
			strlen(wanted->value))) ||
	    (wanted->keys != NULL && !has_values(message, size, wanted->keys)))
		return false;
	if (wanted->asked != NULL &&
	    !report_line_get(message, size, wanted->asked, wanted->answer))
		wanted->answer->value[0] = '\0';
	return true;
}

unsigned int report_log_count(const char *path, const char *event,
			      const char *key, const char *value)
{
	struct wanted_event wanted = {
		.event = event, .key = key, .value = value
	};

	return count_lines(path, &wanted, is_event);
}

unsigned int report_log_matches(const char *path, const char *event,
				const char *keys)
{
	struct wanted_event wanted = { .event = event, .keys = keys };

	return count_lines(path, &wanted, is_event);
}

const char *report_log_value(const char *path, const char *event,
			     const char *keys, const char *key)
{
	static struct report_field answer;
	struct wanted_event wanted = {
		.event = event, .keys = keys, .asked = key, .answer = &answer
	};

	answer.value[0] = '\0';
	(void)count_lines(path, &wanted, is_event);
	return answer.value;
}

struct wanted_delivery {
	char to[256], status[64];
};

static bool
is_delivery(const char *line, size_t size, void *context)
{
	const struct wanted_delivery *wanted = context;

	(void)size;
	return strstr(line, wanted->to) != NULL &&
		strstr(line, wanted->status) != NULL;
}

unsigned int postfix_log_count(const char *path, const char *recipient,
			       const char *status)
{
	struct wanted_delivery wanted;

	snprintf(wanted.to, sizeof(wanted.to), ": to=<%s>, ", recipient);
	snprintf(wanted.status, sizeof(wanted.status), ", status=%s ", status);
	return count_lines(path, &wanted, is_delivery);
}
