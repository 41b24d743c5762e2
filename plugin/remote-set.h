#ifndef REMOTE_SET_H
#define REMOTE_SET_H

/*
 * remote-set: sets of UIDs of a redirected mailbox, as its connection to the
 * old server knows them.
 */

#include "seq-range-array.h"

struct mailbox;
struct mail_index_view;
struct remote_burst;
struct redirected_mailbox;

/* Append "<command> <uids> <args>" to the burst, in as many commands as keep
   the lines short. args may be NULL. */
void remote_set_send(struct remote_burst *burst, const char *command,
		     const ARRAY_TYPE(seq_range) *uids, const char *args);
/* Forget those that the old server has told to be expunged. */
void remote_set_drop_gone(struct redirected_mailbox *rbox,
			  ARRAY_TYPE(seq_range) *uids);
/* A command for a UID that is new to the connection may be answered OK and do
   nothing: let it see new mails first, then forget those that are gone.
   Returns 0, -1 with the storage's error set. */
int remote_set_learn(struct redirected_mailbox *rbox,
		     ARRAY_TYPE(seq_range) *uids);

/* The keywords of a mail in that view, NULL-terminated, data stack. */
const char *const *
remote_set_keywords(struct mailbox *box, struct mail_index_view *view,
		    uint32_t seq);

#endif
