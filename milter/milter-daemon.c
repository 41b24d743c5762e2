#include "milter-daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static int fail(const char **error_r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(const char **error_r, const char *fmt, ...)
{
	static _Thread_local char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*error_r = text;
	return -1;
}

static int find_group(const char *name, gid_t *gid_r, const char **error_r)
{
	struct group *group = getgrnam(name);

	if (group == NULL)
		return fail(error_r, "User: there is no group %s", name);
	*gid_r = group->gr_gid;
	return 0;
}

/* A group that is named is the only one. */
static int
become(const struct passwd *passwd, const char *group, const char **error_r)
{
	gid_t gid = passwd->pw_gid;

	if (group != NULL && find_group(group, &gid, error_r) < 0)
		return -1;
	if ((group != NULL ? setgroups(1, &gid) :
	     initgroups(passwd->pw_name, gid)) < 0 ||
	    setgid(gid) < 0 || setuid(passwd->pw_uid) < 0) {
		return fail(error_r, "User: can't become %s: %s",
			    passwd->pw_name, strerror(errno));
	}
	if (passwd->pw_uid != 0 && setuid(0) == 0)
		return fail(error_r, "User: root can be had back");
	return 0;
}

static int
drop_to(const char *name, const char *group, const char **error_r)
{
	struct passwd *passwd = getpwnam(name);

	if (passwd == NULL)
		return fail(error_r, "User: there is no user %s", name);
	if (geteuid() == 0)
		return become(passwd, group, error_r);
	if (passwd->pw_uid != geteuid()) {
		return fail(error_r, "User: only root can become %s; start it "
			    "as root, or as %s", name, name);
	}
	return 0;
}

int daemon_drop_root(const char *user, const char **error_r)
{
	char *name, *group;
	int ret;

	if (user == NULL) {
		if (geteuid() != 0)
			return 0;
		return fail(error_r, "User is missing, and this is root: "
			    "expected who to become instead");
	}
	name = strdup(user);
	if (name == NULL)
		return fail(error_r, "out of memory");
	group = strchr(name, ':');
	if (group != NULL)
		*group++ = '\0';
	ret = drop_to(name, group, error_r);
	free(name);
	return ret;
}

/* The parent: doesn't return. */
static void wait_for_child(pid_t child, int fd)
{
	char byte;
	int status;
	ssize_t ret;

	do {
		ret = read(fd, &byte, 1);
	} while (ret < 0 && errno == EINTR);
	if (ret == 1)
		_exit(EX_OK);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		_exit(EX_SOFTWARE);
	_exit(WEXITSTATUS(status));
}

static int leave_terminal(const char **error_r)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 ||
	    dup2(fd, STDOUT_FILENO) < 0 || setsid() < 0 || chdir("/") < 0)
		return fail(error_r, "can't detach: %s", strerror(errno));
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

int daemon_detach(int *ready_fd_r, const char **error_r)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail(error_r, "can't detach: %s", strerror(errno));
	child = fork();
	if (child < 0)
		return fail(error_r, "can't detach: %s", strerror(errno));
	if (child > 0) {
		close(fds[1]);
		wait_for_child(child, fds[0]);
	}
	close(fds[0]);
	*ready_fd_r = fds[1];
	return leave_terminal(error_r);
}

void daemon_close_stderr(void)
{
	(void)dup2(STDOUT_FILENO, STDERR_FILENO);
}

void daemon_ready(int ready_fd)
{
	daemon_close_stderr();
	/* who waited for it may have gone */
	if (write(ready_fd, "", 1) < 0)
		errno = 0;
	close(ready_fd);
}

int daemon_write_pid(const char *path, int *fd_r, const char **error_r)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return fail(error_r, "PidFile %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return fail(error_r, "PidFile %s: another process holds it",
			    path);
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		close(fd);
		return fail(error_r, "PidFile %s: %s", path, strerror(errno));
	}
	*fd_r = fd;
	return 0;
}
