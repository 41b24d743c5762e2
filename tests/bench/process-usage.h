/*
 * process-usage: what a running process group has used, from /proc (proc(5))
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

/* Of the processes of that group; -1 when there are none. */
int process_usage(pid_t group, struct process_usage *usage_r);

#endif
