/*
 * process-usage: what a running daemon has used, from /proc (proc(5))
 */
#ifndef PROCESS_USAGE_H
#define PROCESS_USAGE_H

#include <sys/types.h>

struct process_usage {
	/* Seconds, user and system, of those that are there. */
	double cpu_s;
	/* Their resident sets now, in MB of 1,000,000 bytes. */
	double rss_mb;
};

/* Of that process and its children; -1 when there are none. */
int process_usage(pid_t pid, struct process_usage *usage_r);

#endif
