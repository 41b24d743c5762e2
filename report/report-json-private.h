/*
 * report-json-private: the parts of the JSON, and what several of them have
 */
#ifndef REPORT_JSON_PRIVATE_H
#define REPORT_JSON_PRIVATE_H

#include "json-write.h"
#include "report-model.h"

/* An object with a figure for each side. */
void report_json_sides(struct json_write *json, struct json_object *object,
		       const char *key, const uint64_t counts[REPORT_SIDES]);
/* The same with count, first and last. */
void report_json_seen(struct json_write *json, struct json_object *object,
		      const char *key, const struct report_seen *seen);

/* The mail to ask a source about. */
void report_json_example(struct json_write *json, struct json_object *object,
			 const struct report_source *source);

/* Members of the outermost object. */
void report_json_verdicts(struct json_write *json,
			  const struct report_model *model);
void report_json_domains(struct json_write *json,
			 const struct report_model *model);
void report_json_submitters(struct json_write *json,
			    const struct report_model *model);
void report_json_forgeries(struct json_write *json,
			   const struct report_model *model);
void report_json_loops(struct json_write *json,
		       const struct report_model *model);
void report_json_users(struct json_write *json,
		       const struct report_model *model);
void report_json_watchers(struct json_write *json,
			  const struct report_model *model);
void report_json_reading(struct json_write *json,
			 const struct report_model *model);

#endif
