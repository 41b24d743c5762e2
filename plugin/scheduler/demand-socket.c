#include "lib.h"
#include "connection.h"
#include "master-service.h"
#include "scheduler.h"
#include "scheduler-protocol.h"
#include "demand-socket.h"
#include "words.h"

#define IDLE_SECS 60
#define MAX_CONNECTIONS 500
#define MAX_MAILBOX 1024

struct demand_socket {
	struct scheduler *scheduler;
	struct connection_list *connections;
};

struct demand_connection {
	struct connection conn;
	struct demand_socket *socket;
	bool greeted;
};

static bool is_greeting(const char *const *words)
{
	unsigned int major;

	return str_array_length(words) >= 3 &&
		strcmp(words[0], "VERSION") == 0 &&
		strcmp(words[1], SCHEDULER_DEMAND_NAME) == 0 &&
		str_to_uint(words[2], &major) == 0 &&
		major == SCHEDULER_PROTOCOL_MAJOR;
}

/* A mover gets it: it mustn't be what that doesn't understand, and too long ones
   aren't worth their memory. */
static bool is_taken(const char *mailbox)
{
	return *mailbox == '\0' ||
		(strlen(mailbox) <= MAX_MAILBOX && words_is_mailbox(mailbox));
}

static int demand_input_args(struct connection *conn, const char *const *words)
{
	struct demand_connection *demand =
		container_of(conn, struct demand_connection, conn);

	if (!demand->greeted) {
		demand->greeted = is_greeting(words);
		return demand->greeted ? 1 : -1;
	}
	if (str_array_length(words) >= 3 && strcmp(words[0], "WANT") == 0 &&
	    is_taken(words[2])) {
		scheduler_want(demand->socket->scheduler, words[1],
			       words[2]);
	}
	return 1;
}

static void demand_destroy(struct connection *conn)
{
	struct demand_connection *demand =
		container_of(conn, struct demand_connection, conn);

	connection_deinit(conn);
	i_free(demand);
	master_service_client_connection_destroyed(master_service);
}

struct demand_socket *demand_socket_init(struct scheduler *scheduler)
{
	static const struct connection_settings set = {
		.input_idle_timeout_secs = IDLE_SECS,
		.input_max_size = SCHEDULER_MAX_LINE,
		.allow_empty_args_input = TRUE,
	};
	static const struct connection_vfuncs vfuncs = {
		.destroy = demand_destroy,
		.input_args = demand_input_args,
	};
	struct demand_socket *socket = i_new(struct demand_socket, 1);

	socket->scheduler = scheduler;
	socket->connections = connection_list_init(&set, &vfuncs);
	return socket;
}

void demand_socket_deinit(struct demand_socket **_socket)
{
	struct demand_socket *socket = *_socket;

	*_socket = NULL;
	connection_list_deinit(&socket->connections);
	i_free(socket);
}

/* New ones are put first. */
static void close_oldest(struct demand_socket *socket)
{
	struct connection *conn = socket->connections->connections;

	while (conn->next != NULL)
		conn = conn->next;
	demand_destroy(conn);
}

void demand_socket_add(struct demand_socket *socket, int fd)
{
	struct demand_connection *demand = i_new(struct demand_connection, 1);

	if (socket->connections->connections_count >= MAX_CONNECTIONS)
		close_oldest(socket);
	demand->socket = socket;
	connection_init_server(socket->connections, &demand->conn,
			       "demand", fd, fd);
}
