/*
 * report-verdict-senders: is MX switched, who still came to the old server, and
 * who may come again
 */
#include "report-verdict-private.h"
#include "common/text-format.h"
#include "report-network.h"

#include <stdio.h>
#include <string.h>

/* Caches keep the old MX no longer than the TTL; where it isn't known, this. */
#define CACHES_DEFAULT VERDICT_DAY
/* So many of a sender's usual intervals without a mail: if he still went to the
   old server, one would have come with a chance of 95 % (exp(-3) is 5 %). */
#define INTERVALS_SILENT 3
#define DOMAINS 2
#define MADE_THERE "local"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The last sign that wanted mail of it goes to the old server. */
static int64_t last_sign(const struct verdict_work *work,
			 const struct report_source *source)
{
	int64_t last = source->last_old;

	if (work->set->spam_counts)
		last = later(last, source->last_old_spam);
	if (source->standing != REPORT_ONLY_SPAM)
		last = later(last, source->last_deferred);
	return last;
}

static bool is_known(const struct verdict_work *work,
		     const struct report_source *source)
{
	return verdict_knows(work, source->client->network) ||
		verdict_knows(work, source->client->name_domain) ||
		verdict_knows(work, *source->sender_domain == '\0' ? "<>" :
			      source->sender_domain);
}

/* Mails of it, since the log begins. */
static uint64_t interval_of(const struct verdict_work *work,
			    const struct report_source *source, int64_t last)
{
	uint64_t old = source->wanted.count[REPORT_OLD];
	uint64_t mails = (source->late > old ? source->late : old) +
		source->wanted.count[REPORT_NEW];

	if (last <= work->model->first)
		return 0;
	return (uint64_t)(last - work->model->first) / (mails > 0 ? mails : 1);
}

/* It came there last, since the switch, and its client doesn't know better. */
static bool is_straggler(const struct verdict_work *work,
			 const struct report_source *source, int64_t last)
{
	return last != 0 && last >= work->switched &&
		last > source->wanted.last[REPORT_NEW] &&
		last > source->client_last_new;
}

static int64_t wait_of(const struct verdict_work *work, uint64_t interval_s)
{
	uint64_t wait = INTERVALS_SILENT * interval_s;
	uint64_t patience = (uint64_t)work->set->patience_s;

	return (int64_t)(wait < patience ? wait : patience);
}

/* How long after the switch DNS may explain that mail comes to the old server. */
static int64_t caches_of(const struct verdict_work *work)
{
	return work->verdict->ttl_s == 0 ? CACHES_DEFAULT :
		2 * (int64_t)work->verdict->ttl_s;
}

static int compare_stragglers(const void *a, const void *b)
{
	const struct report_straggler *one = a, *two = b;

	if (one->known != two->known)
		return one->known ? 1 : -1;
	if (one->last != two->last)
		return one->last > two->last ? -1 : 1;
	return strcmp(one->source->sender_domain, two->source->sender_domain);
}

typedef void source_t(struct verdict_work *work,
		      const struct report_source *source, int64_t last,
		      bool known);

static void each_source(struct verdict_work *work, source_t *function)
{
	const struct report_domain *domain;
	const struct report_source *source;
	size_t i, j;

	for (i = 0; i < DOMAINS; i++) {
		domain = work->domains[i];
		for (j = 0; domain != NULL && j < domain->sources_count; j++) {
			source = domain->sources[j];
			function(work, source, last_sign(work, source),
				 is_known(work, source));
		}
	}
}

static void count_straggler(struct verdict_work *work,
			    const struct report_source *source, int64_t last,
			    bool known)
{
	if (!known && last > work->verdict->last_wanted)
		work->verdict->last_wanted = last;
	if (is_straggler(work, source, last))
		work->verdict->stragglers_count++;
}

static void take_straggler(struct verdict_work *work,
			   const struct report_source *source, int64_t last,
			   bool known)
{
	struct report_straggler *straggler;

	if (!is_straggler(work, source, last))
		return;
	straggler = &work->stragglers[work->verdict->stragglers_count++];
	straggler->source = source;
	straggler->last = last;
	straggler->known = known;
	straggler->lasting = last > work->switched + caches_of(work);
	straggler->interval_s = interval_of(work, source, last);
	straggler->until = last + wait_of(work, straggler->interval_s);
}

