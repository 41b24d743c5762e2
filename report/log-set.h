/*
 * log-set: the report lines of several logs, in the order of time
 *
 * Each log is in order more or less; so is what comes out. A log isn't read (and
 * needs no memory) before the time at which it begins has come, so that a month
 * of rotated logs is like one long one.
 *
 * When a log was rotated while it was read, its successor is read on; the old
 * one stays in the set, since its writer may not have noticed yet.
 */
#ifndef LOG_SET_H
#define LOG_SET_H

#include "log-input.h"

struct log_set;

/* The settings must stay. */
struct log_set *log_set_init(const struct log_settings *settings);
void log_set_deinit(struct log_set **set);

/* As log_file_init(), log_journal_init(). -1 with the reason. */
int log_set_add_file(struct log_set *set, const char *path, const char *zone,
		     int year, const char **error_r);
int log_set_add_journal(struct log_set *set, const char *folder, int64_t since,
			const char **error_r);

/* The record is valid until the next call. false: nothing more comes now. May be
   called again, when something has come. */
bool log_set_next(struct log_set *set, struct log_record *record_r);

size_t log_set_count(const struct log_set *set);
struct log_input *log_set_input(const struct log_set *set, size_t i);

#endif
