/*
 * copy-tool: the programs that copy a user's mail, each at its best settings
 *
 *   dovecot-migration  `doveadm migration fill`: durable when it ends, and each
 *                      message read back and compared with its digest
 *   doveadm-tuned      `doveadm backup` that asks 1,000 messages ahead and never
 *                      syncs a file
 *   doveadm-recipe     the same as Dovecot's documentation has it: 20 ahead
 *   mbsync             into a Maildir of its own, without syncing files
 *   raw                raw-fill: what no copy that can be used can be faster than
 *
 * Failures end the program (bench_fail()).
 */
#ifndef COPY_TOOL_H
#define COPY_TOOL_H

#include "bench-lab.h"

enum copy_tool_id {
	COPY_OURS,
	COPY_TUNED,
	COPY_RECIPE,
	COPY_MBSYNC,
	COPY_RAW,
	COPY_TOOLS
};

struct copy_tool {
	const char *name;
	/* Its copy is in the new server's store, else in a folder. */
	bool into_store;
	const char *durable, *verified;
};

extern const struct copy_tool copy_tools[COPY_TOOLS];

/* Is it among those that --tools names? */
bool copy_tool_wanted(const struct bench *bench, enum copy_tool_id id);
/* A shell command that copies all mail of a user. What doesn't go into the
   store goes to the folder, which may be there from an earlier run of mbsync
   only. Free it. */
char *copy_command(const struct bench *bench, enum copy_tool_id id,
		   unsigned int user, const char *folder);
/* The old server is asked for all of a user's mail, so that no tool is the first
   to be answered from the disk. */
void copy_warm_up(const struct bench *bench, unsigned int user);
/* Everything must be there; the folder as above. */
void copy_check(const struct bench *bench, enum copy_tool_id id,
		unsigned int user, const char *folder,
		const struct bench_sum *wanted);

#endif
