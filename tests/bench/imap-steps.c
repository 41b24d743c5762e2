#include "imap-steps.h"

#include <stdlib.h>

void imap_step_fail(const struct imap_visit *visit, const char *what)
{
	bench_fail("%s: %s: %s", visit->tool, what,
		   imap_error(visit->client));
}

void imap_step_want(const struct imap_visit *visit, bool ok, const char *what)
{
	if (!ok)
		imap_step_fail(visit, what);
}

unsigned int imap_step_count(const struct imap_visit *visit, const char *name)
{
	const struct imap_response *resp;
	unsigned int count = 0;

	for (resp = imap_find(imap_untagged(visit->client), name);
	     resp != NULL; resp = imap_find(resp->next, name))
		count++;
	return count;
}

void imap_step_select(const struct imap_visit *visit, const char *mailbox,
		      unsigned int messages)
{
	struct imap_box box;

	imap_step_want(visit, imap_select(visit->client, mailbox, &box) ==
		       IMAP_OK && box.exists >= messages, "SELECT");
}

void imap_step_envelopes(const struct imap_visit *visit, unsigned int first,
			 unsigned int last)
{
	imap_step_want(visit, imap_run(visit->client, "FETCH %u:%u (UID FLAGS "
				       "INTERNALDATE RFC822.SIZE ENVELOPE)",
				       first, last) == IMAP_OK &&
		       imap_step_count(visit, "FETCH") == last - first + 1,
		       "FETCH");
}

void imap_step_body(const struct imap_visit *visit, uint32_t uid)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;

	imap_step_want(visit, imap_run(visit->client, "UID FETCH %u BODY[]",
				       uid) == IMAP_OK, "FETCH of a body");
	resp = imap_find(imap_untagged(visit->client), "FETCH");
	imap_step_want(visit, resp != NULL && imap_parse_fetch(resp, &fetch) &&
		       fetch.uid == uid && fetch.body_size > 0,
		       "a body doesn't come");
}

void imap_step_store(const struct imap_visit *visit, uint32_t uid, bool add)
{
	imap_step_want(visit, imap_run(visit->client, "UID STORE %u %cFLAGS "
				       "(\\Answered)", uid,
				       add ? '+' : '-') == IMAP_OK &&
		       imap_step_count(visit, "FETCH") > 0, "STORE");
}

void imap_step_status(const struct imap_visit *visit)
{
	unsigned int i, tag = 0;

	for (i = 0; i < LANE_FOLDERS; i++)
		tag = imap_send(visit->client, "STATUS %s (MESSAGES UIDNEXT "
				"UNSEEN)", lane_folder(i));
	imap_step_want(visit, imap_wait(visit->client, tag) == IMAP_OK &&
		       imap_step_count(visit, "STATUS") == LANE_FOLDERS,
		       "STATUS");
}
