/*
 * imap-steps: commands of a client that parts mirror and proxy take the time of
 *
 * Each waits for its tagged answer and looks at what came: what isn't what was
 * asked for ends the program (bench_fail()).
 */
#ifndef IMAP_STEPS_H
#define IMAP_STEPS_H

#include "lane-mail.h"

struct imap_visit {
	/* Of the tool, for messages. */
	const char *tool;
	struct imap_client *client;
	/* Those that INBOX had in the beginning. */
	unsigned int messages;
};

void __attribute__((noreturn))
imap_step_fail(const struct imap_visit *visit, const char *what);
void imap_step_want(const struct imap_visit *visit, bool ok, const char *what);
/* How many untagged answers have that name. */
unsigned int imap_step_count(const struct imap_visit *visit, const char *name);

void imap_step_select(const struct imap_visit *visit, const char *mailbox,
		      unsigned int messages);
/* What a list of mails shows. */
void imap_step_envelopes(const struct imap_visit *visit, unsigned int first,
			 unsigned int last);
/* BODY[] of a mail that is \Seen. */
void imap_step_body(const struct imap_visit *visit, uint32_t uid);
void imap_step_store(const struct imap_visit *visit, uint32_t uid, bool add);
/* All folders, pipelined. */
void imap_step_status(const struct imap_visit *visit);

#endif
