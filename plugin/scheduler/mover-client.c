#include "lib.h"
#include "connection.h"
#include "ioloop.h"
#include "ostream.h"
#include "str.h"
#include "strescape.h"
#include "mover-client.h"

/* A mover has so long until its first word, and from one line to the next: the
   old server's silence is much shorter, but a large mail at a low rate, a survey
   and a look aren't told until they are done. */
#define START_SECS 120
#define SILENCE_SECS (6 * 3600)
#define MAX_OUTPUT (64 * 1024)

struct mover_client {
	struct connection conn;
	const struct mover_client_callbacks *callbacks;
	void *context;
	char *username;
	struct timeout *to_fail;
	enum mover_client_end fail_end;
	char *fail_reason;
	/* set when it's freed */
	bool *freed_r;
	bool started, ready;
};

static struct connection_list *clients;

static struct mover_client *client_of(struct connection *conn)
{
	return container_of(conn, struct mover_client, conn);
}

/* It's told from the ioloop, so that who calls is never called back. */
static void client_fail_timeout(struct mover_client *client)
{
	timeout_remove(&client->to_fail);
	client->callbacks->ended(client->context, client->fail_end, NULL,
				 MOVE_FAILURE_USER,
				 t_strdup(client->fail_reason));
}

static void client_fail(struct mover_client *client, enum mover_client_end end,
			const char *reason)
{
	if (client->to_fail != NULL)
		return;
	client->fail_end = end;
	client->fail_reason = i_strdup(reason);
	client->to_fail = timeout_add_short(0, client_fail_timeout, client);
	connection_input_halt(&client->conn);
}

/*
 * What it says. Each returns FALSE when the words aren't those.
 */

static bool said_progress(struct mover_client *client,
			  const char *const *words)
{
	struct move_totals totals;

	if (str_array_length(words) < 2 ||
	    !move_totals_parse(words + 2, &totals))
		return FALSE;
	client->callbacks->progress(client->context, words[0], words[1],
				    &totals);
	return TRUE;
}

static bool said_failed(struct mover_client *client, const char *const *words)
{
	if (str_array_length(words) < 2)
		return FALSE;
	client->callbacks->mailbox_failed(client->context, words[0], words[1]);
	return TRUE;
}

static bool said_totals(struct mover_client *client, const char *const *words,
			enum mover_client_end end)
{
	struct move_totals totals;

	if (!move_totals_parse(words, &totals))
		return FALSE;
	client->callbacks->ended(client->context, end, &totals,
				 MOVE_FAILURE_USER, NULL);
	return TRUE;
}

static bool said_ok(struct mover_client *client, const char *const *words)
{
	return said_totals(client, words, MOVER_CLIENT_DONE);
}

static bool said_stopped(struct mover_client *client,
			 const char *const *words)
{
	return said_totals(client, words, MOVER_CLIENT_STOPPED);
}

static bool said_no(struct mover_client *client, const char *const *words)
{
	enum move_failure failure;

	if (str_array_length(words) < 2 ||
	    !move_failure_from_str(words[0], &failure))
		return FALSE;
	client->callbacks->ended(client->context, MOVER_CLIENT_FAILED, NULL,
				 failure, words[1]);
	return TRUE;
}

static const struct {
	const char *word;
	bool (*said)(struct mover_client *client, const char *const *words);
} answers[] = {
	{ "PROGRESS", said_progress },
	{ "FAILED", said_failed },
	{ "OK", said_ok },
	{ "STOPPED", said_stopped },
	{ "NO", said_no },
};

static bool said(struct mover_client *client, const char *const *words)
{
	for (unsigned int i = 0; i < N_ELEMENTS(answers); i++) {
		if (strcmp(answers[i].word, words[0]) == 0)
			return answers[i].said(client, words + 1);
	}
	/* of a later minor version */
	return TRUE;
}

/* The answer to the start (service/user-service.h). */
static bool said_start(struct mover_client *client, const char *const *words)
{
	if (strcmp(words[0], "OK") == 0) {
		client->started = TRUE;
		return TRUE;
	}
	if (strcmp(words[0], "NO") != 0)
		return FALSE;
	client_fail(client, MOVER_CLIENT_GONE,
		    words[1] != NULL ? words[1] : "It couldn't be started");
	return TRUE;
}

