/*
 * sent-mail: mail as the world sends it, by SMTP, with a Message-ID of its own
 *
 * Number n of a seed always has the same subject and body. The Message-ID, the
 * sender and the date are the caller's, so that one mail can be sent to two
 * servers, or two mails share a Message-ID.
 */
#ifndef SENT_MAIL_H
#define SENT_MAIL_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SENT_MAIL_ID_SIZE 96

struct sent_mail {
	/* with <> */
	char message_id[SENT_MAIL_ID_SIZE];
	/* of the envelope and of From; the caller's */
	const char *from;
	time_t date;
	/* from malloc(), with CRLFs */
	char *data;
	size_t size;
};

/* Writes data, from the members before it. Runs out of memory by abort(). */
void sent_mail_make(struct sent_mail *mail, uint64_t seed, unsigned int n);
void sent_mail_free(struct sent_mail *mail);

/* Gives it to a server that speaks SMTP (HOST:PORT), on a connection of its
   own. Returns the code that it answered, 0 when the connection failed or was
   lost. *error_r is static, and set for whatever isn't 2xx. */
int sent_mail_send(const struct sent_mail *mail, const char *smtp,
		   const char *to, unsigned int timeout_ms,
		   const char **error_r);

#endif
