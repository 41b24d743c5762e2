#include "demo-report.h"
#include "demo-late.h"
#include "demo-progress.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

#define REPORT_MS 60000
#define SAFE_MS 15000
#define MAX_WORDS 16

/* Exit statuses of --verdict. */
enum { VERDICT_SAFE = 0, VERDICT_NOT_YET = 1 };

/* It has a log of report lines. */
static bool has_log(const struct demo_lab *lab)
{
	return lab->lab != NULL && *lab_get(lab->lab, "REPORT_LOG") != '\0';
}

/* Runs it with these words and all logs. The exit status; the text is the
   caller's to free, NULL when no lab has a log. */
static int run_report(const struct demo *demo, const char *const *words,
		      char **text_r)
{
	const char *argv[MAX_WORDS + DEMO_KINDS + 2] = { NULL };
	struct process_result result;
	unsigned int i, n = 1;

	*text_r = NULL;
	while (*words != NULL && n < MAX_WORDS)
		argv[n++] = *words++;
	for (i = 0; i < DEMO_KINDS; i++) {
		if (!has_log(&demo->labs[i]))
			continue;
		argv[0] = lab_get(demo->labs[i].lab, "REPORT");
		argv[n++] = lab_get(demo->labs[i].lab, "REPORT_LOG");
	}
	if (argv[0] == NULL)
		return -1;
	(void)process_run(argv, REPORT_MS, &result);
	*text_r = result.output;
	return result.status;
}

/* Asks until the verdict is that one: lines may still be on their way. */
struct verdict_goal {
	const struct demo *demo;
	const char *const *words, *wanted;
	int wanted_status, status;
	char *text;
};

static bool is_said(void *context)
{
	struct verdict_goal *goal = context;

	demo_progress_tick();
	free(goal->text);
	goal->status = run_report(goal->demo, goal->words, &goal->text);
	return demo_is_interrupted() || goal->text == NULL ||
		(goal->status == goal->wanted_status &&
		 strncmp(goal->text, goal->wanted, strlen(goal->wanted)) == 0);
}

static char *ask(struct verdict_goal *goal, unsigned int timeout_ms)
{
	if (!wait_until(is_said, goal, timeout_ms))
		demo_problem("the verdict isn't \"%s\" but, with exit status "
			     "%d: %s", goal->wanted, goal->status, goal->text);
	else if (goal->text != NULL)
		demo_say("verdict: %.*s", (int)strcspn(goal->text, "\n"),
			 goal->text);
	return goal->text;
}

static const char *domain_of(const struct demo *demo)
{
	return lab_get(demo->users[0].lab->lab, "DOMAIN");
}

void demo_report_not_yet(struct demo *demo, struct demo_reports *reports)
{
	const char *const words[] = { "--verdict", domain_of(demo), NULL };
	struct verdict_goal goal = {
		.demo = demo, .words = words,
		.wanted = "not yet", .wanted_status = VERDICT_NOT_YET
	};

	demo_progress_phase("migration-report --verdict: may the old servers "
			    "be cancelled?");
	reports->not_yet = ask(&goal, REPORT_MS);
}

void demo_report_safe(struct demo *demo, struct demo_reports *reports)
{
	static const char *const no_words[] = { NULL };
	const char *const words[] = {
		"--verdict", domain_of(demo), "--quiet", DEMO_QUIET, "--retry",
		DEMO_QUIET, "--patience", DEMO_QUIET, NULL
	};
	struct verdict_goal goal = {
		.demo = demo, .words = words,
		.wanted = "safe", .wanted_status = VERDICT_SAFE
	};

	reports->safe = ask(&goal, SAFE_MS);
	(void)run_report(demo, no_words, &reports->report);
}

static void print(const char *command, const char *text)
{
	if (text != NULL)
		printf("\n$ migration-report %s\n%s", command, text);
}

void demo_reports_print(const struct demo_reports *reports)
{
	print("mail.log...", reports->report);
	print("--verdict DOMAIN mail.log...   (when late mail had just come)",
	      reports->not_yet);
	print("--verdict DOMAIN --quiet " DEMO_QUIET " --retry "
	      DEMO_QUIET " --patience " DEMO_QUIET " mail.log...",
	      reports->safe);
}

void demo_reports_free(struct demo_reports *reports)
{
	free(reports->not_yet);
	free(reports->safe);
	free(reports->report);
	memset(reports, 0, sizeof(*reports));
}
