/* fuzz-report-line: the input is read as a line of syslog, and written as what a
   stranger chose for our own line */
#include "common/report-line.h"
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#define HEAD "Nov  2 03:04:05 mx migration-milter[12]: "
/* More than fit when they are long. */
#define VALUES 5
/* Asking for each of many fields takes its time. */
#define ASKED_MAX 8

static bool has_bytes(const char *data, size_t size, const char *bytes)
{
	return memmem(data, size, bytes, strlen(bytes)) != NULL;
}

/* Part of the line, or missing. */
static void check_inside(const char *line, size_t size, const char *part,
			 size_t part_size)
{
	FUZZ_CHECK(part == NULL ? part_size == 0 :
		   part >= line && part_size <= size &&
		   part + part_size <= line + size);
}

/* Both ways to read fields agree; returns how many there are, -1 for an error. */
static int check_parsers(const char *message, size_t size)
{
	struct report_parser parsers[2];
	struct report_field field, found;
	struct report_part part;
	char buffer[REPORT_VALUE_MAX];
	const char *errors[2] = { NULL, NULL };
	int rets[2], count = 0;

	report_parser_init(&parsers[0], message, size);
	report_parser_init(&parsers[1], message, size);
	for (;; count++) {
		rets[0] = report_parser_next(&parsers[0], &field, &errors[0]);
		rets[1] = report_parser_next_part(&parsers[1], buffer, &part,
						  &errors[1]);
		FUZZ_CHECK(rets[0] == rets[1]);
		if (rets[0] <= 0)
			break;
		FUZZ_CHECK(strlen(field.key) == part.key_size &&
			   memcmp(field.key, part.key, part.key_size) == 0);
		FUZZ_CHECK(field.size <= REPORT_VALUE_MAX &&
			   field.value[field.size] == '\0');
		FUZZ_CHECK(field.size == part.value_size &&
			   field.cut == part.cut &&
			   memcmp(field.value, part.value, field.size) == 0);
		/* each key once: what is asked for is this one */
		FUZZ_CHECK(count >= ASKED_MAX ||
			   (report_line_get(message, size, field.key, &found) &&
			    found.size == field.size &&
			    memcmp(found.value, field.value, found.size) == 0));
		FUZZ_CHECK(count > 0 || strcmp(field.key, "event") == 0);
	}
	if (rets[0] == 0)
		return count;
	FUZZ_CHECK(errors[0] != NULL && strcmp(errors[0], errors[1]) == 0);
	return -1;
}

/* The field as it was, or its beginning where that is marked. */
static void check_field(const struct report_line *line, const char *key,
			const char *value, size_t size)
{
	struct report_field field;

	if (!report_line_get(line->text, line->used, key, &field)) {
		FUZZ_CHECK(report_line_get(line->text, line->used, "dropped",
					   &field));
		return;
	}
	FUZZ_CHECK(field.cut ? field.size < size : field.size == size);
	FUZZ_CHECK(memcmp(field.value, value, field.size) == 0);
}

/* What the writer made is one line, found and read as that. */
static int check_written(struct report_line *line)
{
	char log[sizeof(HEAD) + REPORT_LINE_MAX];
	struct report_head head;
	const char *message, *text = report_line_end(line);
	size_t size, i;

	FUZZ_CHECK(line->used <= REPORT_LINE_MAX && strlen(text) == line->used);
	for (i = 0; i < line->used; i++) {
		FUZZ_CHECK((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
		FUZZ_CHECK(text[i] != '\xc2' ||
			   (unsigned char)text[i + 1] >= 0xa0);
	}
	FUZZ_CHECK(!has_bytes(text + 1, line->used - 1, REPORT_TOKEN));
	snprintf(log, sizeof(log), HEAD "%s", text);
	FUZZ_CHECK(report_line_find(log, strlen(log), &head, &message, &size) ==
		   REPORT_FOUND);
	FUZZ_CHECK(size == line->used && message == log + strlen(HEAD));
	return check_parsers(line->text, line->used);
}

/* A message that was read is written again, and says the same. */
static void check_rewrite(const char *message, size_t size)
{
	struct report_line line;
	struct report_parser parser;
	struct report_field field;
	const char *error;

	report_parser_init(&parser, message, size);
	FUZZ_CHECK(report_parser_next(&parser, &field, &error) == 1);
	report_line_begin(&line, field.value);
	while (report_parser_next(&parser, &field, &error) == 1)
		report_line_add(&line, field.key, field.value, field.size);
	FUZZ_CHECK(check_written(&line) > 0);
	report_parser_init(&parser, message, size);
	FUZZ_CHECK(report_parser_next(&parser, &field, &error) == 1);
	check_field(&line, "event", field.value, field.size);
	while (report_parser_next(&parser, &field, &error) == 1) {
		/* the writer's own */
		if (strcmp(field.key, "dropped") != 0)
			check_field(&line, field.key, field.value, field.size);
	}
}

static void check_line(const char *line, size_t size)
{
	struct report_head head;
	const char *message, *error = NULL;
	enum report_found found;
	size_t message_size;
	int count;

	found = report_line_find(line, size, &head, &message, &message_size);
	FUZZ_CHECK((found == REPORT_NONE) == !has_bytes(line, size, REPORT_TOKEN));
	check_inside(line, size, head.time, head.time_size);
	check_inside(line, size, head.host, head.host_size);
	check_inside(line, size, head.tag, head.tag_size);
	if (found != REPORT_FOUND)
		return;
	FUZZ_CHECK(message + message_size == line + size);
	count = check_parsers(message, message_size);
	FUZZ_CHECK(report_line_check(message, message_size, &error) ==
		   (count < 0 ? -1 : 0));
	if (count > 0)
		check_rewrite(message, message_size);
}

/* Pieces of the input as the values of our line, its beginning as an event's name
   and as a key: what comes out has our fields and no others. */
static void check_strangers(const char *data, size_t size)
{
	static const char *const keys[VALUES] = {
		"helo", "from", "to", "name", "client"
	};
	struct report_line line;
	struct report_field field;
	char name[REPORT_NAME_MAX + 8];
	size_t piece = size / VALUES, i;
	int count;

	snprintf(name, sizeof(name), "%.*s", (int)(size < 200 ? size : 200), data);
	report_line_begin(&line, name);
	report_line_add_str(&line, "at", "old");
	for (i = 0; i < VALUES; i++) {
		report_line_add(&line, keys[i], data + i * piece,
				i < VALUES - 1 ? piece : size - i * piece);
	}
	report_line_add_str(&line, name, "x");
	count = check_written(&line);
	FUZZ_CHECK(count >= 2 && count <= VALUES + 4);
	FUZZ_CHECK(report_line_get(line.text, line.used, "at", &field) &&
		   strcmp(field.value, "old") == 0);
	for (i = 0; i < VALUES; i++) {
		check_field(&line, keys[i], data + i * piece,
			    i < VALUES - 1 ? piece : size - i * piece);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	if (size == 0)
		return 0;
	check_line(text, size);
	check_strangers(text, size);
	return 0;
}
