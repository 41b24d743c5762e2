#ifndef OLD_SIZES_H
#define OLD_SIZES_H

/*
 * old-sizes: how much is in the old server's mailboxes, in one pipelined look:
 * STATUS (RFC 3501 6.3.10) with SIZE (RFC 8438) where the server has it. Else the
 * bytes are estimated from a sample of the largest mailbox' messages.
 */

#include "old-client.h"

struct old_size {
	const char *old_name;
	/* the server has answered */
	bool known;
	uint32_t messages;
	uint64_t bytes;
};
ARRAY_DEFINE_TYPE(old_size, struct old_size);

/* Fills in what is known of the mailboxes that have these names; what the server
   refuses to tell is left out. Returns 0, -1 with an error. */
int old_sizes_get(struct old_client *client, ARRAY_TYPE(old_size) *sizes,
		  enum mail_error *error_code_r, const char **error_r);

#endif
