#ifndef PROXY_EXPUNGE_H
#define PROXY_EXPUNGE_H

/*
 * proxy-expunge: expunge mails on the old server, acknowledged only when it
 * has told that they are gone (I1).
 *
 * With UIDPLUS (RFC 4315) \Deleted and UID EXPUNGE go out in one burst.
 * Without it, the \Deleted of other mails is taken away for the moment of the
 * EXPUNGE: nobody else's mail is ever expunged.
 */

#include "seq-range-array.h"

struct redirected_mailbox;

/* Returns 0, -1 with the storage's error set; the uids that are left then may
   or may not have been expunged. */
int proxy_expunge(struct redirected_mailbox *rbox,
		  ARRAY_TYPE(seq_range) *uids);

#endif
