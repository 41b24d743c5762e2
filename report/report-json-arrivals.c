/* report-json-arrivals: domains, who sends to them, and by which server. */
#include "report-json-private.h"
#include "report-recent.h"

/*
 * Domains
 */

static void put_recent(struct json_write *json, const struct report_model *model,
		       const struct report_domain *domain)
{
	struct json_object *object = json_object_new_object();
	struct report_recent recent;

	report_recent_get(domain, &recent);
	json_add_string(json, object, "outlook",
			report_outlook_name(report_recent_outlook(model,
								  &recent)));
	json_add_time(json, object, "from", recent.from);
	report_json_sides(json, object, "wanted", recent.wanted);
	report_json_sides(json, object, "spam", recent.spam);
	report_json_sides(json, object, "blind_s", recent.blind_s);
	json_write_value(json, "recent", object);
}

static void put_arrivals(struct json_write *json,
			 const struct report_domain *domain)
{
	struct json_object *object = json_object_new_object();

	report_json_seen(json, object, "wanted", &domain->wanted);
	report_json_seen(json, object, "spam", &domain->spam);
	report_json_sides(json, object, "wanted_since", domain->wanted_since);
	report_json_sides(json, object, "spam_since", domain->spam_since);
	report_json_seen(json, object, "relayed", &domain->relayed);
	report_json_seen(json, object, "submitted", &domain->submitted);
	report_json_seen(json, object, "local", &domain->local);
	json_add_count(json, object, "deferred", domain->deferred);
	json_add_time(json, object, "last_deferred", domain->last_deferred);
	json_add_count(json, object, "missed", domain->missed);
	json_write_members(json, object);
}

static void put_standings(struct json_write *json,
			  const struct report_domain *domain)
{
	struct json_object *object = json_object_new_object();
	int standing;

	for (standing = 0; standing < REPORT_STANDINGS; standing++)
		json_add_count(json, object, report_standing_name(standing),
			       domain->standings[standing]);
	json_write_value(json, "standings", object);
}

static void put_slots(struct json_write *json, const char *key,
		      const struct report_slot *slots, size_t count)
{
	uint64_t blind[REPORT_SIDES];
	struct json_object *object;
	size_t i;

	json_write_array(json, key);
	for (i = 0; i < count; i++) {
		object = json_object_new_object();
		blind[REPORT_OLD] = slots[i].blind[REPORT_OLD];
		blind[REPORT_NEW] = slots[i].blind[REPORT_NEW];
		json_add_time(json, object, "start", slots[i].start);
		report_json_sides(json, object, "wanted", slots[i].wanted);
		report_json_sides(json, object, "spam", slots[i].spam);
		json_add_count(json, object, "deferred", slots[i].deferred);
		report_json_sides(json, object, "blind_s", blind);
		json_write_value(json, NULL, object);
	}
	json_write_close(json);
}

/*
 * Sources
 */

void report_json_example(struct json_write *json, struct json_object *object,
			 const struct report_source *source)
{
	struct json_object *example = json_object_new_object();

	json_add_string(json, example, "from", source->example_from);
	json_add_string(json, example, "to", source->example_to);
	json_add_string(json, example, "id", source->example_id);
	json_add_string(json, example, "host", source->example_host);
	json_add_string(json, example, "client", source->example_client);
	json_add_string(json, example, "name", source->example_name);
	json_add(json, object, "example", example);
}

static void put_source(struct json_write *json,
		       const struct report_source *source)
{
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "standing",
			report_standing_name(source->standing));
	json_add_string(json, object, "sender_domain", source->sender_domain);
	json_add_string(json, object, "network", source->client->network);
	json_add_string(json, object, "name_domain",
			source->client->name_domain);
	report_json_seen(json, object, "wanted", &source->wanted);
	report_json_seen(json, object, "spam", &source->spam);
	json_add_count(json, object, "deferred", source->deferred);
	json_add_time(json, object, "last_deferred", source->last_deferred);
	json_add_time(json, object, "client_last_new", source->client_last_new);
	json_add_count(json, object, "late", source->late);
	json_add_time(json, object, "last_old", source->last_old);
	json_add_time(json, object, "last_old_spam", source->last_old_spam);
	report_json_example(json, object, source);
	json_write_value(json, NULL, object);
}

