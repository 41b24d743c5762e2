#ifndef STORE_INTENTS_H
#define STORE_INTENTS_H

/*
 * store-intents: what a transaction wants to do to flags and keywords, mail by
 * mail, merged into as few STORE commands as possible (RFC 3501 6.4.6).
 *
 * The intents are recorded, not the changes to the index: that may be stale,
 * and what looks needless there may not be so on the server.
 */

#include "seq-range-array.h"
#include "mail-types.h"

struct store_intents;

/* A STORE command: "UID STORE <uids> <args>". */
struct store_command {
	ARRAY_TYPE(seq_range) uids;
	/* e.g. "+FLAGS (\\Seen $Done)" */
	const char *args;
};
ARRAY_DEFINE_TYPE(store_command, struct store_command);

struct store_intents *store_intents_init(void);
void store_intents_deinit(struct store_intents **intents);

void store_intents_flags(struct store_intents *intents, uint32_t uid,
			 enum modify_type modify_type, enum mail_flags flags);
/* current: the keywords that the mail is thought to have; used only where a
   REPLACE of keywords isn't joined by one of flags. NULL-terminated. */
void store_intents_keywords(struct store_intents *intents, uint32_t uid,
			    enum modify_type modify_type,
			    const char *const *keywords,
			    const char *const *current);

bool store_intents_is_empty(const struct store_intents *intents);
/* Is it to add these flags and nothing else? */
bool store_intents_only_add(const struct store_intents *intents,
			    enum mail_flags flags);
/* All UIDs with an intent. */
void store_intents_uids(const struct store_intents *intents,
			ARRAY_TYPE(seq_range) *uids);
/* Append the commands that carry out the intents for those UIDs. What they
   point to lives as long as the intents. */
void store_intents_commands(const struct store_intents *intents,
			    const ARRAY_TYPE(seq_range) *uids,
			    ARRAY_TYPE(store_command) *commands);
/* Are these the flags that the intent wanted? Only flags in `flags_mask` and,
   with check_keywords, keywords are looked at. */
bool store_intents_match(const struct store_intents *intents, uint32_t uid,
			 enum mail_flags flags_mask, bool check_keywords,
			 enum mail_flags flags, const char *const *keywords);
/* Do the intents make exactly these flags and keywords of the old ones? */
bool store_intents_result_is(const struct store_intents *intents, uint32_t uid,
			     enum mail_flags old_flags,
			     const char *const *old_keywords,
			     enum mail_flags flags,
			     const char *const *keywords);

#endif
