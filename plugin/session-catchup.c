#include "lib.h"
#include "ioloop.h"
#include "migration-user.h"
#include "engine/catchup.h"
#include "engine/mailbox-state.h"
#include "engine/mirror-backoff.h"
#include "worker/worker-protocol.h"
#include "service-link.h"
#include "worker-client.h"
#include "worker-hello.h"
#include "worker-link.h"
#include "session-catchup.h"

/* what a client of POP3 waits for at login */
#define POP3_MSECS 2000
/* a worker may have to wait for its turn to be started, and for another one of
   the user to end */
#define START_MSECS (60 * 1000)

/* a line fits into a new socket: nothing is waited for */
#define SAY_MSECS 10

struct session_catchup {
	struct migration_user *muser;
	/* the worker's, or the service's while it starts one; or NULL */
	struct worker_link *link;
	bool starting;
	/* worker_link_now() when it was made */
	uint64_t connected;
	struct io *io;
	struct timeout *to;
	struct mirror_backoff backoff;
	/* it was said why there's no worker */
	bool told;
};

static void session_tick(struct session_catchup *catchup);

static void session_disconnect(struct session_catchup *catchup)
{
	io_remove(&catchup->io);
	timeout_remove(&catchup->to);
	worker_link_deinit(&catchup->link);
}

static void session_wait(struct session_catchup *catchup, unsigned int msecs)
{
	catchup->to = timeout_add_short_to(io_loop_get_root(), msecs,
					   session_tick, catchup);
}

static void session_failed(struct session_catchup *catchup, const char *reason)
{
	unsigned int lived = 0;

	if (catchup->link != NULL && !catchup->starting)
		lived = I_MIN(worker_link_now() - catchup->connected, INT_MAX);
	session_disconnect(catchup);
	if (!catchup->told)
		e_debug(catchup->muser->user->event, "migration: No worker "
			"looks for late mail: %s", reason);
	catchup->told = TRUE;
	session_wait(catchup, mirror_backoff_failed(&catchup->backoff, lived,
						    FALSE));
}

static void session_timeout(struct session_catchup *catchup)
{
	session_failed(catchup, "It doesn't start in time");
}

static int session_ask(struct session_catchup *catchup, const char **error_r)
{
	uint64_t max_age_msecs =
		(uint64_t)catchup->muser->set.catchup_interval * 1000;
	const char *lines = t_strdup_printf("%sCATCHUP\t%u\t%u\n",
		worker_hello_version(),
		(unsigned int)I_MIN(max_age_msecs, UINT_MAX),
		CATCHUP_FLAG_BACKGROUND);

	catchup->starting = FALSE;
	catchup->connected = worker_link_now();
	return worker_link_send(catchup->link, lines, -1,
				catchup->connected + SAY_MSECS, error_r);
}

static int session_start(struct session_catchup *catchup, const char **error_r)
{
	if (service_link_begin(catchup->muser->user, WORKER_SERVICE_SOCKET,
			       worker_hello_version(),
			       worker_link_now() + SAY_MSECS,
			       &catchup->link, error_r) < 0)
		return -1;
	catchup->starting = TRUE;
	catchup->to = timeout_add_to(io_loop_get_root(), START_MSECS,
				     session_timeout, catchup);
	return 0;
}

/* Nothing depends on what the worker says: that it is there is enough. */
static int session_skip(struct session_catchup *catchup, const char **error_r)
{
	const char *line;
	int ret;

	do {
		ret = worker_link_read(catchup->link, 0, &line, error_r);
	} while (ret > 0);
	return ret;
}

static void session_connect(struct session_catchup *catchup, bool start);

static void session_input(struct session_catchup *catchup)
{
	const char *error;
	int ret;

	ret = catchup->starting ?
		service_link_answer(catchup->link, 0, &error) :
		session_skip(catchup, &error);
	if (ret < 0) {
		session_failed(catchup, error);
	} else if (ret > 0) {
		session_disconnect(catchup);
		session_connect(catchup, FALSE);
	}
}

static void session_connect(struct session_catchup *catchup, bool start)
{
	const char *error;
	int ret;

	ret = worker_hello_user(catchup->muser, &catchup->link, &error);
	if (ret > 0)
		ret = session_ask(catchup, &error);
	else if (ret == 0)
		ret = start ? session_start(catchup, &error) : -1;
	if (ret < 0)
		session_failed(catchup, error);
	else
		catchup->io = io_add_to(io_loop_get_root(),
			worker_link_fd(catchup->link), IO_READ,
			session_input, catchup);
}

/* A cutover may come while the session goes on. */
static void session_tick(struct session_catchup *catchup)
{
	struct migration_user *muser = catchup->muser;

	timeout_remove(&catchup->to);
	if (migration_user_is_closed(muser))
		return;
	if (mailbox_state_any(muser->set.dir, MAILBOX_STATE_LOCAL))
		session_connect(catchup, TRUE);
	else
		session_wait(catchup, muser->set.catchup_interval * 1000);
}

/* The connection stays as long as the user does. */
static void pop3_catch_up(struct migration_user *muser)
{
	const char *const words[] = {
		"CATCHUP", "0", dec2str(CATCHUP_FLAG_BACKGROUND), NULL
	};
	struct worker_reply reply;
	const char *error;

	if (!mailbox_state_any(muser->set.dir, MAILBOX_STATE_LOCAL))
		return;
	if (!worker_client_try(worker_client_get(muser), words, POP3_MSECS,
			       &reply, &error))
		e_debug(muser->user->event, "migration: Late mail couldn't be "
			"looked for: %s", error);
}

void session_catchup_init(struct migration_user *muser)
{
	struct session_catchup *catchup;

	if (muser->set.catchup_interval == 0)
		return;
	if (strcmp(muser->user->service, "pop3") == 0) {
		pop3_catch_up(muser);
	} else if (strcmp(muser->user->service, "imap") == 0) {
		catchup = i_new(struct session_catchup, 1);
		catchup->muser = muser;
		session_wait(catchup, 0);
		muser->session_catchup = catchup;
	}
}

void session_catchup_deinit(struct session_catchup **_catchup)
{
	struct session_catchup *catchup = *_catchup;

	if (catchup == NULL)
		return;
	*_catchup = NULL;
	session_disconnect(catchup);
	i_free(catchup);
}
