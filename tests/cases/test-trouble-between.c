#include "test-trouble-between.h"
#include "process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

const struct between_rule harms[HARMS] = {
	{ .action = BETWEEN_ANSWER, .text = "NO [LIMIT] Not now, please" },
	{ .action = BETWEEN_CUT_BEFORE },
	{ .action = BETWEEN_CUT_ANSWER },
	{ .action = BETWEEN_CUT_AFTER, .bytes = 3 },
	{ .action = BETWEEN_HANG_AFTER, .bytes = 3 },
};
const char *const harm_names[HARMS] = {
	"refused", "cut before", "cut at the answer", "cut in the answer",
	"silent in the answer",
};

#define MAX_CONNS 100
#define MAX_LINE 65536
#define MAX_LOG (1024 * 1024)
/* small, so that what isn't taken stays with the client */
#define RECEIVE_BUFFER 65536

struct between_conn {
	int client, server;
	/* the command line that is coming in */
	char line[MAX_LINE];
	size_t used;
	/* bytes of the client's literal still to come */
	uint64_t literal;
	/* the line goes on with a command begun before */
	bool continued, swallow;
	bool received;
	/* a rule at work */
	bool cut_answer, limited, hang, hung, deaf;
	uint64_t limit;
	/* bytes a second of the client, 0: any; when the next may come */
	uint64_t rate, due_ms;
	char tag[32];
	const char *insert;
	/* what the old server said while it hung */
	char *held;
	size_t held_size;
};

struct between {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t done;
	int listener, wake;
	unsigned short port, server_port;
	bool stopping, cut;
	bool has_rule;
	struct between_rule rule;
	struct between_counts counts;
	/* first lines, each ended by LF */
	char *log;
	size_t log_used;
	struct between_conn *conns[MAX_CONNS];
	unsigned int count;
};

static void send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t ret = send(fd, data, size, MSG_NOSIGNAL);

		if (ret <= 0)
			return;
		data += ret;
		size -= (size_t)ret;
	}
}

static void conn_free(struct between *between, unsigned int i)
{
	struct between_conn *conn = between->conns[i];
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	/* whoever reads learns at once that it's over */
	(void)setsockopt(conn->client, SOL_SOCKET, SO_LINGER, &linger,
			 sizeof(linger));
	close(conn->client);
	close(conn->server);
	free(conn->held);
	free(conn);
	between->conns[i] = between->conns[--between->count];
}

