#include "report-log.h"
#include "common/report-line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts the lines for which is_meant says yes; size is without the newline. */
static unsigned int
count_lines(const char *path, const void *context,
	    bool (*is_meant)(const char *line, size_t size,
			     const void *context))
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
	const char *event, *key, *value;
};

static bool has_value(const char *message, size_t size, const char *key,
		      const char *value)
{
	struct report_field field;

	return report_line_get(message, size, key, &field) &&
		field.size == strlen(value) &&
		memcmp(field.value, value, field.size) == 0;
}

static bool
is_event(const char *line, size_t line_size, const void *context)
{
	const struct wanted_event *wanted = context;
	struct report_head head;
	const char *message, *error;
	size_t size;

	return report_line_find(line, line_size, &head, &message, &size) ==
			REPORT_FOUND &&
		report_line_check(message, size, &error) == 0 &&
		has_value(message, size, "event", wanted->event) &&
		(wanted->key == NULL ||
		 has_value(message, size, wanted->key, wanted->value));
}

unsigned int report_log_count(const char *path, const char *event,
			      const char *key, const char *value)
{
	const struct wanted_event wanted = {
		.event = event, .key = key, .value = value
	};

	return count_lines(path, &wanted, is_event);
}

struct wanted_delivery {
	char to[256], status[64];
};

static bool
is_delivery(const char *line, size_t size, const void *context)
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
