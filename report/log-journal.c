/*
 * log-journal: an input that is systemd's journal
 *
 * Only what our programs and Dovecot wrote is looked at (SYSLOG_IDENTIFIER). Each
 * entry is judged as the line of syslog that it would be, so that one rule says
 * what is to be believed.
 */
#include "config.h"
#include "log-input.h"

#ifndef HAVE_JOURNAL

struct log_input *log_journal_init(const char *folder, int64_t since,
				   const struct log_settings *set,
				   const char **error_r)
{
	(void)folder;
	(void)since;
	(void)set;
	*error_r = "this migration-report was built without libsystemd";
	return NULL;
}

#else

#include "memory.h"
#include "syslog-time.h"
#include "common/report-line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <time.h>

static const char *const identifiers[] = {
	"SYSLOG_IDENTIFIER=dovecot",
	"SYSLOG_IDENTIFIER=migration-milter",
};

struct log_journal {
	struct log_input input;
	sd_journal *journal;
	struct syslog_clock clock;
	char line[REPORT_LINE_MAX * 2];
	char error[256];
};

/* The value of a field, NULL when the entry has none. */
static const char *
get_field(struct log_journal *journal, const char *name, size_t *size_r)
{
	size_t name_size = strlen(name) + 1;
	const void *data;

	if (sd_journal_get_data(journal->journal, name, &data, size_r) < 0 ||
	    *size_r < name_size)
		return NULL;
	*size_r -= name_size;
	return (const char *)data + name_size;
}

static size_t put_time(struct log_journal *journal)
{
	uint64_t usec = 0;
	struct tm tm;
	time_t time;

	(void)sd_journal_get_realtime_usec(journal->journal, &usec);
	time = (time_t)(usec / 1000000);
	if (gmtime_r(&time, &tm) == NULL)
		return 0;
	return strftime(journal->line, sizeof(journal->line),
			"%Y-%m-%dT%H:%M:%SZ ", &tm);
}

/* Adds a field and what follows it. */
static size_t put_field(struct log_journal *journal, size_t used,
			const char *name, const char *behind)
{
	size_t size, room = sizeof(journal->line) - used;
	const char *value = get_field(journal, name, &size);
	int ret;

	if (value == NULL || size >= room)
		return used;
	ret = snprintf(journal->line + used, room, "%.*s%s", (int)size, value,
		       behind);
	return ret < 0 || (size_t)ret >= room ? used : used + (size_t)ret;
}

static size_t make_line(struct log_journal *journal)
{
	size_t used = put_time(journal);

	used = put_field(journal, used, "_HOSTNAME", " ");
	used = put_field(journal, used, "SYSLOG_IDENTIFIER", ": ");
	return put_field(journal, used, "MESSAGE", "");
}

static bool read_time(struct log_input *input, const char *text, size_t size,
		      int64_t *time_r)
{
	struct log_journal *journal = (struct log_journal *)input;

	return syslog_clock_read(&journal->clock, text, size, time_r);
}

static void set_error(struct log_journal *journal, const char *what, int ret)
{
	snprintf(journal->error, sizeof(journal->error), "%s: %s", what,
		 strerror(-ret));
	journal->input.seen.error = journal->error;
}

static int journal_next(struct log_input *input, struct log_record *record_r)
{
	struct log_journal *journal = (struct log_journal *)input;
	size_t size;
	int ret;

	/* tells libsystemd of files that came or went */
	(void)sd_journal_process(journal->journal);
	while ((ret = sd_journal_next(journal->journal)) > 0) {
		size = make_line(journal);
		input->seen.lines++;
		input->seen.bytes += size;
		if (memmem(journal->line, size, REPORT_TOKEN,
			   strlen(REPORT_TOKEN)) != NULL &&
		    log_input_judge(input, journal->line, size, read_time,
				    record_r) > 0)
			return 1;
	}
	if (ret < 0)
		set_error(journal, "reading", ret);
	return 0;
}

static int journal_wait_fd(struct log_input *input)
{
	struct log_journal *journal = (struct log_journal *)input;

	return sd_journal_get_fd(journal->journal);
}

static const char *journal_path(const struct log_input *input)
{
	(void)input;
	return NULL;
}

static void journal_deinit(struct log_input *input)
{
	struct log_journal *journal = (struct log_journal *)input;

	sd_journal_close(journal->journal);
	free(journal);
}

static const struct log_input_kind log_journal_kind = {
	.next = journal_next,
	.wait_fd = journal_wait_fd,
	.path = journal_path,
	.deinit = journal_deinit
};

static int seek(sd_journal *journal, int64_t since)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < sizeof(identifiers) / sizeof(identifiers[0]); i++) {
		if (ret >= 0)
			ret = sd_journal_add_match(journal, identifiers[i], 0);
	}
	if (ret >= 0) {
		ret = since == 0 ? sd_journal_seek_head(journal) :
			sd_journal_seek_realtime_usec(journal,
						      (uint64_t)since * 1000000);
	}
	return ret;
}

struct log_input *log_journal_init(const char *folder, int64_t since,
				   const struct log_settings *set,
				   const char **error_r)
{
	struct log_journal *journal;
	sd_journal *handle;
	int ret;

	ret = folder == NULL ?
		sd_journal_open(&handle, SD_JOURNAL_LOCAL_ONLY) :
		sd_journal_open_directory(&handle, folder, 0);
	if (ret >= 0 && (ret = seek(handle, since)) < 0)
		sd_journal_close(handle);
	if (ret < 0) {
		*error_r = strerror(-ret);
		return NULL;
	}
	journal = memory_new(sizeof(*journal));
	journal->input.kind = &log_journal_kind;
	journal->input.set = set;
	journal->input.seen.name = "journal";
	journal->input.seen.error = "";
	journal->input.begins = INT64_MIN;
	journal->journal = handle;
	return &journal->input;
}

#endif
