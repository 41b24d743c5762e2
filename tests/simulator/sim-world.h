/*
 * sim-world: a world of mail, from five weeks before the switch on
 *
 * It writes two logs, FOLDER/old.log and FOLDER/new.log, as its servers would, and
 * knows what no log tells: which mail was wanted, and why it came to the old
 * server. The same plan gives the same logs and the same truth, whatever is
 * written and however often it's stopped in between.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim-plan.h"

#include <stddef.h>

/* Why a mail came to the old server after the switch. */
enum sim_why {
	/* A resolver had the old MX from before, for no longer than its TTL. */
	SIM_WHY_CACHED,
	/* Longer than that. */
	SIM_WHY_OVERSTAYED,
	/* From a name server that hadn't the new zone. */
	SIM_WHY_SECONDARY,
	/* It was in a queue with the old address. */
	SIM_WHY_QUEUED,
	/* The second MX. */
	SIM_WHY_BACKUP,
	/* Hard-wired; enum sim_sender_kind says what these are. */
	SIM_WHY_ROUTED,
	SIM_WHY_CUSTOMER,
	SIM_WHY_ROUTED_MONTHLY,
	/* A spammer that keeps the old address. */
	SIM_WHY_STALE,
	/* No mail, but as bad: MX wasn't switched yet when somebody cancelled, or
	   a user's mailboxes weren't local. */
	SIM_WHY_NOT_SWITCHED,
	SIM_WHY_NOT_LOCAL,
	SIM_WHYS
};
const char *sim_why_name(enum sim_why why);

/* A wanted mail came to the old server, after the switch. */
struct sim_arrival {
	int64_t time;
	enum sim_why why;
};

struct sim_truth {
	/* In the order of time, up to now. */
	const struct sim_arrival *arrivals;
	size_t count;
	/* When the last user's mailboxes were local; INT64_MAX when one's
	   password is never found. */
	int64_t local;
	/* The rate of the rarest hard-wired sender; 0 when there's none. */
	double rarest;
	/* Somebody who is hard-wired was called, with success. */
	bool called;
	/* Mail that the filter didn't know for spam came to the old server. */
	uint64_t unmarked;
};

struct sim_world;

/* Without a folder it writes nothing. */
struct sim_world *sim_world_init(const struct sim_plan *plan,
				 const char *folder);
void sim_world_deinit(struct sim_world **world);
/* All that happens up to then; the logs are up to date after it. */
void sim_world_run(struct sim_world *world, int64_t until);
/* From now on nothing is written, and what is only there to be written doesn't
   happen. */
void sim_world_end_logs(struct sim_world *world);
/* As of now; valid until the next call for this world. */
const struct sim_truth *sim_world_truth(struct sim_world *world);

#endif
