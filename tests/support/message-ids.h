/*
 * message-ids: where in an account each Message-ID is
 *
 * Of all mailboxes, read over IMAP without changing them. Messages without a
 * Message-ID are left out. Runs out of memory by abort().
 */
#ifndef MESSAGE_IDS_H
#define MESSAGE_IDS_H

#include <stddef.h>
#include <stdint.h>

struct message_place {
	/* with <> */
	char *message_id;
	/* as the server has it */
	const char *mailbox;
	uint32_t uid;
};

struct message_ids {
	/* sorted by Message-ID, mailbox, UID */
	struct message_place *items;
	size_t count, room;
	char **mailboxes;
	size_t mailbox_count;
};

/* hostport: HOST:PORT. Returns 0, or -1 with an error, which is static, and
   with nothing to free. */
int message_ids_take(const char *hostport, const char *user,
		     const char *password, unsigned int timeout_ms,
		     struct message_ids *ids_r, const char **error_r);
void message_ids_free(struct message_ids *ids);

/* The first one, the others follow; count_r is how many there are. NULL: none.
   */
const struct message_place *
message_ids_find(const struct message_ids *ids, const char *message_id,
		 size_t *count_r);
/* How many there are; mailbox NULL: in all of them. */
size_t message_ids_count(const struct message_ids *ids,
			 const char *message_id, const char *mailbox);

#endif
