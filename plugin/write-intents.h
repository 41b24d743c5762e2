#ifndef WRITE_INTENTS_H
#define WRITE_INTENTS_H

/*
 * write-intents: what a transaction wants to do to mails that are there: flags,
 * keywords and expunges, for the old server to do first.
 *
 * One for each transaction that wants any, in the transaction's module context;
 * its commit and its rollback free it. A mail that is just being saved gets its
 * flags with it and isn't recorded.
 */

#include "mail-storage-private.h"
#include "store-intents.h"

struct write_intents {
	struct store_intents *stores;
	ARRAY_TYPE(seq_range) expunges;
};

/* Record it. FALSE when the mail is just being saved. */
bool write_intents_flags(struct mail *mail, enum modify_type modify_type,
			 enum mail_flags flags);
bool write_intents_keywords(struct mail *mail, enum modify_type modify_type,
			    const struct mail_keywords *keywords);
bool write_intents_expunge(struct mail *mail);

/* NULL when it wants nothing. */
struct write_intents *
write_intents_get(struct mailbox_transaction_context *t);
/* NULL is fine, and freed twice as well. */
void write_intents_free(struct mailbox_transaction_context *t);

/* The index' MODSEQs miss conflicts on the old server: UNCHANGEDSINCE can't be
   had. Returns 0, -1 with the storage's error set. */
int write_intents_check(struct mailbox_transaction_context *t);

/* The names of keywords, NULL-terminated, data stack. */
const char *const *
write_intents_keyword_names(struct mailbox *box,
			    const struct mail_keywords *keywords);

#endif
