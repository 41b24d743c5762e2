/*
 * report-html-users: how far users and their mailboxes are
 *
 * All mailboxes together, each user, and by name the mailboxes that aren't local
 * yet or have a problem.
 */
#include "report-html-private.h"
#include "html-table.h"
#include "common/text-format.h"

#include <string.h>

static const struct html_column user_columns[] = {
	{ "User", NULL },
	{ "Mailboxes", NULL },
	{ "Local", "n" },
	{ "Messages", "n" },
	{ "Size", "n" },
	{ "Late mail", "n" },
	{ "Delay, half of it", "t" },
	{ "Delay, at most", "t" },
	{ "Last look", "t" },
	{ "Problem", NULL },
	{ NULL, NULL }
};

static const struct html_column mailbox_columns[] = {
	{ "User", NULL },
	{ "Mailbox", NULL },
	{ "State", "t" },
	{ "Since", "t" },
	{ "Messages", "n" },
	{ "Size", "n" },
	{ "Problem", NULL },
	{ NULL, NULL }
};

/* Mailboxes of each state; removed ones aren't to be moved. */
struct progress {
	size_t states[REPORT_STATES];
	size_t total;
};

static void progress_add(struct progress *progress,
			 const struct report_user *user)
{
	size_t state;

	for (state = 0; state < REPORT_STATES; state++) {
		progress->states[state] += user->states[state];
		if (state != REPORT_STATE_REMOVED)
			progress->total += user->states[state];
	}
}

static void put_label(struct html *html, const struct progress *progress)
{
	char label[200] = "", *end = label + sizeof(label), *p = label;
	int state;

	for (state = 0; state < REPORT_STATE_REMOVED; state++) {
		if (progress->states[state] > 0)
			p += snprintf(p, (size_t)(end - p), "%s%s %s",
				      p == label ? "" : ", ",
				      format_count(progress->states[state]).text,
				      report_state_name(state));
	}
	html_attr(html, "role", "img");
	html_attr(html, "aria-label", label);
}

/* Finished ones at the left, as a bar grows. */
static void put_bar(struct html *html, const struct progress *progress)
{
	double x = 0, width;
	int state;

	html_open_class(html, "svg", "bar");
	html_attr(html, "width", "100%");
	html_attr(html, "height", "10");
	put_label(html, progress);
	for (state = REPORT_STATE_LOCAL; state >= 0; state--) {
		if (progress->states[state] == 0)
			continue;
		width = 100 * (double)progress->states[state] /
			(double)progress->total;
		html_open_class(html, "rect", report_state_name(state));
		html_attrf(html, "x", "%.3f%%", x);
		html_attrf(html, "width", "%.3f%%", width);
		html_attr(html, "height", "10");
		html_close(html, "rect");
		x += width;
	}
	html_close(html, "svg");
}

static void put_key(struct html *html, const struct progress *progress)
{
	int state;

	html_open_class(html, "ul", "key");
	for (state = REPORT_STATE_LOCAL; state >= 0; state--) {
		if (progress->states[state] == 0)
			continue;
		html_open(html, "li");
		html_open_class(html, "i", report_state_name(state));
		html_close(html, "i");
		html_textf(html, "%s %s", report_state_name(state),
			   format_count(progress->states[state]).text);
		html_close(html, "li");
	}
	html_close(html, "ul");
}

/*
 * Users
 */

static void put_user_progress(struct html_table *table,
			      const struct progress *progress)
{
	if (progress->total == 0) {
		html_table_none(table);
		html_table_none(table);
		return;
	}
	html_table_cell_begin(table);
	put_bar(table->html, progress);
	html_table_cell_end(table);
	html_table_cell_begin(table);
	html_textf(table->html, "%s of %s",
		   format_count(progress->states[REPORT_STATE_LOCAL]).text,
		   format_count(progress->total).text);
	html_table_cell_end(table);
}

static void put_late(struct html_table *table,
		     const struct report_catchup *catchup)
{
	if (catchup->late == 0) {
		html_table_none(table);
		html_table_none(table);
		html_table_none(table);
	} else {
		html_table_count(table, catchup->late);
		html_table_text(table, format_span(catchup->delay_median).text);
		html_table_text(table, format_span(catchup->delay_max).text);
	}
	html_table_time(table, catchup->last_poll);
}

