/*
 * sim-result: how one world went: what was true, and when `safe` was said
 */
#ifndef SIM_RESULT_H
#define SIM_RESULT_H

#include "sim-judge.h"
#include "sim-world.h"

/* Days after the switch for which the verdict is asked for. */
#define SIM_DAYS_ASKED 90
#define SIM_POLICIES_MAX 8

/* What the truth says about one `safe`, or about none. */
struct sim_outcome {
	/* The first midnight at which it was said; 0: never. */
	int64_t safe;
	/* Wanted mails that came to the old server after it, and why the first
	   of them did and when. */
	unsigned int later;
	enum sim_why why;
	int64_t first_later;
	/* What spoke against it the last time it was asked for. */
	struct sim_reason against;
};

struct sim_result {
	struct sim_plan plan;
	/* The last wanted mail at the old server, at least the switch. */
	int64_t end;
	int64_t local;
	double rarest;
	bool called;
	uint64_t unmarked;
	struct sim_outcome outcomes[SIM_POLICIES_MAX];
	/* The program said something else than its library. */
	bool disagrees;
	/* Report lines that were written, and CPU time. */
	uint64_t lines;
	double seconds;
};

#endif
