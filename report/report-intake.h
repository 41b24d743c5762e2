/*
 * report-intake: takes report lines in, and makes the picture of them
 *
 * A table says for each event what becomes of it. What is told twice counts once:
 * arrivals by server, host, queue id and recipient, other lines by all of their
 * text and their time; see report-doubles.h for how far back.
 */
#ifndef REPORT_INTAKE_H
#define REPORT_INTAKE_H

#include "log-input.h"
#include "report-model.h"
#include "report-verdict.h"

struct report_intake_settings {
	/* The only domain to be looked at; "" for all. */
	const char *domain;
	/* 0: inferred */
	int64_t switched;
	/* Lines before and after aren't looked at; 0: all are. */
	int64_t since, until;
	/* Of the verdicts; NULL: as is usual. */
	const struct report_verdict_settings *verdict;
	/* A line that can't be used; may be NULL. The reason is static. */
	void (*broken)(void *context, const char *reason, const char *message,
		       size_t size);
	void *context;
};

struct report_intake;

/* The settings must stay. */
struct report_intake *
report_intake_init(const struct report_intake_settings *set);
void report_intake_deinit(struct report_intake **intake);
void report_intake_add(struct report_intake *intake,
		       const struct log_record *record);

/* The picture so far. now: when it's made; end: up to when it's known that
   nothing else came, 0 for the last line. reading: what was read, which must
   stay; the counts of the intake's own are filled in. */
const struct report_model *
report_intake_model(struct report_intake *intake, int64_t now, int64_t end,
		    struct report_reading *reading);

#endif
