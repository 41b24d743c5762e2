#include "bench-figures.h"
#include "process.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

double bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int compare(const void *_a, const void *_b)
{
	const double *a = _a, *b = _b;

	return (*a > *b) - (*a < *b);
}

double bench_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

double bench_percentile(double *values, unsigned int n, unsigned int percent)
{
	qsort(values, n, sizeof(*values), compare);
	/* the nearest rank */
	return values[(n * percent + 99) / 100 - 1];
}

double bench_max(const double *values, unsigned int n)
{
	double max = values[0];

	while (n-- > 1) {
		if (values[n] > max)
			max = values[n];
	}
	return max;
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

int bench_measure(const char *command, const char *output_file,
		  struct bench_usage *usage_r)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	double start = bench_now();
	struct rusage usage;
	int status;
	pid_t pid;

	pid = process_start(argv, output_file);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return -1;
	usage_r->wall_s = (bench_now() - start) / 1e3;
	usage_r->cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	usage_r->rss_mb = (double)usage.ru_maxrss * 1024 / 1e6;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
		WEXITSTATUS(status);
}
