/*
 * mirror-lane: the ways to a mailbox that part mirror compares
 *
 * Each lane is a user of his own, all with the same mail: served by our plugin
 * (mirrored; proxied when the bench was asked for that), by a Dovecot without it
 * from a mailbox of its own in the same store, by the old server itself, and by
 * stock Dovecot with mail_location = imapc:. The old server is behind the delay
 * proxy for all but its own clients. Failures end the program (bench_fail()).
 */
#ifndef MIRROR_LANE_H
#define MIRROR_LANE_H

#include "bench-lab.h"

enum mirror_lane_id {
	LANE_OURS, LANE_LOCAL, LANE_DIRECT, LANE_IMAPC,
	MIRROR_LANES
};

struct mirror_lane {
	const char *name;
	/* Number in the lab. */
	unsigned int user;
	/* HOST:PORT of the lane, and of where the same mailbox is seen without
	   it: at the old server, or just there for a lane that has none. */
	char here[32], there[32];
};

/* Brings up the lab and the lanes with their mail (lane-mail.h). */
void mirror_lanes_up(struct bench *bench,
		     struct mirror_lane lanes[MIRROR_LANES]);
/* hostport: one of the lane's. */
struct imap_client *
mirror_lane_open(const struct bench *bench, const struct mirror_lane *lane,
		 const char *hostport);

#endif
