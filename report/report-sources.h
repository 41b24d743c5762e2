/*
 * report-sources: who sends to a domain, and where he delivers by now
 *
 * A source is a client's network and name with an envelope sender's domain. Of
 * its mails only the last wanted one at the old server is kept, as an example.
 */
#ifndef REPORT_SOURCES_H
#define REPORT_SOURCES_H

#include "report-event.h"
#include "table.h"

struct sources;
struct domain;

/* The domain that it's about, which is a pointer of the strings. */
struct source_where {
	const char *domain;
	const struct report_client *client;
};

/* What a client did at one domain. */
struct source_client {
	UT_hash_handle hh;
	struct source_where where;
	int64_t last_new;
};

struct source_key {
	const struct source_client *client;
	const char *sender_domain;
};

/* Arrivals as milters told of them, where what is shown has late mail too. */
struct told {
	struct report_seen wanted, spam;
};

struct source {
	UT_hash_handle hh;
	struct source_key key;
	struct report_source shown;
	struct source_client *client;
	/* Whose it is, and the next one of it: report-arrivals' own. */
	struct domain *domain;
	struct source *next;
	/* NULL as long as they are the same. */
	struct told *told;
	/* from, to, id, host, client, name of the example. */
	struct kept_text example;
	unsigned short example_sizes[6];
};

struct sources *sources_init(struct strings *strings);
void sources_deinit(struct sources **sources);
/* The source of an event with client=, name=, from= at a domain. *new_r: it's its
   first one. */
struct source *sources_get(struct sources *sources, const char *domain,
			   const struct report_event *event, bool *new_r);
/* A direct arrival. */
void source_add(struct source *source, const struct report_event *event,
		enum report_side side, bool spam);
/* Counts one in what is shown, and in what milters told if that is another. */
void source_count(struct report_seen *wanted, struct report_seen *spam,
		  struct told *told, enum report_side side, bool is_spam,
		  int64_t time);
/* A mail that a poll found, and when it came. */
void source_add_late(struct source *source, const struct report_event *event,
		     int64_t arrived, bool spam);

/* For the picture: its standing, given when MX was switched (0: not known), and
   its example. */
void source_finish(struct source *source, int64_t switched, pool_t *pool);
/* Of struct report_source *const, for qsort(3): what needs action first. */
int source_compare(const void *a, const void *b);

#endif
