/* test-lease: between processes, because flock(2) is between open files. Every
   wait has a deadline: that of the lock. */
#include "engine-unit.h"
#include "plugin/engine/lease.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#define LONG_SECS 10
#define NAME "a.b"

typedef int lease_func_t(const char *dir, unsigned int secs,
			 struct lease **lease_r, const char **error_r);

static int share(const char *dir, unsigned int secs, struct lease **lease_r,
		 const char **error_r)
{
	return lease_share(dir, NAME, secs, lease_r, error_r);
}

static int exclude(const char *dir, unsigned int secs, struct lease **lease_r,
		   const char **error_r)
{
	return lease_exclude(dir, NAME, secs, lease_r, error_r);
}

static int share_other(const char *dir, unsigned int secs,
		       struct lease **lease_r, const char **error_r)
{
	return lease_share(dir, "b", secs, lease_r, error_r);
}

static int exclude_other(const char *dir, unsigned int secs,
			 struct lease **lease_r, const char **error_r)
{
	return lease_exclude(dir, "b", secs, lease_r, error_r);
}

/* As if it were a lease that is held. */
static int rename_to_other(const char *dir, unsigned int secs ATTR_UNUSED,
			   struct lease **lease_r ATTR_UNUSED,
			   const char **error_r)
{
	return lease_rename(dir, NAME, "b", error_r) + 1;
}

static int share_tree_name(const char *dir, unsigned int secs,
			   struct lease **lease_r, const char **error_r)
{
	return lease_share(dir, ".tree", secs, lease_r, error_r);
}

/* A child that takes a lease and keeps it until told, or killed. */
struct holder {
	pid_t pid;
	/* it tells the result, it is told to end */
	int fd_result, fd_end;
};

static void hold(lease_func_t *func, const char *dir, unsigned int secs,
		 struct holder *holder_r)
{
	struct lease *lease;
	const char *error;
	int result[2], end[2], ret;
	char c;

	if (pipe(result) < 0 || pipe(end) < 0)
		i_fatal("pipe() failed: %m");
	fflush(NULL);
	holder_r->pid = fork();
	if (holder_r->pid == 0) {
		(void)close(end[1]);
		ret = func(dir, secs, &lease, &error);
		if (write(result[1], &ret, sizeof(ret)) != sizeof(ret))
			_exit(1);
		_exit(read(end[0], &c, 1) == 1 ? 0 : 1);
	}
	(void)close(result[1]);
	(void)close(end[0]);
	holder_r->fd_result = result[0];
	holder_r->fd_end = end[1];
}

static int hold_result(const struct holder *holder)
{
	int ret;

	if (read(holder->fd_result, &ret, sizeof(ret)) != sizeof(ret))
		return -2;
	return ret;
}

static void hold_end(struct holder *holder)
{
	CU_ASSERT(write(holder->fd_end, "", 1) == 1);
	(void)close(holder->fd_end);
	(void)close(holder->fd_result);
	CU_ASSERT(engine_unit_wait(holder->pid) == 0);
}

/* Take it, give it back at once. */
static int try(lease_func_t *func, const char *dir, unsigned int secs)
{
	struct lease *lease = NULL;
	const char *error;
	int ret = func(dir, secs, &lease, &error);

	CU_ASSERT((ret == 1) == (lease != NULL));
	lease_release(&lease);
	return ret;
}

