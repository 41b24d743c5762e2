/* One user's run: a mover is started, says where the user's old server is and how
   far he is, is asked for what is to be done, and the queue is told what came of
   it. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "engine/migration-report.h"
#include "mover-client.h"
#include "scheduler-private.h"

/* another process is filling him */
#define BUSY_SECS 10
/* migration_old_daily is used up; if it's his own, the next day isn't known */
#define DAILY_SECS 60
#define OWN_DAILY_SECS 3600
/* movers can't be started */
#define NO_SERVICE_SECS 5

static void job_free(struct move_job **_job)
{
	struct move_job *job = *_job;

	*_job = NULL;
	mover_client_deinit(&job->client);
	scheduler_run_soon(job->scheduler);
	ledger_changed(job->scheduler->ledger, FALSE);
	i_free(job->mailbox);
	i_free(job->what);
	i_free(job->failed);
	i_free(job);
}

static void put_back(struct move_job **_job, unsigned int secs)
{
	struct move_job *job = *_job;

	move_queue_put_back(job->scheduler->queue, job->user,
			    secs == 0 ? 0 : ioloop_time + secs, ioloop_time);
	job_free(_job);
}

static void failed(struct move_job **_job, enum move_failure failure,
		   const char *reason)
{
	struct move_job *job = *_job;
	struct move_user *user = job->user;

	move_queue_failed(job->scheduler->queue, user, failure, reason,
			  ioloop_time);
	migration_report_service("service_failed", "user", user->name,
			 "failure", move_failure_to_str(failure),
			 "reason", reason,
			 "retry", dec2str(user->not_before - ioloop_time),
			 NULL);
	ledger_changed(job->scheduler->ledger, TRUE);
	job_free(_job);
}

static void succeeded(struct move_job **_job)
{
	struct move_job *job = *_job;

	if (job->user->run->work != MOVE_WORK_CATCHUP)
		ledger_changed(job->scheduler->ledger, TRUE);
	move_queue_succeeded(job->scheduler->queue, job->user, ioloop_time);
	job_free(_job);
}

void move_job_abort(struct move_job **job)
{
	put_back(job, 0);
}

/*
 * What it's asked for
 */

static void say_request(struct move_job *job, const char *request)
{
	const char *words[MOVE_WANTED_MAILBOXES + 2] = { request, NULL };
	const struct move_demand *demand = job->user->demand;
	unsigned int count = 1;

	if (demand != NULL && job->user->run->work == MOVE_WORK_FILL) {
		for (unsigned int i = 0; i < MOVE_WANTED_MAILBOXES &&
		     demand->mailboxes[i] != NULL; i++)
			words[count++] = demand->mailboxes[i];
	}
	words[count] = NULL;
	job->requested = TRUE;
	mover_client_say(job->client, words);
}

/* He isn't as far as it was thought, or further: then he's seen first. */
static enum move_work
fitting_work(const struct move_job *job, enum move_phase phase)
{
	enum move_work work = job->user->run->work;
	bool seen = job->user->totals.mailboxes > 0;

	if (phase == MOVE_PHASE_LOCAL) {
		return seen && work == MOVE_WORK_CATCHUP ? work :
			MOVE_WORK_SURVEY;
	}
	return work == MOVE_WORK_CATCHUP ? MOVE_WORK_SURVEY : work;
}

static void request(struct move_job *job, enum move_phase phase)
{
	static const char *const requests[] = {
		[MOVE_WORK_SURVEY] = "SURVEY",
		[MOVE_WORK_FILL] = "FILL",
		[MOVE_WORK_REFRESH] = "FILL",
		[MOVE_WORK_CATCHUP] = "CATCHUP",
	};
	enum move_work work = fitting_work(job, phase);

	move_queue_set_work(job->user, work);
	say_request(job, requests[work]);
}

/* The server that the user was thought to have may be another one, where there
   isn't a place for him. */
static bool has_place(struct move_job *job, const char *host)
{
	struct move_server *server = scheduler_server(job->scheduler, host);

	if (job->user->server != server) {
		move_queue_set_server(job->scheduler->queue, job->user,
				      server);
	}
	return array_count(&server->running) <= server->bounds.limit &&
		scheduler_server_wait(server) == 0;
}

static void job_ready(void *context, const char *host, enum move_phase phase)
{
	struct move_job *job = context;

	if (phase == MOVE_PHASE_CLOSED) {
		struct move_totals totals = { .phase = phase };

		move_queue_progress(job->scheduler->queue, job->user, &totals);
		succeeded(&job);
	} else if (!has_place(job, host) || job->user->run->stopping) {
		put_back(&job, 0);
	} else {
		request(job, phase);
	}
}

void move_job_stop(struct move_job *job)
{
	static const char *const words[] = { "STOP", NULL };

	if (job->user->run->stopping)
		return;
	job->user->run->stopping = TRUE;
	if (job->requested && job->user->run->work != MOVE_WORK_SURVEY)
		mover_client_say(job->client, words);
}

