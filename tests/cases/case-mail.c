#include "case-mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FLAGS 50

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *case_mail_flags(const struct imap_arg *flag)
{
	static char text[sizeof(((struct case_mail *)NULL)->flags)];
	const char *words[MAX_FLAGS];
	unsigned int count = 0;

	for (; flag != NULL && count < MAX_FLAGS; flag = flag->next) {
		if (!imap_arg_is(flag, "\\Recent"))
			words[count++] = flag->data;
	}
	qsort(words, count, sizeof(*words), compare_words);
	text[0] = '\0';
	for (unsigned int i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%s", i == 0 ? "" : " ", words[i]);
	return text;
}

/* FNV-1a: to tell bodies apart, not to resist anybody. */
static uint64_t hash(const char *data, size_t size)
{
	uint64_t value = 0xcbf29ce484222325;

	for (; size > 0; data++, size--) {
		value ^= (unsigned char)*data;
		value *= 0x100000001b3;
	}
	return value;
}

static void take(const struct imap_fetch *fetch, struct case_mail *mail_r)
{
	mail_r->uid = fetch->uid;
	snprintf(mail_r->flags, sizeof(mail_r->flags), "%s",
		 case_mail_flags(fetch->flags));
	mail_r->size = fetch->size;
	mail_r->hash = hash(fetch->body, fetch->body_size);
	if (fetch->internaldate == NULL ||
	    imap_parse_date(fetch->internaldate, &mail_r->instant) < 0)
		mail_r->uid = 0;
}

void case_mail_see(struct imap_client *client, uint32_t uid,
		   struct case_mail *mail_r)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;

	memset(mail_r, 0, sizeof(*mail_r));
	imap_clear(client);
	if (!UNIT_CHECK(imap_run(client, "UID FETCH %u (UID FLAGS INTERNALDATE "
				 "RFC822.SIZE BODY.PEEK[])", uid) == IMAP_OK,
			"FETCH: %s", imap_error(client)))
		return;
	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (imap_parse_fetch(resp, &fetch) && fetch.uid == uid &&
		    fetch.has_body)
			take(&fetch, mail_r);
	}
}

static bool examine(struct imap_client *client, const char *mailbox)
{
	struct imap_box box;

	return UNIT_CHECK(imap_examine(client, mailbox, &box) == IMAP_OK,
			  "EXAMINE %s: %s", mailbox, imap_error(client));
}

void case_mail_look(struct imap_client *client, const char *mailbox,
		    uint32_t uid, struct case_mail *mail_r)
{
	memset(mail_r, 0, sizeof(*mail_r));
	if (examine(client, mailbox))
		case_mail_see(client, uid, mail_r);
}

uint32_t case_mail_find(struct imap_client *client, const char *mailbox,
			const char *id)
{
	const struct imap_response *resp;
	uint64_t uid;

	if (!examine(client, mailbox))
		return 0;
	imap_clear(client);
	if (!UNIT_CHECK(imap_run(client, "UID SEARCH HEADER Message-ID <%s>",
				 id) == IMAP_OK, "SEARCH: %s",
			imap_error(client)))
		return 0;
	resp = imap_find(imap_untagged(client), "SEARCH");
	if (resp == NULL || resp->args == NULL)
		return 0;
	UNIT_CHECK(resp->args->next == NULL, "%s is more than once in %s", id,
		   mailbox);
	return imap_parse_number(resp->args->data, UINT32_MAX, &uid) ?
		(uint32_t)uid : 0;
}

bool case_mail_same(const struct case_mail *a, const struct case_mail *b,
		    const char *what)
{
	if (!UNIT_CHECK(a->uid != 0 && b->uid != 0, "%s: UID %u and %u: isn't "
			"there", what, a->uid, b->uid))
		return false;
	return UNIT_CHECK(strcmp(a->flags, b->flags) == 0,
			  "%s: flags (%s) and (%s)", what, a->flags, b->flags) &
		UNIT_CHECK(a->instant == b->instant, "%s: date %lld and %lld",
			   what, (long long)a->instant, (long long)b->instant) &
		UNIT_CHECK(a->size == b->size && a->hash == b->hash,
			   "%s: bytes differ (%llu and %llu)", what,
			   (unsigned long long)a->size,
			   (unsigned long long)b->size);
}
