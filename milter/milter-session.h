/*
 * milter-session: what is known of a connection of the MTA's, and of the mail in it
 *
 * A session keeps the settings that it began with. It is used by one thread at a
 * time. Strings that aren't known are "" or NULL.
 */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include "mail-decision.h"
#include "milter-config.h"

#include <arpa/inet.h>

#define SESSION_NAME_SIZE 256

/* One mail's envelope; all from malloc(). */
struct session_mail {
	/* Between MAIL and the end of the mail. */
	bool open;
	/* Out of memory: the mail passes as it is. */
	bool failed;
	/* In "<>". */
	char *from;
	bool sender_migrates;
	bool submitted;
	char auth[SESSION_NAME_SIZE];
	char tls[32];
	/* What MAIL FROM declared, -1 when it didn't. */
	long long size;
	/* Recipients of migrating domains, in "<>". */
	char **to;
	unsigned int to_count, to_allocated;
	/* All of them. */
	unsigned int recipients;
};

struct milter_session {
	struct milter_config *config;
	/* A client speaks SMTP to the MTA, and can be told to come back. */
	bool smtp;
	/* The MTA waits for an answer to each RCPT. */
	bool answers_rcpt;
	char client[INET6_ADDRSTRLEN];
	/* Only when the MTA looked it up both ways. */
	char name[SESSION_NAME_SIZE];
	char helo[SESSION_NAME_SIZE];
	struct session_mail mail;
	struct mail_headers headers;
};

/* Takes a reference of the settings. NULL when out of memory. */
struct milter_session *milter_session_init(struct milter_config *config);
void milter_session_deinit(struct milter_session **session);

/* The client's address; NULL: there is none. */
void milter_session_set_client(struct milter_session *session,
			       const struct sockaddr *addr);
void milter_session_begin_mail(struct milter_session *session,
			       const char *from);
/* The ESMTP parameters of MAIL FROM, ended by NULL. */
void milter_session_set_params(struct milter_session *session, char **params);
/* Is the address in a domain that migrates? */
bool milter_session_migrates(const struct milter_session *session,
			     const char *address);
void milter_session_add_recipient(struct milter_session *session,
				  const char *to, bool migrates);
/* Forgets the mail. Nothing happens when there's none. */
void milter_session_end_mail(struct milter_session *session);

/* For mail_decide(). */
void milter_session_facts(const struct milter_session *session,
			  struct mail_facts *facts_r);

#endif
