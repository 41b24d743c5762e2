#ifndef INVENTORY_H
#define INVENTORY_H

/*
 * inventory: what is known of each message of a mailbox, but its bytes.
 *
 * Kept in ascending order of UID. 32 bytes a message and each distinct set of
 * keywords once, so that 200,000 messages in a folder are fine.
 */

#include "mail-types.h"
#include "seq-range-array.h"

/* flags that both sides keep: not \Recent */
#define INVENTORY_FLAGS (MAIL_FLAGS_MASK ^ MAIL_RECENT)

struct inventory_item {
	uint32_t uid;
	enum mail_flags flags:8;
	/* minutes */
	int tz_offset:16;
	/* sorted, distinct, NULL-terminated; the same pointer for the same
	   set within one inventory_keywords. NULL for none. */
	const char *const *keywords;
	/* UTC */
	time_t date;
	uint64_t size;
};
ARRAY_DEFINE_TYPE(inventory_item, struct inventory_item);

/* Sets of keywords, shared by the inventories that are to be compared. */
struct inventory_keywords;

struct inventory_keywords *inventory_keywords_init(void);
void inventory_keywords_deinit(struct inventory_keywords **keywords);
/* Keyword names are compared without case, as IMAP has them. */
const char *const *
inventory_keywords_get(struct inventory_keywords *keywords,
		       const char *const *names);

/* "\\Seen $Done" and back; \Recent and unknown system flags are left out. */
void inventory_flags_parse(struct inventory_keywords *keywords, const char *str,
			   enum mail_flags *flags_r,
			   const char *const **keywords_r);
void inventory_flags_append(string_t *str, enum mail_flags flags,
			    const char *const *keywords);

struct inventory {
	struct inventory_keywords *keywords;
	ARRAY_TYPE(inventory_item) items;
	/* Of items: UIDs of those that don't have all that was asked for, for
	   the server doesn't tell it. Nothing is made up for them. */
	ARRAY_TYPE(seq_range) unknown;
};

void inventory_init(struct inventory *inventory,
		    struct inventory_keywords *keywords);
void inventory_deinit(struct inventory *inventory);
void inventory_clear(struct inventory *inventory);
/* An empty one is going to have so many. */
void inventory_expect(struct inventory *inventory, unsigned int count);
void inventory_remove(struct inventory *inventory,
		      const ARRAY_TYPE(seq_range) *uids);

/* The item of that UID, added when it isn't there; *added_r tells. */
struct inventory_item *
inventory_get(struct inventory *inventory, uint32_t uid, bool *added_r);
/* NULL when it isn't there */
const struct inventory_item *
inventory_find(const struct inventory *inventory, uint32_t uid);

#endif