static void test_matrix(void)
{
	static const struct {
		lease_func_t *held, *wanted;
		int ret;
	} tests[] = {
		{ share, share, 1 },
		{ share, exclude, 0 },
		{ exclude, share, 0 },
		{ exclude, exclude, 0 },
		{ exclude, share_other, 1 },
		{ exclude, lease_tree, 1 },
		{ exclude, lease_fill, 1 },
		{ lease_tree, lease_tree, 0 },
		{ lease_tree, lease_fill, 1 },
		{ lease_tree, share_tree_name, 1 },
		{ lease_tree, exclude, 1 },
		{ lease_fill, lease_fill, 0 },
		{ lease_fill, share, 1 },
	};
	const char *dir = engine_unit_dir();
	struct holder holder;

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		CU_ASSERT(try(tests[i].wanted, dir, 0) == 1);
		hold(tests[i].held, dir, 0, &holder);
		CU_ASSERT(hold_result(&holder) == 1);
		UNIT_CHECK(try(tests[i].wanted, dir, 0) == tests[i].ret,
			   "%u", i);
		hold_end(&holder);
		UNIT_CHECK(try(tests[i].wanted, dir, 0) == 1, "%u, after", i);
	}
}

/* inotify fires when a cutover asks, new sharers wait, and it gets the lease
   when the last one lets go. */
static void test_recall(void)
{
	const char *error, *dir = engine_unit_dir();
	struct lease *lease, *second;
	struct holder holder;
	struct pollfd pfd = { .fd = inotify_init1(IN_CLOEXEC),
			      .events = POLLIN };

	CU_ASSERT_FATAL(share(dir, 0, &lease, &error) == 1);
	CU_ASSERT_FATAL(share(dir, 0, &second, &error) == 1);
	CU_ASSERT(!lease_recalled(lease) && !lease_recalled(second));
	CU_ASSERT(inotify_add_watch(pfd.fd, lease_path(lease),
				    IN_MODIFY) >= 0);
	CU_ASSERT(poll(&pfd, 1, 0) == 0);

	hold(exclude, dir, LONG_SECS, &holder);
	CU_ASSERT(poll(&pfd, 1, LONG_SECS * 1000) == 1);
	CU_ASSERT(lease_recalled(lease) && lease_recalled(second));
	CU_ASSERT(try(share, dir, 0) == 0);
	CU_ASSERT(try(exclude, dir, 0) == 0);
	lease_release(&second);
	CU_ASSERT(second == NULL);
	CU_ASSERT(lease_recalled(lease));
	CU_ASSERT(try(share, dir, 0) == 0);

	/* not before the last one */
	pfd.fd = holder.fd_result;
	CU_ASSERT(poll(&pfd, 1, 0) == 0);
	lease_release(&lease);
	CU_ASSERT(hold_result(&holder) == 1);
	CU_ASSERT(try(share, dir, 0) == 0);
	hold_end(&holder);
	CU_ASSERT(try(share, dir, 0) == 1);
}

static void test_timeout(void)
{
	const char *error, *dir = engine_unit_dir();
	struct lease *lease;
	struct holder holder;

	CU_ASSERT_FATAL(share(dir, 0, &lease, &error) == 1);
	hold(exclude, dir, 1, &holder);
	CU_ASSERT(hold_result(&holder) == 0);
	/* it gave up: nobody waits any more */
	CU_ASSERT(!lease_recalled(lease));
	CU_ASSERT(try(share, dir, 0) == 1);
	hold_end(&holder);
	lease_release(&lease);

	hold(exclude, dir, 0, &holder);
	CU_ASSERT(hold_result(&holder) == 1);
	CU_ASSERT(try(share, dir, 1) == 0);
	hold_end(&holder);
}

/* A sharer waits for the end of a cutover. */
static void test_wait(void)
{
	struct holder cutover, sharer;
	const char *dir = engine_unit_dir();

	hold(exclude, dir, 0, &cutover);
	CU_ASSERT(hold_result(&cutover) == 1);
	hold(share, dir, LONG_SECS, &sharer);
	hold_end(&cutover);
	CU_ASSERT(hold_result(&sharer) == 1);
	hold_end(&sharer);
}

