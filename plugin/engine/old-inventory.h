#ifndef OLD_INVENTORY_H
#define OLD_INVENTORY_H

/*
 * old-inventory: what the open mailbox of the old server has, without bodies.
 */

#include "old-client.h"
#include "inventory.h"

/* Each leaves out UIDs from end_uid (UIDNEXT at the time the mailbox was
   opened) on: of what arrives meanwhile a server may show but a part. Where it
   shows but a part of another message it is asked once more; what it then still
   doesn't tell makes the message one of inventory->unknown. */

/* All messages with UIDs from first_uid on: flags, dates and sizes. */
int old_inventory_get(struct old_client *client, uint32_t first_uid,
		      uint32_t end_uid, struct inventory *inventory,
		      enum mail_error *error_code_r, const char **error_r);
/* Flags alone of all messages. */
int old_inventory_get_flags(struct old_client *client, uint32_t end_uid,
			    struct inventory *inventory,
			    enum mail_error *error_code_r,
			    const char **error_r);
/* The messages that changed or are new since modseq (RFC 7162): flags, dates
   and sizes. */
int old_inventory_get_changed(struct old_client *client, uint64_t modseq,
			      uint32_t end_uid, struct inventory *inventory,
			      enum mail_error *error_code_r,
			      const char **error_r);

/* The same as old_inventory_get() from UID 1 for one of many in flight. */
struct inventory_fetch;
struct inventory_fetch *
old_inventory_send(struct old_client *client, uint32_t end_uid,
		   struct inventory *inventory);
/* Once it is answered. TRUE: the inventory has all. */
bool old_inventory_end(struct inventory_fetch **fetch);

#endif
