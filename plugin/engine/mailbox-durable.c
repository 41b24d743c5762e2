#include "lib.h"
#include "mail-storage-private.h"
#include "migration-dir.h"
#include "mailbox-durable.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* fsync Dovecot's own files in a folder, but not those of messages. */
static int sync_dovecot_files(const char *path, const char **error_r)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);
	int fd, ret = 0;

	if (dir == NULL) {
		*error_r = t_strdup_printf("opendir(%s) failed: %m", path);
		return -1;
	}
	while (ret == 0 && (entry = readdir(dir)) != NULL) {
		if (!str_begins(entry->d_name, "dovecot"))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		/* it may be replaced meanwhile */
		if (fd == -1)
			continue;
		if ((ret = fsync(fd)) < 0)
			*error_r = t_strdup_printf("fsync(%s/%s) failed: %m",
						   path, entry->d_name);
		i_close_fd(&fd);
	}
	if (ret == 0 && (ret = fsync(dirfd(dir))) < 0)
		*error_r = t_strdup_printf("fsync(%s) failed: %m", path);
	(void)closedir(dir);
	return ret;
}

static const enum mailbox_list_path_type types[] = {
	MAILBOX_LIST_PATH_TYPE_MAILBOX, MAILBOX_LIST_PATH_TYPE_INDEX,
	MAILBOX_LIST_PATH_TYPE_CONTROL,
};

int mailbox_durable(struct mailbox *box, bool messages, const char **error_r)
{
	const char *path, *last = "";

	for (unsigned int i = 0; i < N_ELEMENTS(types); i++) {
		if (mailbox_get_path_to(box, types[i], &path) <= 0 ||
		    strcmp(path, last) == 0)
			continue;
		if ((messages ? migration_dir_syncfs(path, error_r) :
		     sync_dovecot_files(path, error_r)) < 0)
			return -1;
		last = path;
	}
	return 0;
}

/* Sync the file system of path, if it isn't one of those that are. */
static int
sync_another(const char *path, ARRAY_TYPE(uint64_t) *devices,
	     const char **error_r)
{
	struct stat st;
	uint64_t device, known;

	if (stat(path, &st) < 0) {
		*error_r = t_strdup_printf("stat(%s) failed: %m", path);
		return -1;
	}
	device = st.st_dev;
	array_foreach_elem(devices, known) {
		if (known == device)
			return 0;
	}
	array_push_back(devices, &device);
	return migration_dir_syncfs(path, error_r);
}

int mailboxes_durable(struct mailbox *const *boxes, unsigned int count,
		      const char *dir, const char **error_r)
{
	ARRAY_TYPE(uint64_t) devices;
	const char *path;

	t_array_init(&devices, 4);
	if (sync_another(dir, &devices, error_r) < 0)
		return -1;
	for (unsigned int i = 0; i < count * N_ELEMENTS(types); i++) {
		if (mailbox_get_path_to(boxes[i / N_ELEMENTS(types)],
					types[i % N_ELEMENTS(types)],
					&path) > 0 &&
		    sync_another(path, &devices, error_r) < 0)
			return -1;
	}
	return 0;
}
