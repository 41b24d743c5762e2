#ifndef MIRRORED_SAVE_H
#define MIRRORED_SAVE_H

/*
 * mirrored-save: mails that are saved into mirrored mailboxes, as ops of a
 * WRITE (worker/worker-protocol.h).
 *
 * They are saved the stock way, into a transaction that is rolled back later,
 * and their bytes are put aside on the way. One that comes from another
 * mirrored mailbox of the user is copied by the old server itself.
 */

#include "array.h"

struct mailbox_vfuncs;
struct mailbox_transaction_context;

/* Override what is ours. */
void mirrored_save_init(struct mailbox_vfuncs *v);

bool mirrored_saves_any(struct mailbox_transaction_context *t);
/* Is one of them copied by the old server? */
bool mirrored_saves_any_copies(struct mailbox_transaction_context *t);
/* Append the words of their ops. Unless with_copies is set they are all
   appended. The bytes are in *fd_r, an unlinked file that lives until
   mirrored_saves_free(); -1: none. Returns 0, -1 with the storage's error set. */
int mirrored_saves_write(struct mailbox_transaction_context *t,
			 bool with_copies, ARRAY_TYPE(const_string) *words,
			 int *fd_r);
void mirrored_saves_free(struct mailbox_transaction_context *t);

#endif
