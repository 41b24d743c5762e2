/*
 * report-text-actions: what the administrator should do, in sentences
 */
#include "common/text-format.h"
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

struct counted {
	char text[64];
};

/* "1 source sends", "12 sources send" */
static struct counted
count_of(size_t count, const char *one, const char *several)
{
	struct counted counted;

	snprintf(counted.text, sizeof(counted.text), "%s %s",
		 format_count(count).text, count == 1 ? one : several);
	return counted;
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
		action(actions, "%s: %s to the old server, last %s",
		       domain->name, count_of(stragglers, "source still sends",
					      "sources still send").text,
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
		action(actions, "%s through the old server: tell their users",
		       count_of(count, "mail client still sends",
				"mail clients still send").text);
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
		action(actions, "%s a problem",
		       count_of(mailboxes, "mailbox has",
				"mailboxes have").text);
	if (users > 0)
		action(actions, "%s a problem with all of their mail",
		       count_of(users, "user has", "users have").text);
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
			action(actions, "%s: no line tells of %s that its "
			       "heartbeats counted: does syslog limit its "
			       "rate?", watcher->host,
			       count_of(watcher->arrivals_lost, "arrival",
					"arrivals").text);
		}
		if (watcher->failures > 0) {
			action(actions, "%s: the milter tells of %s, last %s: "
			       "%s", watcher->host,
			       count_of(watcher->failures, "failure",
					"failures").text,
			       format_time(watcher->last_failure).text,
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
