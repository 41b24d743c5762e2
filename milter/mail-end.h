/*
 * mail-end: what is done with a mail when all of it was seen
 *
 * Decides (mail-decision), changes the headers, and reports. The changes are made
 * through mail_edit, so that a test can take libmilter's place.
 *
 * The lines are written here, before the MTA has said that it takes the mail: a
 * milter behind this one, or the MTA itself, may still refuse it.
 */
#ifndef MAIL_END_H
#define MAIL_END_H

#include "milter-session.h"

enum mail_verdict {
	MAIL_ACCEPT,
	/* It went round too often. */
	MAIL_REFUSE
};

/* Each returns 0, or -1 when the MTA can't be told so. */
struct mail_edit {
	void *context;
	/* The n-th Mail-Migration header, from 1. */
	int (*remove_tag)(void *context, unsigned int n);
	/* A new one above all headers. */
	int (*add_tag)(void *context, const char *value);
};

/* id: the queue ID, or NULL. *rounds_r is set for a mail that is refused. */
enum mail_verdict mail_end(struct milter_session *session, const char *id,
			   const struct mail_edit *edit,
			   unsigned int *rounds_r);

#endif
