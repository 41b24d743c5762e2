#include "lib.h"
#include "array.h"
#include "common/text-format.h"
#include "common/text-table.h"
#include "service-picture.h"
#include "service-text.h"

#define TOTAL_BAR_CELLS 28
#define USER_BAR_CELLS 12

enum { SECTION_SERVERS, SECTION_RUNNING, SECTION_FAILED, SECTION_COUNT };

struct service_text {
	const struct service_picture *picture;
	const struct service_text_options *options;
	FILE *out;
};

static uint64_t known(uint64_t number)
{
	return number == SERVICE_UNKNOWN ? 0 : number;
}

static const char *count(uint64_t number)
{
	return number == SERVICE_UNKNOWN ? "?" :
		t_strdup(format_count(number).text);
}

static const char *bytes(uint64_t number)
{
	return number == SERVICE_UNKNOWN ? "?" :
		t_strdup(format_bytes(number).text);
}

static const char *rate(uint64_t number)
{
	return known(number) == 0 ? "-" :
		t_strdup_printf("%s/s", format_bytes(number).text);
}

static const char *span(int64_t secs)
{
	return t_strdup(format_span(I_MAX(secs, 0)).text);
}

/* How long since then, and until then; "-" when there's no such time. */
static const char *since(const struct service_text *text, uint64_t time)
{
	return known(time) == 0 ? "-" :
		span(text->options->now - (int64_t)time);
}

static const char *until(const struct service_text *text, uint64_t time)
{
	return known(time) == 0 ? "-" :
		span((int64_t)time - text->options->now);
}

/* By bytes where they are known: messages differ. */
static const char *
bar(uint64_t part, uint64_t whole, uint64_t messages, uint64_t all_messages,
    unsigned int cells)
{
	if (known(whole) == 0) {
		part = messages;
		whole = all_messages;
	}
	part = known(part);
	whole = known(whole);
	return t_strdup_printf("%s %4s", format_bar(part, whole, cells).text,
			       format_share(I_MIN(part, whole), whole).text);
}

static bool is_done(const struct service_total *total)
{
	return total->users > 0 &&
		known(total->local) + known(total->closed) >= total->users;
}

static const char *
time_left(const struct service_text *text, const struct service_total *total)
{
	if (total->paused > 0)
		return "PAUSED: doveadm migration resume goes on";
	if (is_done(total))
		return "all users are local";
	if (total->seconds_left == SERVICE_UNKNOWN)
		return "time left not known yet";
	return t_strdup_printf("%s left, until %s", span(total->seconds_left),
		format_time(text->options->now +
			    (int64_t)total->seconds_left).text);
}

static void write_total(const struct service_text *text)
{
	const struct service_total *total = &text->picture->total;

	fprintf(text->out, "%s, the service runs for %s\n",
		format_time_zone(text->options->now).text,
		since(text, total->since));
	fprintf(text->out, "%s  %s of %s, %s of %s messages\n",
		bar(total->done_bytes, total->bytes, total->done_messages,
		    total->messages, TOTAL_BAR_CELLS),
		bytes(total->done_bytes), bytes(total->bytes),
		count(total->done_messages), count(total->messages));
	fprintf(text->out, "%s; %s\n", rate(total->rate),
		time_left(text, total));
	fprintf(text->out, "%s users: %s local, %s moving, %s not seen yet, "
		"%s closed; %s running, %s failed\n",
		count(total->users), count(total->local), count(total->moving),
		count(total->unseen), count(total->closed),
		count(total->running), count(total->failed));
	if (known(total->catchup_oldest) != 0)
		fprintf(text->out, "late mail: the oldest look was %s ago\n",
			since(text, total->catchup_oldest));
}

static const char *
of_limit(const char *value, uint64_t limit, const char *limit_text)
{
	return known(limit) == 0 ? value :
		t_strdup_printf("%s of %s", value, limit_text);
}

static const char *server_state(const struct service_text *text,
				const struct service_server *server)
{
	const char *what = server->state;

	if (strcmp(what, "backoff") == 0)
		what = "backs off";
	else if (strcmp(what, "daily") == 0)
		what = "daily limit";
	if (known(server->until) != 0)
		what = t_strdup_printf("%s, %s", what,
				       until(text, server->until));
	return *server->reason == '\0' ? what :
		t_strdup_printf("%s: %s", what, server->reason);
}

static void server_row(const struct service_text *text,
		       struct text_table *table, unsigned int i)
{
	const struct service_server *server =
		array_idx(&text->picture->servers, i);

	text_table_cell(table, *server->host == '\0' ? "not known yet" :
			server->host);
	text_table_cell(table, of_limit(count(server->connections),
		server->limit, count(server->limit)));
	text_table_cell(table, rate(server->rate));
	text_table_cell(table, of_limit(bytes(server->today), server->daily,
					bytes(server->daily)));
	text_table_cell(table, server_state(text, server));
}

