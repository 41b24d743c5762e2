/*
 * report-event: a report line taken apart, its known keys at hand by number
 *
 * Unknown keys are left out. The texts point into the line, or into the event;
 * they're valid as long as both are.
 */
#ifndef REPORT_EVENT_H
#define REPORT_EVENT_H

#include "report-model.h"
#include "report-strings.h"
#include "common/report-line.h"

/* X(name): all keys that some event is asked for. */
#define REPORT_EVENT_KEYS(X) \
	X(event) X(at) X(host) X(id) X(client) X(name) X(from) X(to) X(auth) \
	X(via) X(spam) X(recipients) X(reason) X(value) X(rounds) X(refused) \
	X(version) X(mode) X(domains) X(ok) X(error) X(uptime) X(seq) \
	X(interval) X(arrivals) X(user) X(mailbox) X(fetched) X(bytes) X(bad) X(messages) \
	X(seconds) X(without) X(uids) X(uid) X(folders) X(failed) X(state) \
	X(rebuilt) X(action) X(suppressed) X(t) X(mid) X(uidvalidity) \
	X(received) X(delay) X(digest) X(forced) X(ttl) X(waiting)

enum report_key {
#define X(name) KEY_##name,
	REPORT_EVENT_KEYS(X)
#undef X
	REPORT_KEYS
};

#define KEY_BIT(name) (UINT64_C(1) << KEY_##name)

struct report_event {
	int64_t time;
	/* Of the line of syslog, may be empty. */
	struct text log_host;
	/* Which of the keys there are. */
	uint64_t present;
	struct text keys[REPORT_KEYS];
	/* Values that had escapes. */
	char decoded[REPORT_LINE_MAX + REPORT_VALUE_MAX];
};

/* Takes keys apart; time and log_host are the caller's to set. -1 with the
   reason, static, when it breaks the grammar. */
int report_event_parse(struct report_event *event, const char *message,
		       size_t size, const char **error_r);

/* The value, empty when there's none. */
static inline struct text
report_event_get(const struct report_event *event, enum report_key key)
{
	static const struct text none = { "", 0 };

	return (event->present >> key & 1) != 0 ? event->keys[key] : none;
}

bool report_event_is(const struct report_event *event, enum report_key key,
		     const char *value);
/* 0 when there's none, or when it isn't a number. */
uint64_t report_event_number(const struct report_event *event,
			     enum report_key key);
/* The same of seconds, as milliseconds. */
uint64_t report_event_millis(const struct report_event *event,
			     enum report_key key);
/* at=old or at=new. */
bool report_event_side(const struct report_event *event,
		       enum report_side *side_r);

#endif
