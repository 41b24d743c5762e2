#include "lib.h"
#include "file-lock.h"
#include "migration-dir.h"
#include "mailbox-state.h"
#include "lease.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* those who have open what isn't there any more */
#define RENAME_DRAIN_SECS 10

#define LEASE_FOLDER "lease"
#define GATE_FOLDER "gate"
/* no key looks like these: a leading '.' is escaped */
#define TREE_NAME ".tree"
#define FILL_NAME ".fill"
#define CATCHUP_NAME ".catchup"
#define DELIVER_NAME ".deliver"

struct held_file {
	char *path;
	int fd;
	struct file_lock *lock;
};

struct lease {
	struct held_file file;
	/* fd is kept open by sharers to ask lease_recalled(); locked only by
	   those who exclude */
	struct held_file gate;
};

static int
held_file_open(struct held_file *file, const char *dir, const char *folder,
	       const char *name, const char **error_r)
{
	const char *path;

	if (migration_dir_path(dir, folder, name, &path, error_r) < 0)
		return -1;
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file->fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	file->path = i_strdup(path);
	return 0;
}

/* Returns 1, 0 when the time is over, -1. */
static int
held_file_lock(struct held_file *file, int lock_type,
	       unsigned int timeout_secs, const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FLOCK,
	};

	if (timeout_secs == 0)
		return file_try_lock(file->fd, file->path, lock_type, &set,
				     &file->lock, error_r);
	return file_wait_lock(file->fd, file->path, lock_type, &set,
			      timeout_secs, &file->lock, error_r);
}

static void held_file_close(struct held_file *file)
{
	if (file->lock != NULL)
		file_unlock(&file->lock);
	i_close_fd(&file->fd);
	i_free(file->path);
}

static struct lease *lease_alloc(void)
{
	struct lease *lease = i_new(struct lease, 1);

	lease->file.fd = lease->gate.fd = -1;
	return lease;
}

static int
lease_open(const char *dir, const char *vname, struct lease *lease,
	   const char **error_r)
{
	const char *key = mailbox_state_key(vname);

	if (held_file_open(&lease->file, dir, LEASE_FOLDER, key, error_r) < 0)
		return -1;
	return held_file_open(&lease->gate, dir, GATE_FOLDER, key, error_r);
}

static int
lease_finish(int ret, struct lease *lease, struct lease **lease_r)
{
	if (ret > 0)
		*lease_r = lease;
	else
		lease_release(&lease);
	return ret;
}

static bool held_file_is_current(const struct held_file *file)
{
	struct stat by_fd, by_path;

	return fstat(file->fd, &by_fd) == 0 &&
		stat(file->path, &by_path) == 0 &&
		CMP_DEV_T(by_fd.st_dev, by_path.st_dev) &&
		by_fd.st_ino == by_path.st_ino;
}

bool lease_is_current(const struct lease *lease)
{
	return held_file_is_current(&lease->file) &&
		held_file_is_current(&lease->gate);
}

static int
lease_share_once(const char *dir, const char *vname, unsigned int timeout_secs,
		 struct lease **lease_r, const char **error_r)
{
	struct lease *lease = lease_alloc();
	int ret;

	if ((ret = lease_open(dir, vname, lease, error_r)) == 0)
		ret = held_file_lock(&lease->gate, F_RDLCK, timeout_secs,
				     error_r);
	if (ret > 0) {
		ret = held_file_lock(&lease->file, F_RDLCK, timeout_secs,
				     error_r);
		file_unlock(&lease->gate.lock);
	}
	return lease_finish(ret, lease, lease_r);
}

int lease_share(const char *dir, const char *vname, unsigned int timeout_secs,
		struct lease **lease_r, const char **error_r)
{
	int ret;

	/* renamed while it was waited for: by one user at a time, who isn't
	   fast enough to keep it up */
	while ((ret = lease_share_once(dir, vname, timeout_secs, lease_r,
				       error_r)) > 0 &&
	       !lease_is_current(*lease_r))
		lease_release(lease_r);
	return ret;
}

/* inotify tells the holders of a write, even of no bytes changed */
static int lease_recall(struct lease *lease, const char **error_r)
{
	if (pwrite(lease->file.fd, "", 1, 0) == 1)
		return 1;
	*error_r = t_strdup_printf("write(%s) failed: %m", lease->file.path);
	return -1;
}

/* The caller has the tree's lease: nobody renames it. */
int lease_exclude(const char *dir, const char *vname,
		  unsigned int timeout_secs,
		  struct lease **lease_r, const char **error_r)
{
	struct lease *lease = lease_alloc();
	int ret;

	if ((ret = lease_open(dir, vname, lease, error_r)) == 0)
		ret = held_file_lock(&lease->gate, F_WRLCK, timeout_secs,
				     error_r);
	if (ret > 0)
		ret = lease_recall(lease, error_r);
	if (ret > 0)
		ret = held_file_lock(&lease->file, F_WRLCK, timeout_secs,
				     error_r);
	return lease_finish(ret, lease, lease_r);
}

