#ifndef SCHEDULER_PRIVATE_H
#define SCHEDULER_PRIVATE_H

/*
 * Files:
 *   scheduler          its life: the list of users, the ledger, and when to look
 *                      for who is next
 *   scheduler-servers  the old servers: their budgets, limits and back-off
 *   scheduler-status   STATUS, and the progress line
 *   move-job           one user's run with a mover
 */

#include "ledger.h"
#include "move-choice.h"
#include "move-queue.h"
#include "rate-meter.h"
#include "scheduler.h"
#include "scheduler-settings.h"

/* rates that are shown, and the one that the time left is computed from */
#define SCHEDULER_RATE_MSECS (10 * 1000)
#define SCHEDULER_LEFT_MSECS (5 * 60 * 1000)

struct scheduler {
	const struct scheduler_settings *set;
	/* of the movers' socket, of auth's; of the ledger and the lock */
	char *mover_path, *auth_path, *dir;
	char *base_dir;
	/* all processes', -1: this process' own */
	int budget_fd;
	/* other schedulers keep away */
	int lock_fd;
	struct timeout *to_lock;

	struct move_queue *queue;
	struct ledger *ledger;
	struct user_list *list;
	struct timeout *to_list;
	/* it was read at least once: users may be begun; how many there were */
	bool listed;
	unsigned int listed_users;
	bool paused;
	/* movers can't be started before */
	time_t no_service_until;

	/* unix seconds of the last tick */
	time_t ticked;
	/* looks for who is next: as soon as something changed; each second */
	struct timeout *to_run, *to_tick;
	/* NULL: this machine is alone */
	struct scheduler_backends *backends;
	unsigned int machines;

	/* the server that is asked first */
	unsigned int first_server;

	struct rate_meter rate, left_rate;
	time_t since, progress_reported;
	/* all was said to be local */
	bool local_reported;
};

struct move_job {
	struct scheduler *scheduler;
	struct move_user *user;
	struct mover_client *client;
	struct rate_meter rate;
	/* of the mover's bytes, those that were counted */
	uint64_t fetched;
	/* what it does; a mailbox that failed, and why */
	char *mailbox, *what, *failed;
	/* when FIRST was said last */
	time_t first_said;
	bool requested;
};

uint64_t scheduler_msecs(void);
/* Is it wanted, and has it begun? Returns 0, -1 with an error. */
int scheduler_check_ready(const struct scheduler *scheduler,
			  const char **error_r);
/* Something changed: who is next? Soon, from the ioloop. */
void scheduler_run_soon(struct scheduler *scheduler);

/* Its run begins, and ends by itself. */
void move_job_begin(struct scheduler *scheduler, struct move_user *user,
		    enum move_work work);
/* The user is put back, and the mover ends. */
void move_job_abort(struct move_job **job);
/* It ends as soon as nothing is lost by it. */
void move_job_stop(struct move_job *job);
/* That mailbox is wanted now. */
void move_job_want(struct move_job *job, const char *mailbox);

/* The server of that name, with its budget. */
struct move_server *
scheduler_server(struct scheduler *scheduler, const char *name);
/* All that the ledger knows, too. */
void scheduler_servers_init(struct scheduler *scheduler);
void scheduler_servers_deinit(struct scheduler *scheduler);
/* For how many milliseconds nothing is begun there. */
unsigned int scheduler_server_wait(const struct move_server *server);
/* Is migration_old_daily used up? */
bool scheduler_server_is_daily(const struct move_server *server,
			       int64_t *until_r);
void scheduler_server_limits(struct scheduler *scheduler,
			     const struct move_server *server,
			     struct move_limits *limits_r);
/* It refused that user who runs, or couldn't be reached for him. */
void scheduler_server_refused(struct move_server *server,
			      enum move_failure failure,
			      const struct move_user *user,
			      const char *reason);
/* A user of it failed for a reason of his own; one succeeded. */
void scheduler_server_failed(struct move_server *server,
			     enum move_failure failure, const char *reason);
void scheduler_server_succeeded(struct move_server *server);
/* It's said that migration_old_daily is used up. Is it, for all of its users? */
bool scheduler_server_daily(struct move_server *server);
/* For how many users at once one server is by configuration. */
unsigned int scheduler_server_max(const struct scheduler *scheduler);
/* So many machines share what the old servers give. */
void scheduler_servers_share(void *context, unsigned int machines);

/* service_progress, when it's time for it */
void scheduler_report_progress(struct scheduler *scheduler, time_t now);

#endif
