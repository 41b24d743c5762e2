#include "sim-judge.h"
#include "report/log-set.h"
#include "report/report-intake.h"
#include "report/report-verdict.h"

#include <string.h>
#include <time.h>

/* The others are of less weight. */
#define FINDINGS_SAID 5

struct kept_record {
	struct log_record record;
	char *text;
};

struct sim_judge {
	struct log_settings log_settings;
	struct report_intake_settings intake_settings;
	struct log_set *set;
	struct report_intake *intake;
	pool_t pool;
	/* Written by a clock that is ahead of the time that was asked for. */
	struct kept_record *early;
	size_t early_count, early_room;
	uint64_t lines;
	int64_t until;
	const struct report_model *model;
	const struct sim_plan *plan;
	char **spammers, **accounts;
};

static const char *const names[] = {
	[SIM_SAFE] = "safe", [SIM_NOT_YET] = "not yet",
	[SIM_UNKNOWN] = "unknown"
};

const char *sim_verdict_name(enum sim_verdict verdict)
{
	return names[verdict];
}

static void add_log(struct sim_judge *judge, const char *folder,
		    const char *name)
{
	const char *error;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (log_set_add_file(judge->set, path, "UTC", SIM_YEAR, &error) < 0) {
		fprintf(stderr, "%s: %s\n", path, error);
		exit(EXIT_FAILURE);
	}
}

static char **list_names(const char *before, unsigned int first,
			 unsigned int count, const char *after)
{
	char **names = memory_resize(NULL, count + 1, sizeof(*names));
	unsigned int i;
	char name[80];

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s%u%s", before, first + i, after);
		names[i] = memory_copy(name);
	}
	return names;
}

static void free_names(char **names, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

struct sim_judge *sim_judge_init(const char *folder,
				 const struct sim_plan *plan)
{
	struct sim_judge *judge = memory_new(sizeof(*judge));

	judge->log_settings.latest = INT64_MAX;
	judge->intake_settings.domain = SIM_DOMAIN;
	pool_init(&judge->pool);
	judge->set = log_set_init(&judge->log_settings);
	judge->intake = report_intake_init(&judge->intake_settings);
	judge->plan = plan;
	judge->spammers = list_names("sender", sim_plan_spammers(plan),
				     plan->senders[SIM_SPAMMER], ".example");
	judge->accounts = list_names("user", 0, plan->users, "@" SIM_DOMAIN);
	if (!plan->rented)
		add_log(judge, folder, "old.log");
	add_log(judge, folder, "new.log");
	return judge;
}

void sim_judge_deinit(struct sim_judge **_judge)
{
	struct sim_judge *judge = *_judge;
	size_t i;

	*_judge = NULL;
	free_names(judge->spammers, judge->plan->senders[SIM_SPAMMER]);
	free_names(judge->accounts, judge->plan->users);
	for (i = 0; i < judge->early_count; i++)
		free(judge->early[i].text);
	free(judge->early);
	report_intake_deinit(&judge->intake);
	log_set_deinit(&judge->set);
	pool_deinit(&judge->pool);
	free(judge);
}

/* Unless it's there; it depends on when MX is said to have been switched. */
static void make_model(struct sim_judge *judge, int64_t switched)
{
	struct report_reading reading;

	if (judge->model != NULL && judge->intake_settings.switched == switched)
		return;
	judge->intake_settings.switched = switched;
	memset(&reading, 0, sizeof(reading));
	reading.lines = reading.report_lines = judge->lines;
	judge->model = report_intake_model(judge->intake, judge->until,
					   judge->until, &reading);
}

static void take(struct sim_judge *judge, const struct log_record *record)
{
	report_intake_add(judge->intake, record);
	judge->lines++;
}

/* A record is valid until the next one. */
static void keep(struct sim_judge *judge, const struct log_record *record)
{
	struct kept_record *kept;

	if (judge->early_count == judge->early_room) {
		judge->early_room = judge->early_room * 2 + 16;
		judge->early = memory_resize(judge->early, judge->early_room,
					     sizeof(*judge->early));
	}
	kept = &judge->early[judge->early_count++];
	kept->record = *record;
	kept->text = memory_new(record->message_size + record->host_size);
	memcpy(kept->text, record->message, record->message_size);
	memcpy(kept->text + record->message_size, record->host,
	       record->host_size);
	kept->record.message = kept->text;
	kept->record.host = kept->text + record->message_size;
}

static void take_early(struct sim_judge *judge, int64_t until)
{
	struct kept_record *kept;
	size_t i, left = 0;

	for (i = 0; i < judge->early_count; i++) {
		kept = &judge->early[i];
		if (kept->record.time > until) {
			judge->early[left++] = *kept;
			continue;
		}
		take(judge, &kept->record);
		free(kept->text);
	}
	judge->early_count = left;
}

void sim_judge_read(struct sim_judge *judge, int64_t until)
{
	struct log_record record;

	take_early(judge, until);
	/* up to the end: a log that was at its end isn't asked before */
	while (log_set_next(judge->set, &record)) {
		if (record.time > until)
			keep(judge, &record);
		else
			take(judge, &record);
	}
	judge->until = until;
	judge->model = NULL;
}

static void say_verdict(const struct report_verdict *verdict, int64_t until,
			const struct sim_policy *policy, FILE *out)
{
	time_t time = (time_t)until;
	char date[20];
	const struct report_finding *finding;
	struct tm tm;
	size_t i;

	(void)strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&time, &tm));
	fprintf(out, "%s %s: %s\n", date, policy->name,
		report_answer_name(verdict->answer));
	for (i = 0; i < verdict->findings_count && i < FINDINGS_SAID; i++) {
		finding = &verdict->findings[i];
		fprintf(out, "    %s %s%s%s\n",
			report_condition_name(finding->condition),
			finding->who, *finding->who == '\0' ? "" : ": ",
			finding->text);
	}
}

