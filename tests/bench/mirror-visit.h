/*
 * mirror-visit: what a client does in one session, and how long each step takes
 *
 * Times are milliseconds from sending the command to its tagged answer. Each
 * answer is looked at: one that isn't what was asked for ends the program
 * (bench_fail()).
 */
#ifndef MIRROR_VISIT_H
#define MIRROR_VISIT_H

#include "mirror-lane.h"

enum mirror_step {
	STEP_SELECT, STEP_ENVELOPES, STEP_BODY, STEP_STORE, STEP_APPEND,
	STEP_STATUS,
	MIRROR_STEPS
};

/* "select" and so on */
const char *mirror_step_name(enum mirror_step step);

/* Logs in, and takes one step after the other. n: how many visits this lane has
   had; each reads and flags another message. */
void mirror_visit(const struct bench *bench, const struct mirror_lane *lane,
		  unsigned int n, double ms_r[MIRROR_STEPS]);

#endif
