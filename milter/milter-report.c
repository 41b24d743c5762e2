#include "config.h"
#include "milter-report.h"

#include "config-current.h"
#include "milter-counters.h"
#include "milter-log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#define FAILURE_INTERVAL_SECS 10

static void
begin(struct report_line *line, const char *event,
      const struct milter_config *config)
{
	report_line_begin(line, event);
	report_line_add_str(line, "at", arrival_at_name(config->server));
	report_line_add_str(line, "host", config->host);
}

static void add_known(struct report_line *line, const char *key,
		      const char *value)
{
	if (value != NULL && value[0] != '\0')
		report_line_add_str(line, key, value);
}

static void add_client(struct report_line *line,
		       const struct milter_session *session)
{
	add_known(line, "client", session->client);
	add_known(line, "name", session->name);
}

/* What all lines about a mail begin with. */
static void
begin_mail(struct report_line *line, const char *event,
	   const struct milter_session *session, const char *id)
{
	begin(line, event, session->config);
	add_known(line, "id", id);
}

static void
add_first(struct report_line *line, const struct arrival_tag *first)
{
	if (first == NULL)
		return;
	report_line_add_str(line, "first_at", arrival_at_name(first->at));
	report_line_add_str(line, "first_id", first->id);
	report_line_add_str(line, "first_host", first->host);
}

static void
report_arrival(const struct milter_session *session, const char *id,
	       const char *to, const struct mail_decision *decision)
{
	struct report_line line;

	begin_mail(&line, "arrival", session, id);
	add_client(&line, session);
	add_known(&line, "helo", session->helo);
	report_line_add_str(&line, "from", session->mail.from);
	report_line_add_str(&line, "to", to);
	if (session->mail.size >= 0) {
		report_line_add_number(&line, "size",
				       (uint64_t)session->mail.size);
	}
	add_known(&line, "tls", session->mail.tls);
	add_known(&line, "auth", session->mail.auth);
	report_line_add_str(&line, "via", mail_via_name(decision->via));
	if (session->config->spam_headers != NULL) {
		report_line_add_str(&line, "spam",
				    session->headers.spam ? "yes" : "no");
	}
	add_first(&line, decision->first);
	milter_log_report(LOG_INFO, &line);
}

void report_arrivals(const struct milter_session *session, const char *id,
		     const struct mail_decision *decision)
{
	unsigned int i;

	for (i = 0; i < session->mail.to_count; i++)
		report_arrival(session, id, session->mail.to[i], decision);
	milter_count_add(MILTER_COUNT_ARRIVALS, i);
	if (decision->via == MAIL_VIA_RELAYED)
		milter_count_add(MILTER_COUNT_RELAYED, i);
}

void report_submission(const struct milter_session *session, const char *id)
{
	struct report_line line;

	begin_mail(&line, "submission", session, id);
	add_client(&line, session);
	add_known(&line, "auth", session->mail.auth);
	report_line_add_str(&line, "from", session->mail.from);
	report_line_add_number(&line, "recipients", session->mail.recipients);
	milter_log_report(LOG_INFO, &line);
	milter_count_add(MILTER_COUNT_SUBMISSIONS, 1);
}

static void
report_forged_tag(const struct milter_session *session, const char *id,
		  const char *reason, const struct mail_tag *tag)
{
	struct report_line line;

	begin_mail(&line, "forged", session, id);
	add_known(&line, "client", session->client);
	report_line_add_str(&line, "from", session->mail.from);
	report_line_add_str(&line, "reason", reason);
	if (tag != NULL)
		report_line_add(&line, "value", tag->value, tag->size);
	milter_log_report(LOG_INFO, &line);
}

void report_forged(const struct milter_session *session, const char *id,
		   const struct mail_decision *decision)
{
	const struct mail_headers *headers = &session->headers;
	unsigned int i, removed = 0, more = headers->more_tags;
	char reason[64];

	for (i = 0; i < headers->tag_count; i++) {
		if (decision->remove[i] == NULL)
			continue;
		if (++removed > REPORT_FORGED_MAX) {
			more++;
			continue;
		}
		report_forged_tag(session, id, decision->remove[i],
				  &headers->tags[i]);
	}
	milter_count_add(MILTER_COUNT_FORGED, removed);
	if (more > 0) {
		snprintf(reason, sizeof(reason), "%u more in this mail", more);
		report_forged_tag(session, id, reason, NULL);
	}
}

