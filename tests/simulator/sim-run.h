/*
 * sim-run: one world from its beginning to its end, with a verdict each midnight
 *
 * The verdict comes from the report's library, which reads the two logs as they
 * grow. When the first policy says `safe`, a week after the switch, and at the
 * end, the program itself is asked about the same logs, with --until.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim-judge.h"
#include "sim-result.h"

struct sim_run_settings {
	/* The first is the one that the program is asked about. */
	const struct sim_policy *policies;
	size_t policies_count;
	/* Path of migration-report; NULL: it isn't asked. */
	const char *program;
	/* For the logs, which stay there. */
	const char *folder;
	/* Tell each verdict there; may be NULL. */
	FILE *say;
};

void sim_run(const struct sim_run_settings *set, const struct sim_plan *plan,
	     struct sim_result *result_r);

#endif
