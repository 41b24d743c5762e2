#include "mail-end.h"

#include "milter-counters.h"
#include "milter-report.h"

#include <stdio.h>
#include <time.h>

/* From the last to the first, so that the numbers of those that are still to go
   don't change. */
static void
remove_tags(const struct mail_headers *headers,
	    const struct mail_decision *decision, const struct mail_edit *edit,
	    const char *id)
{
	unsigned int n;

	for (n = headers->tag_count; n > 0; n--) {
		if (decision->remove[n - 1] == NULL ||
		    edit->remove_tag(edit->context, n) == 0)
			continue;
		report_failure("%s: the MTA doesn't remove headers", id);
		return;
	}
}

static void add_tag(struct milter_session *session, const char *id,
		    const struct mail_edit *edit)
{
	char value[ARRIVAL_VALUE_SIZE];
	struct arrival_tag tag;
	const char *error;

	tag.at = session->config->server;
	tag.time = time(NULL);
	snprintf(tag.host, sizeof(tag.host), "%s", session->config->host);
	snprintf(tag.id, sizeof(tag.id), "%s", id);
	if (arrival_tag_make(session->config->key, &tag,
			     session->headers.mail, value, &error) < 0)
		report_failure("%s: no tag was added: %s", id, error);
	else if (edit->add_tag(edit->context, value) < 0)
		report_failure("%s: the MTA doesn't add headers", id);
}

static void
edit_mail(struct milter_session *session, const char *id,
	  const struct mail_decision *decision, const struct mail_edit *edit)
{
	id = id == NULL ? "" : id;
	if (decision->unchecked)
		report_failure("%s: a tag couldn't be checked", id);
	remove_tags(&session->headers, decision, edit, id);
	if (decision->add_tag)
		add_tag(session, id, edit);
}

static void
report_mail(const struct milter_session *session, const char *id,
	    const struct mail_decision *decision)
{
	if (decision->submission)
		report_submission(session, id);
	report_forged(session, id, decision);
	if (decision->rounds > 0)
		report_loop(session, id, decision);
	if (decision->arrival)
		report_arrivals(session, id, decision);
}

enum mail_verdict mail_end(struct milter_session *session, const char *id,
			   const struct mail_edit *edit,
			   unsigned int *rounds_r)
{
	struct mail_decision decision;
	struct mail_facts facts;

	*rounds_r = 0;
	milter_count_add(MILTER_COUNT_MAILS, 1);
	if (session->mail.failed || session->headers.failed) {
		report_failure("%s: out of memory", id == NULL ? "" : id);
		return MAIL_ACCEPT;
	}
	if (session->mail.to_count > 0) {
		mail_headers_check(&session->headers, session->config->key);
	}
	milter_session_facts(session, &facts);
	mail_decide(&facts, &decision);
	if (!decision.refuse)
		edit_mail(session, id, &decision, edit);
	report_mail(session, id, &decision);
	*rounds_r = decision.rounds;
	return decision.refuse ? MAIL_REFUSE : MAIL_ACCEPT;
}
