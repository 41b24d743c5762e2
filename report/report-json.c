#include "report-json.h"
#include "report-json-private.h"

void report_json_sides(struct json_write *json, struct json_object *object,
		       const char *key, const uint64_t counts[REPORT_SIDES])
{
	struct json_object *sides = json_object_new_object();
	int side;

	for (side = 0; side < REPORT_SIDES; side++)
		json_add_count(json, sides, report_side_name(side),
			       counts[side]);
	json_add(json, object, key, sides);
}

void report_json_seen(struct json_write *json, struct json_object *object,
		      const char *key, const struct report_seen *seen)
{
	struct json_object *sides = json_object_new_object(), *one;
	int side;

	for (side = 0; side < REPORT_SIDES; side++) {
		one = json_object_new_object();
		json_add_count(json, one, "count", seen->count[side]);
		json_add_time(json, one, "first", seen->first[side]);
		json_add_time(json, one, "last", seen->last[side]);
		json_add(json, sides, report_side_name(side), one);
	}
	json_add(json, object, key, sides);
}

static void put_period(struct json_write *json, const struct report_model *model)
{
	struct json_object *period = json_object_new_object();

	json_add_time(json, period, "made", model->now);
	json_add_time(json, period, "first", model->first);
	json_add_time(json, period, "last", model->last);
	json_add_time(json, period, "switched", model->switched);
	json_add_string(json, period, "switched_by",
			report_switched_by_name(model->switched_by));
	json_add_count(json, period, "clock_ahead_s", model->clock_ahead > 0 ?
		       (uint64_t)model->clock_ahead : 0);
	json_add_count(json, period, "clock_behind_s", model->clock_ahead < 0 ?
		       (uint64_t)-model->clock_ahead : 0);
	json_add_count(json, period, "ttl_s", model->ttl_s);
	json_add_string(json, period, "zone", model->zone);
	json_add_string(json, period, "domain_chosen", model->domain_chosen);
	json_write_members(json, period);
}

static void put_watched(struct json_write *json,
			const struct report_model *model)
{
	struct json_object *watched = json_object_new_object();
	int side;

	for (side = 0; side < REPORT_SIDES; side++)
		json_add_bool(json, watched, report_side_name(side),
			      model->watched[side]);
	report_json_sides(json, watched, "blind_s", model->blind_s);
	json_write_value(json, "watched", watched);
}

int report_json_write(const struct report_model *model, FILE *out)
{
	struct json_write json;

	json_write_init(&json, out);
	json_write_value(&json, "format",
			 json_object_new_int(REPORT_JSON_FORMAT));
	put_period(&json, model);
	put_watched(&json, model);
	report_json_verdicts(&json, model);
	report_json_domains(&json, model);
	report_json_submitters(&json, model);
	report_json_forgeries(&json, model);
	report_json_loops(&json, model);
	report_json_users(&json, model);
	report_json_watchers(&json, model);
	report_json_reading(&json, model);
	return json_write_deinit(&json);
}
