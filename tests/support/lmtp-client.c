#include "lmtp-client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lmtp_client {
	struct net_line *conn;
	/* one answer to the data, whatever the number of recipients */
	bool smtp;
	char error[NET_LINE_MAX_ERROR];
};

static int lose(struct lmtp_client *client)
{
	snprintf(client->error, sizeof(client->error), "%s",
		 net_line_error(client->conn));
	return -1;
}

static void send_line(struct lmtp_client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void send_line(struct lmtp_client *client, const char *fmt, ...)
{
	va_list args;
	char *line;
	int len;

	va_start(args, fmt);
	len = vasprintf(&line, fmt, args);
	va_end(args);
	if (len < 0)
		abort();
	(void)net_line_write(client->conn, line, (size_t)len);
	(void)net_line_write(client->conn, "\r\n", 2);
	free(line);
}

/* Reads a whole answer; its last line stays. */
static int read_reply(struct lmtp_client *client, struct lmtp_reply *reply)
{
	const char *line;
	size_t size;

	memset(reply, 0, sizeof(*reply));
	if (net_line_flush(client->conn) < 0)
		return lose(client);
	do {
		if (net_line_read(client->conn, &line, &size) < 0)
			return lose(client);
		if (size < 3 || strspn(line, "0123456789") != 3 ||
		    (size > 3 && line[3] != ' ' && line[3] != '-')) {
			net_line_fail(client->conn, "bad answer: %.100s", line);
			return lose(client);
		}
	} while (size > 3 && line[3] == '-');
	reply->code = atoi(line);
	snprintf(reply->text, sizeof(reply->text), "%s",
		 size > 4 ? line + 4 : "");
	return 0;
}

static bool is_good(const struct lmtp_reply *reply)
{
	return reply->code >= 200 && reply->code < 300;
}

static int
open_client(const char *hostport, unsigned int timeout_ms, bool smtp,
	    struct lmtp_client **client_r, const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	struct lmtp_client *client = calloc(1, sizeof(*client));
	struct lmtp_reply reply;

	if (client == NULL)
		abort();
	*client_r = client;
	client->smtp = smtp;
	if (net_line_connect(hostport, timeout_ms, &client->conn,
			     error_r) < 0) {
		lmtp_free(client_r);
		return -1;
	}
	if (read_reply(client, &reply) == 0 && is_good(&reply)) {
		send_line(client, "%s client.example",
			  smtp ? "EHLO" : "LHLO");
		if (read_reply(client, &reply) == 0 && is_good(&reply))
			return 0;
	}
	snprintf(error, sizeof(error), "%s",
		 client->error[0] != '\0' ? client->error : reply.text);
	*error_r = error;
	lmtp_free(client_r);
	return -1;
}

int lmtp_open(const char *hostport, unsigned int timeout_ms,
	      struct lmtp_client **client_r, const char **error_r)
{
	return open_client(hostport, timeout_ms, false, client_r, error_r);
}

int smtp_open(const char *hostport, unsigned int timeout_ms,
	      struct lmtp_client **client_r, const char **error_r)
{
	return open_client(hostport, timeout_ms, true, client_r, error_r);
}

int smtp_auth_plain(struct lmtp_client *client, const char *response)
{
	struct lmtp_reply reply;

	send_line(client, "AUTH PLAIN %s", response);
	if (read_reply(client, &reply) < 0)
		return -1;
	snprintf(client->error, sizeof(client->error), "%s", reply.text);
	return reply.code == 235 ? 0 : -1;
}

void lmtp_free(struct lmtp_client **client)
{
	if (*client == NULL)
		return;
	net_line_close(&(*client)->conn);
	free(*client);
	*client = NULL;
}

void lmtp_quit(struct lmtp_client **client)
{
	struct lmtp_reply reply;

	if (*client != NULL) {
		send_line(*client, "QUIT");
		(void)read_reply(*client, &reply);
	}
	lmtp_free(client);
}

const char *lmtp_error(const struct lmtp_client *client)
{
	return client->error;
}

/* The message with a dot before each line's dot, and the final one. */
static void
send_data(struct lmtp_client *client, const char *data, size_t size)
{
	const char *end = data + size, *lf;
	bool crlf = size >= 2 && memcmp(end - 2, "\r\n", 2) == 0;

	while (data < end) {
		if (*data == '.')
			(void)net_line_write(client->conn, ".", 1);
		lf = memchr(data, '\n', (size_t)(end - data));
		lf = lf == NULL ? end : lf + 1;
		(void)net_line_write(client->conn, data, (size_t)(lf - data));
		data = lf;
	}
	if (!crlf && size > 0)
		(void)net_line_write(client->conn, "\r\n", 2);
	(void)net_line_write(client->conn, ".\r\n", 3);
}

/* MAIL and all RCPTs in one go. Returns how many were taken. */
static int
send_envelope(struct lmtp_client *client, const char *from,
	      const char *const *recipients, unsigned int count,
	      struct lmtp_reply *replies)
{
	struct lmtp_reply mail;
	unsigned int i;
	int taken = 0;

	send_line(client, "MAIL FROM:<%s>", from);
	for (i = 0; i < count; i++)
		send_line(client, "RCPT TO:<%s>", recipients[i]);
	if (read_reply(client, &mail) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		if (read_reply(client, &replies[i]) < 0)
			return -1;
		if (!is_good(&mail))
			replies[i] = mail;
		if (is_good(&replies[i]))
			taken++;
	}
	return taken;
}

/* The answers after the data, for those whose RCPT was taken. */
static int
read_results(struct lmtp_client *client, unsigned int count,
	     struct lmtp_reply *replies)
{
	const struct lmtp_reply *first = NULL;
	unsigned int i;
	int delivered = 0;
	bool lost = false;

	for (i = 0; i < count; i++) {
		if (!is_good(&replies[i]))
			continue;
		/* what was said about RCPT isn't about the message */
		if (!client->smtp || first == NULL)
			lost = lost || read_reply(client, &replies[i]) < 0;
		else
			replies[i] = *first;
		if (lost)
			memset(&replies[i], 0, sizeof(replies[i]));
		else if (is_good(&replies[i]))
			delivered++;
		first = &replies[i];
	}
	return lost ? -1 : delivered;
}

static void
give_all(struct lmtp_reply *replies, unsigned int count,
	 const struct lmtp_reply *reply)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (is_good(&replies[i]))
			replies[i] = *reply;
	}
}

int lmtp_deliver(struct lmtp_client *client, const char *from,
		 const char *const *recipients, unsigned int count,
		 const void *data, size_t size, struct lmtp_reply *replies_r)
{
	struct lmtp_reply reply;
	int taken;

	memset(replies_r, 0, count * sizeof(*replies_r));
	taken = send_envelope(client, from, recipients, count, replies_r);
	if (taken > 0) {
		send_line(client, "DATA");
		if (read_reply(client, &reply) < 0)
			taken = -1;
		else if (reply.code == 354) {
			send_data(client, data, size);
			return read_results(client, count, replies_r);
		} else {
			give_all(replies_r, count, &reply);
		}
	}
	if (taken < 0) {
		memset(&reply, 0, sizeof(reply));
		give_all(replies_r, count, &reply);
		return -1;
	}
	send_line(client, "RSET");
	return read_reply(client, &reply) < 0 ? -1 : 0;
}
