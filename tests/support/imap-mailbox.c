/*
 * imap-mailbox: SELECT, EXAMINE and APPEND on the client of imap-client.h
 */
#include "imap-client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "NAME number" in a response code. */
static bool code_number(const char *code, const char *name, uint64_t *number_r)
{
	size_t len = strlen(name);

	return strncasecmp(code, name, len) == 0 && code[len] == ' ' &&
		imap_parse_number(code + len + 1, UINT64_MAX, number_r);
}

static void box_code(struct imap_box *box, const char *code)
{
	uint64_t number;

	if (code_number(code, "UIDVALIDITY", &number))
		box->uidvalidity = (uint32_t)number;
	else if (code_number(code, "UIDNEXT", &number))
		box->uidnext = (uint32_t)number;
	else if (code_number(code, "HIGHESTMODSEQ", &number))
		box->highestmodseq = number;
	else if (strcasecmp(code, "NOMODSEQ") == 0)
		box->nomodseq = true;
}

static enum imap_status
open_box(struct imap_client *client, const char *command, const char *mailbox,
	 struct imap_box *box_r)
{
	const struct imap_response *resp;
	const char *code;
	unsigned int tag;

	memset(box_r, 0, sizeof(*box_r));
	imap_clear(client);
	tag = imap_start(client);
	imap_text(client, "%s ", command);
	imap_mailbox(client, mailbox);
	imap_end(client);
	if (imap_wait(client, tag) != IMAP_OK)
		return imap_reply(client)->status;
	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (resp->code != NULL)
			box_code(box_r, resp->code);
	}
	box_r->exists = imap_exists(client);
	code = imap_reply(client)->code;
	box_r->read_only = code != NULL && strcasecmp(code, "READ-ONLY") == 0;
	return IMAP_OK;
}

enum imap_status imap_select(struct imap_client *client, const char *mailbox,
			     struct imap_box *box_r)
{
	return open_box(client, "SELECT", mailbox, box_r);
}

enum imap_status imap_examine(struct imap_client *client, const char *mailbox,
			      struct imap_box *box_r)
{
	return open_box(client, "EXAMINE", mailbox, box_r);
}

unsigned int imap_append_start(struct imap_client *client, const char *mailbox)
{
	unsigned int tag = imap_start(client);

	imap_text(client, "APPEND ");
	imap_mailbox(client, mailbox);
	return tag;
}

bool imap_append_add(struct imap_client *client, const char *flags,
		     const char *internaldate, const void *data, size_t size)
{
	if (flags != NULL)
		imap_text(client, " (%s)", flags);
	if (internaldate != NULL)
		imap_text(client, " \"%s\"", internaldate);
	imap_text(client, " ");
	return imap_literal(client, data, size);
}

unsigned int imap_append_send(struct imap_client *client, const char *mailbox,
			      const char *flags, const char *internaldate,
			      const void *data, size_t size)
{
	unsigned int tag = imap_append_start(client, mailbox);

	(void)imap_append_add(client, flags, internaldate, data, size);
	imap_end(client);
	return tag;
}

enum imap_status imap_append(struct imap_client *client, const char *mailbox,
			     const char *flags, const char *internaldate,
			     const void *data, size_t size, uint32_t *uid_r)
{
	enum imap_status status;
	uint32_t uidvalidity;
	uint64_t uid;
	char *uids;

	status = imap_wait(client, imap_append_send(client, mailbox, flags,
						    internaldate, data, size));
	if (uid_r == NULL)
		return status;
	*uid_r = 0;
	if (status == IMAP_OK &&
	    imap_parse_appenduid(imap_reply(client)->code, &uidvalidity,
				 &uids)) {
		if (imap_parse_number(uids, UINT32_MAX, &uid))
			*uid_r = (uint32_t)uid;
		free(uids);
	}
	return status;
}
