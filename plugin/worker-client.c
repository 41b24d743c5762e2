#include "lib.h"
#include "ioloop.h"
#include "sleep.h"
#include "str.h"
#include "strescape.h"
#include "imapc-storage.h"
#include "migration-user.h"
#include "remote-namespace.h"
#include "worker/worker-protocol.h"
#include "service-link.h"
#include "worker-hello.h"
#include "worker-link.h"
#include "worker-client.h"

/* for FRESH, as long as the worker hasn't said how long */
#define FRESHNESS_MSECS 2000
/* what stock imapc takes imapc_cmd_timeout = 0 for */
#define COMMAND_MSECS (5 * 60 * 1000)
/* FRESH isn't tried again so soon after no worker could be had */
#define RETRY_MSECS 5000
/* one that ends just when it is asked is replaced by another, and a reload of
   Dovecot makes the service's socket anew */
#define CONNECT_TRIES 3
#define CONNECT_RETRY_MSECS 100

#define ERRSTR_LOST "Mailbox is being moved to this server " \
	"and can't be changed now, try again later"

struct worker_client {
	struct migration_user *muser;
	struct worker_link *link;
	/* connections that there were */
	unsigned int connections;
	unsigned int freshness_msecs;
	/* requests whose answers are still to come, and wanted by nobody */
	unsigned int late;
	/* when no worker could be had, worker_link_now(); 0: it could */
	uint64_t failed;

	void (*progress)(const char *const *words, void *context);
	bool (*killed)(void);
	void *progress_context;

	/* while someone wants to know that the link is lost */
	struct io *io;
	void (*lost)(void *context);
	void *lost_context;
};

struct worker_client *worker_client_get(struct migration_user *muser)
{
	struct worker_client *client = muser->worker_client;

	if (client == NULL) {
		client = i_new(struct worker_client, 1);
		client->muser = muser;
		client->freshness_msecs = FRESHNESS_MSECS;
		muser->worker_client = client;
	}
	return client;
}

static void client_disconnect(struct worker_client *client)
{
	io_remove(&client->io);
	worker_link_deinit(&client->link);
	client->late = 0;
}

void worker_client_deinit(struct worker_client **_client)
{
	struct worker_client *client = *_client;

	if (client == NULL)
		return;
	*_client = NULL;
	client_disconnect(client);
	i_free(client);
}

/* Returns 0, -1 with an error, also when the time is over. */
static int
read_words(struct worker_link *link, uint64_t deadline,
	   const char *const **words_r, const char **error_r)
{
	const char *line;
	int ret = worker_link_read(link, deadline, &line, error_r);

	if (ret > 0) {
		*words_r = t_strsplit_tabescaped(line);
		return 0;
	}
	if (ret == 0)
		*error_r = "No answer in time";
	return -1;
}

/* Asks Dovecot's master for one. It listens when the answer is there. */
static int
start_worker(struct worker_client *client, uint64_t deadline,
	     const char **error_r)
{
	struct worker_link *link;

	if (service_link_start(client->muser->user, WORKER_SERVICE_SOCKET,
			       worker_hello_version(), deadline, &link,
			       error_r) < 0)
		return -1;
	worker_link_deinit(&link);
	return 0;
}

static int
handshake(struct worker_client *client, uint64_t deadline,
	  const char **error_r)
{
	const char *const *words;

	if (worker_link_send(client->link, worker_hello_version(), -1,
			     deadline, error_r) < 0 ||
	    read_words(client->link, deadline, &words, error_r) < 0 ||
	    worker_hello_check_version(words, error_r) < 0 ||
	    read_words(client->link, deadline, &words, error_r) < 0)
		return -1;
	if (str_array_length(words) < 2 ||
	    strcmp(words[0], "FRESHNESS") != 0 ||
	    str_to_uint(words[1], &client->freshness_msecs) < 0) {
		*error_r = "It doesn't say its FRESHNESS";
		return -1;
	}
	client->freshness_msecs =
		I_MIN(client->freshness_msecs, FRESHNESS_MSECS);
	return 0;
}

static int
try_connect(struct worker_client *client, uint64_t deadline,
	    const char **error_r)
{
	struct migration_user *muser = client->muser;
	int ret = worker_hello_user(muser, &client->link, error_r);

	if (ret == 0) {
		if (start_worker(client, deadline, error_r) < 0)
			return -1;
		ret = worker_hello_user(muser, &client->link, error_r);
	}
	if (ret <= 0)
		return -1;
	if (handshake(client, deadline, error_r) == 0)
		return 0;
	client_disconnect(client);
	return -1;
}

