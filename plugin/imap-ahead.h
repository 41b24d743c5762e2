#ifndef IMAP_AHEAD_H
#define IMAP_AHEAD_H

/*
 * imap-ahead: the STATUS commands that an IMAP client has sent already.
 *
 * They are read where they lie, in the input buffer of Dovecot's imap process;
 * nothing of it is taken away. A command is known by where its line ends in all
 * that the client has sent. Only names that come as an atom or a plain quoted
 * string are understood; the commands behind any other aren't looked at.
 */

#include "status-ahead.h"

struct mail_user;

/* The mark of the STATUS command that is being executed; 0 when none is, or the
   process isn't imap. */
uint64_t imap_ahead_mark(struct mail_user *user);
/* Adds those that follow it without anything between them, not more than max. */
void imap_ahead_get(struct mail_user *user, unsigned int max, pool_t pool,
		    ARRAY_TYPE(status_ahead) *next);

#endif
