/*
 * pop3-client: a blocking POP3 client for tests (RFC 1939)
 *
 * Results: POP3_OK, POP3_ERR for the server's -ERR, POP3_LOST when the
 * connection is no more or the server makes no sense; pop3_error() has the text.
 * Message numbers begin at 1; sizes are bytes.
 */
#ifndef POP3_CLIENT_H
#define POP3_CLIENT_H

#include "net-line.h"

#include <stdint.h>

#define POP3_MAX_MESSAGES 10000000

enum pop3_status {
	POP3_LOST = -1,
	POP3_OK,
	POP3_ERR
};

struct pop3_client;

struct pop3_item {
	unsigned int number;
	/* From LIST, else 0. */
	uint64_t size;
	/* From UIDL, else NULL. */
	char *uidl;
};

struct pop3_list {
	struct pop3_item *items;
	size_t count;
};

/* Connects and logs in with USER and PASS. *error_r is static. */
int pop3_open(const char *hostport, const char *user, const char *password,
	      unsigned int timeout_ms, struct pop3_client **client_r,
	      const char **error_r);
/* Drops the connection: no deletion counts. *client becomes NULL. */
void pop3_free(struct pop3_client **client);
/* QUIT, which makes deletions count, and free. */
enum pop3_status pop3_quit(struct pop3_client **client);
const char *pop3_error(const struct pop3_client *client);

enum pop3_status pop3_stat(struct pop3_client *client, unsigned int *count_r,
			   uint64_t *bytes_r);
/* Free both with pop3_list_free(), also after a failure. */
enum pop3_status pop3_list(struct pop3_client *client,
			   struct pop3_list *list_r);
enum pop3_status pop3_uidl(struct pop3_client *client,
			   struct pop3_list *list_r);
void pop3_list_free(struct pop3_list *list);
/* The message goes to sink without its dots, lines ended by CRLF. */
enum pop3_status pop3_retr(struct pop3_client *client, unsigned int number,
			   net_line_sink_t *sink, void *context);
enum pop3_status pop3_dele(struct pop3_client *client, unsigned int number);
/* Any command with a one-line answer. */
enum pop3_status pop3_run(struct pop3_client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
