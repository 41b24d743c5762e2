/*
 * untagged: does what a server tells of a selected mailbox make sense?
 *
 * Follows EXISTS, EXPUNGE and FETCH (RFC 3501, 7.3 and 7.4), and knows what a
 * server may say in the middle of a session. A mailbox that changes its server
 * underneath says nothing else.
 */
#ifndef UNTAGGED_H
#define UNTAGGED_H

#include "imap-client.h"

struct untagged {
	uint32_t exists;
	/* The first that made no sense, or "". */
	char odd[200];
};

/* A mailbox was just selected. */
void untagged_begin(struct untagged *untagged, struct imap_client *client);
/* Looks at what was collected; forget it afterwards (imap_clear()). False when
   one of them makes no sense; BYE isn't looked at. */
bool untagged_follow(struct untagged *untagged, struct imap_client *client);

#endif
