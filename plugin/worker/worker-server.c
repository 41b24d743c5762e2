#include "lib.h"
#include "connection.h"
#include "fd-util.h"
#include "ioloop.h"
#include "istream.h"
#include "istream-unix.h"
#include "net.h"
#include "ostream.h"
#include "passed-file.h"
#include "worker-answer.h"
#include "worker-protocol.h"
#include "worker-request.h"
#include "worker-server.h"
#include "worker-socket.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* of answers to someone who doesn't read them */
#define MAX_OUTPUT (1024 * 1024)

struct worker_connection {
	struct connection conn;
	struct worker_server *server;
	/* a request isn't answered yet */
	bool busy;
};

struct worker_server {
	char *dir;
	struct worker_server_callbacks callbacks;
	void *context;

	int fd;
	struct io *io;
	struct connection_list *connections;
	/* everybody is to go, without a word to the caller when destroyed */
	bool closing, destroyed;
};

static struct worker_connection *worker_connection(struct connection *conn)
{
	return container_of(conn, struct worker_connection, conn);
}

bool worker_server_is_idle(const struct worker_server *server)
{
	return server->connections->connections_count == 0;
}

static void worker_connection_destroy(struct connection *_conn)
{
	struct worker_connection *conn = worker_connection(_conn);
	struct worker_server *server = conn->server;

	i_assert(!conn->busy);
	if (!server->destroyed)
		server->callbacks.closed(server->context, conn);
	connection_deinit(_conn);
	i_free(conn);
	if (!server->destroyed && worker_server_is_idle(server))
		server->callbacks.idle(server->context);
}

static int
parse_request(struct worker_connection *conn, const char *const *args,
	      struct worker_request **request_r, const char **error_r)
{
	struct worker_request *request;
	int fd = passed_file_take(conn->conn.input);

	if (worker_request_parse(args, &request, error_r) < 0) {
		i_close_fd(&fd);
		return -1;
	}
	request->write.fd = fd;
	if (request->needs_file && !passed_file_has(fd, request->file_size)) {
		*error_r = "Expected the messages' file";
		worker_request_free(&request);
		return -1;
	}
	request->conn = conn;
	*request_r = request;
	return 0;
}

static void say(struct worker_connection *conn, const char *line)
{
	const struct const_iovec parts[] = {
		{ line, strlen(line) }, { "\n", 1 },
	};

	o_stream_nsendv(conn->conn.output, parts, N_ELEMENTS(parts));
}

static int
worker_connection_args(struct connection *_conn, const char *const *args)
{
	struct worker_connection *conn = worker_connection(_conn);
	struct worker_server *server = conn->server;
	struct worker_request *request;
	const char *error;

	if (parse_request(conn, args, &request, &error) < 0) {
		e_error(_conn->event, "migration: A request can't be "
			"understood: %s", error);
		say(conn, worker_answer_no(MAIL_ERROR_PARAMS, error));
		return -1;
	}
	conn->busy = TRUE;
	server->callbacks.request(server->context, request);
	if (!conn->busy)
		return server->closing ? -1 : 1;
	connection_input_halt(_conn);
	return 0;
}

static const struct connection_vfuncs connection_vfuncs = {
	.destroy = worker_connection_destroy,
	.input_args = worker_connection_args,
};

static const struct connection_settings connection_settings = {
	.service_name_in = WORKER_PROTOCOL_NAME,
	.service_name_out = WORKER_PROTOCOL_NAME,
	.major_version = WORKER_PROTOCOL_MAJOR,
	.minor_version = WORKER_PROTOCOL_MINOR,
	.input_max_size = WORKER_MAX_LINE,
	.output_max_size = MAX_OUTPUT,
};

static bool may_connect(int fd)
{
	struct net_unix_cred cred;

	if (net_getunixcred(fd, &cred) < 0) {
		i_error("migration: getunixcred() failed: %m");
		return FALSE;
	}
	if (cred.uid == 0 || cred.uid == geteuid())
		return TRUE;
	i_error("migration: A process of uid %s may not talk to this worker",
		dec2str(cred.uid));
	return FALSE;
}

static void add_connection(struct worker_server *server, int fd)
{
	struct worker_connection *conn = i_new(struct worker_connection, 1);

	conn->server = server;
	conn->conn.unix_socket = TRUE;
	/* lib's streams take it as they find it */
	net_set_nonblock(fd, TRUE);
	connection_init_server(server->connections, &conn->conn, "asker",
			       fd, fd);
	i_stream_unix_set_read_fd(conn->conn.input);
	say(conn, t_strdup_printf("FRESHNESS\t%u",
		server->callbacks.freshness(server->context)));
}

