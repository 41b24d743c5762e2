#include "pop3-client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pop3_client {
	struct net_line *conn;
	/* The text of the last answer. */
	char text[NET_LINE_MAX_ERROR];
};

static enum pop3_status lose(struct pop3_client *client)
{
	snprintf(client->text, sizeof(client->text), "%s",
		 net_line_error(client->conn));
	return POP3_LOST;
}

static enum pop3_status read_status(struct pop3_client *client)
{
	const char *line;
	size_t size;

	if (net_line_flush(client->conn) < 0 ||
	    net_line_read(client->conn, &line, &size) < 0)
		return lose(client);
	snprintf(client->text, sizeof(client->text), "%s", line);
	if (strncmp(line, "+OK", 3) == 0)
		return POP3_OK;
	if (strncmp(line, "-ERR", 4) == 0)
		return POP3_ERR;
	net_line_fail(client->conn, "neither +OK nor -ERR: %.100s", line);
	return lose(client);
}

enum pop3_status pop3_run(struct pop3_client *client, const char *fmt, ...)
{
	char command[1024];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(command, sizeof(command) - 2, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(command) - 2) {
		net_line_fail(client->conn, "command too long");
		return lose(client);
	}
	memcpy(command + len, "\r\n", 2);
	if (net_line_write(client->conn, command, (size_t)len + 2) < 0)
		return lose(client);
	return read_status(client);
}

int pop3_open(const char *hostport, const char *user, const char *password,
	      unsigned int timeout_ms, struct pop3_client **client_r,
	      const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	struct pop3_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		abort();
	*client_r = client;
	if (net_line_connect(hostport, timeout_ms, &client->conn,
			     error_r) < 0) {
		pop3_free(client_r);
		return -1;
	}
	if (read_status(client) == POP3_OK &&
	    pop3_run(client, "USER %s", user) == POP3_OK &&
	    pop3_run(client, "PASS %s", password) == POP3_OK)
		return 0;
	snprintf(error, sizeof(error), "%s", client->text);
	*error_r = error;
	pop3_free(client_r);
	return -1;
}

void pop3_free(struct pop3_client **client)
{
	if (*client == NULL)
		return;
	net_line_close(&(*client)->conn);
	free(*client);
	*client = NULL;
}

enum pop3_status pop3_quit(struct pop3_client **client)
{
	enum pop3_status status = pop3_run(*client, "QUIT");

	pop3_free(client);
	return status;
}

const char *pop3_error(const struct pop3_client *client)
{
	return client->text;
}

enum pop3_status pop3_stat(struct pop3_client *client, unsigned int *count_r,
			   uint64_t *bytes_r)
{
	enum pop3_status status = pop3_run(client, "STAT");
	unsigned long long bytes;

	*count_r = 0;
	*bytes_r = 0;
	if (status != POP3_OK)
		return status;
	if (sscanf(client->text, "+OK %9u %18llu", count_r, &bytes) != 2) {
		net_line_fail(client->conn, "bad STAT: %.100s", client->text);
		return lose(client);
	}
	*bytes_r = bytes;
	return POP3_OK;
}

/* Gets a line of a multi-line answer; 0 at its end. */
static int
multi_line(struct pop3_client *client, const char **line_r, size_t *size_r)
{
	if (net_line_read(client->conn, line_r, size_r) < 0)
		return -1;
	if ((*line_r)[0] != '.')
		return 1;
	if (*size_r == 1)
		return 0;
	++*line_r;
	--*size_r;
	return 1;
}

static struct pop3_item *add_item(struct pop3_list *list)
{
	size_t size;

	/* grows at each power of two */
	if ((list->count & (list->count - 1)) == 0) {
		size = list->count == 0 ? 1 : list->count * 2;
		list->items = realloc(list->items, size * sizeof(*list->items));
		if (list->items == NULL)
			abort();
	}
	memset(&list->items[list->count], 0, sizeof(*list->items));
	return &list->items[list->count++];
}

static bool
parse_item(const char *line, bool uidl, struct pop3_item *item)
{
	unsigned long long size;

	if (uidl)
		return sscanf(line, "%9u %m[^ ]", &item->number,
			      &item->uidl) == 2;
	if (sscanf(line, "%9u %18llu", &item->number, &size) != 2)
		return false;
	item->size = size;
	return true;
}

static enum pop3_status
list_command(struct pop3_client *client, bool uidl, struct pop3_list *list_r)
{
	enum pop3_status status;
	const char *line;
	size_t size;
	int ret;

	memset(list_r, 0, sizeof(*list_r));
	status = pop3_run(client, uidl ? "UIDL" : "LIST");
	if (status != POP3_OK)
		return status;
	while ((ret = multi_line(client, &line, &size)) > 0) {
		if (list_r->count == POP3_MAX_MESSAGES ||
		    !parse_item(line, uidl, add_item(list_r))) {
			net_line_fail(client->conn, "bad list: %.100s", line);
			return lose(client);
		}
	}
	return ret < 0 ? lose(client) : POP3_OK;
}

enum pop3_status pop3_list(struct pop3_client *client,
			   struct pop3_list *list_r)
{
	return list_command(client, false, list_r);
}

enum pop3_status pop3_uidl(struct pop3_client *client,
			   struct pop3_list *list_r)
{
	return list_command(client, true, list_r);
}

void pop3_list_free(struct pop3_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i].uidl);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

enum pop3_status pop3_retr(struct pop3_client *client, unsigned int number,
			   net_line_sink_t *sink, void *context)
{
	enum pop3_status status = pop3_run(client, "RETR %u", number);
	const char *line;
	size_t size;
	int ret;

	if (status != POP3_OK)
		return status;
	while ((ret = multi_line(client, &line, &size)) > 0) {
		sink(context, line, size);
		sink(context, "\r\n", 2);
	}
	return ret < 0 ? lose(client) : POP3_OK;
}

enum pop3_status pop3_dele(struct pop3_client *client, unsigned int number)
{
	return pop3_run(client, "DELE %u", number);
}
