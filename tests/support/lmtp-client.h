/*
 * lmtp-client: a blocking LMTP client for tests (RFC 2033), and an SMTP one
 * (RFC 5321), which differs by a word and by one answer for all recipients
 */
#ifndef LMTP_CLIENT_H
#define LMTP_CLIENT_H

#include "net-line.h"

struct lmtp_client;

/* What became of one recipient: the answer to its RCPT when that was refused,
   else the one after the data. Code 0: none was given. */
struct lmtp_reply {
	int code;
	char text[256];
};

/* Connects and says LHLO. *error_r is static. */
int lmtp_open(const char *hostport, unsigned int timeout_ms,
	      struct lmtp_client **client_r, const char **error_r);
/* The same with a server that speaks SMTP. */
int smtp_open(const char *hostport, unsigned int timeout_ms,
	      struct lmtp_client **client_r, const char **error_r);
/* AUTH PLAIN (RFC 4954); response is base64. */
int smtp_auth_plain(struct lmtp_client *client, const char *response);
/* Drops the connection; *client becomes NULL, NULL is fine. */
void lmtp_free(struct lmtp_client **client);
/* QUIT and free. */
void lmtp_quit(struct lmtp_client **client);
const char *lmtp_error(const struct lmtp_client *client);

/* Delivers one message to count recipients (addresses without <>; from may be
   ""). Line ends in data that aren't CRLF stay as they are, but the message is
   ended by one. replies_r has room for count. Returns the number of recipients
   that took it, or -1 when the connection was lost (replies got so far count:
   one with code 2xx was delivered). */
int lmtp_deliver(struct lmtp_client *client, const char *from,
		 const char *const *recipients, unsigned int count,
		 const void *data, size_t size, struct lmtp_reply *replies_r);

#endif