static void put_domain(struct json_write *json, const struct report_model *model,
		       const struct report_domain *domain)
{
	size_t i;

	json_write_object(json, NULL);
	json_write_value(json, "name", json_object_new_string(domain->name));
	put_recent(json, model, domain);
	put_arrivals(json, domain);
	put_standings(json, domain);
	put_slots(json, "days", domain->days, domain->days_count);
	put_slots(json, "hours", domain->hours, domain->hours_count);
	json_write_array(json, "sources");
	for (i = 0; i < domain->sources_count; i++)
		put_source(json, domain->sources[i]);
	json_write_close(json);
	json_write_close(json);
}

void report_json_domains(struct json_write *json,
			 const struct report_model *model)
{
	size_t i;

	json_write_array(json, "domains");
	for (i = 0; i < model->domains_count; i++)
		put_domain(json, model, model->domains[i]);
	json_write_close(json);
}

/*
 * Not of one domain
 */

static void put_submitter(struct json_write *json,
			  const struct report_submitter *submitter)
{
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "auth", submitter->auth);
	json_add_bool(json, object, "tell", submitter->tell);
	json_add_string(json, object, "client", submitter->client);
	json_add_string(json, object, "name", submitter->name);
	json_add_string(json, object, "from", submitter->from);
	json_add_string(json, object, "domain", submitter->domain);
	report_json_seen(json, object, "mails", &submitter->mails);
	json_add_count(json, object, "recipients", submitter->recipients);
	json_write_value(json, NULL, object);
}

void report_json_submitters(struct json_write *json,
			    const struct report_model *model)
{
	size_t i;

	json_write_array(json, "submitters");
	for (i = 0; i < model->submitters_count; i++)
		put_submitter(json, model->submitters[i]);
	json_write_close(json);
}

static void put_forgery(struct json_write *json,
			const struct report_forgery *forgery)
{
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "at", report_side_name(forgery->side));
	json_add_string(json, object, "host", forgery->host);
	json_add_string(json, object, "client", forgery->client);
	json_add_string(json, object, "from", forgery->from);
	json_add_string(json, object, "reason", forgery->reason);
	json_add_string(json, object, "value", forgery->value);
	json_add_count(json, object, "count", forgery->count);
	json_add_time(json, object, "first", forgery->first);
	json_add_time(json, object, "last", forgery->last);
	json_write_value(json, NULL, object);
}

void report_json_forgeries(struct json_write *json,
			   const struct report_model *model)
{
	size_t i;

	json_write_array(json, "forgeries");
	for (i = 0; i < model->forgeries_count; i++)
		put_forgery(json, model->forgeries[i]);
	json_write_close(json);
}

static void put_loop(struct json_write *json, const struct report_loop *loop)
{
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "at", report_side_name(loop->side));
	json_add_string(json, object, "host", loop->host);
	json_add_string(json, object, "from", loop->from);
	json_add_string(json, object, "id", loop->id);
	json_add_count(json, object, "count", loop->count);
	json_add_count(json, object, "refused", loop->refused);
	json_add_count(json, object, "rounds_max", loop->rounds_max);
	json_add_time(json, object, "first", loop->first);
	json_add_time(json, object, "last", loop->last);
	json_write_value(json, NULL, object);
}

void report_json_loops(struct json_write *json,
		       const struct report_model *model)
{
	size_t i;

	json_write_array(json, "loops");
	for (i = 0; i < model->loops_count; i++)
		put_loop(json, model->loops[i]);
	json_write_close(json);
}