/* Holders are asked under the new name, and not under the former one. */
static void test_renamed(void)
{
	const char *error, *dir = engine_unit_dir();
	struct lease *lease, *other;
	struct holder holder;
	struct pollfd pfd = { .fd = inotify_init1(IN_CLOEXEC),
			      .events = POLLIN };

	CU_ASSERT_FATAL(share(dir, 0, &lease, &error) == 1);
	CU_ASSERT_FATAL(lease_rename(dir, NAME, "b", &error) == 0);
	CU_ASSERT(!lease_is_current(lease));
	CU_ASSERT(try(exclude, dir, 0) == 1);
	CU_ASSERT_FATAL(share(dir, 0, &other, &error) == 1);
	CU_ASSERT(lease_is_current(other));

	/* a mailbox of the former name was made since */
	CU_ASSERT(inotify_add_watch(pfd.fd, lease_path(lease),
				    IN_MODIFY) >= 0);
	lease_release(&other);
	CU_ASSERT(lease_exclude(dir, "b", 0, &other, &error) == 0);
	CU_ASSERT(poll(&pfd, 1, 0) == 1);
	hold(exclude_other, dir, LONG_SECS, &holder);
	CU_ASSERT(poll(&pfd, 1, LONG_SECS * 1000) == 1);
	lease_release(&lease);
	CU_ASSERT(hold_result(&holder) == 1);
	hold_end(&holder);
	(void)close(pfd.fd);

	CU_ASSERT(lease_rename(dir, "nobody", "c", &error) == 0);
}

/* A crash after the leases' part, then a session under the former name, then
   the redo: who has it open is still asked. */
static void test_renamed_again(void)
{
	const char *error, *dir = engine_unit_dir();
	struct lease *lease, *fresh;

	/* of a mailbox that was deleted */
	CU_ASSERT(try(share_other, dir, 0) == 1);
	CU_ASSERT_FATAL(share(dir, 0, &lease, &error) == 1);
	CU_ASSERT(lease_rename(dir, NAME, "b", &error) == 0);
	CU_ASSERT(try(exclude_other, dir, 0) == 0);
	CU_ASSERT(!lease_recalled(lease));
	for (unsigned int i = 0; i < 2; i++) {
		CU_ASSERT(try(share, dir, 0) == 1);
		CU_ASSERT(lease_rename(dir, NAME, "b", &error) == 0);
		CU_ASSERT(try(exclude_other, dir, 0) == 0);
		CU_ASSERT(!lease_recalled(lease));
	}
	/* the gate was left behind */
	CU_ASSERT_FATAL(share(dir, 0, &fresh, &error) == 1);
	lease_release(&lease);
	CU_ASSERT(lease_rename(dir, NAME, "b", &error) == 0);
	CU_ASSERT(try(exclude_other, dir, 0) == 0);
	CU_ASSERT(unlink(t_strconcat(dir, "/gate/b", NULL)) == 0);
	CU_ASSERT(lease_recalled(fresh));
	lease_release(&fresh);
	CU_ASSERT(try(exclude_other, dir, 0) == 1);
}

/* Both names have holders: those of the mailbox that isn't there any more are
   asked, and waited for. */
static void test_renamed_over_holder(void)
{
	const char *error, *dir = engine_unit_dir();
	struct lease *lease, *former;
	struct holder renamer;
	struct pollfd pfd = { .fd = inotify_init1(IN_CLOEXEC),
			      .events = POLLIN };

	CU_ASSERT_FATAL(share(dir, 0, &lease, &error) == 1);
	CU_ASSERT_FATAL(share_other(dir, 0, &former, &error) == 1);
	CU_ASSERT(inotify_add_watch(pfd.fd, lease_path(former),
				    IN_MODIFY) >= 0);
	hold(rename_to_other, dir, 0, &renamer);
	CU_ASSERT(poll(&pfd, 1, LONG_SECS * 1000) == 1);
	CU_ASSERT(lease_recalled(former) && !lease_recalled(lease));
	lease_release(&former);
	CU_ASSERT(hold_result(&renamer) == 1);
	hold_end(&renamer);
	CU_ASSERT(!lease_recalled(lease));
	CU_ASSERT(try(exclude_other, dir, 0) == 0);
	lease_release(&lease);
	CU_ASSERT(try(exclude_other, dir, 0) == 1);
	(void)close(pfd.fd);
}

