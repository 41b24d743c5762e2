#ifndef RECEIVED_LINE_H
#define RECEIVED_LINE_H

/*
 * received-line: what one Received header says (RFC 5321 4.4), in the forms that
 * servers write:
 *
 *     from HELO (NAME [ADDRESS]) by ...     Postfix, Sendmail, Courier, OpenSMTPD
 *     from NAME ([ADDRESS] helo=HELO)       Exim; NAME is HELO elsewhere
 *     from [ADDRESS] (helo=HELO)            Exim, no name
 *     from NAME (HELO HELO) (ADDRESS)       qmail, Zimbra, Yahoo
 *     from HELO (ADDRESS)                   Exchange
 *     from HELO [ADDRESS]                   MDaemon, fetchmail
 *     by ..., (qmail 1 invoked by uid 2)    no other host
 *
 * What a client said of itself is never taken for its address.
 */

#include "net.h"

struct received_line {
	/* family 0: it isn't told, or isn't an IP address */
	struct ip_addr client;
	/* there was a "from" */
	bool has_from;
	/* the name by DNS, else by HELO; who wrote the line; how it came, as
	   "ESMTPS"; "" each when it isn't told */
	const char *name, *by, *with;
	/* the name is by DNS */
	bool verified;
	/* addresses without <>, "" when not told, or for <> */
	const char *sender, *recipient;
	/* unix seconds, 0: none */
	time_t date;
};

/* value: unfolded. Strings from the data stack. */
void received_line_parse(const char *value, struct received_line *line_r);

#endif
