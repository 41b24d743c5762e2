#include "lib.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "engine/old-budget.h"
#include "engine/old-slots.h"
#include "limit-files.h"

#include <fcntl.h>
#include <unistd.h>

static int open_in(const char *dir, const char *name)
{
	const char *path = t_strdup_printf("%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		i_error("migration: open(%s) failed: %m", path);
	return fd;
}

void limit_files_open(struct limit_files *files)
{
	const struct master_service_settings *set =
		master_service_settings_get(master_service);

	files->budget_fd = open_in(set->state_dir, OLD_BUDGET_FILE);
	files->slots_fd = open_in(set->base_dir, OLD_SLOTS_FILE);
}

void limit_files_close(struct limit_files *files)
{
	i_close_fd(&files->budget_fd);
	i_close_fd(&files->slots_fd);
}