/* a lock of the user, which isn't shared and nobody is asked to give up */
static int
lease_user(const char *dir, const char *name, unsigned int timeout_secs,
	   struct lease **lease_r, const char **error_r)
{
	struct lease *lease = lease_alloc();
	int ret;

	ret = held_file_open(&lease->file, dir, LEASE_FOLDER, name, error_r);
	if (ret == 0)
		ret = held_file_lock(&lease->file, F_WRLCK, timeout_secs,
				     error_r);
	return lease_finish(ret, lease, lease_r);
}

int lease_tree(const char *dir, unsigned int timeout_secs,
	       struct lease **lease_r, const char **error_r)
{
	return lease_user(dir, TREE_NAME, timeout_secs, lease_r, error_r);
}

int lease_fill(const char *dir, unsigned int timeout_secs,
	       struct lease **lease_r, const char **error_r)
{
	return lease_user(dir, FILL_NAME, timeout_secs, lease_r, error_r);
}

int lease_catchup(const char *dir, unsigned int timeout_secs,
		  struct lease **lease_r, const char **error_r)
{
	return lease_user(dir, CATCHUP_NAME, timeout_secs, lease_r, error_r);
}

int lease_deliver(const char *dir, unsigned int timeout_secs,
		  struct lease **lease_r, const char **error_r)
{
	return lease_user(dir, DELIVER_NAME, timeout_secs, lease_r, error_r);
}

void lease_release(struct lease **_lease)
{
	struct lease *lease = *_lease;

	if (lease == NULL)
		return;
	*_lease = NULL;
	/* the lease first: who passes the gate finds it free */
	held_file_close(&lease->file);
	held_file_close(&lease->gate);
	i_free(lease);
}

/* The lease of `to` goes, once it has no holder any more. Returns 1, -1. */
static int
replace_lease(const char *dir, const char *from, const char *to,
	      const char **error_r)
{
	struct lease *lease;
	int ret = lease_exclude(dir, to, RENAME_DRAIN_SECS, &lease, error_r);

	if (ret > 0) {
		ret = migration_dir_rename(dir, LEASE_FOLDER,
					   mailbox_state_key(from),
					   mailbox_state_key(to), error_r);
		lease_release(&lease);
		return ret < 0 ? -1 : 1;
	}
	if (ret == 0) {
		*error_r = t_strdup_printf(
			"A session doesn't give up a former mailbox %s", to);
	}
	return -1;
}

/* Returns 1 when that of `from` is now that of `to`, 0 when the one of `to`
   stays, -1. Of two one goes that nobody holds: `to` may have one from a mailbox
   that was deleted; `from` from a session that opened it when a crash had cut
   this short. */
static int
rename_lease(const char *dir, const char *from, const char *to,
	     const char **error_r)
{
	const char *from_key = mailbox_state_key(from);
	struct lease *lease;
	int ret;

	ret = migration_dir_rename_new(dir, LEASE_FOLDER, from_key,
				       mailbox_state_key(to), error_r);
	if (ret != 0)
		return ret;
	ret = lease_user(dir, from_key, 0, &lease, error_r);
	if (ret == 0)
		return replace_lease(dir, from, to, error_r);
	if (ret > 0) {
		ret = migration_dir_unlink(dir, LEASE_FOLDER, from_key,
					   error_r);
		lease_release(&lease);
	}
	return ret;
}

/* The gate goes with it. Who holds the one that is lost by that notices it when
   asked: see lease_recalled(). */
int lease_rename(const char *dir, const char *from, const char *to,
		 const char **error_r)
{
	int ret = rename_lease(dir, from, to, error_r);

	if (ret <= 0) {
		return ret < 0 ? -1 :
			migration_dir_unlink(dir, GATE_FOLDER,
					     mailbox_state_key(from), error_r);
	}
	return migration_dir_rename(dir, GATE_FOLDER, mailbox_state_key(from),
				    mailbox_state_key(to), error_r);
}

const char *lease_path(const struct lease *lease)
{
	return t_strdup_printf("/proc/self/fd/%d", lease->file.fd);
}

/* Nobody finds it any more. */
static bool held_file_is_lost(const struct held_file *file)
{
	struct stat st;

	return fstat(file->fd, &st) < 0 || st.st_nlink == 0;
}

bool lease_recalled(const struct lease *lease)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FLOCK,
	};
	struct file_lock *lock;
	const char *error;

	if (held_file_is_lost(&lease->file) || held_file_is_lost(&lease->gate))
		return TRUE;
	if (file_try_lock(lease->gate.fd, lease->gate.path, F_RDLCK, &set,
			  &lock, &error) <= 0)
		return TRUE;
	file_unlock(&lock);
	return FALSE;
}