/* Returns FALSE when there is nobody. */
static bool worker_server_accept(struct worker_server *server)
{
	int fd = net_accept(server->fd, NULL, NULL);

	if (fd < 0) {
		if (fd < -1)
			i_error("migration: accept() failed: %m");
		return FALSE;
	}
	fd_close_on_exec(fd, TRUE);
	if (may_connect(fd))
		add_connection(server, fd);
	else
		i_close_fd(&fd);
	return TRUE;
}

static void worker_server_input(struct worker_server *server)
{
	(void)worker_server_accept(server);
}

static int worker_server_listen(struct worker_server *server)
{
	server->fd = worker_socket_listen(server->dir);
	if (server->fd == -1)
		return -1;
	fd_close_on_exec(server->fd, TRUE);
	net_set_nonblock(server->fd, TRUE);
	server->io = io_add(server->fd, IO_READ, worker_server_input, server);
	return 0;
}

int worker_server_init(const char *dir,
		       const struct worker_server_callbacks *callbacks,
		       void *context, struct worker_server **server_r,
		       const char **error_r)
{
	struct worker_server *server = i_new(struct worker_server, 1);

	server->dir = i_strdup(dir);
	server->callbacks = *callbacks;
	server->context = context;
	server->connections = connection_list_init(&connection_settings,
						   &connection_vfuncs);
	if (worker_server_listen(server) < 0) {
		*error_r = t_strdup_printf("Can't listen in %s: %m", dir);
		worker_server_deinit(&server);
		return -1;
	}
	*server_r = server;
	return 0;
}

static void worker_server_unlisten(struct worker_server *server)
{
	io_remove(&server->io);
	i_close_fd(&server->fd);
}

void worker_server_deinit(struct worker_server **_server)
{
	struct worker_server *server = *_server;

	*_server = NULL;
	server->destroyed = TRUE;
	if (server->fd != -1) {
		worker_socket_unlink(server->dir);
		worker_server_unlisten(server);
	}
	connection_list_deinit(&server->connections);
	i_free(server->dir);
	i_free(server);
}

/* Nothing is read from it meanwhile. */
bool worker_server_is_left(const struct worker_request *request)
{
	struct pollfd pfd = {
		.fd = request->conn->conn.fd_in, .events = POLLRDHUP,
	};

	return poll(&pfd, 1, 0) > 0;
}

void worker_server_tell(struct worker_request *request, const char *line)
{
	say(request->conn, line);
}

/* It may be in its input function, which goes on by itself. */
static void request_over(struct worker_connection *conn)
{
	conn->busy = FALSE;
	if (conn->conn.io != NULL)
		return;
	if (conn->server->closing)
		conn->conn.v.destroy(&conn->conn);
	else
		connection_input_resume(&conn->conn);
}

void worker_server_answer(struct worker_request **_request, const char *line)
{
	struct worker_request *request = *_request;
	struct worker_connection *conn = request->conn;

	*_request = NULL;
	say(conn, line);
	worker_request_free(&request);
	request_over(conn);
}

void worker_server_drop(struct worker_request **request)
{
	(*request)->conn->busy = FALSE;
	worker_request_free(request);
}

static void end_connections(struct worker_server *server)
{
	struct connection *conn, *next;

	for (conn = server->connections->connections; conn != NULL;
	     conn = next) {
		next = conn->next;
		if (!worker_connection(conn)->busy)
			conn->v.destroy(conn);
	}
}

/* Once the socket is unlinked, all who have found it are here. */
bool worker_server_close(struct worker_server *server, bool force)
{
	worker_socket_unlink(server->dir);
	while (worker_server_accept(server)) ;
	worker_server_unlisten(server);
	if (!force && !worker_server_is_idle(server) &&
	    worker_server_listen(server) == 0)
		return FALSE;
	server->closing = TRUE;
	end_connections(server);
	return TRUE;
}

void worker_server_switch_ioloop(struct worker_server *server)
{
	struct connection *conn;

	if (server->io != NULL)
		server->io = io_loop_move_io(&server->io);
	for (conn = server->connections->connections; conn != NULL;
	     conn = conn->next)
		connection_switch_ioloop(conn);
}
