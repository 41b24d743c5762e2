#include "imap-client-private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Connection
 */

static struct imap_client *client_new(struct net_line *conn)
{
	struct imap_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		abort();
	client->conn = conn;
	client->last = &client->first;
	client->reply.text = "";
	return client;
}

void imap_free(struct imap_client **_client)
{
	struct imap_client *client = *_client;

	*_client = NULL;
	if (client == NULL)
		return;
	imap_clear(client);
	while (client->answers != NULL)
		imap_take_answer(client, &client->answers);
	imap_response_free(&client->replied);
	net_line_close(&client->conn);
	free(client);
}

void imap_logout(struct imap_client **client)
{
	if (*client != NULL && !(*client)->lost)
		(void)imap_run(*client, "LOGOUT");
	imap_free(client);
}

static int greet(struct imap_client *client, const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	const char *name;

	if (imap_read_one(client) < 0) {
		snprintf(error, sizeof(error), "%s", imap_error(client));
	} else if (client->first == NULL) {
		snprintf(error, sizeof(error), "no greeting");
	} else {
		name = client->first->name;
		if (strcmp(name, "OK") == 0 || strcmp(name, "PREAUTH") == 0) {
			if (client->capabilities[0] != '\0' ||
			    imap_capability(client) == IMAP_OK)
				return 0;
		}
		snprintf(error, sizeof(error), "greeting: %s %s", name,
			 client->first->text == NULL ? "" :
			 client->first->text);
	}
	*error_r = error;
	return -1;
}

int imap_connect(const char *hostport, unsigned int timeout_ms,
		 struct imap_client **client_r, const char **error_r)
{
	struct net_line *conn;

	*client_r = NULL;
	if (net_line_connect(hostport, timeout_ms, &conn, error_r) < 0)
		return -1;
	*client_r = client_new(conn);
	if (greet(*client_r, error_r) < 0) {
		imap_free(client_r);
		return -1;
	}
	imap_clear(*client_r);
	return 0;
}

int imap_open(const char *hostport, const char *user, const char *password,
	      unsigned int timeout_ms, struct imap_client **client_r,
	      const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];

	if (imap_connect(hostport, timeout_ms, client_r, error_r) < 0)
		return -1;
	if (imap_login(*client_r, user, password) == IMAP_OK)
		return 0;
	snprintf(error, sizeof(error), "login as %s: %s", user,
		 imap_error(*client_r));
	*error_r = error;
	imap_free(client_r);
	return -1;
}

enum imap_status imap_capability(struct imap_client *client)
{
	return imap_run(client, "CAPABILITY");
}

bool imap_has(const struct imap_client *client, const char *capability)
{
	size_t len = strlen(capability);
	const char *p = client->capabilities;

	while ((p = strcasestr(p, capability)) != NULL) {
		if (p[-1] == ' ' && (p[len] == ' ' || p[len] == '\0'))
			return true;
		p += len;
	}
	return false;
}

enum imap_status imap_login(struct imap_client *client, const char *user,
			    const char *password)
{
	unsigned int tag = imap_start(client);
	enum imap_status status;

	client->capabilities[0] = '\0';
	imap_text(client, "LOGIN ");
	imap_string(client, user, strlen(user));
	imap_text(client, " ");
	imap_string(client, password, strlen(password));
	imap_end(client);
	status = imap_wait(client, tag);
	if (status == IMAP_OK && client->capabilities[0] == '\0')
		status = imap_capability(client);
	return status;
}

/*
 * Commands
 */

static void send_text(struct imap_client *client, const char *fmt,
		      va_list args)
{
	char buf[1024], *text = buf;
	va_list copy;
	int len;

	va_copy(copy, args);
	len = vsnprintf(buf, sizeof(buf), fmt, args);
	if (len >= (int)sizeof(buf)) {
		len = vasprintf(&text, fmt, copy);
		if (len < 0)
			abort();
	}
	va_end(copy);
	(void)net_line_write(client->conn, text, (size_t)len);
	if (text != buf)
		free(text);
}

unsigned int imap_start(struct imap_client *client)
{
	client->refused = false;
	client->last_tag++;
	imap_text(client, "A%u ", client->last_tag);
	return client->last_tag;
}

void imap_text(struct imap_client *client, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	send_text(client, fmt, args);
	va_end(args);
}

void imap_end(struct imap_client *client)
{
	if (!client->refused)
		(void)net_line_write(client->conn, "\r\n", 2);
}

unsigned int imap_send(struct imap_client *client, const char *fmt, ...)
{
	unsigned int tag = imap_start(client);
	va_list args;

	va_start(args, fmt);
	send_text(client, fmt, args);
	va_end(args);
	imap_end(client);
	return tag;
}

