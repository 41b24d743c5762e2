/*
 * sim-judge: asks the report's library for the verdict on a world's logs
 *
 * It reads FOLDER/new.log and, where the old server isn't rented, FOLDER/old.log,
 * through what migration-report reads them with, and goes on where it stopped.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "sim-plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* As the program's exit status. */
enum sim_verdict {
	SIM_SAFE,
	SIM_NOT_YET,
	SIM_UNKNOWN
};
const char *sim_verdict_name(enum sim_verdict verdict);

/* What the administrator tells it, besides --quiet. */
enum sim_tells {
	/* He looks at each straggler, and those that turn out to be spammers are
	   to be ignored: --ignore. */
	SIM_TELLS_SPAMMERS = 1,
	/* --switched, --ttl, --accounts */
	SIM_TELLS_FACTS = 2
};

/* Options of the verdict. */
struct sim_policy {
	const char *name;
	int64_t quiet;
	unsigned int tells;
	/* The same for the program; NULL when it isn't asked. */
	const char *arguments;
};

/* The first thing that speaks against `safe`. */
struct sim_reason {
	/* Of the report's conditions, static; NULL when nothing does. */
	const char *condition;
	/* Whom it's about, when that is a sender of the world, else -1. */
	int sender;
};

struct sim_judge;

/* plan: the world's, which must stay. */
struct sim_judge *sim_judge_init(const char *folder,
				 const struct sim_plan *plan);
void sim_judge_deinit(struct sim_judge **judge);
/* All lines up to then. */
void sim_judge_read(struct sim_judge *judge, int64_t until);
/* About what was read, at the time of that. say: it goes there with the
   date and what speaks against `safe`; may be NULL. */
enum sim_verdict sim_judge_ask(struct sim_judge *judge,
			       const struct sim_policy *policy,
			       struct sim_reason *against_r, FILE *say);
/* Report lines read. */
uint64_t sim_judge_lines(const struct sim_judge *judge);

#endif
