/*
 * proxy-lane: the ways to a mailbox at the old server that part proxy compares
 *
 * Each lane is a user of his own, all with the same mail: at the old server
 * itself; through a Dovecot that is a login proxy; through stock Dovecot with
 * mail_location = imapc:; through our plugin, of a mailbox of which nothing is
 * here and of one that is filled, both not mirrored; and, for what is to have
 * local speed, a local mailbox. The old server is behind the delay proxy for
 * all of them. Failures end the program (bench_fail()).
 */
#ifndef PROXY_LANE_H
#define PROXY_LANE_H

#include "bench-lab.h"

enum proxy_lane_id {
	PROXY_DIRECT, PROXY_LOGIN, PROXY_IMAPC, PROXY_LOCAL, PROXY_OURS,
	PROXY_FILLED,
	PROXY_LANES
};

struct proxy_lane {
	/* The tool, and what the mailbox is to it. */
	const char *name, *state;
	/* Number in the lab. */
	unsigned int user;
	/* HOST:PORT */
	char here[32];
};

/* Brings up the lab and the lanes with their mail (lane-mail.h). */
void proxy_lanes_up(struct bench *bench, struct proxy_lane lanes[PROXY_LANES]);
/* How many times the lane's user has logged in at the old server. */
unsigned int proxy_lane_logins(const struct bench *bench,
			       const struct proxy_lane *lane);

#endif
