#include "lib.h"
#include "mail-storage-private.h"
#include "sdbox-strays.h"

#include <dirent.h>

/* u.<UID> */
#define FILE_PREFIX "u."
#define LOCK_REASON "removing what a killed process left"

static bool is_stray(const char *name, uint32_t next_uid)
{
	uint32_t uid;

	return str_begins(name, FILE_PREFIX) &&
		str_to_uint32(name + strlen(FILE_PREFIX), &uid) == 0 &&
		uid >= next_uid;
}

static int
remove_from(const char *path, uint32_t next_uid, const char **error_r)
{
	struct dirent *d;
	DIR *dir = opendir(path);

	if (dir == NULL) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("opendir(%s) failed: %m", path);
		return -1;
	}
	while ((d = readdir(dir)) != NULL) {
		if (is_stray(d->d_name, next_uid))
			i_unlink_if_exists(t_strdup_printf("%s/%s", path,
							   d->d_name));
	}
	(void)closedir(dir);
	return 0;
}

static uint32_t current_next_uid(struct mailbox *box)
{
	struct mail_index_view *view;
	uint32_t next_uid;

	view = mail_index_view_open(box->index);
	next_uid = mail_index_get_header(view)->next_uid;
	mail_index_view_close(&view);
	return next_uid;
}

int sdbox_strays_remove(struct mailbox *box, const char **error_r)
{
	const char *path;
	int ret;

	if (strcmp(box->storage->name, "sdbox") != 0 ||
	    mailbox_get_path_to(box, MAILBOX_LIST_PATH_TYPE_MAILBOX,
				&path) <= 0)
		return 0;
	/* held by whoever gives a file its UID, until the index knows it */
	if (mail_index_lock_sync(box->index, LOCK_REASON) < 0) {
		*error_r = "The index can't be locked";
		return -1;
	}
	mail_index_refresh(box->index);
	ret = remove_from(path, current_next_uid(box), error_r);
	mail_index_unlock(box->index, LOCK_REASON);
	return ret;
}
