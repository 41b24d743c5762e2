#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ASK_EVERY_MS 5

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int left_ms(uint64_t deadline)
{
	uint64_t now = now_ms();

	return now >= deadline ? 0 : (int)(deadline - now);
}

bool wait_until(bool (*condition)(void *context), void *context,
		unsigned int timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms;
	struct timespec pause = { .tv_nsec = ASK_EVERY_MS * 1000000L };

	while (!condition(context)) {
		if (left_ms(deadline) == 0)
			return condition(context);
		nanosleep(&pause, NULL);
	}
	return true;
}

static pid_t spawn(const char *const argv[], int in, int out)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid != 0) {
		/* both sides do it, so that it's done whoever runs first */
		if (pid > 0)
			(void)setpgid(pid, pid);
		return pid;
	}
	(void)setpgid(0, 0);
	if (in >= 0)
		(void)dup2(in, STDIN_FILENO);
	if (out >= 0) {
		(void)dup2(out, STDOUT_FILENO);
		(void)dup2(out, STDERR_FILENO);
	}
	(void)signal(SIGPIPE, SIG_DFL);
	/* our threads may block signals */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], (char *const *)argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
		WEXITSTATUS(status);
}

/* Whether it can be waited for without blocking; it stays to be waited for. */
static bool has_ended(void *context)
{
	const pid_t *pid = context;
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)*pid, &info,
		      WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

int process_wait(pid_t pid, unsigned int timeout_ms)
{
	int status;

	if (!wait_until(has_ended, &pid, timeout_ms) ||
	    waitpid(pid, &status, 0) != pid)
		return -1;
	return exit_status(status);
}

int process_stop(pid_t pid, int signal, unsigned int timeout_ms)
{
	int status;

	(void)kill(-pid, signal);
	status = process_wait(pid, timeout_ms);
	if (status < 0) {
		(void)kill(-pid, SIGKILL);
		if (waitpid(pid, &status, 0) == pid)
			status = exit_status(status);
	}
	return status;
}

pid_t process_start(const char *const argv[], const char *output_file)
{
	int in, out = -1;
	pid_t pid;

	in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (output_file != NULL) {
		out = open(output_file,
			   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	}
	if (in < 0 || (output_file != NULL && out < 0)) {
		if (in >= 0)
			close(in);
		return -1;
	}
	pid = spawn(argv, in, out);
	close(in);
	if (out >= 0)
		close(out);
	return pid;
}

/* Adds what can be read; false at the end of the output. */
static bool take_output(int fd, struct process_result *result)
{
	char buf[16384], *grown;
	ssize_t ret;

	ret = read(fd, buf, sizeof(buf));
	if (ret < 0)
		return errno == EAGAIN || errno == EINTR;
	if (ret == 0)
		return false;
	if (result->size + (size_t)ret > PROCESS_MAX_OUTPUT)
		return true;
	grown = realloc(result->output, result->size + (size_t)ret + 1);
	if (grown == NULL)
		return true;
	memcpy(grown + result->size, buf, (size_t)ret);
	result->size += (size_t)ret;
	grown[result->size] = '\0';
	result->output = grown;
	return true;
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) > 0;
}

/* Collects output until the process ends; true when it did in time. */
static bool
collect(pid_t pid, int fd, uint64_t deadline, struct process_result *result)
{
	bool open = true;
	int left;

	while (!has_ended(&pid)) {
		left = left_ms(deadline);
		if (left == 0)
			return false;
		if (!open) {
			(void)wait_until(has_ended, &pid, (unsigned int)left);
			continue;
		}
		/* an end without a word has to be asked for */
		if (readable(fd, left < ASK_EVERY_MS ? left : ASK_EVERY_MS))
			open = take_output(fd, result);
	}
	while (open && readable(fd, 0))
		open = take_output(fd, result);
	return true;
}

int process_run(const char *const argv[], unsigned int timeout_ms,
		struct process_result *result_r)
{
	uint64_t deadline = now_ms() + timeout_ms;
	int fds[2], in, status;
	pid_t pid;

	memset(result_r, 0, sizeof(*result_r));
	result_r->status = -1;
	result_r->output = calloc(1, 1);
	if (result_r->output == NULL || pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid = spawn(argv, in, fds[1]);
	close(fds[1]);
	if (in >= 0)
		close(in);
	if (pid > 0 && collect(pid, fds[0], deadline, result_r)) {
		if (waitpid(pid, &status, 0) == pid)
			result_r->status = exit_status(status);
	} else if (pid > 0) {
		result_r->timed_out = true;
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
	}
	close(fds[0]);
	return result_r->status == 0 ? 0 : -1;
}

int process_shell(unsigned int timeout_ms, struct process_result *result_r,
		  const char *fmt, ...)
{
	const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
	va_list args;
	char *command;
	int ret;

	va_start(args, fmt);
	if (vasprintf(&command, fmt, args) < 0)
		abort();
	va_end(args);
	argv[2] = command;
	ret = process_run(argv, timeout_ms, result_r);
	free(command);
	return ret;
}

void process_result_free(struct process_result *result)
{
	free(result->output);
	memset(result, 0, sizeof(*result));
}
