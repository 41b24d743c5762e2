/*
 * imap-client: a blocking IMAP4rev1 client for tests, demo and bench (RFC 3501)
 *
 * Commands may be pipelined: imap_send() and imap_start()..imap_end() queue a
 * command and return its tag number; imap_wait() sends what is queued and reads
 * until that tag's answer. Untagged responses are collected in arrival order
 * (imap_untagged()) until imap_clear(), or given to a callback instead, which
 * keeps memory flat for large mailboxes. Bodies can be streamed to a sink.
 *
 * Mailbox names are given as the server has them (modified UTF-7, see mutf7.h)
 * and quoted here. IMAP_LOST is final for the connection, imap_error() says why;
 * it also stands for a server that makes no sense. Nothing aborts.
 */
#ifndef IMAP_CLIENT_H
#define IMAP_CLIENT_H

#include "imap-parse.h"
#include "net-line.h"

/* A literal kept in memory; larger ones need a sink. */
#define IMAP_MAX_LITERAL (1024UL * 1024 * 1024)

enum imap_status {
	IMAP_LOST = -1,
	IMAP_OK,
	IMAP_NO,
	IMAP_BAD
};

/* The tagged answer. Strings stay valid until imap_clear() or the next answer. */
struct imap_reply {
	enum imap_status status;
	/* The inside of [...] or NULL. */
	const char *code;
	const char *text;
};

struct imap_box {
	uint32_t exists, uidvalidity, uidnext;
	uint64_t highestmodseq;
	bool read_only, nomodseq;
};

struct imap_client;

/* Gets each untagged response instead of the list; it's freed afterwards. */
typedef void imap_untagged_t(void *context, const struct imap_response *resp);
/* Gets bodies: first with begin=true, data NULL and the whole size, then the
   pieces. The FETCH response itself follows, marked sunk. */
typedef void imap_body_sink_t(void *context, bool begin, const void *data,
			      uint64_t size);

/* Connects, reads the greeting and the capabilities. */
int imap_connect(const char *hostport, unsigned int timeout_ms,
		 struct imap_client **client_r, const char **error_r);
/* Drops the connection. *client becomes NULL; NULL is fine. */
void imap_free(struct imap_client **client);
/* LOGOUT, then imap_free(). */
void imap_logout(struct imap_client **client);
/* imap_connect() and imap_login() in one. */
int imap_open(const char *hostport, const char *user, const char *password,
	      unsigned int timeout_ms, struct imap_client **client_r,
	      const char **error_r);

enum imap_status imap_login(struct imap_client *client, const char *user,
			    const char *password);
/* Case-insensitive, whole word: "IDLE", "SORT=DISPLAY". */
bool imap_has(const struct imap_client *client, const char *capability);
/* Asks for the capabilities again. */
enum imap_status imap_capability(struct imap_client *client);

/* Queues one command without literals; returns its tag number. */
unsigned int imap_send(struct imap_client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same in pieces. */
unsigned int imap_start(struct imap_client *client);
void imap_text(struct imap_client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Quoted where it can be, else a literal. */
void imap_string(struct imap_client *client, const void *data, size_t size);
void imap_mailbox(struct imap_client *client, const char *name);
/* Always a literal: LITERAL+ or LITERAL- where offered, else it's flushed and
   the server's "+" awaited. False: refused, so that the rest of the command
   isn't sent; imap_wait() gives the answer. */
bool imap_literal(struct imap_client *client, const void *data, size_t size);
void imap_end(struct imap_client *client);

/* Sends what is queued without waiting for an answer. */
enum imap_status imap_flush(struct imap_client *client);
enum imap_status imap_wait(struct imap_client *client, unsigned int tag);
/* imap_send() and imap_wait(). */
enum imap_status imap_run(struct imap_client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const struct imap_reply *imap_reply(const struct imap_client *client);
/* Why the connection was lost, or the text of the last NO or BAD. */
const char *imap_error(const struct imap_client *client);

/* The collected untagged responses, oldest first. */
const struct imap_response *imap_untagged(const struct imap_client *client);
/* The first of them with this name at or after from, or NULL. */
const struct imap_response *
imap_find(const struct imap_response *from, const char *name);
void imap_clear(struct imap_client *client);
void imap_set_untagged(struct imap_client *client, imap_untagged_t *callback,
		       void *context);
/* Bodies of min_size bytes and more go to the sink; NULL ends that. */
void imap_set_sink(struct imap_client *client, imap_body_sink_t *sink,
		   uint64_t min_size, void *context);
/* EXISTS as last told, less the EXPUNGEs since. */
uint32_t imap_exists(const struct imap_client *client);

enum imap_status imap_select(struct imap_client *client, const char *mailbox,
			     struct imap_box *box_r);
enum imap_status imap_examine(struct imap_client *client, const char *mailbox,
			      struct imap_box *box_r);

/* Queues an APPEND. flags without parentheses or NULL; internaldate as in
   imap_format_date() or NULL. Returns the tag for imap_wait(). */
unsigned int imap_append_send(struct imap_client *client, const char *mailbox,
			      const char *flags, const char *internaldate,
			      const void *data, size_t size);
/* MULTIAPPEND (RFC 3502) in pieces: start, add for each message, imap_end().
   False from add: the answer came early, go to imap_wait() without imap_end(). */
unsigned int imap_append_start(struct imap_client *client,
			       const char *mailbox);
bool imap_append_add(struct imap_client *client, const char *flags,
		     const char *internaldate, const void *data, size_t size);
/* One APPEND and its answer. *uid_r (may be NULL) is 0 without APPENDUID. */
enum imap_status imap_append(struct imap_client *client, const char *mailbox,
			     const char *flags, const char *internaldate,
			     const void *data, size_t size, uint32_t *uid_r);

enum imap_status imap_idle_start(struct imap_client *client);
/* Collects what comes. 1 for something new, 0 for nothing in that time. */
int imap_idle_poll(struct imap_client *client, unsigned int timeout_ms);
enum imap_status imap_idle_stop(struct imap_client *client);

/* The connection, to break it or to change its timeout. */

struct net_line *imap_conn(struct imap_client *client);
bool imap_is_lost(const struct imap_client *client);

#endif
