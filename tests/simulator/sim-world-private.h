/*
 * sim-world-private: what a world's parts know of each other
 *
 * sim-sender draws mails and says where they go; sim-world brings them there;
 * sim-account has those at the old server until a poll sees them.
 */
#ifndef SIM_WORLD_PRIVATE_H
#define SIM_WORLD_PRIVATE_H

#include "chance.h"
#include "sim-milter.h"
#include "sim-world.h"
#include "report/memory.h"

#define SIM_PROVIDERS 5

struct sim_resolver;

struct sim_sender {
	struct sim_world *world;
	struct corpus_rng rng;
	enum sim_sender_kind kind;
	unsigned int number;
	/* Mails a day; 0: once a month. */
	double rate;
	struct sim_resolver *resolvers;
	unsigned int resolvers_count;
	/* Hard-wired until then, 0: it isn't. */
	int64_t wired_until;
	/* When a call would end that, after the first mail that asks for one;
	   0: it wouldn't. */
	int64_t call_takes;
	/* Its client's /24 is the first of so many. */
	unsigned int network, networks;
	/* Whose customer it is: gives the name. */
	unsigned int provider;
	/* Of our users, to whom it writes. */
	unsigned int users[3];
	/* Mails in a queue keep the address that they had. */
	bool keeps_address;
	/* How often the filter knows its mail for spam. */
	double marked;
	/* Tries the last MX first. */
	bool likes_backup;
	/* Gives up after so long. */
	int64_t patience;
};

struct sim_mail {
	struct sim_sender *sender;
	uint64_t number;
	unsigned int user;
	bool marked;
	int64_t sent;
	/* Its sender can't send it before. */
	int64_t held_until;
	unsigned int tries;
	/* Where it was to go at the last try, and why. */
	enum sim_side side;
	enum sim_why why;
};

struct sim_account;

struct sim_world {
	struct sim_plan plan;
	struct sim_clock clock;
	pool_t pool;
	/* Of what concerns the whole world. */
	struct corpus_rng rng;
	struct sim_log logs[SIM_SIDES];
	struct sim_milter milters[SIM_SIDES];
	struct sim_resolver *providers[SIM_PROVIDERS];
	struct sim_sender *senders;
	struct sim_account *accounts;
	uint64_t mails;
	/* When the old server's host has taken the domain from its list; and how
	   long that takes from the first call on, 0: it doesn't. */
	int64_t host_called_until, host_call_takes;
	bool logs_ended;
	struct sim_truth truth;
	struct sim_arrival *arrivals;
	size_t arrivals_room;
};

/* Streams of the seed's generators. */
enum {
	SIM_STREAM_WORLD = 1,
	SIM_STREAM_ACCOUNTS = 1000,
	SIM_STREAM_SENDERS = 10000
};

/* sim-resolver: caches of one sender, or of a big provider */
struct sim_resolver *sim_resolvers_new(struct sim_world *world,
				       unsigned int count, bool provider);
/* One of the sender's caches is asked. */
enum sim_side sim_resolver_ask(struct sim_sender *sender, enum sim_why *why_r);

/* sim-sender: makes all of them, and their mails begin */
void sim_senders_start(struct sim_world *world);
/* A mail was taken by a server. */
void sim_sender_delivered(const struct sim_mail *mail);

/* sim-transfer: brings it to a server, now or later */
void sim_mail_send(struct sim_mail *mail);

/* The keys that lines about a mail have in common, whoever writes them. */
void sim_mail_describe(const struct sim_mail *mail, struct report_line *report);

/* sim-account */
void sim_accounts_start(struct sim_world *world);
/* A mail came to its user at the old server. */
void sim_account_add(const struct sim_mail *mail);
void sim_accounts_end(struct sim_world *world);

#endif