static void running_row(const struct service_text *text,
			struct text_table *table, unsigned int i)
{
	const struct service_running *running =
		array_idx(&text->picture->running, i);
	bool has_bar = strcmp(running->doing, "fill") == 0;

	text_table_cell(table, running->user);
	text_table_cell(table, running->doing);
	text_table_cell(table, !has_bar ? "" :
		bar(running->done_bytes, running->bytes,
		    running->done_messages, running->messages,
		    USER_BAR_CELLS));
	text_table_cell(table, rate(running->rate));
	text_table_cell(table, since(text, running->since));
	text_table_cell(table, *running->what == '\0' ? running->mailbox :
		t_strdup_printf("%s: %s", running->mailbox, running->what));
}

static void failed_row(const struct service_text *text,
		       struct text_table *table, unsigned int i)
{
	const struct service_failed *failed =
		array_idx(&text->picture->failed, i);

	text_table_cell(table, failed->user);
	text_table_cell(table, failed->failure);
	text_table_cell(table, since(text, failed->since));
	text_table_cell(table, until(text, failed->retry));
	text_table_cell(table, failed->reason);
}

static const struct text_column server_columns[] = {
	{ "old server", 22 }, { "users", 11 }, { "rate", -9 },
	{ "today", -16 }, { "state", 0 }
};
static const struct text_column running_columns[] = {
	{ "running", 18 }, { "doing", 7 }, { "done", 21 }, { "rate", -9 },
	{ "for", -9 }, { "mailbox", 0 }
};
static const struct text_column failed_columns[] = {
	{ "failed", 18 }, { "why", 11 }, { "for", -9 },
	{ "again in", -12 }, { "reason", 0 }
};

static const struct text_section {
	const struct text_column *columns;
	unsigned int columns_count;
	void (*row)(const struct service_text *text, struct text_table *table,
		    unsigned int i);
} sections[] = {
	[SECTION_SERVERS] = {
		server_columns, N_ELEMENTS(server_columns), server_row
	},
	[SECTION_RUNNING] = {
		running_columns, N_ELEMENTS(running_columns), running_row
	},
	[SECTION_FAILED] = {
		failed_columns, N_ELEMENTS(failed_columns), failed_row
	},
};

/* the total's, and an empty line and the titles of each section */
#define TOTAL_LINES 5
#define SECTION_LINES 2

/* Each section has as many lines as it needs, or as the others. */
static void share_rows(unsigned int rows, const unsigned int *wanted,
		       unsigned int *shown_r)
{
	unsigned int i, left, given;

	left = rows < TOTAL_LINES ? 0 : rows - TOTAL_LINES;
	for (i = 0; i < SECTION_COUNT; i++) {
		shown_r[i] = 0;
		if (wanted[i] > 0)
			left -= I_MIN(left, SECTION_LINES);
	}
	do {
		given = 0;
		for (i = 0; i < SECTION_COUNT && given < left; i++) {
			if (shown_r[i] < wanted[i]) {
				shown_r[i]++;
				given++;
			}
		}
		left -= given;
	} while (given > 0);
}

/* Of count rows, and of all that there are, in so many lines. */
static void
write_section(const struct service_text *text,
	      const struct text_section *section, unsigned int lines,
	      unsigned int count, uint64_t all)
{
	struct text_table table;
	unsigned int rows;

	if (lines == 0)
		return;
	/* the last line tells of what isn't shown */
	rows = count == all && count <= lines ? count :
		I_MIN(count, lines - 1);
	fputc('\n', text->out);
	text_table_begin(&table, text->out, section->columns,
			 section->columns_count);
	for (unsigned int i = 0; i < rows; i++) T_BEGIN {
		section->row(text, &table, i);
	} T_END;
	if (rows < all)
		fprintf(text->out, "  ... and %s more\n",
			format_count(all - rows).text);
}

void service_text_write(const struct service_picture *picture,
			const struct service_text_options *options, FILE *out)
{
	const struct service_text text = { picture, options, out };
	const unsigned int counts[SECTION_COUNT] = {
		[SECTION_SERVERS] = array_count(&picture->servers),
		[SECTION_RUNNING] = array_count(&picture->running),
		[SECTION_FAILED] = array_count(&picture->failed),
	};
	unsigned int i, wanted[SECTION_COUNT], lines[SECTION_COUNT];
	uint64_t all[SECTION_COUNT];

	T_BEGIN {
		write_total(&text);
	} T_END;
	for (i = 0; i < SECTION_COUNT; i++)
		all[i] = counts[i];
	/* the service tells of some only */
	all[SECTION_FAILED] = I_MAX(counts[SECTION_FAILED],
				    known(picture->total.failed));
	for (i = 0; i < SECTION_COUNT; i++)
		wanted[i] = counts[i] + (counts[i] < all[i] ? 1 : 0);
	share_rows(options->rows == 0 ? UINT_MAX : options->rows, wanted,
		   lines);
	for (i = 0; i < SECTION_COUNT; i++)
		write_section(&text, &sections[i], lines[i], counts[i],
			      all[i]);
}
