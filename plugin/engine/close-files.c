/* close-files: what a closed user's migration_dir has that isn't needed. */

#include "lib.h"
#include "migration-dir.h"
#include "close.h"

#include <dirent.h>
#include <unistd.h>

/* Of a migration_dir that is something else as well (a home...), nothing goes
   but this. The states are last: without them a digest would look like damage. */
static const char *const folders[] = {
	"digest", "expunged", "seen", "baseline", "arrivals", "catchup", "late",
	"deliver", "copyback", "tmp", "gate", "lease", "state",
};
static const char *const files[] = {
	"worker", "worker.lock",
};

struct removal {
	const char *error;
};

static void failed(struct removal *removal, const char *what, const char *path)
{
	if (errno != ENOENT && removal->error == NULL)
		removal->error = t_strdup_printf("%s(%s) failed: %m", what,
						 path);
}

static void remove_file(struct removal *removal, const char *path)
{
	if (unlink(path) < 0)
		failed(removal, "unlink", path);
}

static void remove_entries(struct removal *removal, const char *path, DIR *dir)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		remove_file(removal, t_strconcat(path, "/", entry->d_name,
						 NULL));
	}
}

static void remove_folder(struct removal *removal, const char *path)
{
	DIR *dir = opendir(path);

	if (dir == NULL) {
		failed(removal, "opendir", path);
		return;
	}
	remove_entries(removal, path, dir);
	(void)closedir(dir);
	if (rmdir(path) < 0)
		failed(removal, "rmdir", path);
}

int close_remove_files(const char *dir, const char **error_r)
{
	struct removal removal = { .error = NULL };
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(files); i++)
		remove_file(&removal, t_strconcat(dir, "/", files[i], NULL));
	for (i = 0; i < N_ELEMENTS(folders); i++)
		remove_folder(&removal, t_strconcat(dir, "/", folders[i],
						    NULL));
	if (removal.error == NULL)
		return migration_dir_sync(dir, ".", error_r);
	*error_r = removal.error;
	return -1;
}
