#include "config-file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SPACE " \t\r\n\v\f"

int config_fail(const char **error_r, const struct config_place *place,
		const char *fmt, ...)
{
	static _Thread_local char text[1024];
	size_t used;
	va_list args;

	if (place->line > 0) {
		snprintf(text, sizeof(text), "%s:%u: ", place->path,
			 place->line);
	} else {
		snprintf(text, sizeof(text), "%s: ", place->path);
	}
	used = strlen(text);
	va_start(args, fmt);
	vsnprintf(text + used, sizeof(text) - used, fmt, args);
	va_end(args);
	*error_r = text;
	return -1;
}

/* The text without the white space around it. */
static char *trim(char *text)
{
	size_t size;

	text += strspn(text, SPACE);
	size = strlen(text);
	while (size > 0 && strchr(SPACE, text[size - 1]) != NULL)
		size--;
	text[size] = '\0';
	return text;
}

static int
read_line(char *text, const struct config_place *place, config_line_t *line,
	  void *context, const char **error_r)
{
	char *key, *value;

	if (strchr(text, '\n') == NULL && strlen(text) == CONFIG_LINE_MAX)
		return config_fail(error_r, place, "line over %d bytes",
				   CONFIG_LINE_MAX);
	key = trim(text);
	if (key[0] == '\0' || key[0] == '#')
		return 0;
	value = key + strcspn(key, SPACE);
	if (value[0] != '\0')
		*value++ = '\0';
	return line(context, place, key, trim(value), error_r);
}

int config_file_read(const char *path, config_line_t *line, void *context,
		     const char **error_r)
{
	struct config_place place = { path, 0 };
	char text[CONFIG_LINE_MAX + 1];
	FILE *file = fopen(path, "re");
	int ret = 0;

	if (file == NULL)
		return config_fail(error_r, &place, "%s", strerror(errno));
	while (ret == 0 && fgets(text, sizeof(text), file) != NULL) {
		place.line++;
		ret = read_line(text, &place, line, context, error_r);
	}
	if (ret == 0 && ferror(file)) {
		place.line = 0;
		ret = config_fail(error_r, &place, "%s", strerror(errno));
	}
	fclose(file);
	return ret;
}
