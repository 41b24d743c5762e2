/*
 * process: runs commands with a deadline, and waits for conditions
 *
 * Each command leads a process group of its own; when its time is over the
 * whole group is killed. Daemons that it leaves behind don't keep a run waiting.
 * Times are milliseconds.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_MAX_OUTPUT (64UL * 1024 * 1024)

struct process_result {
	/* The exit status, 128 + n for signal n, -1 when time was over or it
	   couldn't be started; output says which. */
	int status;
	bool timed_out;
	/* stdout and stderr, ended by a NUL that size doesn't count. */
	char *output;
	size_t size;
};

/* argv as for execvp(3). Returns result_r->status == 0 ? 0 : -1; the result is
   to be freed either way. */
int process_run(const char *const argv[], unsigned int timeout_ms,
		struct process_result *result_r);
/* The same through sh -c. */
int process_shell(unsigned int timeout_ms, struct process_result *result_r,
		  const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void process_result_free(struct process_result *result);

/* Starts one and leaves it running; its output goes to the file, or to ours
   when NULL. -1 with errno. */
pid_t process_start(const char *const argv[], const char *output_file);
/* Sends the signal to its group and waits for it; SIGKILL after timeout_ms.
   Returns the status as above. */
int process_stop(pid_t pid, int signal, unsigned int timeout_ms);
/* Waits for its own end. -1: still running after timeout_ms. */
int process_wait(pid_t pid, unsigned int timeout_ms);

/* Milliseconds of a clock that only goes forward. */
uint64_t now_ms(void);
/* Asks until the condition holds, false when it still doesn't at the deadline. */
bool wait_until(bool (*condition)(void *context), void *context,
		unsigned int timeout_ms);

#endif
