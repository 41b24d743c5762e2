/*
 * report-doubles: was this seen before?
 *
 * Remembers 64-bit hashes in two generations of REPORT_DOUBLES_MIN each: when the
 * younger one is full, the older is forgotten. So the last REPORT_DOUBLES_MIN to
 * twice as many are known, in 2 MB whatever the length of the logs. Since logs
 * are read in the order of time, what is told twice (the same log given twice, a
 * rotation that overlaps, a file and the journal) comes close together.
 * Two different things are taken for one with a chance of 1 in 2^46 a line.
 */
#ifndef REPORT_DOUBLES_H
#define REPORT_DOUBLES_H

#include <stdbool.h>
#include <stdint.h>

#define REPORT_DOUBLES_MIN (64 * 1024)

struct report_doubles;

struct report_doubles *report_doubles_init(void);
void report_doubles_deinit(struct report_doubles **doubles);
/* It will be asked for soon. */
void report_doubles_prefetch(const struct report_doubles *doubles,
			     uint64_t hash);
/* Remembers it too. The hash is as good as random (table_hash()). */
bool report_doubles_seen(struct report_doubles *doubles, uint64_t hash);

#endif
