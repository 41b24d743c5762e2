#include "lib.h"
#include "buffer.h"
#include "str.h"
#include "migration-dir.h"
#include "migration-closed.h"

#include <sys/stat.h>

/* of migration_dir itself */
#define CLOSED_FOLDER "."
#define CLOSED_NAME "closed"
#define CLOSED_MAGIC "migration-closed 1"
#define CLOSED_MAX_SIZE 1024

int migration_is_closed(const char *dir, const char **error_r)
{
	const char *path = t_strconcat(dir, "/"CLOSED_NAME, NULL);
	struct stat st;

	if (stat(path, &st) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	*error_r = t_strdup_printf("stat(%s) failed: %m", path);
	return -1;
}

static void
closed_parse(const char *const *lines, struct migration_closed *closed_r)
{
	const char *value;

	if (*lines == NULL || strcmp(*lines++, CLOSED_MAGIC) != 0)
		return;
	for (; *lines != NULL; lines++) {
		if (str_begins(*lines, "when=")) {
			value = *lines + strlen("when=");
			if (str_to_time(value, &closed_r->when) < 0)
				closed_r->when = 0;
		} else if (strcmp(*lines, "forced=yes") == 0) {
			closed_r->forced = TRUE;
		}
	}
}

int migration_closed_read(const char *dir, struct migration_closed *closed_r,
			  const char **error_r)
{
	buffer_t *data = t_buffer_create(128);
	int ret;

	i_zero(closed_r);
	ret = migration_dir_read(dir, CLOSED_FOLDER, CLOSED_NAME,
				 CLOSED_MAX_SIZE, data, error_r);
	if (ret > 0)
		closed_parse(t_strsplit(str_c(data), "\n"), closed_r);
	return ret;
}

int migration_closed_write(const char *dir,
			   const struct migration_closed *closed,
			   const char **error_r)
{
	const char *text = t_strdup_printf(
		CLOSED_MAGIC"\nwhen=%"PRIdTIME_T"\nforced=%s\n",
		closed->when, closed->forced ? "yes" : "no");

	return migration_dir_replace(dir, CLOSED_FOLDER, CLOSED_NAME, text,
				     strlen(text), error_r);
}