static void get_reason(const struct report_verdict *verdict,
		       struct sim_reason *reason_r)
{
	const struct report_finding *finding = verdict->findings;

	*reason_r = (struct sim_reason){ NULL, -1 };
	if (verdict->findings_count == 0)
		return;
	reason_r->condition = report_condition_name(finding->condition);
	if (sscanf(finding->who, "sender%d.example", &reason_r->sender) != 1)
		reason_r->sender = -1;
}

static void get_settings(const struct sim_judge *judge,
			 const struct sim_policy *policy,
			 struct report_verdict_settings *settings_r)
{
	*settings_r = report_verdict_defaults;
	settings_r->quiet_s = policy->quiet;
	settings_r->as_of = judge->until;
	if ((policy->tells & SIM_TELLS_SPAMMERS) != 0) {
		settings_r->known = (const char *const *)judge->spammers;
		settings_r->known_count = judge->plan->senders[SIM_SPAMMER];
	}
	if ((policy->tells & SIM_TELLS_FACTS) != 0) {
		settings_r->ttl_s = judge->plan->ttl;
		settings_r->accounts = (const char *const *)judge->accounts;
		settings_r->accounts_count = judge->plan->users;
		settings_r->accounts_listed = true;
	}
}

enum sim_verdict sim_judge_ask(struct sim_judge *judge,
			       const struct sim_policy *policy,
			       struct sim_reason *against_r, FILE *say)
{
	struct report_verdict_settings settings;
	const struct report_verdict *verdict;
	enum sim_verdict answer = SIM_UNKNOWN;

	make_model(judge, (policy->tells & SIM_TELLS_FACTS) != 0 ?
		   SIM_SWITCHED : 0);
	get_settings(judge, policy, &settings);
	pool_clear(&judge->pool);
	verdict = report_verdict_make(&judge->pool, judge->model, SIM_DOMAIN,
				      &settings);
	get_reason(verdict, against_r);
	if (say != NULL)
		say_verdict(verdict, judge->until, policy, say);
	switch (verdict->answer) {
	case REPORT_SAFE: answer = SIM_SAFE; break;
	case REPORT_NOT_YET: answer = SIM_NOT_YET; break;
	case REPORT_UNKNOWN: answer = SIM_UNKNOWN; break;
	}
	return answer;
}

uint64_t sim_judge_lines(const struct sim_judge *judge)
{
	return judge->lines;
}
