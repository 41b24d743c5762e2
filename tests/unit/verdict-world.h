/*
 * verdict-world: a small world in which it's safe to cancel the old server, as
 * lines of its logs, and what is said of it
 *
 * MX was switched on the second day, two accounts were cut over on the first one,
 * and both servers and both accounts were watched ever since. Seconds are counted
 * from its beginning.
 */
#ifndef VERDICT_WORLD_H
#define VERDICT_WORLD_H

#include "unit.h"
#include "report/report-intake.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-10-01T00:00:00Z */
#define START 1790812800
#define HOUR 3600
#define DAY 86400
#define CUTOVER DAY
#define SWITCHED (2 * DAY)
#define END (20 * DAY)
#define DOMAIN "ours.example"
#define ANNA "anna@" DOMAIN
#define BERT "bert@" DOMAIN
#define SENDER "from=a@sender.example client=192.0.2.7 name=mail.sender.example"
#define LATER "from=b@late.example client=198.51.100.9 name=mx.late.example"
#define LATE "late user=" ANNA " mailbox=INBOX uidvalidity=1 mid=x@y size=9 " \
	"delay=40 action=delivered "
#define NO_CONDITION REPORT_CONDITIONS

/* What a case leaves out of the world, or changes in it. */
enum world {
	NO_OLD_MILTER = 0x01,
	NO_NEW_MILTER = 0x02,
	/* Both milters for three hours of the 15th day. */
	MILTER_GAP = 0x04,
	NO_POLLS = 0x08,
	BERT_NOT_POLLED = 0x10,
	BERT_NOT_CUT_OVER = 0x20,
	NO_DIGEST = 0x40,
	NOTHING_NEW = 0x80,
	/* New mail until the tenth day only. */
	NEW_ENDS = 0x100,
	NO_ACCOUNTS = 0x200,
	/* It's switched five days before the end. */
	SWITCHED_LATE = 0x400,
	/* The log has the last ten, or the last five days only. */
	LOG_10_DAYS = 0x800,
	LOG_5_DAYS = 0x1000,
	/* Polls end on the 18th day, the milter of the old server too. */
	POLLS_END = 0x2000,
	OLD_MILTER_ENDS = 0x4000,
};

/* For the next world_read(); world_end() makes them the defaults again. */
extern struct report_verdict_settings world_settings;
extern struct report_intake_settings world_intake_settings;
/* Between world_read() and world_end(). */
extern struct report_intake *world_intake;
extern struct report_reading world_reading;

/* No lines, or those of that world: bits of enum world. */
void world_clear(void);
void world_make(unsigned int world);
/* One more line, of that event and its keys. */
void world_add(int64_t seconds, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* From where on its log is there. */
int64_t world_log_begins(unsigned int world);
/* Reads the lines from then on, in the order of time. */
void world_read(int64_t begins);
/* Of the only domain, an hour after the end. */
const struct report_verdict *world_verdict(void);
void world_end(void);

/* verdict-cases.c: each spoils one thing. */
void verdict_test_cases(void);

#endif
