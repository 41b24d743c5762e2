#include "report-intake.h"
#include "report-arrivals.h"
#include "report-doubles.h"
#include "report-incidents.h"
#include "report-seen.h"
#include "report-submitters.h"
#include "report-users.h"
#include "report-watch.h"

#include <string.h>
#include <time.h>

struct report_intake {
	const struct report_intake_settings *set;
	struct strings *strings;
	struct report_doubles *doubles;
	struct arrivals *arrivals;
	struct incidents *incidents;
	struct submitters *submitters;
	struct users *users;
	struct watch *watch;
	uint64_t broken, unknown, double_lines, ttl_s;
	int64_t last_broken;
	int64_t first, last;
	struct report_event event;
	/* The picture, and what only it needs. */
	struct report_model model;
	pool_t pool;
};

struct intake_event {
	const char *name;
	/* Without one of these keys it's broken. */
	uint64_t required;
	/* If it has all of these, they make it the same as another one. */
	uint64_t same;
	void (*add)(struct report_intake *intake,
		    const struct report_event *event);
};

struct report_intake *
report_intake_init(const struct report_intake_settings *set)
{
	struct report_intake *intake = memory_new(sizeof(*intake));

	intake->set = set;
	intake->strings = strings_init();
	intake->doubles = report_doubles_init();
	intake->arrivals = arrivals_init(intake->strings, set->domain);
	intake->incidents = incidents_init(intake->strings);
	intake->submitters = submitters_init(intake->strings, set->domain);
	intake->users = users_init(intake->strings, set->domain);
	intake->watch = watch_init(intake->strings);
	pool_init(&intake->pool);
	return intake;
}

void report_intake_deinit(struct report_intake **_intake)
{
	struct report_intake *intake = *_intake;

	if (intake == NULL)
		return;
	*_intake = NULL;
	report_doubles_deinit(&intake->doubles);
	arrivals_deinit(&intake->arrivals);
	incidents_deinit(&intake->incidents);
	submitters_deinit(&intake->submitters);
	users_deinit(&intake->users);
	watch_deinit(&intake->watch);
	pool_deinit(&intake->pool);
	strings_deinit(&intake->strings);
	free(intake);
}

static void add_arrival(struct report_intake *intake,
			const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	watch_add_arrival(intake->watch, event);
	arrivals_add(intake->arrivals, event);
	if (report_event_is(event, KEY_via, "submission"))
		submitters_add(intake->submitters, event);
}

static void add_submission(struct report_intake *intake,
			   const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	submitters_add(intake->submitters, event);
}

static void add_deferred(struct report_intake *intake,
			 const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	arrivals_add_deferred(intake->arrivals, event);
}

static void add_forged(struct report_intake *intake,
		       const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	incidents_add_forged(intake->incidents, event);
}

static void add_loop(struct report_intake *intake,
		     const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	incidents_add_loop(intake->incidents, event);
}

static void add_heartbeat(struct report_intake *intake,
			  const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	watch_add_heartbeat(intake->watch, event);
}

static void add_start(struct report_intake *intake,
		      const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	watch_add_start(intake->watch, event);
}

static void add_stop(struct report_intake *intake,
		     const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	watch_add_stop(intake->watch, event);
}

static void add_reload(struct report_intake *intake,
		       const struct report_event *event)
{
	watch_add_sign(intake->watch, event);
	watch_add_reload(intake->watch, event);
}

static void add_failure(struct report_intake *intake,
			const struct report_event *event)
{
	watch_add_failure(intake->watch, event);
}

static void add_user(struct report_intake *intake,
		     const struct report_event *event)
{
	users_add(intake->users, event);
}

static void add_late(struct report_intake *intake,
		     const struct report_event *event)
{
	int64_t arrived = users_late_arrival(intake->users, event);

	if (arrived != 0)
		arrivals_add_late(intake->arrivals, event, arrived);
	users_add(intake->users, event);
}

static void add_dns(struct report_intake *intake,
		    const struct report_event *event)
{
	uint64_t ttl = report_event_number(event, KEY_ttl);

	if (ttl > intake->ttl_s)
		intake->ttl_s = ttl;
}

#define AT (KEY_BIT(at) | KEY_BIT(host))
#define ARRIVAL (KEY_BIT(at) | KEY_BIT(host) | KEY_BIT(id) | KEY_BIT(to))
#define LATE (KEY_BIT(user) | KEY_BIT(mailbox) | KEY_BIT(uidvalidity) | \
	KEY_BIT(uid))

