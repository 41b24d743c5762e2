#ifndef RECEIVED_HEADER_H
#define RECEIVED_HEADER_H

/*
 * received-header: who gave a mail to the old server, and when, by the trace
 * headers that the old server wrote (RFC 5321 4.4; received-line.h).
 *
 * The topmost Received tells it, unless it is of a hop inside that server; then
 * the next one that isn't. Inside are: a line that names no other host (pickup,
 * qmail's own, Gmail's); LMTP (RFC 2033), a pipe, MAPI, fetchmail; a hop without
 * an address or from the loopback when a line of the same host or of a filter on
 * it is below; one from a private network when a line of the same domain is
 * below; Office 365's own machines. When all are, the mail came from that server
 * itself: the first line counts, and without a client.
 *
 * What is read was written by the sender below the old server's own lines: it's
 * for people, and decides nothing.
 */

struct istream;

struct received_header {
	/* address without brackets, "" when it isn't told */
	const char *client;
	/* the verified name, else the HELO, "" */
	const char *name;
	/* it is the verified one */
	bool verified;
	/* who wrote the line */
	const char *by;
	/* RFC 5322 date of the line, 0 when there is none */
	time_t received;
	/* the envelope's: of Return-Path, else of the line; "" for <> or unknown.
	   Of X-Original-To, Envelope-To, Delivered-To, or the "for" of the
	   line, "" */
	const char *return_path, *recipient;
};

/* From the headers of a message; input, which blocks, is read to their end.
   Strings from pool. Returns 0, -1 with an error when the stream fails. */
int received_header_get(struct istream *input, pool_t pool,
			struct received_header *received_r,
			const char **error_r);

#endif