static void find_switched(struct verdict_work *work)
{
	const struct report_domain *domain = work->domains[0];

	work->switched = work->model->switched;
	if (work->model->switched_by != REPORT_SWITCHED_GIVEN &&
	    domain != NULL)
		work->switched = domain->wanted.first[REPORT_NEW];
}

void verdict_find_senders(struct verdict_work *work)
{
	struct report_verdict *verdict = work->verdict;
	const struct report_domain *domain;
	size_t i;

	find_switched(work);
	each_source(work, count_straggler);
	work->stragglers = pool_array(work->pool, verdict->stragglers_count,
				      sizeof(*work->stragglers));
	verdict->stragglers_count = 0;
	each_source(work, take_straggler);
	if (verdict->stragglers_count > 0)
		qsort(work->stragglers, verdict->stragglers_count,
		      sizeof(*work->stragglers), compare_stragglers);
	verdict->stragglers = work->stragglers;
	for (i = 0; i < DOMAINS; i++) {
		domain = work->domains[i];
		if (domain != NULL && !verdict_knows(work, MADE_THERE))
			verdict->last_wanted = later(verdict->last_wanted,
				domain->local.last[REPORT_OLD]);
	}
	verdict->none_since = later(verdict->last_wanted, work->switched);
}

/* Lines of before the switch show when it was. */
static bool is_switch_seen(const struct verdict_work *work)
{
	const struct report_domain *domain = work->domains[0];
	int64_t wanted = domain->wanted.first[REPORT_OLD];
	int64_t spam = domain->spam.first[REPORT_OLD];

	if (work->model->switched_by == REPORT_SWITCHED_GIVEN)
		return true;
	return (wanted != 0 && wanted < work->switched) ||
		(spam != 0 && spam < work->switched);
}

static void check_ahead(struct verdict_work *work)
{
	const struct report_domain *domain = work->domains[0];
	const struct report_slot *slot;
	uint64_t wanted[REPORT_SIDES] = { 0, 0 };
	size_t i, side;

	for (i = domain->hours_count > 24 ? domain->hours_count - 24 : 0;
	     i < domain->hours_count; i++) {
		slot = &domain->hours[i];
		if (slot->start < work->switched)
			continue;
		for (side = 0; side < REPORT_SIDES; side++)
			wanted[side] += slot->wanted[side];
	}
	if (wanted[REPORT_OLD] == 0 || wanted[REPORT_OLD] < wanted[REPORT_NEW])
		return;
	verdict_add(work, REPORT_COND_SWITCHED, REPORT_NOT_YET, "",
		    "of the wanted mails of the last 24 hours %s came to the "
		    "old server and %s to the new one: is MX switched?",
		    format_count(wanted[REPORT_OLD]).text,
		    format_count(wanted[REPORT_NEW]).text);
}

static void check_since(struct verdict_work *work)
{
	const struct report_verdict *verdict = work->verdict;
	int64_t begins = work->verdict->begins;

	if (work->switched > begins && is_switch_seen(work)) {
		verdict_wait(work, work->switched + (int64_t)verdict->quiet_s);
		verdict_add(work, REPORT_COND_SWITCHED, REPORT_NOT_YET, "",
			    "MX was switched at %s, less than the quiet period "
			    "ago", format_time(work->switched).text);
	} else if (work->switched > begins) {
		verdict_wait(work, work->switched + (int64_t)verdict->quiet_s);
		verdict_add(work, REPORT_COND_SWITCHED, REPORT_UNKNOWN, "",
			    "the log begins after the switch, and tells of "
			    "less than the quiet period: give older logs, or "
			    "wait");
	} else if (work->domains[0]->wanted.last[REPORT_NEW] < begins) {
		verdict_add(work, REPORT_COND_SWITCHED, REPORT_UNKNOWN, "",
			    "in the quiet period nothing wanted came to the "
			    "new server either, so that nothing came to the "
			    "old one says little");
	}
}

void verdict_check_switched(struct verdict_work *work)
{
	const struct report_domain *domain = work->domains[0];

	if (domain == NULL) {
		verdict_add(work, REPORT_COND_SWITCHED, REPORT_UNKNOWN, "",
			    "no line tells of mail for this domain");
	} else if (domain->wanted.count[REPORT_NEW] > 0) {
		check_ahead(work);
		check_since(work);
	} else if (work->model->watched[REPORT_NEW]) {
		verdict_add(work, REPORT_COND_SWITCHED, REPORT_NOT_YET, "",
			    "no wanted mail has come to the new server: MX "
			    "isn't switched yet");
	} else {
		verdict_add(work, REPORT_COND_SWITCHED, REPORT_UNKNOWN, "",
			    "no milter reports from the new server: whether "
			    "mail goes there isn't known");
	}
}

