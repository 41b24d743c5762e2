#ifndef REFUSED_MAILBOX_H
#define REFUSED_MAILBOX_H

/*
 * refused-mailbox: a mailbox that can be served from neither server now.
 *
 * Made of a local mailbox object that is never opened: everything that would
 * look at the mailbox or change it fails with the reason.
 */

#include "mail-error.h"

struct mailbox;

/* From the mailbox_allocated hook. The error is copied. */
void refused_mailbox_init(struct mailbox *box, enum mail_error error_code,
			  const char *error);

#endif
