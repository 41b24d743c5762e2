/*
 * sim-tally: the tables over all worlds
 *
 * A row is a kind of world; a world is in each row that holds for it.
 */
#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include "sim-result.h"

#include <stdio.h>

/* How a policy's safes went, in worlds of one kind. */
struct sim_figures {
	size_t worlds;
	/* safe was said, and wanted mail came later. */
	size_t wrong;
	/* It was said, and none came. */
	size_t right;
	/* It wasn't said, and mail came to the end; or none came for long. */
	size_t still, missed;
	/* Of the right ones: days after the end, and after the first midnight at
	   which these rules could have said it: median, and 90 of 100. */
	double after_end[2], after_best[2];
};

/* kind NULL: all worlds. quiet: the policy's quiet period. */
typedef bool sim_kind_t(const struct sim_result *result);
void sim_tally(const struct sim_result *results, size_t count, size_t policy,
	       int64_t quiet, sim_kind_t *kind, struct sim_figures *figures_r);

struct sim_policy_name {
	const char *name;
	int64_t quiet;
};

/* A row a policy; and for the first of them a row a kind, and why it was wrong. */
void sim_tally_write(const struct sim_result *results, size_t count,
		     const struct sim_policy_name *policies,
		     size_t policies_count, FILE *out);

#endif