static const char *name_of(const struct report_source *source)
{
	if (*source->sender_domain != '\0')
		return source->sender_domain;
	if (*source->client->name_domain != '\0')
		return source->client->name_domain;
	return source->client->network;
}

static void check_quiet_straggler(struct verdict_work *work,
				  const struct report_source *source,
				  int64_t last, bool known)
{
	const struct report_verdict *verdict = work->verdict;

	if (known || last == 0 || last <= verdict->begins)
		return;
	verdict_wait(work, last + (int64_t)verdict->quiet_s);
	verdict_add(work, REPORT_COND_QUIET, REPORT_NOT_YET, name_of(source),
		    "it sent to the old server in the quiet period, the last "
		    "time at %s%s", format_time(last).text,
		    source->wanted.last[REPORT_NEW] > last ?
		    ", and to the new one since" : "");
}

void verdict_check_quiet(struct verdict_work *work)
{
	const struct report_verdict *verdict = work->verdict;
	const struct report_domain *domain;
	int64_t last;
	size_t i;

	each_source(work, check_quiet_straggler);
	for (i = 0; i < DOMAINS; i++) {
		domain = work->domains[i];
		last = domain == NULL ? 0 : domain->local.last[REPORT_OLD];
		if (last <= verdict->begins || last == 0 ||
		    verdict_knows(work, MADE_THERE))
			continue;
		verdict_wait(work, last + (int64_t)verdict->quiet_s);
		verdict_add(work, REPORT_COND_QUIET, REPORT_NOT_YET, MADE_THERE,
			    "mail for the domain is made on the old server "
			    "itself, the last one at %s: its host may still "
			    "think that the domain is there",
			    format_time(last).text);
	}
}

/* Before the switch, and nowhere since. */
static void check_unseen(struct verdict_work *work,
			 const struct report_source *source, int64_t last,
			 bool known)
{
	struct report_verdict *verdict = work->verdict;
	int64_t until;

	if (known || last == 0 || last >= work->switched ||
	    last <= source->wanted.last[REPORT_NEW] ||
	    last <= source->client_last_new)
		return;
	verdict->unseen_since++;
	until = last + wait_of(work, interval_of(work, source, last));
	if (until <= work->end)
		return;
	verdict->unseen_waiting++;
	verdict_wait(work, until);
	if (until > work->unseen_until) {
		work->unseen_until = until;
		work->unseen = source;
	}
}

static void tell_unseen(struct verdict_work *work)
{
	size_t count = work->verdict->unseen_waiting;
	char others[64] = "it";

	if (count == 0)
		return;
	if (count > 1)
		snprintf(others, sizeof(others), "it, and %s more,",
			 format_count(count - 1).text);
	verdict_add(work, REPORT_COND_STRAGGLERS, REPORT_UNKNOWN,
		    name_of(work->unseen), "%s came to the old server before "
		    "the switch and nowhere since: where the next mail goes "
		    "isn't known; all will have been silent for long enough "
		    "at %s", others, format_time(work->unseen_until).text);
}

void verdict_check_stragglers(struct verdict_work *work)
{
	const struct report_verdict *verdict = work->verdict;
	const struct report_straggler *straggler;
	size_t i;

	each_source(work, check_unseen);
	tell_unseen(work);
	for (i = 0; i < verdict->stragglers_count; i++) {
		straggler = &verdict->stragglers[i];
		/* those in the quiet period are told of already */
		if (straggler->known || straggler->until <= work->end ||
		    straggler->last > verdict->begins)
			continue;
		verdict_wait(work, straggler->until);
		verdict_add(work, REPORT_COND_STRAGGLERS, REPORT_NOT_YET,
			    name_of(straggler->source), "its last mail came to "
			    "the old server, at %s%s; it sends one in %s, so "
			    "that it may just be silent",
			    format_time(straggler->last).text,
			    straggler->lasting ?
			    ", when no cache of DNS explained it" : "",
			    format_span(straggler->interval_s).text);
	}
}