static void take_connection(struct between *between)
{
	const struct sockaddr_in server = {
		.sin_family = AF_INET,
		.sin_port = htons(between->server_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int on = 1;
	struct between_conn *conn;
	int fd = accept(between->listener, NULL, NULL);

	if (fd < 0)
		return;
	conn = calloc(1, sizeof(*conn));
	if (conn == NULL || between->count == MAX_CONNS) {
		free(conn);
		close(fd);
		return;
	}
	conn->client = fd;
	conn->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(conn->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(conn->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	between->conns[between->count++] = conn;
	between->counts.connections++;
	if (connect(conn->server, &server, sizeof(server)) < 0)
		conn_free(between, between->count - 1);
}

static void log_command(struct between *between, const char *line, size_t size)
{
	between->counts.commands++;
	if (between->log_used + size + 2 > MAX_LOG)
		return;
	memcpy(between->log + between->log_used, line, size);
	between->log_used += size;
	between->log[between->log_used++] = '\n';
	between->log[between->log_used] = '\0';
}

static bool rule_matches(struct between *between, const char *line)
{
	if (!between->has_rule ||
	    strcasestr(line, between->rule.command) == NULL)
		return false;
	between->counts.applied++;
	if (between->rule.times > 0 && --between->rule.times == 0)
		between->has_rule = false;
	return true;
}

/* A command's first line has come. False: end the connection. */
static bool apply_rule(struct between *between, struct between_conn *conn)
{
	const struct between_rule rule = between->rule;
	char answer[512];

	if (!rule_matches(between, conn->line))
		return true;
	snprintf(conn->tag, sizeof(conn->tag), "%.*s",
		 (int)strcspn(conn->line, " "), conn->line);
	switch (rule.action) {
	case BETWEEN_ANSWER:
		snprintf(answer, sizeof(answer), "%s %s\r\n", conn->tag,
			 rule.text);
		send_all(conn->client, answer, strlen(answer));
		conn->swallow = true;
		break;
	case BETWEEN_CUT_BEFORE:
		return false;
	case BETWEEN_CUT_ANSWER:
		conn->cut_answer = true;
		break;
	case BETWEEN_CUT_AFTER:
	case BETWEEN_HANG_AFTER:
		conn->limited = true;
		conn->hang = rule.action == BETWEEN_HANG_AFTER;
		conn->limit = rule.bytes;
		break;
	case BETWEEN_INSERT:
		conn->insert = rule.text;
		break;
	case BETWEEN_SLOW:
		conn->rate = rule.bytes;
		conn->due_ms = now_ms();
		break;
	case BETWEEN_DEAF:
		conn->deaf = true;
		break;
	}
	return true;
}

static uint64_t literal_at_end(const char *line, size_t size)
{
	const char *open;

	if (size < 3 || line[size - 1] != '}')
		return 0;
	for (open = line + size - 1; open > line && *open != '{'; open--) ;
	return strtoull(open + 1, NULL, 10);
}

static bool line_done(struct between *between, struct between_conn *conn)
{
	size_t size = conn->used;

	conn->line[size] = '\0';
	while (size > 0 && strchr("\r\n", conn->line[size - 1]) != NULL)
		conn->line[--size] = '\0';
	if (!conn->continued) {
		conn->swallow = false;
		if (conn->received)
			between->counts.round_trips++;
		conn->received = false;
		log_command(between, conn->line, size);
		if (!apply_rule(between, conn))
			return false;
	}
	conn->literal = literal_at_end(conn->line, size);
	conn->continued = conn->literal > 0;
	if (!conn->swallow) {
		send_all(conn->server, conn->line, size);
		send_all(conn->server, "\r\n", 2);
	}
	conn->used = 0;
	return true;
}

static bool client_bytes(struct between *between, struct between_conn *conn,
			 const char *data, size_t size)
{
	while (size > 0) {
		size_t n = size;

		if (conn->literal > 0) {
			if (n > conn->literal)
				n = conn->literal;
			if (!conn->swallow)
				send_all(conn->server, data, n);
			conn->literal -= n;
		} else {
			const char *lf = memchr(data, '\n', size);

			if (lf != NULL)
				n = (size_t)(lf - data) + 1;
			if (conn->used + n >= MAX_LINE)
				return false;
			memcpy(conn->line + conn->used, data, n);
			conn->used += n;
			if (lf != NULL && !line_done(between, conn))
				return false;
		}
		data += n;
		size -= n;
	}
	return true;
}

/* Is the answer to the command that the rule is about in these bytes? It
   comes in one piece here, as answers are short and flushed whole. */
static bool has_answer(const struct between_conn *conn, const char *data,
		       size_t size)
{
	size_t len = strlen(conn->tag);
	const char *p = data;

	while (p != NULL && size - (size_t)(p - data) > len) {
		if (memcmp(p, conn->tag, len) == 0 && p[len] == ' ')
			return true;
		p = memchr(p, '\n', size - (size_t)(p - data));
		if (p != NULL)
			p++;
	}
	return false;
}

static bool server_bytes(struct between_conn *conn, const char *data,
			 size_t size)
{
	conn->received = true;
	if (conn->insert != NULL) {
		send_all(conn->client, conn->insert, strlen(conn->insert));
		conn->insert = NULL;
	}
	if (conn->cut_answer && has_answer(conn, data, size))
		return false;
	if (!conn->limited) {
		send_all(conn->client, data, size);
		return true;
	}
	if (size < conn->limit) {
		send_all(conn->client, data, size);
		conn->limit -= size;
		return true;
	}
	send_all(conn->client, data, conn->limit);
	if (!conn->hang)
		return false;
	conn->held_size = size - conn->limit;
	conn->held = malloc(conn->held_size + 1);
	if (conn->held == NULL)
		abort();
	memcpy(conn->held, data + conn->limit, conn->held_size);
	conn->hung = true;
	return true;
}

static void conn_release(struct between_conn *conn)
{
	if (conn->hung)
		send_all(conn->client, conn->held, conn->held_size);
	free(conn->held);
	conn->held = NULL;
	conn->hung = conn->limited = conn->cut_answer = conn->deaf = false;
	conn->rate = 0;
}

/* False: the connection is over. */
static bool conn_move(struct between *between, struct between_conn *conn,
		      short client_events, short server_events)
{
	char data[16384];
	ssize_t ret;

	if (client_events != 0) {
		ret = recv(conn->client, data, sizeof(data), 0);
		if (ret <= 0 ||
		    !client_bytes(between, conn, data, (size_t)ret))
			return false;
		if (conn->rate > 0)
			conn->due_ms += (uint64_t)ret * 1000 / conn->rate;
	}
	if (server_events != 0 && !conn->hung) {
		ret = recv(conn->server, data, sizeof(data), 0);
		if (ret <= 0 || !server_bytes(conn, data, (size_t)ret))
			return false;
	}
	return true;
}

static void take_orders(struct between *between)
{
	eventfd_t value;

	(void)eventfd_read(between->wake, &value);
	if (between->cut) {
		while (between->count > 0)
			conn_free(between, 0);
	}
	between->cut = false;
	pthread_cond_broadcast(&between->done);
}

static bool takes_client(const struct between_conn *conn, int *timeout_ms)
{
	uint64_t now = now_ms();

	if (conn->deaf)
		return false;
	if (conn->rate == 0 || conn->due_ms <= now)
		return true;
	if (*timeout_ms < 0 || conn->due_ms - now < (uint64_t)*timeout_ms)
		*timeout_ms = (int)(conn->due_ms - now);
	return false;
}

static unsigned int
watch(struct between *between, struct pollfd *fds, int *timeout_ms_r)
{
	unsigned int n = 0;

	*timeout_ms_r = -1;
	fds[n++] = (struct pollfd){ .fd = between->wake, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = between->listener, .events = POLLIN };
	for (unsigned int i = 0; i < between->count; i++) {
		struct between_conn *conn = between->conns[i];

		fds[n++] = (struct pollfd){
			.fd = takes_client(conn, timeout_ms_r) ?
				conn->client : -1,
			.events = POLLIN,
		};
		fds[n++] = (struct pollfd){
			.fd = conn->hung ? -1 : conn->server, .events = POLLIN,
		};
	}
	return n;
}

static void *between_thread(void *context)
{
	struct between *between = context;
	struct pollfd fds[2 + 2 * MAX_CONNS];

	pthread_mutex_lock(&between->lock);
	while (!between->stopping) {
		int timeout_ms;
		unsigned int n = watch(between, fds, &timeout_ms);

		pthread_mutex_unlock(&between->lock);
		(void)poll(fds, n, timeout_ms);
		pthread_mutex_lock(&between->lock);
		/* from the end, as a freed one is replaced by the last */
		for (unsigned int i = (n - 2) / 2; i-- > 0; ) {
			if (!conn_move(between, between->conns[i],
				       fds[2 + 2 * i].revents,
				       fds[3 + 2 * i].revents))
				conn_free(between, i);
		}
		if (fds[0].revents != 0)
			take_orders(between);
		if (fds[1].revents != 0)
			take_connection(between);
	}
	pthread_mutex_unlock(&between->lock);
	return NULL;
}

struct between *between_start(unsigned short server_port)
{
	struct between *between = calloc(1, sizeof(*between));
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	const int size = RECEIVE_BUFFER;

	between->server_port = server_port;
	between->log = calloc(1, MAX_LOG);
	between->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	between->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&between->lock, NULL);
	pthread_cond_init(&between->done, NULL);
	if (setsockopt(between->listener, SOL_SOCKET, SO_RCVBUF, &size,
		       sizeof(size)) < 0 ||
	    bind(between->listener, &addr, len) < 0 ||
	    listen(between->listener, 128) < 0 ||
	    getsockname(between->listener, &addr, &len) < 0 ||
	    pthread_create(&between->thread, NULL, between_thread,
			   between) != 0) {
		free(between->log);
		free(between);
		return NULL;
	}
	between->port = ntohs(addr.sin_port);
	return between;
}

static void tell(struct between *between)
{
	(void)eventfd_write(between->wake, 1);
}

void between_stop(struct between **_between)
{
	struct between *between = *_between;

	*_between = NULL;
	if (between == NULL)
		return;
	pthread_mutex_lock(&between->lock);
	between->stopping = true;
	pthread_mutex_unlock(&between->lock);
	tell(between);
	pthread_join(between->thread, NULL);
	while (between->count > 0)
		conn_free(between, 0);
	close(between->listener);
	close(between->wake);
	pthread_mutex_destroy(&between->lock);
	free(between->log);
	free(between);
}

unsigned short between_port(const struct between *between)
{
	return between->port;
}

void between_set(struct between *between, const struct between_rule *rule)
{
	pthread_mutex_lock(&between->lock);
	between->has_rule = rule != NULL;
	if (rule != NULL)
		between->rule = *rule;
	for (unsigned int i = 0; rule == NULL && i < between->count; i++)
		conn_release(between->conns[i]);
	between->counts.applied = 0;
	pthread_mutex_unlock(&between->lock);
	tell(between);
}

void between_cut(struct between *between)
{
	pthread_mutex_lock(&between->lock);
	between->cut = true;
	tell(between);
	while (between->cut)
		pthread_cond_wait(&between->done, &between->lock);
	pthread_mutex_unlock(&between->lock);
}

void between_counts(struct between *between, struct between_counts *counts_r)
{
	pthread_mutex_lock(&between->lock);
	*counts_r = between->counts;
	pthread_mutex_unlock(&between->lock);
}

unsigned int between_count(struct between *between, const char *word)
{
	unsigned int count = 0;

	pthread_mutex_lock(&between->lock);
	for (const char *line = between->log; *line != '\0';
	     line = strchr(line, '\n') + 1) {
		const char *at = strcasestr(line, word);

		if (at != NULL && at < strchr(line, '\n'))
			count++;
	}
	pthread_mutex_unlock(&between->lock);
	return count;
}

void between_reset(struct between *between)
{
	pthread_mutex_lock(&between->lock);
	memset(&between->counts, 0, sizeof(between->counts));
	between->log_used = 0;
	between->log[0] = '\0';
	pthread_mutex_unlock(&between->lock);
}
