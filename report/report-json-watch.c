/* report-json-watch: who reported, when nobody did, and what was read. */
#include "report-json-private.h"

static void put_gap(struct json_write *json, const struct report_gap *gap)
{
	struct json_object *object = json_object_new_object();

	json_add_time(json, object, "from", gap->from);
	json_add_time(json, object, "to", gap->to);
	json_add_string(json, object, "reason",
			report_gap_reason_name(gap->reason));
	json_add_count(json, object, "missing", gap->missing);
	json_add_bool(json, object, "open", gap->open);
	json_write_value(json, NULL, object);
}

static struct json_object *make_watcher(struct json_write *json,
					const struct report_watcher *watcher)
{
	const struct {
		const char *key;
		uint64_t count;
	} counts[] = {
		{ "heartbeats", watcher->heartbeats },
		{ "starts", watcher->starts },
		{ "stops", watcher->stops },
		{ "reloads", watcher->reloads },
		{ "bad_reloads", watcher->bad_reloads },
		{ "missing", watcher->missing },
		{ "blind_s", watcher->blind_s },
		{ "arrivals_lost", watcher->arrivals_lost },
		{ "failures", watcher->failures },
		{ "gaps_total", watcher->gaps_total },
	};
	struct json_object *object = json_object_new_object();
	size_t i;

	json_add_string(json, object, "at", report_side_name(watcher->side));
	json_add_string(json, object, "host", watcher->host);
	json_add_string(json, object, "version", watcher->version);
	json_add_string(json, object, "mode", watcher->mode);
	json_add_string(json, object, "domains", watcher->domains);
	json_add_time(json, object, "first", watcher->first);
	json_add_time(json, object, "last", watcher->last);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_add_count(json, object, counts[i].key, counts[i].count);
	json_add_string(json, object, "failure", watcher->failure);
	json_add_time(json, object, "last_lost", watcher->last_lost);
	json_add_time(json, object, "last_failure", watcher->last_failure);
	json_add_bool(json, object, "blind_now", watcher->blind_now);
	return object;
}

void report_json_watchers(struct json_write *json,
			  const struct report_model *model)
{
	const struct report_watcher *watcher;
	size_t i, j;

	json_write_array(json, "watchers");
	for (i = 0; i < model->watchers_count; i++) {
		watcher = model->watchers[i];
		json_write_object(json, NULL);
		json_write_members(json, make_watcher(json, watcher));
		json_write_array(json, "gaps");
		for (j = 0; j < watcher->gaps_count; j++)
			put_gap(json, &watcher->gaps[j]);
		json_write_close(json);
		json_write_close(json);
	}
	json_write_close(json);
}

static struct json_object *make_input(struct json_write *json,
				      const struct report_input *input)
{
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "name", input->name);
	json_add_count(json, object, "lines", input->lines);
	json_add_count(json, object, "bytes", input->bytes);
	json_add_count(json, object, "report_lines", input->report_lines);
	json_add_time(json, object, "first", input->first);
	json_add_time(json, object, "last", input->last);
	json_add_string(json, object, "error", input->error);
	return object;
}

void report_json_reading(struct json_write *json,
			 const struct report_model *model)
{
	const struct report_reading *reading = &model->reading;
	struct json_object *object = json_object_new_object();
	size_t i;

	json_add_count(json, object, "lines", reading->lines);
	json_add_count(json, object, "bytes", reading->bytes);
	json_add_count(json, object, "report_lines", reading->report_lines);
	json_add_count(json, object, "suspicious", reading->suspicious);
	json_add_count(json, object, "broken", reading->broken);
	json_add_time(json, object, "last_broken", reading->last_broken);
	json_add_count(json, object, "undated", reading->undated);
	json_add_count(json, object, "unknown", reading->unknown);
	json_add_count(json, object, "doubles", reading->doubles);
	json_write_object(json, "reading");
	json_write_members(json, object);
	json_write_array(json, "inputs");
	for (i = 0; i < reading->inputs_count; i++)
		json_write_value(json, NULL,
				 make_input(json, &reading->inputs[i]));
	json_write_close(json);
	json_write_close(json);
}
