/*
 * kill-at: preloaded into a program, kills it before a certain call
 *
 * Counts the calls that change files: write() and its like on regular files,
 * rename, link, unlink, and the syncs. From the environment:
 *     KILL_AT=N         SIGKILL before the N-th of them, from 1; 0 for never,
 *                       and at exit "kill-at: N calls" on stderr, if any
 * Needs no ptrace(2), which containers often forbid, and counts alike in each
 * run of a program that does the same. Not for threads.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned long calls, kill_at;

__attribute__((constructor)) static void kill_at_begin(void)
{
	const char *value = getenv("KILL_AT");

	kill_at = value == NULL ? 0 : strtoul(value, NULL, 10);
}

__attribute__((destructor)) static void kill_at_end(void)
{
	if (kill_at == 0 && calls > 0)
		dprintf(STDERR_FILENO, "kill-at: %lu calls\n", calls);
}

static void *next_of(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL)
		abort();
	return function;
}

/* Here it may end. */
static void count_call(const char *name)
{
	calls++;
	if (calls != kill_at)
		return;
	dprintf(STDERR_FILENO, "kill-at: %s\n", name);
	(void)kill(getpid(), SIGKILL);
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Defines NAME so that it is counted when CONDITION holds. */
#define COUNTED(type, name, parameters, arguments, condition) \
	type name parameters; \
	type name parameters \
	{ \
		static type (*next) parameters; \
		if (next == NULL) \
			*(void **)&next = next_of(#name); \
		if (condition) \
			count_call(#name); \
		return next arguments; \
	}

COUNTED(int, rename, (const char *from, const char *to), (from, to), true)
COUNTED(int, link, (const char *from, const char *to), (from, to), true)
COUNTED(int, unlink, (const char *path), (path), true)
COUNTED(int, fsync, (int fd), (fd), true)
COUNTED(int, fdatasync, (int fd), (fd), true)
COUNTED(int, syncfs, (int fd), (fd), true)
COUNTED(int, ftruncate, (int fd, off_t size), (fd, size), true)
COUNTED(ssize_t, write, (int fd, const void *data, size_t size),
	(fd, data, size), is_file(fd))
COUNTED(ssize_t, writev, (int fd, const struct iovec *iov, int count),
	(fd, iov, count), is_file(fd))
COUNTED(ssize_t, pwrite,
	(int fd, const void *data, size_t size, off_t offset),
	(fd, data, size, offset), is_file(fd))
