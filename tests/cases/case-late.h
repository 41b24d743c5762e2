/*
 * case-late: mail that arrives at the old server after the cutover, and what a
 * catch-up makes of it; for tests of the propagation period
 *
 * Fails aloud, as in case.h. A case has a user of its own, whose mailboxes are
 * local: events and mails of others can't be taken for its own.
 */
#ifndef CASE_LATE_H
#define CASE_LATE_H

#include "case-folder.h"
#include "case-mail.h"

/* Looks are only those of late_look(). */
#define LATE_SETTINGS CASE_NO_LOOKS

/* Who says that he received it, and from whom. */
#define LATE_BY_OLD "old.lab.example"
#define LATE_BY_NEW "new.lab.example"
#define LATE_CLIENT "192.0.2.7"
#define LATE_NAME "mail.example.net"

/* A mail; what is NULL is made of the id, and is the same for the same id. */
struct late_text {
	/* without <> */
	const char *id;
	/* The server that received it last; "": a client has saved it.
	   NULL: the old one. */
	const char *by;
	const char *subject, *body;
	/* More headers, above all others; each ended by CRLF. */
	const char *above;
	/* without Message-ID; without Date */
	bool no_id, no_date;
};

/* From malloc(), with CRLFs. */
char *late_text(const struct late_text *text, size_t *size_r);

/* The next user of the lab: filled, all of his mailboxes local. The first one
   restarts the new server, whose sessions have the program's settings then. */
unsigned int late_user(void);
/* The same with these folders on the old server, "Work Lists", each with so
   many messages: NAME-N@case.example. */
unsigned int late_user_with(const char *folders, unsigned int messages);

/* It is in that mailbox of the old server, as from a delivery there, with these
   flags unless NULL, and this INTERNALDATE. Returns its UID, where that is
   told. */
#define LATE_DATE "06-Jan-2026 08:09:10 -0300"
uint32_t late_arrives(unsigned int user, const char *mailbox, const char *flags,
		      const struct late_text *text);
/* One of that id. */
uint32_t late_mail(unsigned int user, const char *mailbox, const char *id);
/* many-N@case.example, N from first on, into INBOX. */
void late_many(unsigned int user, unsigned int first, unsigned int count);
/* It is delivered by the new server. */
void late_delivered_here(unsigned int user, const struct late_text *text);

/* A catch-up, asserted to succeed; with these options, "" for none. */
bool late_look(unsigned int user, const char *options);
/* The same, that fails. */
bool late_look_fails(unsigned int user);

/* How many mails of that id the user has here in that mailbox; NULL: in all. */
unsigned int late_here(unsigned int user, const char *mailbox, const char *id);
/* Asserts that it is here once, in that mailbox. */
bool late_is_once(unsigned int user, const char *mailbox, const char *id);
/* Asserts that the mailbox has the same mail as the old server's, but for its
   UID. */
void late_same(unsigned int user, const char *mailbox, const char *id);
/* Asserts that all of late_many() are in INBOX, once, and nothing else since it
   had so many messages. */
void late_many_came(unsigned int user, uint32_t before, unsigned int count);

/* How many report lines there are of the user with these, "ok=yes new=0". */
unsigned int late_events(unsigned int user, const char *event,
			 const char *keys);
/* The value of a key on the last of them; static. */
const char *late_value(unsigned int user, const char *event, const char *keys,
		       const char *key);
/* Asserts so many of them. */
#define LATE_EVENTS(user, count, event, keys) do { \
	unsigned int late_seen = late_events(user, event, keys); \
	UNIT_CHECK(late_seen == (count), "%u lines event=%s %s, not %u", \
		   late_seen, event, keys, (unsigned int)(count)); \
} while (0)

/* The user's Sieve script here. */
void late_sieve(unsigned int user, const char *script);
/* Any commands on a mailbox that is selected on that server, ended by NULL. */
bool late_client(const char *server, unsigned int user, const char *mailbox,
		 const char *const *commands);

#endif