static int
client_connect(struct worker_client *client, uint64_t deadline,
	       const char **error_r)
{
	if (client->link != NULL && worker_link_is_alive(client->link))
		return 0;
	client_disconnect(client);
	for (unsigned int i = 0; i < CONNECT_TRIES; i++) {
		if (try_connect(client, deadline, error_r) == 0) {
			worker_link_set_killed(client->link, client->killed);
			client->connections++;
			client->failed = 0;
			return 0;
		}
		if (worker_link_now() + CONNECT_RETRY_MSECS >= deadline)
			break;
		i_sleep_msecs(CONNECT_RETRY_MSECS);
	}
	client->failed = worker_link_now();
	return -1;
}

/* Answers come in the order of the requests. */
static int
skip_late(struct worker_client *client, uint64_t deadline,
	  const char **error_r)
{
	const char *line;
	int ret;

	while (client->late > 0) {
		ret = worker_link_read(client->link, deadline, &line, error_r);
		if (ret == 0)
			*error_r = "It is busy with another request";
		if (ret <= 0)
			return -1;
		client->late--;
	}
	return 0;
}

static const char *request_line(const char *const *words)
{
	string_t *line = t_str_new(256);

	for (; *words != NULL; words++) {
		if (str_len(line) > 0)
			str_append_c(line, '\t');
		str_append_tabescaped(line, *words);
	}
	str_append_c(line, '\n');
	return str_c(line);
}

/* Returns 1; 0 when nothing of it was sent, -1 when some of it may be, with an
   error. */
static int
send_request(struct worker_client *client, const char *const *words, int fd,
	     uint64_t deadline, const char **error_r)
{
	const char *line = request_line(words);

	if (strlen(line) > WORKER_MAX_LINE) {
		*error_r = "The request is too long";
		return 0;
	}
	if (client_connect(client, deadline, error_r) < 0 ||
	    skip_late(client, deadline, error_r) < 0)
		return 0;
	return worker_link_send(client->link, line, fd, deadline,
				error_r) < 0 ? -1 : 1;
}

static bool is_progress(const char *line)
{
	return str_begins(line, "PROGRESS") &&
		(line[strlen("PROGRESS")] == '\t' ||
		 line[strlen("PROGRESS")] == '\0');
}

static int
read_reply(struct worker_client *client, unsigned int timeout_msecs,
	   const char *const **words_r, const char **error_r)
{
	const char *line;
	int ret;

	for (;;) {
		ret = worker_link_read(client->link,
				       worker_link_now() + timeout_msecs,
				       &line, error_r);
		if (ret <= 0 || !is_progress(line))
			break;
		if (client->progress != NULL) T_BEGIN {
			client->progress(t_strsplit_tabescaped(line) + 1,
					 client->progress_context);
		} T_END;
	}
	if (ret > 0)
		*words_r = t_strsplit_tabescaped(line);
	return ret;
}

static void parse_reply(const char *const *words, struct worker_reply *reply)
{
	static const struct {
		const char *word;
		enum worker_answer answer;
	} answers[] = {
		{ "OK", WORKER_OK },
		{ "LOCAL", WORKER_LOCAL },
		{ "GONE", WORKER_GONE },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(answers); i++) {
		if (strcmp(words[0], answers[i].word) == 0) {
			reply->answer = answers[i].answer;
			reply->args = words + 1;
			return;
		}
	}
	reply->answer = WORKER_NO;
	reply->error_code = MAIL_ERROR_TEMP;
	reply->error = ERRSTR_LOST;
	if (strcmp(words[0], "NO") == 0 && str_array_length(words) >= 3) {
		reply->error_code = worker_error_from_str(words[1]);
		reply->error = words[2];
	}
}

static void
reply_lost(struct worker_client *client, struct worker_reply *reply)
{
	reply->answer = WORKER_LOST;
	reply->error_code = remote_unavailable(client->muser);
	reply->error = ERRSTR_LOST;
}

static unsigned int command_msecs(struct worker_client *client)
{
	unsigned int secs =
		remote_storage(client->muser)->set->imapc_cmd_timeout;

	return secs > 0 ? secs * 1000 : COMMAND_MSECS;
}

