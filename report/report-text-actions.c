/*
 * report-text-actions: what the administrator should do, in sentences
 */
#include "report-format.h"
#include "report-text.h"

#include <stdarg.h>

struct actions {
	FILE *out;
	bool any;
};

static void __attribute__((format(printf, 2, 3)))
action(struct actions *actions, const char *fmt, ...)
{
	va_list args;

	if (!actions->any)
		report_text_title(actions->out, "Needs action");
	actions->any = true;
	fprintf(actions->out, "  ! ");
	va_start(args, fmt);
	vfprintf(actions->out, fmt, args);
	va_end(args);
	fprintf(actions->out, "\n");
}

static void check_domains(const struct report_model *model,
			  struct actions *actions)
{
	const struct report_domain *domain;
	size_t i, stragglers;

	for (i = 0; i < model->domains_count; i++) {
		domain = model->domains[i];
		stragglers = domain->standings[REPORT_STRAGGLER];
		if (stragglers == 0)
			continue;
		action(actions, "%s: %s still %s to the old server, the last "
		       "one %s", domain->name,
		       stragglers == 1 ? "1 source" : "sources",
		       stragglers == 1 ? "sends" : "send",
		       format_time(domain->wanted.last[REPORT_OLD]).text);
	}
}

static void check_submitters(const struct report_model *model,
			     struct actions *actions)
{
	size_t i, count = 0;

	for (i = 0; i < model->submitters_count; i++)
		count += model->submitters[i]->tell ? 1 : 0;
	if (count > 0) {
		action(actions, "%s mail clients still send through the old "
		       "server: tell their users", format_count(count).text);
	}
}

static void check_users(const struct report_model *model,
			struct actions *actions)
{
	size_t i, mailboxes = 0, users = 0;

	for (i = 0; i < model->users_count; i++) {
		mailboxes += model->users[i]->problems;
		users += *model->users[i]->problem != '\0' ? 1 : 0;
	}
	if (mailboxes > 0)
		action(actions, "%s mailboxes can't go on: see their problems",
		       format_count(mailboxes).text);
	if (users > 0)
		action(actions, "%s users can't go on: see their problems",
		       format_count(users).text);
}

static void check_side(const struct report_model *model, enum report_side side,
		       struct actions *actions)
{
	if (!model->watched[side]) {
		action(actions, "no milter reports from the %s server: what "
		       "comes there isn't known", report_side_name(side));
	} else if (model->blind_s[side] > 0) {
		action(actions, "the %s server wasn't watched for %s since %s: "
		       "what came then isn't known", report_side_name(side),
		       format_span(model->blind_s[side]).text,
		       model->switched != 0 ? "the switch" : "the first line");
	}
}

static void check_watchers(const struct report_model *model,
			   struct actions *actions)
{
	const struct report_watcher *watcher;
	size_t i;

	for (i = 0; i < model->watchers_count; i++) {
		watcher = model->watchers[i];
		if (watcher->blind_now) {
			action(actions, "the milter on %s (%s) is %s since %s",
			       watcher->host, report_side_name(watcher->side),
			       watcher->stops > 0 && watcher->stops >=
			       watcher->starts ? "stopped" : "silent",
			       format_time(watcher->last).text);
		}
		if (watcher->arrivals_lost > 0) {
			action(actions, "%s: %s arrivals were counted, but "
			       "their lines are missing: does syslog limit "
			       "its rate?", watcher->host,
			       format_count(watcher->arrivals_lost).text);
		}
		if (watcher->failures > 0) {
			action(actions, "%s: the milter failed %s times, last: "
			       "%s", watcher->host,
			       format_count(watcher->failures).text,
			       watcher->failure);
		}
	}
}

void report_text_actions(const struct report_model *model, FILE *out)
{
	struct actions actions = { out, false };

	check_domains(model, &actions);
	check_submitters(model, &actions);
	check_users(model, &actions);
	if (model->domains_count > 0 || model->watchers_count > 0) {
		check_side(model, REPORT_OLD, &actions);
		check_side(model, REPORT_NEW, &actions);
	}
	check_watchers(model, &actions);
	if (model->loops_count > 0)
		action(&actions, "mail goes round: see the loops");
	if (model->reading.report_lines == 0)
		action(&actions, "no report lines were found: are these the "
		       "right logs?");
}
