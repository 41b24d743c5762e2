#ifndef DELIVER_REQUEST_H
#define DELIVER_REQUEST_H

/*
 * deliver-request: a mail for the deliverer as a line of deliver-protocol.h,
 * and back.
 *
 * Whatever the line is, what is parsed can be saved: the mailbox name is UTF-8,
 * and nothing has a control character.
 */

#include "engine/late-deliver.h"

/* Without its LF; in the data stack. Addresses and a UIDL that can't be said in
   it are left out. */
const char *deliver_request_line(const struct late_mail *mail);

/* words: NULL-terminated, unescaped; they are copied to pool. mail_r->fd is -1.
   Returns 0; -1 with an error that says what was expected. */
int deliver_request_parse(const char *const *words, pool_t pool,
			  struct late_mail *mail_r, const char **error_r);

#endif