/* late: an answer that comes too late is skipped, else the connection goes. */
static int
client_ask(struct worker_client *client, const char *const *words, int fd,
	   unsigned int timeout_msecs, bool late, struct worker_reply *reply_r,
	   const char **error_r)
{
	uint64_t begin = worker_link_now(), gone;
	const char *const *answer;
	int ret;

	i_zero(reply_r);
	ret = send_request(client, words, fd, begin + timeout_msecs, error_r);
	reply_r->sent = ret != 0;
	if (ret > 0) {
		gone = worker_link_now() - begin;
		ret = read_reply(client, late && gone < timeout_msecs ?
				 timeout_msecs - gone : timeout_msecs,
				 &answer, error_r);
		if (ret > 0) {
			parse_reply(answer, reply_r);
			return 0;
		}
		if (ret == 0)
			*error_r = "No answer in time";
		if (ret == 0 && late)
			client->late++;
		else
			ret = -1;
	}
	if (ret < 0)
		client_disconnect(client);
	reply_lost(client, reply_r);
	return -1;
}

void worker_client_ask(struct worker_client *client, const char *const *words,
		       int fd, unsigned int timeout_msecs,
		       struct worker_reply *reply_r)
{
	const char *error;

	if (timeout_msecs == 0)
		timeout_msecs = command_msecs(client);
	if (client_ask(client, words, fd, timeout_msecs, FALSE, reply_r,
		       &error) < 0)
		e_error(client->muser->user->event,
			"migration: Worker: %s: %s", words[0], error);
}

void worker_client_set_progress(struct worker_client *client,
				void (*callback)(const char *const *words,
						 void *context),
				bool (*killed)(void), void *context)
{
	client->progress = callback;
	client->killed = killed;
	client->progress_context = context;
	if (client->link != NULL)
		worker_link_set_killed(client->link, killed);
}

static bool is_hopeless(struct worker_client *client)
{
	return client->link == NULL && client->failed != 0 &&
		worker_link_now() - client->failed < RETRY_MSECS;
}

bool worker_client_try(struct worker_client *client, const char *const *words,
		       unsigned int timeout_msecs, struct worker_reply *reply_r,
		       const char **error_r)
{
	if (is_hopeless(client)) {
		*error_r = "There is no worker";
		return FALSE;
	}
	return client_ask(client, words, -1, timeout_msecs, TRUE, reply_r,
			  error_r) == 0;
}

bool worker_client_fresh(struct worker_client *client, const char *vname,
			 unsigned int max_age_msecs,
			 enum worker_answer *answer_r, const char **error_r)
{
	const char *const words[] = {
		"FRESH", vname, dec2str(max_age_msecs), NULL
	};
	struct worker_reply reply;

	*answer_r = WORKER_LOST;
	if (!worker_client_try(client, words, client->freshness_msecs, &reply,
			       error_r))
		return FALSE;
	*answer_r = reply.answer;
	*error_r = reply.error;
	return reply.answer != WORKER_NO;
}

unsigned int worker_client_connection(struct worker_client *client)
{
	return client->link == NULL ? 0 : client->connections;
}

void worker_client_reconnect(struct worker_client *client)
{
	const char *error;

	if (!is_hopeless(client) &&
	    client_connect(client, worker_link_now() +
			   client->freshness_msecs, &error) < 0)
		e_debug(client->muser->user->event, "migration: Worker: %s",
			error);
}

/* Late answers come here as well. */
static void link_input(struct worker_client *client)
{
	bool expected = client->late > 0;
	const char *error;

	(void)skip_late(client, 0, &error);
	if (expected && worker_link_is_alive(client->link))
		return;
	client_disconnect(client);
	client->lost(client->lost_context);
}

void worker_client_set_lost(struct worker_client *client,
			    void (*callback)(void *context), void *context)
{
	io_remove(&client->io);
	client->lost = callback;
	client->lost_context = context;
	if (callback != NULL && client->link != NULL)
		client->io = io_add(worker_link_fd(client->link), IO_READ,
				    link_input, client);
}

void worker_client_tell(struct worker_client *client, const char *const *words)
{
	const char *error;

	if (client->link == NULL)
		return;
	/* a line this short fits into the socket, or the worker is hung */
	if (worker_link_send(client->link, request_line(words), -1,
			     worker_link_now() + client->freshness_msecs,
			     &error) < 0)
		client_disconnect(client);
	else
		client->late++;
}
