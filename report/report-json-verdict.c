/* report-json-verdict: may the old server be cancelled, and why not. */
#include "report-json-private.h"

#include <math.h>

static void put_finding(struct json_write *json,
			const struct report_finding *finding)
{
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "condition",
			report_condition_name(finding->condition));
	json_add_string(json, object, "answer",
			report_answer_name(finding->answer));
	json_add_string(json, object, "who", finding->who);
	json_add_string(json, object, "text", finding->text);
	json_write_value(json, NULL, object);
}

static void put_span(struct json_write *json, const struct report_span *span)
{
	struct json_object *object = json_object_new_object();

	json_add_time(json, object, "from", span->from);
	json_add_time(json, object, "to", span->to);
	json_write_value(json, NULL, object);
}

static void put_straggler(struct json_write *json,
			  const struct report_straggler *straggler)
{
	const struct report_source *source = straggler->source;
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "sender_domain", source->sender_domain);
	json_add_string(json, object, "network", source->client->network);
	json_add_string(json, object, "name_domain",
			source->client->name_domain);
	json_add_time(json, object, "last", straggler->last);
	json_add_count(json, object, "interval_s", straggler->interval_s);
	json_add_time(json, object, "until", straggler->until);
	json_add_bool(json, object, "lasting", straggler->lasting);
	json_add_bool(json, object, "known", straggler->known);
	report_json_example(json, object, source);
	json_write_value(json, NULL, object);
}

static void put_period(struct json_write *json,
		       const struct report_verdict *verdict)
{
	struct json_object *period = json_object_new_object();

	json_add_count(json, period, "quiet_s", verdict->quiet_s);
	json_add_count(json, period, "quiet_asked_s", verdict->quiet_asked_s);
	json_add_count(json, period, "retry_s", verdict->retry_s);
	json_add_count(json, period, "ttl_s", verdict->ttl_s);
	json_add_count(json, period, "clocks_s", verdict->clocks_s);
	json_add_time(json, period, "begins", verdict->begins);
	json_add_time(json, period, "ends", verdict->ends);
	json_add_count(json, period, "blind_s", verdict->blind_s);
	json_add_count(json, period, "unwatched_s", verdict->unwatched_s);
	json_write_value(json, "period", period);
}

static void put_accounts(struct json_write *json,
			 const struct report_verdict *verdict)
{
	struct json_object *accounts = json_object_new_object();

	json_add_count(json, accounts, "count", verdict->accounts);
	json_add_count(json, accounts, "closed", verdict->accounts_closed);
	json_add_bool(json, accounts, "listed", verdict->accounts_listed);
	json_add_count(json, accounts, "strange_recipients",
		       verdict->strange_recipients);
	json_add_count(json, accounts, "late", verdict->late);
	json_add_count(json, accounts, "doubles", verdict->doubles);
	json_add_count(json, accounts, "given_up", verdict->given_up);
	json_add_count(json, accounts, "conflicts", verdict->conflicts);
	json_add_count(json, accounts, "refused_expunges",
		       verdict->refused_expunges);
	json_add_count(json, accounts, "resets", verdict->resets);
	json_add_count(json, accounts, "copy_back_failures",
		       verdict->copy_back_failures);
	json_write_value(json, "accounts", accounts);
}

static void put_answer(struct json_write *json,
		       const struct report_verdict *verdict)
{
	struct json_object *object = json_object_new_object();
	double bound = ceil(verdict->late_bound);

	json_add_string(json, object, "domain", verdict->domain);
	json_add_string(json, object, "answer",
			report_answer_name(verdict->answer));
	json_add_time(json, object, "earliest", verdict->earliest);
	json_add_time(json, object, "last_wanted", verdict->last_wanted);
	json_add_time(json, object, "none_since", verdict->none_since);
	json_add_count(json, object, "late_bound",
		       (uint64_t)bound);
	json_add_count(json, object, "missed", verdict->missed);
	json_add_count(json, object, "unseen_since", verdict->unseen_since);
	json_add_count(json, object, "unseen_waiting",
		       verdict->unseen_waiting);
	json_add_bool(json, object, "spam_counts", verdict->spam_counts);
	json_write_members(json, object);
}

static void put_verdict(struct json_write *json,
			const struct report_verdict *verdict)
{
	size_t i;

	json_write_object(json, NULL);
	put_answer(json, verdict);
	put_period(json, verdict);
	put_accounts(json, verdict);
	json_write_array(json, "findings");
	for (i = 0; i < verdict->findings_count; i++)
		put_finding(json, &verdict->findings[i]);
	json_write_close(json);
	json_write_array(json, "unwatched");
	for (i = 0; i < verdict->unwatched_count; i++)
		put_span(json, &verdict->unwatched[i]);
	json_write_close(json);
	json_write_array(json, "stragglers");
	for (i = 0; i < verdict->stragglers_count; i++)
		put_straggler(json, &verdict->stragglers[i]);
	json_write_close(json);
	json_write_close(json);
}

void report_json_verdicts(struct json_write *json,
			  const struct report_model *model)
{
	size_t i;

	json_write_array(json, "verdicts");
	for (i = 0; i < model->verdicts_count; i++)
		put_verdict(json, model->verdicts[i]);
	json_write_close(json);
}