static bool said_host(struct mover_client *client, const char *const *words)
{
	enum move_phase phase;

	if (str_array_length(words) < 3 || strcmp(words[0], "HOST") != 0 ||
	    !move_phase_from_str(words[2], &phase))
		return FALSE;
	client->ready = TRUE;
	connection_input_halt(&client->conn);
	client->conn.input_idle_timeout_secs = SILENCE_SECS;
	connection_input_resume(&client->conn);
	client->callbacks->ready(client->context, words[1], phase);
	return TRUE;
}

/* A callback may end the client, and the connection with it: the connection's
   own list of lines mustn't be read on then. */
static int client_input_args(struct connection *conn, const char *const *words)
{
	struct mover_client *client = client_of(conn);
	bool understood, freed = FALSE;

	client->freed_r = &freed;
	if (!client->started)
		understood = said_start(client, words);
	else if (!client->ready)
		understood = said_host(client, words);
	else
		understood = said(client, words);
	if (freed)
		return 0;
	client->freed_r = NULL;
	if (!understood) {
		client_fail(client, MOVER_CLIENT_GONE, t_strdup_printf(
			"The mover says what isn't its protocol: %s",
			words[0]));
	}
	return client->to_fail == NULL ? 1 : 0;
}

static void client_destroy(struct connection *conn)
{
	struct mover_client *client = client_of(conn);
	const char *reason = conn->disconnect_reason ==
		CONNECTION_DISCONNECT_IDLE_TIMEOUT ? "The mover says nothing" :
		"The mover ended before it was done: see the log";

	connection_disconnect(conn);
	client_fail(client, MOVER_CLIENT_GONE, reason);
}

static void client_send_start(struct mover_client *client)
{
	string_t *str = t_str_new(128);

	str_printfa(str, "VERSION\t"MOVER_PROTOCOL_NAME"\t%u\t%u\nUSER\t",
		    MOVER_PROTOCOL_MAJOR, MOVER_PROTOCOL_MINOR);
	str_append_tabescaped(str, client->username);
	str_append_c(str, '\n');
	o_stream_nsend(client->conn.output, str_data(str), str_len(str));
}

static struct connection_list *clients_init(void)
{
	static const struct connection_settings set = {
		.input_idle_timeout_secs = START_SECS,
		.input_max_size = MOVER_MAX_LINE,
		.output_max_size = MAX_OUTPUT,
		.client = TRUE,
	};
	static const struct connection_vfuncs vfuncs = {
		.destroy = client_destroy,
		.input_args = client_input_args,
	};

	return connection_list_init(&set, &vfuncs);
}

struct mover_client *
mover_client_init(const char *socket_path, const char *username,
		  const struct mover_client_callbacks *callbacks,
		  void *context)
{
	struct mover_client *client = i_new(struct mover_client, 1);

	if (clients == NULL)
		clients = clients_init();
	client->callbacks = callbacks;
	client->context = context;
	client->username = i_strdup(username);
	connection_init_client_unix(clients, &client->conn, socket_path);
	if (connection_client_connect(&client->conn) < 0) {
		client_fail(client, MOVER_CLIENT_NO_SERVICE, t_strdup_printf(
			"connect(%s) failed: %m", socket_path));
	} else {
		client_send_start(client);
	}
	return client;
}

void mover_client_deinit(struct mover_client **_client)
{
	struct mover_client *client = *_client;

	*_client = NULL;
	timeout_remove(&client->to_fail);
	connection_deinit(&client->conn);
	i_free(client->fail_reason);
	i_free(client->username);
	if (client->freed_r != NULL)
		*client->freed_r = TRUE;
	i_free(client);
	if (clients->connections_count == 0)
		connection_list_deinit(&clients);
}

void mover_client_say(struct mover_client *client, const char *const *words)
{
	string_t *str = t_str_new(128);

	for (; *words != NULL; words++) {
		if (str_len(str) > 0)
			str_append_c(str, '\t');
		str_append_tabescaped(str, *words);
	}
	str_append_c(str, '\n');
	if (!client->conn.disconnected)
		o_stream_nsend(client->conn.output, str_data(str),
			       str_len(str));
}
