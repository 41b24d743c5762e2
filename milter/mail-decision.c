#include "mail-decision.h"

#include <string.h>

const char *mail_via_name(enum mail_via via)
{
	static const char *const names[] = {
		[MAIL_VIA_DIRECT] = "direct",
		[MAIL_VIA_RELAYED] = "relayed",
		[MAIL_VIA_SUBMISSION] = "submission",
		[MAIL_VIA_LOCAL] = "local"
	};

	return names[via];
}

static bool same_tag(const struct arrival_tag *a, const struct arrival_tag *b)
{
	return a->at == b->at && a->time == b->time &&
		strcmp(a->host, b->host) == 0 && strcmp(a->id, b->id) == 0;
}

/* Was it there above already? */
static bool
is_double(const struct mail_facts *facts, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (facts->tags[i].result == ARRIVAL_VALID &&
		    same_tag(&facts->tags[i].tag, &facts->tags[n].tag))
			return true;
	}
	return false;
}

static void
count_valid(const struct mail_facts *facts, const struct arrival_tag *tag,
	    struct mail_decision *decision)
{
	if (tag->at == facts->server)
		decision->rounds++;
	else if (decision->first == NULL || tag->time <= decision->first->time)
		decision->first = tag;
}

static void
weigh_tag(const struct mail_facts *facts, unsigned int n,
	  struct mail_decision *decision)
{
	const struct mail_tag *tag = &facts->tags[n];

	switch (tag->result) {
	case ARRIVAL_VALID:
		if (is_double(facts, n))
			decision->remove[n] = "given twice";
		else
			count_valid(facts, &tag->tag, decision);
		break;
	case ARRIVAL_FORGED:
	case ARRIVAL_MALFORMED:
	case ARRIVAL_UNKNOWN_VERSION:
		decision->remove[n] = tag->reason;
		break;
	case ARRIVAL_UNCHECKED:
		decision->unchecked = true;
		break;
	}
}

static enum mail_via
choose_via(const struct mail_facts *facts, const struct arrival_tag *first)
{
	if (first != NULL)
		return MAIL_VIA_RELAYED;
	if (facts->submitted)
		return MAIL_VIA_SUBMISSION;
	return facts->local ? MAIL_VIA_LOCAL : MAIL_VIA_DIRECT;
}

static void keep_all(const struct mail_facts *facts,
		     struct mail_decision *decision)
{
	unsigned int i;

	for (i = 0; i < facts->tag_count; i++)
		decision->remove[i] = NULL;
}

void mail_decide(const struct mail_facts *facts,
		 struct mail_decision *decision_r)
{
	unsigned int i;

	memset(decision_r, 0, sizeof(*decision_r));
	if (facts->recipients == 0) {
		decision_r->submission = facts->submitted &&
			facts->sender_migrates;
		return;
	}
	for (i = 0; i < facts->tag_count; i++)
		weigh_tag(facts, i, decision_r);
	decision_r->arrival = decision_r->rounds == 0;
	decision_r->refuse = facts->loop_limit > 0 &&
		decision_r->rounds >= facts->loop_limit;
	if (decision_r->refuse)
		keep_all(facts, decision_r);
	if (!decision_r->arrival)
		decision_r->first = NULL;
	decision_r->via = choose_via(facts, decision_r->first);
	decision_r->add_tag = !decision_r->refuse && !decision_r->unchecked &&
		decision_r->first == NULL;
}
