#include "lib.h"
#include "connection.h"
#include "ioloop.h"
#include "ostream.h"
#include "str.h"
#include "strescape.h"
#include "master-service.h"
#include "scheduler.h"
#include "scheduler-protocol.h"
#include "control-socket.h"

#define WATCH_MSECS 1000
#define MAX_OUTPUT (4 * 1024 * 1024)

struct control_socket {
	struct scheduler *scheduler;
	struct connection_list *connections;
};

struct control_connection {
	struct connection conn;
	struct control_socket *socket;
	struct timeout *to_watch;
	bool greeted;
};

static void answer(struct control_connection *control, int ret,
		   const char *error)
{
	string_t *str = t_str_new(128);

	if (ret == 0) {
		str_append(str, "OK\n");
	} else {
		str_append(str, "NO\t");
		str_append_tabescaped(str, error);
		str_append_c(str, '\n');
	}
	o_stream_nsend(control->conn.output, str_data(str), str_len(str));
}

/*
 * Commands. Each returns 0, -1 with an error.
 */

static int command_pause(struct control_connection *control,
			 const char *word ATTR_UNUSED, const char **error_r)
{
	return scheduler_set_paused(control->socket->scheduler, TRUE, error_r);
}

static int command_resume(struct control_connection *control,
			  const char *word ATTR_UNUSED, const char **error_r)
{
	return scheduler_set_paused(control->socket->scheduler, FALSE,
				    error_r);
}

static int command_prioritize(struct control_connection *control,
			      const char *word, const char **error_r)
{
	if (word == NULL) {
		*error_r = "Expected a user";
		return -1;
	}
	return scheduler_prioritize(control->socket->scheduler, word, error_r);
}

static int command_retry(struct control_connection *control, const char *word,
			 const char **error_r)
{
	return scheduler_retry(control->socket->scheduler, word, error_r);
}

static int command_status(struct control_connection *control,
			  const char *word ATTR_UNUSED, const char **error_r)
{
	string_t *str = t_str_new(1024);

	if (scheduler_status(control->socket->scheduler, str, error_r) < 0)
		return -1;
	o_stream_nsend(control->conn.output, str_data(str), str_len(str));
	return 0;
}

/* Who doesn't read what he was told isn't told more. */
static void watch_timeout(struct control_connection *control)
{
	const char *error = NULL;
	int ret;

	if (o_stream_get_buffer_used_size(control->conn.output) > 0)
		return;
	T_BEGIN {
		o_stream_cork(control->conn.output);
		ret = command_status(control, NULL, &error);
		answer(control, ret, error);
		o_stream_uncork(control->conn.output);
	} T_END;
}

static int command_watch(struct control_connection *control, const char *word,
			 const char **error_r)
{
	if (control->to_watch == NULL) {
		control->to_watch = timeout_add(WATCH_MSECS, watch_timeout,
						control);
	}
	return command_status(control, word, error_r);
}

static const struct {
	const char *word;
	int (*run)(struct control_connection *control, const char *word,
		   const char **error_r);
} commands[] = {
	{ "PAUSE", command_pause },
	{ "RESUME", command_resume },
	{ "PRIORITIZE", command_prioritize },
	{ "RETRY", command_retry },
	{ "STATUS", command_status },
	{ "WATCH", command_watch },
};

static void run_command(struct control_connection *control,
			const char *const *words)
{
	const char *error = "Unknown command";
	int ret = -1;

	for (unsigned int i = 0; i < N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].word, words[0]) == 0) {
			ret = commands[i].run(control, words[1], &error);
			break;
		}
	}
	answer(control, ret, error);
}

/*
 * Connections
 */

static bool is_greeting(const char *const *words)
{
	unsigned int major;

	return str_array_length(words) >= 3 &&
		strcmp(words[0], "VERSION") == 0 &&
		strcmp(words[1], SCHEDULER_CONTROL_NAME) == 0 &&
		str_to_uint(words[2], &major) == 0 &&
		major == SCHEDULER_PROTOCOL_MAJOR;
}

static int control_input_args(struct connection *conn,
			      const char *const *words)
{
	struct control_connection *control =
		container_of(conn, struct control_connection, conn);

	if (!control->greeted) {
		control->greeted = is_greeting(words);
		if (!control->greeted)
			answer(control, -1, "Expected VERSION\t"
			       SCHEDULER_CONTROL_NAME"\t1\t0");
		return control->greeted ? 1 : -1;
	}
	run_command(control, words);
	return 1;
}

static void control_destroy(struct connection *conn)
{
	struct control_connection *control =
		container_of(conn, struct control_connection, conn);

	timeout_remove(&control->to_watch);
	connection_deinit(conn);
	i_free(control);
	master_service_client_connection_destroyed(master_service);
}

struct control_socket *control_socket_init(struct scheduler *scheduler)
{
	static const struct connection_settings set = {
		.input_max_size = SCHEDULER_MAX_LINE,
		.output_max_size = MAX_OUTPUT,
	};
	static const struct connection_vfuncs vfuncs = {
		.destroy = control_destroy,
		.input_args = control_input_args,
	};
	struct control_socket *socket = i_new(struct control_socket, 1);

	socket->scheduler = scheduler;
	socket->connections = connection_list_init(&set, &vfuncs);
	return socket;
}

void control_socket_deinit(struct control_socket **_socket)
{
	struct control_socket *socket = *_socket;

	*_socket = NULL;
	connection_list_deinit(&socket->connections);
	i_free(socket);
}

void control_socket_add(struct control_socket *socket, int fd)
{
	struct control_connection *control =
		i_new(struct control_connection, 1);

	control->socket = socket;
	connection_init_server(socket->connections, &control->conn,
			       "control", fd, fd);
}