static void put_user(struct html_table *table, const struct report_user *user)
{
	struct progress progress = { .total = 0 };

	progress_add(&progress, user);
	html_table_row_begin(table, *user->problem != '\0' ||
			     user->problems > 0 ? "user problem" : "user");
	html_table_foreign(table, user->name);
	put_user_progress(table, &progress);
	html_table_count(table, user->messages);
	html_table_text(table, format_bytes(user->bytes).text);
	put_late(table, &user->catchup);
	if (*user->problem == '\0' && user->problems > 0)
		html_table_text(table, "see its mailboxes");
	else
		html_table_foreign(table, user->problem);
	html_table_row_end(table);
}

static void put_users(struct html *html, const struct report_model *model)
{
	size_t i, rows = model->users_count < HTML_TABLE_MAX_ROWS ?
		model->users_count : HTML_TABLE_MAX_ROWS;
	struct html_table table;

	html_table_begin(&table, html, "users", user_columns);
	for (i = 0; i < rows; i++)
		put_user(&table, model->users[i]);
	html_table_end(&table, rows, model->users_count);
}

/*
 * Mailboxes
 */

static bool is_unfinished(const struct report_mailbox *mailbox)
{
	return mailbox->state < REPORT_STATE_LOCAL ||
		*mailbox->problem != '\0' || *mailbox->without != '\0';
}

static void put_mailbox_problem(struct html_table *table,
				const struct report_mailbox *mailbox)
{
	if (*mailbox->problem == '\0' && *mailbox->without == '\0') {
		html_table_none(table);
		return;
	}
	html_table_cell_begin(table);
	if (*mailbox->problem != '\0')
		html_foreign(table->html, mailbox->problem);
	if (*mailbox->without != '\0') {
		html_text(table->html, " given up: UID ");
		html_foreign(table->html, mailbox->without);
	}
	html_table_cell_end(table);
}

static void put_mailbox(struct html_table *table, const struct report_user *user,
			const struct report_mailbox *mailbox)
{
	html_table_row_begin(table, *mailbox->problem != '\0' ?
			     "mailbox problem" : "mailbox");
	html_table_foreign(table, user->name);
	html_table_foreign(table, mailbox->name);
	html_table_text(table, report_state_name(mailbox->state));
	html_table_time(table, mailbox->since);
	html_table_count(table, mailbox->messages);
	html_table_text(table, format_bytes(mailbox->bytes).text);
	put_mailbox_problem(table, mailbox);
	html_table_row_end(table);
}

static size_t put_mailboxes_of(struct html_table *table,
			       const struct report_user *user, size_t room)
{
	size_t i, shown = 0;

	for (i = 0; i < user->mailboxes_count && shown < room; i++) {
		if (is_unfinished(user->mailboxes[i])) {
			put_mailbox(table, user, user->mailboxes[i]);
			shown++;
		}
	}
	return shown;
}

static size_t count_unfinished(const struct report_model *model)
{
	size_t i, j, count = 0;

	for (i = 0; i < model->users_count; i++) {
		for (j = 0; j < model->users[i]->mailboxes_count; j++) {
			if (is_unfinished(model->users[i]->mailboxes[j]))
				count++;
		}
	}
	return count;
}

static void put_mailboxes(struct html *html, const struct report_model *model)
{
	size_t i, shown = 0, total = count_unfinished(model);
	struct html_table table;

	if (total == 0)
		return;
	html_line(html, "h3", NULL, "Mailboxes to look at");
	html_table_begin(&table, html, "mailboxes", mailbox_columns);
	for (i = 0; i < model->users_count; i++)
		shown += put_mailboxes_of(&table, model->users[i],
					  HTML_TABLE_MAX_ROWS - shown);
	html_table_end(&table, shown, total);
}

void report_html_users(struct html *html, const struct report_model *model)
{
	struct progress progress = { .total = 0 };
	size_t i;

	if (model->users_count == 0)
		return;
	for (i = 0; i < model->users_count; i++)
		progress_add(&progress, model->users[i]);
	html_open_class(html, "section", "progress");
	html_line(html, "h2", NULL, "Mailboxes");
	html_open_class(html, "p", "lead");
	html_textf(html, "%s of %s mailboxes are local (%s).",
		   format_count(progress.states[REPORT_STATE_LOCAL]).text,
		   format_count(progress.total).text,
		   format_share(progress.states[REPORT_STATE_LOCAL],
				progress.total).text);
	html_close(html, "p");
	put_bar(html, &progress);
	put_key(html, &progress);
	put_users(html, model);
	put_mailboxes(html, model);
	html_close(html, "section");
}