void move_job_want(struct move_job *job, const char *mailbox)
{
	const char *words[] = { "FIRST", mailbox, NULL };

	/* whoever wants much mustn't fill the way to the mover */
	if (!job->requested || job->user->run->stopping ||
	    job->user->run->work != MOVE_WORK_FILL ||
	    job->first_said == ioloop_time)
		return;
	job->first_said = ioloop_time;
	mover_client_say(job->client, words);
}

/*
 * What comes of it
 */

static void count_fetched(struct move_job *job, uint64_t fetched)
{
	uint64_t now = scheduler_msecs();
	uint64_t bytes = fetched - I_MIN(fetched, job->fetched);

	job->fetched = fetched;
	rate_meter_add(&job->rate, bytes, now);
	rate_meter_add(&job->scheduler->rate, bytes, now);
	rate_meter_add(&job->scheduler->left_rate, bytes, now);
}

static void set_totals(struct move_job *job, const struct move_totals *totals)
{
	count_fetched(job, totals->fetched_bytes);
	move_queue_progress(job->scheduler->queue, job->user, totals);
}

static void job_progress(void *context, const char *mailbox, const char *what,
			 const struct move_totals *totals)
{
	struct move_job *job = context;

	i_free(job->mailbox);
	i_free(job->what);
	job->mailbox = i_strdup(mailbox);
	job->what = i_strdup(what);
	set_totals(job, totals);
}

static void job_mailbox_failed(void *context, const char *mailbox,
			       const char *reason)
{
	struct move_job *job = context;

	if (job->failed == NULL)
		job->failed = i_strdup_printf("%s: %s", mailbox, reason);
}

/* Who isn't filled by a fill would be filled again at once. */
static void job_done(struct move_job *job)
{
	const struct move_user *user = job->user;
	enum move_work work = user->run->work;

	scheduler_server_succeeded(user->server);
	if ((work == MOVE_WORK_FILL || work == MOVE_WORK_REFRESH) &&
	    user->totals.phase == MOVE_PHASE_MOVING &&
	    !move_user_is_filled(user)) {
		failed(&job, MOVE_FAILURE_USER, job->failed != NULL ?
		       t_strdup(job->failed) :
		       "Not all mailboxes could be filled");
		return;
	}
	succeeded(&job);
}

static void job_refused(struct move_job *job, enum move_failure failure,
			const char *reason)
{
	struct move_server *server = job->user->server;

	scheduler_server_refused(server, failure, job->user, reason);
	/* beyond the server's own wait, so that he isn't who ends that again */
	move_queue_refused(job->scheduler->queue, job->user,
			   scheduler_server_wait(server) / 1000 + 1,
			   ioloop_time);
	job_free(&job);
}

static void job_failed(struct move_job *job, enum move_failure failure,
		       const char *reason)
{
	switch (failure) {
	case MOVE_FAILURE_USER:
	case MOVE_FAILURE_LOGIN:
		scheduler_server_failed(job->user->server, failure, reason);
		failed(&job, failure, reason);
		return;
	case MOVE_FAILURE_THROTTLED:
	case MOVE_FAILURE_UNREACHABLE:
		job_refused(job, failure, reason);
		return;
	case MOVE_FAILURE_DAILY:
		put_back(&job, scheduler_server_daily(job->user->server) ?
			 DAILY_SECS : OWN_DAILY_SECS);
		return;
	case MOVE_FAILURE_BUSY:
		put_back(&job, BUSY_SECS);
		return;
	}
	i_unreached();
}

static void job_no_service(struct move_job *job, const char *reason)
{
	i_error("migration: No migration-mover can be started: %s", reason);
	job->scheduler->no_service_until = ioloop_time + NO_SERVICE_SECS;
	put_back(&job, 0);
}

static void job_ended(void *context, enum mover_client_end end,
		      const struct move_totals *totals,
		      enum move_failure failure, const char *reason)
{
	struct move_job *job = context;

	if (totals != NULL)
		set_totals(job, totals);
	switch (end) {
	case MOVER_CLIENT_DONE:
		job_done(job);
		return;
	case MOVER_CLIENT_STOPPED:
		put_back(&job, 0);
		return;
	case MOVER_CLIENT_FAILED:
		job_failed(job, failure, reason);
		return;
	case MOVER_CLIENT_NO_SERVICE:
		job_no_service(job, reason);
		return;
	case MOVER_CLIENT_GONE:
		job_failed(job, MOVE_FAILURE_USER, reason);
		return;
	}
	i_unreached();
}

void move_job_begin(struct scheduler *scheduler, struct move_user *user,
		    enum move_work work)
{
	static const struct mover_client_callbacks callbacks = {
		.ready = job_ready,
		.progress = job_progress,
		.mailbox_failed = job_mailbox_failed,
		.ended = job_ended,
	};
	struct move_job *job = i_new(struct move_job, 1);

	job->scheduler = scheduler;
	job->user = user;
	rate_meter_init(&job->rate, SCHEDULER_RATE_MSECS, scheduler_msecs());
	move_queue_begin(scheduler->queue, user, work, job, ioloop_time);
	job->client = mover_client_init(scheduler->mover_path, user->name,
					&callbacks, job);
}