static void test_killed(void)
{
	static lease_func_t *const funcs[] = {
		share, exclude, lease_tree, lease_fill
	};
	static lease_func_t *const next[] = {
		exclude, share, lease_tree, lease_fill
	};
	const char *dir = engine_unit_dir();
	struct holder holder;

	for (unsigned int i = 0; i < N_ELEMENTS(funcs); i++) {
		hold(funcs[i], dir, 0, &holder);
		CU_ASSERT(hold_result(&holder) == 1);
		CU_ASSERT(try(next[i], dir, 0) == 0);
		CU_ASSERT(kill(holder.pid, SIGKILL) == 0);
		CU_ASSERT(engine_unit_wait(holder.pid) == -1);
		UNIT_CHECK(try(next[i], dir, 0) == 1, "%u", i);
		(void)close(holder.fd_end);
		(void)close(holder.fd_result);
	}
}

struct counts {
	int sharers, excluders;
	unsigned int excluded, broken;
};

static bool use_lease(const char *dir, bool exclusive, struct counts *counts)
{
	struct lease *lease;
	const char *error;
	int *mine = exclusive ? &counts->excluders : &counts->sharers;
	int n;

	if ((exclusive ? exclude : share)(dir, LONG_SECS, &lease, &error) <= 0)
		return FALSE;
	n = __atomic_add_fetch(mine, 1, __ATOMIC_SEQ_CST);
	if (exclusive && (n != 1 || __atomic_load_n(&counts->sharers,
						    __ATOMIC_SEQ_CST) != 0))
		__atomic_add_fetch(&counts->broken, 1, __ATOMIC_SEQ_CST);
	if (!exclusive && __atomic_load_n(&counts->excluders,
					  __ATOMIC_SEQ_CST) != 0)
		__atomic_add_fetch(&counts->broken, 1, __ATOMIC_SEQ_CST);
	if (exclusive)
		__atomic_add_fetch(&counts->excluded, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(mine, 1, __ATOMIC_SEQ_CST);
	lease_release(&lease);
	return TRUE;
}

/* Sharers without a pause don't starve those who exclude, and nobody is inside
   at the wrong time. */
static void test_crowd(void)
{
	struct counts *counts = mmap(NULL, sizeof(*counts),
				     PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *dir = engine_unit_dir();
	pid_t pids[6];
	unsigned int i, n;

	CU_ASSERT_FATAL(counts != MAP_FAILED);
	fflush(NULL);
	for (i = 0; i < N_ELEMENTS(pids); i++) {
		if ((pids[i] = fork()) != 0)
			continue;
		for (n = 0; i < 2 ? n < 50 : __atomic_load_n(&counts->excluded,
				__ATOMIC_SEQ_CST) < 100; n++) {
			if (!use_lease(dir, i < 2, counts))
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < N_ELEMENTS(pids); i++)
		UNIT_CHECK(engine_unit_wait(pids[i]) == 0, "process %u", i);
	CU_ASSERT(counts->excluded == 100 && counts->broken == 0);
	(void)munmap(counts, sizeof(*counts));
}

static void on_alarm(int signo ATTR_UNUSED)
{
}

static const struct unit_test tests[] = {
	{ "matrix", test_matrix },
	{ "recall", test_recall },
	{ "timeout", test_timeout },
	{ "wait", test_wait },
	{ "renamed", test_renamed },
	{ "renamed again", test_renamed_again },
	{ "renamed over a holder", test_renamed_over_holder },
	{ "killed", test_killed },
	{ "crowd", test_crowd },
	{ NULL, NULL }
};

int main(void)
{
	/* as master-service does: the alarm of file_wait_lock() interrupts */
	const struct sigaction act = { .sa_handler = on_alarm };

	(void)sigaction(SIGALRM, &act, NULL);
	return engine_unit_run("lease", tests);
}
