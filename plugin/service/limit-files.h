#ifndef LIMIT_FILES_H
#define LIMIT_FILES_H

/*
 * limit-files: the files of engine/old-limits.h, which all processes share and
 * only root can open: before a process becomes its user.
 */

struct limit_files {
	/* -1: it can't be had, which was logged */
	int budget_fd, slots_fd;
};

#define LIMIT_FILES_INIT { .budget_fd = -1, .slots_fd = -1 }

/* In the folders of master_service's settings. */
void limit_files_open(struct limit_files *files);
void limit_files_close(struct limit_files *files);

#endif
