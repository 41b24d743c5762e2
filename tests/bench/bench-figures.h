/*
 * bench-figures: what a command took, and the middle of several values
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

/* Milliseconds of a clock that only goes forward, with their fractions. */
double bench_now(void);

/* Of the n values, which are sorted; n > 0. */
double bench_median(double *values, unsigned int n);
/* The smallest one that so many percent (1-100) of them don't exceed. */
double bench_percentile(double *values, unsigned int n, unsigned int percent);
double bench_max(const double *values, unsigned int n);

struct bench_usage {
	/* Seconds; those of the CPU are user and system, children included. */
	double wall_s, cpu_s;
	/* The largest resident set, in MB of 1,000,000 bytes. */
	double rss_mb;
};

/* Runs a shell command, its output going to the file. Returns its exit status,
   128 + n for signal n, -1 when it couldn't be started. */
int bench_measure(const char *command, const char *output_file,
		  struct bench_usage *usage_r);

#endif
