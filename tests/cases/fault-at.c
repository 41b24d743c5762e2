/*
 * fault-at: preloaded into a program, does harm at a certain call
 *
 * The calls are those that change files: write() and its like on regular files,
 * rename, link, unlink, ftruncate, and the syncs. From the environment:
 *     FAULT="kill CALL N"    SIGKILL before the N-th such call, from 1; "any" is
 *                            each of them
 *     FAULT="fail CALL N"    the N-th fails with EIO, and isn't done
 *     FAULT="slow CALL MS"   each takes MS milliseconds longer
 *     FAULT="count any 0"    none; at exit "fault-at: N calls" on stderr, if any
 * strace(1) can do that too, where it may use ptrace(2), which containers often
 * forbid. Calls are counted alike in each run of a program that does the same.
 * Not for threads.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char fault_action[8], fault_call[16];
static unsigned long fault_number, calls;

__attribute__((constructor)) static void fault_begin(void)
{
	const char *fault = getenv("FAULT");

	if (fault == NULL || sscanf(fault, "%7s %15s %lu", fault_action,
				    fault_call, &fault_number) != 3)
		fault_action[0] = '\0';
}

__attribute__((destructor)) static void fault_end(void)
{
	if (strcmp(fault_action, "count") == 0 && calls > 0)
		dprintf(STDERR_FILENO, "fault-at: %lu calls\n", calls);
}

static void *next_of(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL)
		abort();
	return function;
}

static void wait_ms(unsigned long ms)
{
	struct timespec left = {
		(time_t)(ms / 1000), (long)(ms % 1000) * 1000000
	};

	while (nanosleep(&left, &left) < 0 && errno == EINTR) ;
}

/* Before the call is done. False when it is to fail. */
static bool passes(const char *name)
{
	if (strcmp(fault_call, "any") != 0 && strcmp(fault_call, name) != 0)
		return true;
	calls++;
	if (strcmp(fault_action, "slow") == 0)
		wait_ms(fault_number);
	if (calls != fault_number)
		return true;
	if (strcmp(fault_action, "kill") == 0) {
		dprintf(STDERR_FILENO, "fault-at: %s\n", name);
		(void)kill(getpid(), SIGKILL);
	}
	if (strcmp(fault_action, "fail") != 0)
		return true;
	errno = EIO;
	return false;
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Defines NAME; calls for which CONDITION doesn't hold aren't looked at. */
#define CALL(type, name, parameters, arguments, condition) \
	type name parameters; \
	type name parameters \
	{ \
		static type (*next) parameters; \
		if (next == NULL) \
			*(void **)&next = next_of(#name); \
		if (fault_action[0] != '\0' && (condition) && !passes(#name)) \
			return -1; \
		return next arguments; \
	}

CALL(int, rename, (const char *from, const char *to), (from, to), true)
CALL(int, link, (const char *from, const char *to), (from, to), true)
CALL(int, unlink, (const char *path), (path), true)
CALL(int, fsync, (int fd), (fd), true)
CALL(int, fdatasync, (int fd), (fd), true)
CALL(int, syncfs, (int fd), (fd), true)
CALL(int, ftruncate, (int fd, off_t size), (fd, size), true)
CALL(ssize_t, write, (int fd, const void *data, size_t size),
     (fd, data, size), is_file(fd))
CALL(ssize_t, writev, (int fd, const struct iovec *iov, int count),
     (fd, iov, count), is_file(fd))
CALL(ssize_t, pwrite,
     (int fd, const void *data, size_t size, off_t offset),
     (fd, data, size, offset), is_file(fd))
