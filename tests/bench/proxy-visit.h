/*
 * proxy-visit: what a client does in one session with a proxied mailbox, and
 * how long each step takes
 *
 * Times are milliseconds from sending the command to its tagged answer; the
 * first one has the connection, the login and SELECT. Each answer is looked at:
 * one that isn't what was asked for ends the program (bench_fail()).
 */
#ifndef PROXY_VISIT_H
#define PROXY_VISIT_H

#include "proxy-lane.h"

/* Messages whose envelopes a visit looks at. */
#define PROXY_WINDOW 50

enum proxy_step {
	PROXY_OPEN, PROXY_ENVELOPES_COLD, PROXY_ENVELOPES_WARM, PROXY_BODY,
	PROXY_STORE, PROXY_STATUS, PROXY_LIST_STATUS, PROXY_SEARCH,
	PROXY_STEPS
};

/* "login_select" and so on */
const char *proxy_step_name(enum proxy_step step);

/* n: how many visits this lane has had; each reads and flags other messages. */
void proxy_visit(const struct bench *bench, const struct proxy_lane *lane,
		 unsigned int n, double ms_r[PROXY_STEPS]);

#endif