void imap_string(struct imap_client *client, const void *data, size_t size)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < size; i++) {
		if (p[i] < 0x20 || p[i] >= 0x7f)
			break;
	}
	if (i < size || size > 2000) {
		(void)imap_literal(client, data, size);
		return;
	}
	(void)net_line_write(client->conn, "\"", 1);
	for (i = 0; i < size; i++) {
		if (p[i] == '"' || p[i] == '\\')
			(void)net_line_write(client->conn, "\\", 1);
		(void)net_line_write(client->conn, p + i, 1);
	}
	(void)net_line_write(client->conn, "\"", 1);
}

void imap_mailbox(struct imap_client *client, const char *name)
{
	imap_string(client, name, strlen(name));
}

/* True when the server says "go on", false when it answered the command. */
static bool wait_continue(struct imap_client *client)
{
	if (net_line_flush(client->conn) < 0) {
		imap_lose(client);
		return false;
	}
	client->continued = false;
	while (!client->continued) {
		if (imap_read_one(client) < 0 ||
		    (client->answers != NULL &&
		     client->answers->tag == client->last_tag))
			return false;
	}
	return true;
}

bool imap_literal(struct imap_client *client, const void *data, size_t size)
{
	bool plus;

	if (client->refused)
		return false;
	plus = imap_has(client, "LITERAL+") ||
		(size <= 4096 && imap_has(client, "LITERAL-"));
	imap_text(client, plus ? "{%zu+}\r\n" : "{%zu}\r\n", size);
	if (!plus && !wait_continue(client)) {
		client->refused = true;
		return false;
	}
	return net_line_write(client->conn, data, size) == 0;
}

enum imap_status imap_flush(struct imap_client *client)
{
	return net_line_flush(client->conn) < 0 ? imap_lose(client) : IMAP_OK;
}

enum imap_status imap_wait(struct imap_client *client, unsigned int tag)
{
	struct answer **answer;

	/* what the server said before it hung up still counts */
	(void)net_line_flush(client->conn);
	answer = imap_find_answer(client, tag);
	while (answer == NULL) {
		if (imap_read_one(client) < 0)
			return IMAP_LOST;
		/* a new one comes first */
		if (client->answers != NULL && client->answers->tag == tag)
			answer = &client->answers;
	}
	return imap_take_answer(client, answer);
}

enum imap_status imap_run(struct imap_client *client, const char *fmt, ...)
{
	unsigned int tag = imap_start(client);
	va_list args;

	va_start(args, fmt);
	send_text(client, fmt, args);
	va_end(args);
	imap_end(client);
	return imap_wait(client, tag);
}

const struct imap_reply *imap_reply(const struct imap_client *client)
{
	return &client->reply;
}

const char *imap_error(const struct imap_client *client)
{
	if (client->lost && client->bye[0] != '\0')
		return client->bye;
	return client->reply.text;
}

const struct imap_response *imap_untagged(const struct imap_client *client)
{
	return client->first;
}

const struct imap_response *
imap_find(const struct imap_response *from, const char *name)
{
	while (from != NULL && strcmp(from->name, name) != 0)
		from = from->next;
	return from;
}

void imap_clear(struct imap_client *client)
{
	struct imap_response *resp, *next;

	for (resp = client->first; resp != NULL; resp = next) {
		next = resp->next;
		imap_response_free(&resp);
	}
	client->first = NULL;
	client->last = &client->first;
}

void imap_set_untagged(struct imap_client *client, imap_untagged_t *callback,
		       void *context)
{
	client->callback = callback;
	client->callback_context = context;
}

void imap_set_sink(struct imap_client *client, imap_body_sink_t *sink,
		   uint64_t min_size, void *context)
{
	client->sink = sink;
	client->sink_min = min_size;
	client->sink_context = context;
}

uint32_t imap_exists(const struct imap_client *client)
{
	return client->exists;
}

struct net_line *imap_conn(struct imap_client *client)
{
	return client->conn;
}

bool imap_is_lost(const struct imap_client *client)
{
	return client->lost;
}

/*
 * IDLE (RFC 2177)
 */

enum imap_status imap_idle_start(struct imap_client *client)
{
	client->idle_tag = imap_send(client, "IDLE");
	if (wait_continue(client)) {
		client->idling = true;
		return IMAP_OK;
	}
	return imap_wait(client, client->idle_tag);
}

int imap_idle_poll(struct imap_client *client, unsigned int timeout_ms)
{
	int ret;

	ret = net_line_wait_input(client->conn, timeout_ms);
	if (ret > 0)
		ret = imap_read_one(client) < 0 ? -1 : 1;
	else if (ret < 0)
		imap_lose(client);
	return ret;
}

enum imap_status imap_idle_stop(struct imap_client *client)
{
	if (!client->idling)
		return client->reply.status;
	client->idling = false;
	(void)net_line_write(client->conn, "DONE\r\n", 6);
	return imap_wait(client, client->idle_tag);
}
