#include "report-verdict-options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPAN_MAX (INT64_C(100) * 365 * 86400)

void verdict_options_init(struct verdict_options *options)
{
	memset(options, 0, sizeof(*options));
	options->set = report_verdict_defaults;
}

static void free_names(char **names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

void verdict_options_deinit(struct verdict_options *options)
{
	free_names(options->known, options->known_count);
	free_names(options->accounts, options->accounts_count);
	memset(options, 0, sizeof(*options));
}

static int64_t unit_seconds(const char *unit)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {
		{ "", 86400 }, { "d", 86400 }, { "h", 3600 }, { "m", 60 },
		{ "s", 1 }
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].name) == 0)
			return units[i].seconds;
	}
	return 0;
}

bool verdict_options_span(const char *value, int64_t *seconds_r)
{
	char *end;
	long long number;
	int64_t unit;

	if (!isdigit((unsigned char)*value))
		return false;
	errno = 0;
	number = strtoll(value, &end, 10);
	unit = unit_seconds(end);
	if (errno != 0 || unit == 0 || number > SPAN_MAX / unit)
		return false;
	*seconds_r = number * unit;
	return true;
}

static void add_name(char ***names, size_t *count, const char *name)
{
	*names = memory_resize(*names, *count + 1, sizeof(**names));
	(*names)[(*count)++] = memory_copy(name);
}

void verdict_options_add_known(struct verdict_options *options,
			       const char *name)
{
	add_name(&options->known, &options->known_count, name);
	options->set.known = (const char *const *)options->known;
	options->set.known_count = options->known_count;
}

/* Without the spaces around it. */
static char *trim(char *line)
{
	size_t size;

	line += strspn(line, " \t");
	size = strlen(line);
	while (size > 0 && isspace((unsigned char)line[size - 1]))
		line[--size] = '\0';
	return line;
}

static int read_names(const char *path, char ***names, size_t *count)
{
	FILE *file = fopen(path, "r");
	char *line = NULL, *name;
	size_t room = 0;
	int ret;

	if (file == NULL)
		return -1;
	while (getline(&line, &room, file) >= 0) {
		name = trim(line);
		if (*name != '\0' && *name != '#')
			add_name(names, count, name);
	}
	free(line);
	ret = ferror(file) != 0 ? -1 : 0;
	return fclose(file) != 0 ? -1 : ret;
}

int verdict_options_read_known(struct verdict_options *options,
			       const char *path)
{
	int ret = read_names(path, &options->known, &options->known_count);

	options->set.known = (const char *const *)options->known;
	options->set.known_count = options->known_count;
	return ret;
}

int verdict_options_read_accounts(struct verdict_options *options,
				  const char *path)
{
	int ret = read_names(path, &options->accounts,
			     &options->accounts_count);

	options->set.accounts = (const char *const *)options->accounts;
	options->set.accounts_count = options->accounts_count;
	options->set.accounts_listed = true;
	return ret;
}
