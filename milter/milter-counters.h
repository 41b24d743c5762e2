/*
 * milter-counters: what was counted since the start, by all processes together
 *
 * The counts lie in memory that the supervisor and its workers share, so that one
 * heartbeat tells of all of them, and a worker that crashed loses none.
 */
#ifndef MILTER_COUNTERS_H
#define MILTER_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum milter_count {
	/* Mails to their end, whoever they were for. */
	MILTER_COUNT_MAILS,
	/* Lines event=arrival. */
	MILTER_COUNT_ARRIVALS,
	/* Those of them with via=relayed. */
	MILTER_COUNT_RELAYED,
	/* Lines event=submission. */
	MILTER_COUNT_SUBMISSIONS,
	/* Tags that were removed. */
	MILTER_COUNT_FORGED,
	/* Failures of the milter's own, in words or not. */
	MILTER_COUNT_FAILURES,
	/* Recipients that were told to come back. */
	MILTER_COUNT_DEFERRED,
	/* Failures that no line tells of yet. */
	MILTER_COUNT_UNTOLD,
	/* When a failure was told last, in seconds. */
	MILTER_COUNT_TOLD_AT,
	MILTER_COUNTS
};

/* Before the first fork. -1 with errno. */
int milter_counters_init(void);
/* The sum after adding. */
uint64_t milter_count_add(enum milter_count count, uint64_t more);
uint64_t milter_count_get(enum milter_count count);
/* Sets it to wanted if it is still expected. */
int milter_count_swap(enum milter_count count, uint64_t expected,
		      uint64_t wanted);

#endif
