/*
 * milter-lane: an smtpd of the lab with one milter of its own, or none
 *
 * Each lane has a port of its own at the new server's Postfix, whose mail is
 * discarded, so that tools can take turns without Postfix being started anew.
 * What milters write goes to the lab's syslog, as on a server. `lab down` ends
 * them. Failures end the program (bench_fail()).
 */
#ifndef MILTER_LANE_H
#define MILTER_LANE_H

#include "bench-lab.h"

#include <stdbool.h>

enum milter_tool {
	MILTER_NONE, MILTER_DO_NOTHING, MILTER_OURS, MILTER_OPENDKIM,
	MILTER_TOOLS
};

struct milter_lane {
	enum milter_tool tool;
	/* Postfix asks the milter by TCP, not over a unix socket. */
	bool inet;
	/* Of smtpd, the next one being the milter's. */
	unsigned int port;
	/* The milter's; 0 for none. */
	pid_t pid;
};

const char *milter_tool_name(enum milter_tool tool);

/* Makes a signed mail of 5 KB in a file, as smtp-source wants it, and the key
   that verifies it where a DKIM verifier finds it. To be done first. Returns the
   file's name, static. */
const char *milter_mail_make(const struct bench *bench);

/* Starts the milter, and adds the smtpd to the configuration. */
void milter_lane_start(const struct bench *bench, struct milter_lane *lane);
/* All lanes are there: Postfix reads its configuration again. */
void milter_lanes_open(const struct bench *bench);
/* Mail that a lane took is out of the queue. */
void milter_lanes_drain(const struct bench *bench);
/* How many lines of the log say that the tool has done its work for a mail. */
unsigned int milter_lane_proofs(const struct bench *bench,
				const struct milter_lane *lane);
/* Postfix could reach each milter; it lets mail pass when it can't. */
void milter_lanes_check(const struct bench *bench);

#endif
