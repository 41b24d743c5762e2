/*
 * config-file: a configuration file of `Key value` lines
 *
 * Leading and trailing white space counts for nothing, neither do empty lines and
 * those that begin with "#". A key ends at the first white space; the value is
 * the rest of the line. Lines count from 1.
 *
 * Errors are whole sentences that begin with FILE or FILE:LINE; they are valid
 * until the same thread's next one.
 */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#define CONFIG_LINE_MAX 4096

struct config_place {
	const char *path;
	/* 0: the file as a whole */
	unsigned int line;
};

/* value is "" when the line has a key only. Returns 0, or -1 with *error_r, which
   ends the reading. */
typedef int config_line_t(void *context, const struct config_place *place,
			  const char *key, char *value, const char **error_r);

int config_file_read(const char *path, config_line_t *line, void *context,
		     const char **error_r);
/* Sets *error_r; always returns -1. */
int config_fail(const char **error_r, const struct config_place *place,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
