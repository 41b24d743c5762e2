#include "engine-unit.h"
#include "buffer.h"
#include "ioloop.h"
#include "unlink-directory.h"
#include "write-full.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *base_dir;
static unsigned int dir_count;

static void base_dir_make(void)
{
	const char *tmp = getenv("TMPDIR");

	base_dir = i_strconcat(tmp == NULL ? P_tmpdir : tmp,
			       "/migration-unit.XXXXXX", NULL);
	if (mkdtemp(base_dir) == NULL)
		i_fatal("mkdtemp(%s) failed: %m", base_dir);
}

static void base_dir_remove(void)
{
	const char *error;

	if (unlink_directory(base_dir, UNLINK_DIRECTORY_FLAG_RMDIR,
			     &error) < 0)
		i_error("Can't remove %s: %s", base_dir, error);
	i_free(base_dir);
}

const char *engine_unit_dir(void)
{
	const char *dir = t_strdup_printf("%s/%u", base_dir, ++dir_count);

	if (mkdir(dir, 0700) < 0)
		i_fatal("mkdir(%s) failed: %m", dir);
	return dir;
}

unsigned int engine_unit_rand(unsigned int limit)
{
	static uint64_t state = 88172645463325252ULL;

	/* xorshift64 */
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % limit;
}

int engine_unit_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			i_fatal("waitpid() failed: %m");
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

buffer_t *engine_unit_read(const char *path)
{
	buffer_t *data = t_buffer_create(4096);
	char block[4096];
	ssize_t ret;
	int fd = open(path, O_RDONLY);

	if (fd == -1)
		i_fatal("open(%s) failed: %m", path);
	while ((ret = read(fd, block, sizeof(block))) > 0)
		buffer_append(data, block, ret);
	i_close_fd(&fd);
	return data;
}

void engine_unit_write(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write_full(fd, data, size) < 0)
		i_fatal("write(%s) failed: %m", path);
	i_close_fd(&fd);
}

int engine_unit_run_here(const char *suite, const struct unit_test *tests)
{
	struct ioloop *ioloop;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	ioloop = io_loop_create();
	base_dir_make();
	T_BEGIN {
		ret = unit_run(suite, tests);
	} T_END;
	base_dir_remove();
	io_loop_destroy(&ioloop);
	return ret;
}

int engine_unit_run(const char *suite, const struct unit_test *tests)
{
	int ret;

	lib_init();
	ret = engine_unit_run_here(suite, tests);
	lib_deinit();
	return ret;
}
