#ifndef LATE_FETCH_H
#define LATE_FETCH_H

/*
 * late-fetch: messages of the open mailbox of the old server, whole, each into a
 * temporary file without a name.
 */

#include "seq-range-array.h"
#include "message-digest.h"
#include "inventory.h"
#include "old-client.h"

struct late_body {
	uint32_t uid;
	/* as the server shows it now */
	struct inventory_item item;
	int fd;
	uoff_t size;
	struct message_digest digest;
};
ARRAY_DEFINE_TYPE(late_body, struct late_body);

/* Those that came whole, in ascending order of UID; what is missing can't be had
   now. The caller frees them, whatever is returned. temp_prefix: of the files'
   paths. Returns 0; -1 with an error when it isn't known what is missing. */
int late_fetch(struct old_client *client, const char *temp_prefix,
	       struct inventory_keywords *keywords,
	       const ARRAY_TYPE(seq_range) *uids,
	       ARRAY_TYPE(late_body) *bodies,
	       enum mail_error *error_code_r, const char **error_r);
void late_bodies_free(ARRAY_TYPE(late_body) *bodies);

#endif
