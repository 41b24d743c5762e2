#include "process-usage.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Adds a process when it's the parent or a child of it. */
static int add(const char *pid, pid_t parent, struct process_usage *usage)
{
	char path[64], line[1024];
	unsigned long user, system;
	const char *rest;
	long resident, ticks, page;
	pid_t found;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	in = fopen(path, "r");
	if (in == NULL)
		return 0;
	rest = fgets(line, sizeof(line), in);
	fclose(in);
	/* the name before it may have anything in it */
	if (rest == NULL || (rest = strrchr(line, ')')) == NULL ||
	    sscanf(rest, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu "
		   "%*d %*d %*d %*d %*d %*d %*u %*u %ld", &found, &user,
		   &system, &resident) != 4 ||
	    (found != parent && atoi(pid) != parent))
		return 0;
	ticks = sysconf(_SC_CLK_TCK);
	page = sysconf(_SC_PAGESIZE);
	usage->cpu_s += (double)(user + system) / (double)ticks;
	usage->rss_mb += (double)resident * (double)page / 1e6;
	return 1;
}

int process_usage(pid_t pid, struct process_usage *usage_r)
{
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	memset(usage_r, 0, sizeof(*usage_r));
	dir = opendir("/proc");
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0]))
			count += add(entry->d_name, pid, usage_r);
	}
	closedir(dir);
	return count > 0 ? 0 : -1;
}
