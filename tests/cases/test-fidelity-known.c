#include "test-fidelity-known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RECORDS 500

struct record {
	char *step, *where, *why, *lines;
};

struct fidelity_known {
	struct record records[MAX_RECORDS];
	unsigned int count;
};

static void append(char **text, const char *prefix, const char *line,
		   size_t size)
{
	char *longer;

	if (asprintf(&longer, "%s%s%.*s\n", *text == NULL ? "" : *text, prefix,
		     (int)size, line) < 0)
		abort();
	free(*text);
	*text = longer;
}

static void set(char **value, const char *str)
{
	free(*value);
	*value = strdup(str);
}

static bool read_line(struct fidelity_known *known, char *line)
{
	struct record *record = &known->records[known->count];

	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#')
		return true;
	if (line[0] == '\0') {
		if (record->step != NULL && known->count < MAX_RECORDS - 1)
			known->count++;
	} else if (strncmp(line, "step: ", 6) == 0)
		set(&record->step, line + 6);
	else if (strncmp(line, "where: ", 7) == 0)
		set(&record->where, line + 7);
	else if (strncmp(line, "why: ", 5) == 0)
		set(&record->why, line + 5);
	else if (strncmp(line, "- ", 2) == 0 || strncmp(line, "+ ", 2) == 0)
		append(&record->lines, "", line, strlen(line));
	else
		return false;
	return true;
}

struct fidelity_known *fidelity_known_read(const char *path)
{
	struct fidelity_known *known = calloc(1, sizeof(*known));
	FILE *file = fopen(path, "r");
	char *line = NULL, end[] = "";
	size_t room = 0;

	if (known == NULL)
		abort();
	if (!UNIT_CHECK(file != NULL, "%s: %s", path, strerror(errno))) {
		free(known);
		return NULL;
	}
	while (getline(&line, &room, file) >= 0)
		UNIT_CHECK(read_line(known, line), "%s: %s", path, line);
	(void)read_line(known, end);
	free(line);
	fclose(file);
	for (unsigned int i = 0; i < known->count; i++) {
		const struct record *record = &known->records[i];

		UNIT_CHECK(record->where != NULL && record->why != NULL &&
			   record->lines != NULL, "%s: incomplete: %s", path,
			   record->step);
	}
	return known;
}

void fidelity_known_free(struct fidelity_known **_known)
{
	struct fidelity_known *known = *_known;

	*_known = NULL;
	if (known == NULL)
		return;
	for (unsigned int i = 0; i < MAX_RECORDS; i++) {
		free(known->records[i].step);
		free(known->records[i].where);
		free(known->records[i].why);
		free(known->records[i].lines);
	}
	free(known);
}

/* Is that line in the text, more often than `before` times? */
static bool has_line(const char *text, const char *line, size_t size,
		     unsigned int before)
{
	const char *p;

	for (p = text; *p != '\0'; p = strchr(p, '\n') + 1) {
		if (strcspn(p, "\n") == size && strncmp(p, line, size) == 0 &&
		    before-- == 0)
			return true;
	}
	return false;
}

/* How often that line was in the text before it. */
static unsigned int occurrences(const char *text, const char *line)
{
	size_t size = strcspn(line, "\n");
	unsigned int count = 0;
	const char *p;

	for (p = text; p < line; p = strchr(p, '\n') + 1) {
		if (strcspn(p, "\n") == size && strncmp(p, line, size) == 0)
			count++;
	}
	return count;
}

static void add_missing(char **diff, const char *prefix, const char *from,
			const char *in)
{
	const char *p;

	for (p = from; *p != '\0'; p = strchr(p, '\n') + 1) {
		size_t size = strcspn(p, "\n");

		if (!has_line(in, p, size, occurrences(from, p)))
			append(diff, prefix, p, size);
	}
}

/* From malloc(); NULL for none. */
static char *difference(const char *local, const char *seen)
{
	char *diff = NULL;

	if (strcmp(local, seen) == 0)
		return NULL;
	add_missing(&diff, "- ", local, seen);
	add_missing(&diff, "+ ", seen, local);
	if (diff == NULL)
		append(&diff, "", "+ another order", 15);
	return diff;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *p = words;

	while ((p = strstr(p, word)) != NULL) {
		if ((p == words || p[-1] == ' ') &&
		    (p[len] == ' ' || p[len] == '\0'))
			return true;
		p += len;
	}
	return false;
}

static const struct record *
find(const struct fidelity_known *known, const char *where, const char *step)
{
	for (unsigned int i = 0; i < known->count; i++) {
		const struct record *record = &known->records[i];

		if (strcmp(record->step, step) == 0 &&
		    has_word(record->where, where))
			return record;
	}
	return NULL;
}

/* For whoever brings the list up to date: FIDELITY_FOUND=file. */
static void note(const char *where, const char *step, const char *diff,
		 const char *why)
{
	const char *path = getenv("FIDELITY_FOUND");
	FILE *file = path == NULL ? NULL : fopen(path, "a");

	if (file == NULL)
		return;
	fprintf(file, "step: %s\nwhere: %s\nwhy: %s\n%s\n", step, where, why,
		diff);
	fclose(file);
}

static void compare_step(const struct fidelity_known *known, const char *where,
			 const char *step, const char *local, const char *seen)
{
	const struct record *record = find(known, where, step);
	char *diff = difference(local, seen);

	if (diff != NULL)
		note(where, step, diff, record == NULL ? "?" : record->why);
	if (diff == NULL)
		UNIT_CHECK(record == NULL, "%s: %s: no difference any more, "
			   "but listed: %s", where, step,
			   record == NULL ? "" : record->why);
	else if (record == NULL)
		UNIT_CHECK(false, "%s: %s:\n%s", where, step, diff);
	else
		UNIT_CHECK(strcmp(record->lines, diff) == 0,
			   "%s: %s: another difference than listed:\n%s",
			   where, step, diff);
	free(diff);
}

void fidelity_compare(struct fidelity_known *known, const char *where,
		      const struct fidelity_step *steps,
		      const struct fidelity_transcript *local,
		      const struct fidelity_transcript *seen)
{
	for (unsigned int i = 0; steps[i].name != NULL; i++) {
		if (local->steps[i] == NULL || seen->steps[i] == NULL)
			UNIT_CHECK(false, "%s: %s: wasn't run", where,
				   steps[i].name);
		else
			compare_step(known, where, steps[i].name,
				     local->steps[i], seen->steps[i]);
	}
}

void fidelity_known_print(const struct fidelity_known *known)
{
	for (unsigned int i = 0; i < known->count; i++)
		printf("    known difference: %s (%s): %s\n",
		       known->records[i].step, known->records[i].where,
		       known->records[i].why);
}