/* The most frequent ones first. */
static const struct intake_event events[] = {
	{ "arrival", AT | KEY_BIT(to), ARRIVAL, add_arrival },
	{ "submission", AT, 0, add_submission },
	{ "heartbeat", AT | KEY_BIT(seq), 0, add_heartbeat },
	{ "deferred", AT | KEY_BIT(to), 0, add_deferred },
	{ "forged", AT, 0, add_forged },
	{ "loop", AT, 0, add_loop },
	{ "milter_start", AT, 0, add_start },
	{ "milter_stop", AT, 0, add_stop },
	{ "milter_reload", AT, 0, add_reload },
	{ "milter_failure", AT, 0, add_failure },
	{ "late", KEY_BIT(user), LATE, add_late },
	{ "late_double", KEY_BIT(user), LATE, add_late },
	{ "dns", KEY_BIT(ttl), 0, add_dns },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

/* All of the plugin's are treated alike. */
static const struct intake_event user_event = {
	"", KEY_BIT(user), 0, add_user
};

static const struct intake_event *find_event(struct text name)
{
	char copy[REPORT_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < EVENTS; i++) {
		if (strncmp(events[i].name, name.data, name.size) == 0 &&
		    events[i].name[name.size] == '\0')
			return &events[i];
	}
	memcpy(copy, name.data, name.size);
	copy[name.size] = '\0';
	return users_knows(copy) ? &user_event : NULL;
}

static void broken(struct report_intake *intake, const char *reason,
		   const struct log_record *record)
{
	intake->broken++;
	if (record->time > intake->last_broken)
		intake->last_broken = record->time;
	if (intake->set->broken != NULL) {
		intake->set->broken(intake->set->context, reason,
				    record->message, record->message_size);
	}
}

static uint64_t add_hash(uint64_t hash, const void *data, size_t size)
{
	return hash * UINT64_C(0x9e3779b97f4a7c15) + table_hash(data, size);
}

static uint64_t add_key_hash(uint64_t hash, const struct report_event *event,
			     enum report_key key)
{
	struct text text = report_event_get(event, key);

	return add_hash(hash, text.data, text.size);
}

/* What makes it the same as another one. */
static uint64_t hash_line(struct report_intake *intake,
			  const struct intake_event *what,
			  const struct log_record *record)
{
	const struct report_event *event = &intake->event;
	uint64_t hash = 1, keys = what->same;
	int key;

	if (keys != 0 && (event->present & keys) == keys) {
		for (; keys != 0; keys &= keys - 1) {
			key = __builtin_ctzll(keys);
			hash = add_key_hash(hash, event, (enum report_key)key);
		}
	} else {
		hash = add_hash(hash, &record->time, sizeof(record->time));
		hash = add_hash(hash, record->host, record->host_size);
		hash = add_hash(hash, record->message, record->message_size);
	}
	return hash;
}

/* When it happened: when it was written, if it doesn't tell. */
static int64_t get_time(const struct report_event *event,
			const struct log_record *record)
{
	uint64_t told = report_event_number(event, KEY_t);

	return told > 0 && told <= (uint64_t)record->time ? (int64_t)told :
		record->time;
}

static bool is_wanted(const struct report_intake *intake, int64_t time)
{
	return (intake->set->since == 0 || time >= intake->set->since) &&
		(intake->set->until == 0 || time <= intake->set->until);
}

static bool check_keys(const struct intake_event *what,
		       const struct report_event *event)
{
	enum report_side side;

	return (event->present & what->required) == what->required &&
		((what->required & KEY_BIT(at)) == 0 ||
		 report_event_side(event, &side));
}

void report_intake_add(struct report_intake *intake,
		       const struct log_record *record)
{
	struct report_event *event = &intake->event;
	const struct intake_event *what;
	const char *error;
	uint64_t hash;

	if (!is_wanted(intake, record->time))
		return;
	if (report_event_parse(event, record->message, record->message_size,
			       &error) < 0) {
		broken(intake, error, record);
		return;
	}
	what = find_event(event->keys[KEY_event]);
	if (what == NULL) {
		intake->unknown++;
		return;
	}
	if (!check_keys(what, event)) {
		broken(intake, "a key is missing", record);
		return;
	}
	hash = hash_line(intake, what, record);
	report_doubles_prefetch(intake->doubles, hash);
	if ((what->required & KEY_BIT(to)) != 0)
		arrivals_prepare(intake->arrivals, event);
	if (report_doubles_seen(intake->doubles, hash)) {
		intake->double_lines++;
		return;
	}
	event->time = get_time(event, record);
	report_span_add(&intake->first, &intake->last, record->time);
	what->add(intake, event);
}

static void fill_times(struct report_intake *intake, int64_t now, int64_t end)
{
	struct report_model *model = &intake->model;

	model->now = now;
	model->first = intake->first;
	model->last = end > intake->last ? end : intake->last;
	model->switched = intake->set->switched;
	model->switched_by = REPORT_SWITCHED_GIVEN;
	if (model->switched == 0) {
		model->switched = arrivals_first_new(intake->arrivals);
		model->switched_by = model->switched == 0 ?
			REPORT_SWITCHED_UNKNOWN : REPORT_SWITCHED_INFERRED;
	}
}

static const char *zone_name(struct report_intake *intake)
{
	const char *zone = getenv("TZ");
	time_t time = (time_t)intake->model.last;
	struct tm tm;
	char name[64];

	if (zone != NULL && *zone != '\0')
		return strings_get(intake->strings, zone, strlen(zone));
	if (localtime_r(&time, &tm) == NULL)
		return "UTC";
	return strings_get(intake->strings, name,
			   strftime(name, sizeof(name), "%Z", &tm));
}

const struct report_model *
report_intake_model(struct report_intake *intake, int64_t now, int64_t end,
		    struct report_reading *reading)
{
	struct report_model *model = &intake->model;

	pool_clear(&intake->pool);
	memset(model, 0, sizeof(*model));
	fill_times(intake, now, end);
	model->zone = zone_name(intake);
	model->domain_chosen = intake->set->domain;
	watch_finish(intake->watch, &intake->pool, model);
	arrivals_finish(intake->arrivals, &intake->pool, watch_blind,
			intake->watch, model);
	incidents_finish(intake->incidents, &intake->pool, model);
	submitters_finish(intake->submitters, &intake->pool, model);
	users_finish(intake->users, &intake->pool, model);
	model->ttl_s = intake->ttl_s;
	reading->broken += intake->broken;
	reading->last_broken = intake->last_broken;
	reading->unknown = intake->unknown;
	reading->doubles = intake->double_lines;
	model->reading = *reading;
	report_verdicts_finish(&intake->pool, model, intake->set->verdict);
	return model;
}
