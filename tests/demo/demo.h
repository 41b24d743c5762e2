/*
 * demo: what the parts of the demo share
 *
 * Six users in up to three labs. A user's counters are written by his own
 * threads and read by the display. Times are milliseconds, sizes bytes.
 */
#ifndef DEMO_H
#define DEMO_H

#include "demo-journal.h"
#include "demo-late-mail.h"
#include "lab.h"
#include "message-ids.h"
#include "snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

#define DEMO_USERS 6
#define DEMO_KINDS 3
#define DEMO_TIMEOUT_MS 60000
#define DEMO_MAX_CUTOVERS 64

struct demo_options {
	const char *dir;
	unsigned int port_base, messages;
	/* leave the servers running; nothing can be installed at the old ones */
	bool keep, rented;
};

struct demo;

struct demo_lab {
	const struct demo *demo;
	/* dovecot, cyrus or courier */
	const char *kind;
	/* Of its mail, compared with the other kinds': slow ones have less. */
	unsigned int weight;
	char dir[256];
	unsigned int port_base;
	struct lab *lab;
	/* Why this machine can't have it. */
	char reason[512];
};

/* What one program of a user saw. */
struct demo_counts {
	/* reconnects: each time that its connection ended */
	atomic_uint writes, reads, reconnects, errors;
	/* From the last answer before a cutover to being back at work. */
	atomic_uint interrupted_ms;
	atomic_uint slowest_ms;
};

enum demo_server { DEMO_OLD, DEMO_NEW, DEMO_SERVERS };

/* A user's mail by where it arrives. */
struct demo_arrivals {
	/* Held while a mail is on its way to the old server. */
	pthread_mutex_t at_old;
	/* No more may go there. */
	bool old_is_closed;
	/* Accepted by Postfix. */
	atomic_uint accepted[DEMO_SERVERS];
};

struct delivery_list {
	struct delivery *items;
	size_t count, room;
};

struct demo_user {
	struct demo *demo;
	struct demo_lab *lab;
	/* In the lab, and on the screen. */
	char name[16], label[32];
	unsigned int index, messages;

	/* Untouched: the old server before; then both servers at the end. */
	struct snapshot *before, *after, *old_after;
	/* Of the new server, when that picture was taken. */
	struct message_ids ids_after;
	struct journal journal;
	struct delivery_list delivered;
	struct demo_arrivals arrivals;
	struct late_list late;
	/* His old server has what a mirror needs. */
	bool can_mirror;

	pthread_t threads[3];
	struct demo_counts client, watcher, delivery;

	/* Of doveadm migration status. */
	atomic_uint filled, total, mailboxes, mirrored_mailboxes;
	atomic_uint local_mailboxes;
	atomic_bool filling, moving, is_cut_over;
	/* Was it when the fill was done: its cutover disturbs nobody. */
	atomic_bool inbox_is_mirrored;
	/* Of doveadm migration cutover. */
	unsigned int cutover_ms[DEMO_MAX_CUTOVERS], cutovers;
};

struct demo {
	struct demo_options options;
	struct demo_lab labs[DEMO_KINDS];
	struct demo_user users[DEMO_USERS];
	unsigned int user_count;
	atomic_bool work_ends;
};

/* Ctrl-C and the like end the phases in order, so that nothing stays behind. To
   be called before there are threads. */
void demo_catch_signals(void);
bool demo_is_interrupted(void);
/* The thread's work is over: the phase or the demo ends. */
bool demo_user_ends(const struct demo_user *user);

/* Notes a reason why the demo fails, and shows it. */
void demo_problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
unsigned int demo_problems(void);
const char *demo_first_problem(void);

/* Runs it for all users at once and waits. */
void demo_each_user(struct demo *demo, void (*run)(struct demo_user *user));

/* The full name of a folder of the user, in UTF-8, as both servers have it;
   static in the thread. */
const char *demo_folder_name(const struct demo_user *user, const char *name);

void demo_counts_time(struct demo_counts *counts, uint64_t started);

#endif
