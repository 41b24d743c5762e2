#include "fault-proxy.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fault_proxy {
	unsigned int port;
	int listener;
	pthread_t thread;
	atomic_int fault;
	atomic_uint uid, count;
};

struct relay {
	struct fault_proxy *proxy;
	int client;
	FILE *server;
	/* The next tagged OK becomes NO. */
	bool refuse;
};

static int connect_to(unsigned int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, &addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool send_all(int fd, const char *data, size_t size)
{
	ssize_t ret;

	for (; size > 0; data += ret, size -= (size_t)ret) {
		ret = send(fd, data, size, MSG_NOSIGNAL);
		if (ret <= 0)
			return false;
	}
	return true;
}

static bool literal_size(const char *line, size_t *size_r)
{
	const char *brace = strrchr(line, '{');
	char *end;

	if (brace == NULL)
		return false;
	*size_r = strtoul(brace + 1, &end, 10);
	return strcmp(end, "}\r\n") == 0;
}

static bool is_about(const struct relay *relay, const char *line)
{
	const char *uid = strstr(line, "UID ");

	return *line == '*' && strstr(line, " FETCH (") != NULL &&
		uid != NULL && strtoul(uid + 4, NULL, 10) == relay->proxy->uid;
}

static bool is_spoilt(const struct relay *relay, const char *line)
{
	int fault = relay->proxy->fault;

	return fault != FAULT_NONE && fault != FAULT_DATE &&
		fault != FAULT_ANSWER && is_about(relay, line) &&
		strstr(line, "BODY[]") != NULL;
}

/* The client doesn't know an item of that name. */
static void hide_date(struct relay *relay, char *line)
{
	char *date = strstr(line, "INTERNALDATE");

	if (relay->proxy->fault == FAULT_DATE && date != NULL &&
	    is_about(relay, line)) {
		*date = 'X';
		relay->proxy->count++;
	}
}

/* Passes a literal on, or only takes it in. */
static bool
pass_literal(struct relay *relay, size_t size, bool forward)
{
	char buf[8192];
	size_t n;

	for (; size > 0; size -= n) {
		n = fread(buf, 1, size < sizeof(buf) ? size : sizeof(buf),
			  relay->server);
		if (n == 0 || (forward && !send_all(relay->client, buf, n)))
			return false;
	}
	return true;
}

/* The line that ends in a literal, spoilt. False ends the connection. */
static bool spoil(struct relay *relay, char *line, size_t size)
{
	int fault = relay->proxy->fault;

	relay->proxy->count++;
	if (fault == FAULT_CUT) {
		(void)send_all(relay->client, line, strlen(line));
		(void)pass_literal(relay, size / 2, true);
		return false;
	}
	if (!pass_literal(relay, size, false))
		return false;
	if (fault == FAULT_NIL) {
		strcpy(strrchr(line, '{'), "NIL");
		return send_all(relay->client, line, strlen(line));
	}
	relay->refuse = fault == FAULT_NO;
	return true;
}

/* Is it the answer that is to be lost? */
static bool is_lost_answer(struct relay *relay, const char *line)
{
	struct fault_proxy *proxy = relay->proxy;

	if (proxy->fault != FAULT_ANSWER || *line == '*' ||
	    strstr(line, " OK [APPENDUID ") == NULL || --proxy->uid > 0)
		return false;
	proxy->count++;
	proxy->fault = FAULT_NONE;
	return true;
}

static bool send_line(struct relay *relay, char *line, bool first)
{
	char *ok = strstr(line, " OK ");

	if (first && is_lost_answer(relay, line))
		return false;
	hide_date(relay, line);
	if (first && relay->refuse && *line != '*' && *line != '+' &&
	    ok != NULL && ok == strchr(line, ' ')) {
		relay->refuse = false;
		memcpy(ok, " NO ", 4);
	}
	return send_all(relay->client, line, strlen(line));
}

/* One response: lines joined by literals. */
static bool pass_response(struct relay *relay, char **line, size_t *room)
{
	bool dropped = false, first = true, more = true, ok;
	size_t size;

	while (more) {
		if (getline(line, room, relay->server) <= 0)
			return false;
		more = literal_size(*line, &size);
		if (first && more && is_spoilt(relay, *line)) {
			dropped = relay->proxy->fault != FAULT_NIL;
			ok = spoil(relay, *line, size);
		} else {
			ok = (dropped || send_line(relay, *line, first)) &&
				(!more || pass_literal(relay, size, !dropped));
		}
		if (!ok)
			return false;
		first = false;
	}
	return true;
}

static void *client_to_server(void *context)
{
	struct relay *relay = context;
	int server = fileno(relay->server);
	char buf[8192];
	ssize_t ret;

	while ((ret = recv(relay->client, buf, sizeof(buf), 0)) > 0 &&
	       send_all(server, buf, (size_t)ret)) ;
	(void)shutdown(server, SHUT_RDWR);
	return NULL;
}

static void *relay_main(void *context)
{
	struct relay *relay = context;
	pthread_t other;
	char *line = NULL;
	size_t room = 0;

	if (pthread_create(&other, NULL, client_to_server, relay) != 0)
		abort();
	while (pass_response(relay, &line, &room)) ;
	(void)shutdown(relay->client, SHUT_RDWR);
	(void)shutdown(fileno(relay->server), SHUT_RDWR);
	pthread_join(other, NULL);
	free(line);
	fclose(relay->server);
	close(relay->client);
	free(relay);
	return NULL;
}

static void accept_one(struct fault_proxy *proxy)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	pthread_t thread;
	int server;

	if (relay == NULL)
		abort();
	relay->proxy = proxy;
	relay->client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
	server = connect_to(proxy->port);
	if (server < 0) {
		close(relay->client);
		free(relay);
		return;
	}
	relay->server = fdopen(server, "r");
	if (relay->server == NULL ||
	    pthread_create(&thread, NULL, relay_main, relay) != 0)
		abort();
	pthread_detach(thread);
}

static void *listener_main(void *context)
{
	struct fault_proxy *proxy = context;

	for (;;)
		accept_one(proxy);
	return NULL;
}

struct fault_proxy *fault_proxy_start(unsigned int port, unsigned int *port_r)
{
	struct fault_proxy *proxy = calloc(1, sizeof(*proxy));
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(addr);

	if (proxy == NULL)
		abort();
	proxy->port = port;
	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(proxy->listener, &addr, size) < 0 ||
	    listen(proxy->listener, 64) < 0 ||
	    getsockname(proxy->listener, &addr, &size) < 0 ||
	    pthread_create(&proxy->thread, NULL, listener_main, proxy) != 0)
		abort();
	*port_r = ntohs(addr.sin_port);
	return proxy;
}

void fault_proxy_set(struct fault_proxy *proxy, enum fault fault, uint32_t uid)
{
	proxy->uid = uid;
	proxy->fault = (int)fault;
}

unsigned int fault_proxy_count(struct fault_proxy *proxy)
{
	return proxy->count;
}
