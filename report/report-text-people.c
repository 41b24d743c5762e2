/*
 * report-text-people: users and their mailboxes, and who hands in mail where
 */
#include "common/text-format.h"
#include "report-text.h"
#include "common/text-table.h"

#define COLUMNS(array) (sizeof(array) / sizeof((array)[0]))

static size_t count_told(const struct report_model *model)
{
	size_t count = 0;

	while (count < model->submitters_count &&
	       model->submitters[count]->tell)
		count++;
	return count;
}

void report_text_submitters(const struct report_model *model,
			    const struct report_text_options *options,
			    FILE *out)
{
	static const struct text_column columns[] = {
		{ "login", 20 }, { "from", 24 }, { "client", 20 },
		{ "old", -6 }, { "new", -6 }, { "last at old", 0 }
	};
	size_t i, told = count_told(model), shown;
	const struct report_submitter *submitter;
	struct text_table table;

	if (model->submitters_count == 0)
		return;
	report_text_title(out, "Mail clients");
	fprintf(out, "  %s still send through the old server, %s don't\n",
		format_count(told).text,
		format_count(model->submitters_count - told).text);
	if (told == 0)
		return;
	text_table_begin(&table, out, columns, COLUMNS(columns));
	shown = report_text_rows(told, options->rows);
	for (i = 0; i < shown; i++) {
		submitter = model->submitters[i];
		text_table_cell(&table, submitter->auth);
		text_table_cell(&table, submitter->from);
		text_table_cell(&table, submitter->client);
		text_table_cell(&table, format_count(
			submitter->mails.count[REPORT_OLD]).text);
		text_table_cell(&table, format_count(
			submitter->mails.count[REPORT_NEW]).text);
		text_table_cell(&table, format_time(
			submitter->mails.last[REPORT_OLD]).text);
	}
	report_text_more(out, told, shown);
}

static void write_totals(const struct report_model *model, FILE *out)
{
	size_t i, states[REPORT_STATES] = { 0 };
	uint64_t messages = 0, bytes = 0;
	unsigned int state;

	for (i = 0; i < model->users_count; i++) {
		for (state = 0; state < REPORT_STATES; state++)
			states[state] += model->users[i]->states[state];
		messages += model->users[i]->messages;
		bytes += model->users[i]->bytes;
	}
	fprintf(out, "  %s users; mailboxes:",
		format_count(model->users_count).text);
	for (state = 0; state < REPORT_STATES; state++) {
		if (states[state] > 0)
			fprintf(out, " %s %s,",
				format_count(states[state]).text,
				report_state_name(state));
	}
	fprintf(out, " %s messages, %s\n", format_count(messages).text,
		format_bytes(bytes).text);
}

static void write_problems(const struct report_user *user, size_t rows,
			   FILE *out)
{
	size_t i, shown = report_text_rows(user->problems, rows);

	if (*user->problem != '\0')
		fprintf(out, "      %s\n", user->problem);
	for (i = 0; i < shown; i++) {
		fprintf(out, "      %s (%s): %s\n", user->mailboxes[i]->name,
			report_state_name(user->mailboxes[i]->state),
			user->mailboxes[i]->problem);
	}
}

static void write_user(struct text_table *table,
		       const struct report_user *user)
{
	static const enum report_state states[] = {
		REPORT_STATE_REMOTE, REPORT_STATE_FILLING, REPORT_STATE_FILLED,
		REPORT_STATE_MIRRORED, REPORT_STATE_LOCAL
	};
	size_t i;

	text_table_cell(table, user->name);
	for (i = 0; i < COLUMNS(states); i++)
		text_table_cell(table, format_count(
			user->states[states[i]]).text);
	text_table_cell(table, format_count(user->messages).text);
	text_table_cell(table, format_bytes(user->bytes).text);
	text_table_cell(table, format_count(user->errors).text);
	text_table_cell(table, format_time(user->last).text);
}

static bool has_catchup(const struct report_user *user)
{
	return user->catchup.polls > 0 || user->catchup.failed_polls > 0 ||
		user->catchup.late > 0 || user->catchup.closed != 0;
}

static void write_catchup(struct text_table *table,
			  const struct report_user *user)
{
	const struct report_catchup *catchup = &user->catchup;
	bool any = catchup->late > 0;

	text_table_cell(table, user->name);
	text_table_cell(table, format_count(catchup->late).text);
	text_table_cell(table, format_count(catchup->doubles).text);
	text_table_cell(table, any ? format_span(catchup->delay_median).text :
			"-");
	text_table_cell(table, any ? format_span(catchup->delay_max).text :
			"-");
	text_table_cell(table, format_time(catchup->last_poll).text);
	text_table_cell(table, catchup->closed != 0 ? "closed" :
			*catchup->poll_problem != '\0' ?
			catchup->poll_problem : "");
}

/* What came to the old server after cutover, and how late it was here. */
static void write_catchups(const struct report_model *model, size_t rows,
			   FILE *out)
{
	static const struct text_column columns[] = {
		{ "user", 22 }, { "late", -6 }, { "doubles", -7 },
		{ "delay", -11 }, { "at most", -11 }, { "last look", 16 },
		{ "", 0 }
	};
	size_t i, shown = 0, count = 0;
	struct text_table table;

	for (i = 0; i < model->users_count; i++)
		count += has_catchup(model->users[i]) ? 1 : 0;
	if (count == 0)
		return;
	report_text_title(out, "Late mail (the delay is the median)");
	text_table_begin(&table, out, columns, COLUMNS(columns));
	for (i = 0; i < model->users_count; i++) {
		if (!has_catchup(model->users[i]))
			continue;
		if (rows != 0 && shown == rows)
			break;
		shown++;
		write_catchup(&table, model->users[i]);
	}
	report_text_more(out, count, shown);
}

void report_text_users(const struct report_model *model,
		       const struct report_text_options *options, FILE *out)
{
	static const struct text_column columns[] = {
		{ "user", 22 }, { "remote", -6 }, { "filling", -7 },
		{ "filled", -6 }, { "mirr.", -5 }, { "local", -5 },
		{ "messages", -9 }, { "size", -7 }, { "errors", -6 },
		{ "last", 0 }
	};
	size_t i, shown = report_text_rows(model->users_count, options->rows);
	struct text_table table;

	if (model->users_count == 0)
		return;
	report_text_title(out, "Users");
	write_totals(model, out);
	text_table_begin(&table, out, columns, COLUMNS(columns));
	for (i = 0; i < shown; i++) {
		write_user(&table, model->users[i]);
		write_problems(model->users[i], options->rows, out);
	}
	report_text_more(out, model->users_count, shown);
	write_catchups(model, options->rows, out);
}