void report_loop(const struct milter_session *session, const char *id,
		 const struct mail_decision *decision)
{
	struct report_line line;

	begin_mail(&line, "loop", session, id);
	report_line_add_str(&line, "from", session->mail.from);
	report_line_add_number(&line, "rounds", decision->rounds);
	report_line_add_str(&line, "refused", decision->refuse ? "yes" : "no");
	milter_log_report(LOG_WARNING, &line);
}

void report_deferred(const struct milter_session *session, const char *id,
		     const char *to)
{
	struct report_line line;

	begin_mail(&line, "deferred", session, id);
	add_client(&line, session);
	report_line_add_str(&line, "from", session->mail.from);
	report_line_add_str(&line, "to", to);
	milter_log_report(LOG_INFO, &line);
	milter_count_add(MILTER_COUNT_DEFERRED, 1);
}

/* Is it time for a line? For one of those who ask at once, it is. */
static bool may_tell(void)
{
	uint64_t told_at = milter_count_get(MILTER_COUNT_TOLD_AT);
	uint64_t now = (uint64_t)time(NULL);

	/* the clock may have been set back */
	if (now >= told_at && now - told_at < FAILURE_INTERVAL_SECS)
		return false;
	return milter_count_swap(MILTER_COUNT_TOLD_AT, told_at, now) != 0;
}

void report_failure(const char *fmt, ...)
{
	struct milter_config *config;
	struct report_line line;
	char reason[REPORT_VALUE_MAX];
	uint64_t untold;
	va_list args;

	milter_count_add(MILTER_COUNT_FAILURES, 1);
	if (!may_tell()) {
		milter_count_add(MILTER_COUNT_UNTOLD, 1);
		return;
	}
	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	config = config_current_get();
	begin(&line, "milter_failure", config);
	report_line_add_str(&line, "reason", reason);
	untold = milter_count_get(MILTER_COUNT_UNTOLD);
	if (untold > 0 && milter_count_swap(MILTER_COUNT_UNTOLD, untold, 0))
		report_line_add_number(&line, "suppressed", untold);
	milter_log_report(LOG_WARNING, &line);
	milter_config_unref(&config);
}

static void
begin_state(struct report_line *line, const char *event,
	    const struct milter_config *config)
{
	begin(line, event, config);
	report_line_add_str(line, "version", PACKAGE_VERSION);
	report_line_add_str(line, "mode", milter_mode_name(
			milter_config_mode(config, time(NULL))));
	report_line_add_number(line, "domains",
			       domain_set_count(config->domains));
}

void report_state(const char *event, const struct milter_config *config)
{
	struct report_line line;

	begin_state(&line, event, config);
	milter_log_report(LOG_NOTICE, &line);
}

void report_reload(const struct milter_config *config, const char *error)
{
	struct report_line line;

	begin_state(&line, "milter_reload", config);
	report_line_add_str(&line, "ok", error == NULL ? "yes" : "no");
	add_known(&line, "error", error);
	milter_log_report(error == NULL ? LOG_NOTICE : LOG_ERR, &line);
}

void report_heartbeat(const struct milter_config *config, uint64_t uptime_secs,
		      uint64_t seq)
{
	static const struct {
		const char *key;
		enum milter_count count;
	} counts[] = {
		{ "mails", MILTER_COUNT_MAILS },
		{ "arrivals", MILTER_COUNT_ARRIVALS },
		{ "relayed", MILTER_COUNT_RELAYED },
		{ "submissions", MILTER_COUNT_SUBMISSIONS },
		{ "forged", MILTER_COUNT_FORGED },
		{ "failures", MILTER_COUNT_FAILURES },
		{ "deferred", MILTER_COUNT_DEFERRED }
	};
	struct report_line line;
	size_t i;

	begin(&line, "heartbeat", config);
	report_line_add_number(&line, "uptime", uptime_secs);
	report_line_add_number(&line, "seq", seq);
	report_line_add_number(&line, "interval", config->heartbeat_secs);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		report_line_add_number(&line, counts[i].key,
				       milter_count_get(counts[i].count));
	}
	milter_log_report(LOG_INFO, &line);
}
