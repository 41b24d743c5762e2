#include "case-late.h"
#include "message-ids.h"
#include "report-log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *or_else(const char *text, const char *other)
{
	return text == NULL ? other : text;
}

/* The date, the host that gave it, and its way before. */
static void put_received(FILE *out, const struct late_text *text)
{
	const char *by = or_else(text->by, LATE_BY_OLD);

	if (*by == '\0')
		return;
	fprintf(out, "Return-Path: <" CASE_MESSAGE_FROM ">\r\n"
		"Received: from " LATE_NAME " (" LATE_NAME " [" LATE_CLIENT
		"])\r\n\tby %s (Postfix) with ESMTPS id 4XyZ1\r\n"
		"\tfor <reader@lab.example>; Tue, 06 Jan 2026 12:00:00 +0100"
		"\r\nReceived: from desk (desk.example.org [198.51.100.9])\r\n"
		"\tby " LATE_NAME " with ESMTPSA id 77;\r\n"
		"\tTue, 06 Jan 2026 11:59:58 +0100\r\n", by);
}

char *late_text(const struct late_text *text, size_t *size_r)
{
	char *data = NULL;
	FILE *out = open_memstream(&data, size_r);

	if (out == NULL)
		abort();
	fputs(or_else(text->above, ""), out);
	put_received(out, text);
	fprintf(out, "From: " CASE_MESSAGE_FROM "\r\nTo: reader@lab.example\r\n"
		"Subject: %s\r\n", or_else(text->subject, text->id));
	if (!text->no_date)
		fprintf(out, "Date: " CASE_MESSAGE_DATE "\r\n");
	if (!text->no_id)
		fprintf(out, "Message-ID: <%s>\r\n", text->id);
	fprintf(out, "\r\n%s\r\n", or_else(text->body, text->id));
	if (fclose(out) != 0)
		abort();
	return data;
}

static void make_folders(unsigned int user, const char *folders,
			 unsigned int messages)
{
	char name[100];
	size_t size;

	for (; *folders != '\0'; folders += strspn(folders, " ")) {
		size = strcspn(folders, " ");
		snprintf(name, sizeof(name), "%s%.*s",
			 lab_get(case_lab, "OLD_PREFIX"), (int)size, folders);
		folder_make("OLD_IMAP_DIRECT", user, name, messages);
		folders += size;
	}
}

unsigned int late_user_with(const char *folders, unsigned int messages)
{
	static char lab[200];
	static unsigned int next;

	if (strcmp(lab, case_get("DIR")) == 0) {
		next++;
	} else {
		next = 0;
		snprintf(lab, sizeof(lab), "%s", case_get("DIR"));
		case_server("new", "restart", NULL);
	}
	make_folders(next, folders, messages);
	case_migration("fill -u %s", case_user(next));
	case_is_state(next, "*", "local");
	return next;
}

unsigned int late_user(void)
{
	return late_user_with("", 0);
}

uint32_t late_arrives(unsigned int user, const char *mailbox, const char *flags,
		      const struct late_text *text)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	uint32_t uid = 0;
	size_t size;
	char *data = late_text(text, &size);

	if (client != NULL)
		UNIT_CHECK(imap_append(client, mailbox, flags, LATE_DATE, data,
				       size, &uid) == IMAP_OK,
			   "APPEND %s to %s: %s", text->id, mailbox,
			   imap_error(client));
	imap_logout(&client);
	free(data);
	return uid;
}

uint32_t late_mail(unsigned int user, const char *mailbox, const char *id)
{
	const struct late_text text = { .id = id };

	return late_arrives(user, mailbox, NULL, &text);
}

void late_many(unsigned int user, unsigned int first, unsigned int count)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	struct late_text text = { .id = NULL };
	size_t size;
	char id[60], *data;

	if (client == NULL)
		return;
	for (unsigned int i = first; i < first + count; i++) {
		snprintf(id, sizeof(id), "many-%u@case.example", i);
		text.id = id;
		data = late_text(&text, &size);
		UNIT_CHECK(imap_append(client, "INBOX", NULL, NULL, data, size,
				       NULL) == IMAP_OK, "APPEND: %s",
			   imap_error(client));
		free(data);
	}
	imap_logout(&client);
}

void late_delivered_here(unsigned int user, const struct late_text *text)
{
	size_t size;
	char *data = late_text(text, &size);
	int code = case_lmtp("NEW_LMTP", user, data, size);

	UNIT_CHECK(code == 0, "LMTP of %s: %d", text->id, code);
	free(data);
}

bool late_look(unsigned int user, const char *options)
{
	return case_migration("catchup %s -u %s", options, case_user(user));
}

bool late_look_fails(unsigned int user)
{
	int status = case_doveadm("migration catchup -u %s", case_user(user));

	return UNIT_CHECK(status > 0 && status < 128,
			  "catchup: status %d: %s", status, case_output());
}

static bool take_ids(unsigned int user, struct message_ids *ids_r)
{
	const char *error = "";

	return UNIT_CHECK(message_ids_take(case_get("NEW_IMAP"),
					   case_user(user),
					   case_get("PASSWORD"),
					   CASE_TIMEOUT_MS, ids_r,
					   &error) == 0, "%s: %s",
			  case_user(user), error);
}

static unsigned int count_id(const struct message_ids *ids,
			     const char *mailbox, const char *id)
{
	char text[200];

	snprintf(text, sizeof(text), "<%s>", id);
	return (unsigned int)message_ids_count(ids, text, mailbox);
}

unsigned int late_here(unsigned int user, const char *mailbox, const char *id)
{
	struct message_ids ids;
	unsigned int count;

	if (!take_ids(user, &ids))
		return 0;
	count = count_id(&ids, mailbox, id);
	message_ids_free(&ids);
	return count;
}

bool late_is_once(unsigned int user, const char *mailbox, const char *id)
{
	unsigned int there = late_here(user, mailbox, id);
	unsigned int all = late_here(user, NULL, id);

	return UNIT_CHECK(there == 1 && all == 1, "%s is %u times in %s, and "
			  "%u times in all", id, there, mailbox, all);
}

static void look_at(const char *server, unsigned int user, const char *mailbox,
		    const char *id, struct case_mail *mail_r)
{
	struct imap_client *client = case_imap(server, user);

	memset(mail_r, 0, sizeof(*mail_r));
	if (client != NULL)
		case_mail_look(client, mailbox,
			       case_mail_find(client, mailbox, id), mail_r);
	imap_logout(&client);
}

void late_same(unsigned int user, const char *mailbox, const char *id)
{
	struct case_mail old, new;

	look_at("OLD_IMAP_DIRECT", user, mailbox, id, &old);
	look_at("NEW_IMAP", user, mailbox, id, &new);
	case_mail_same(&old, &new, id);
	/* I9: not one that the old server may give out */
	UNIT_CHECK(new.uid > old.uid + 1000, "%s: UID %u here, %u there", id,
		   new.uid, old.uid);
}

void late_many_came(unsigned int user, uint32_t before, unsigned int count)
{
	uint32_t now = folder_count("NEW_IMAP", user, "INBOX");
	struct message_ids ids;
	char id[60];

	UNIT_CHECK(now == before + count, "%u came of %u", now - before, count);
	LATE_EVENTS(user, count, "late", "");
	if (!take_ids(user, &ids))
		return;
	for (unsigned int i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "many-%u@case.example", i);
		UNIT_CHECK(count_id(&ids, "INBOX", id) == 1, "%s is %u times "
			   "in INBOX", id, count_id(&ids, "INBOX", id));
	}
	message_ids_free(&ids);
}

static const char *with_user(unsigned int user, const char *keys)
{
	static char text[500];

	snprintf(text, sizeof(text), "user=%s %s", case_user(user), keys);
	return text;
}

unsigned int late_events(unsigned int user, const char *event, const char *keys)
{
	return report_log_matches(case_get("NEW_LOG"), event,
				  with_user(user, keys));
}

const char *late_value(unsigned int user, const char *event, const char *keys,
		       const char *key)
{
	return report_log_value(case_get("NEW_LOG"), event,
				with_user(user, keys), key);
}

void late_sieve(unsigned int user, const char *script)
{
	char path[600];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/.dovecot.sieve",
		 case_get("NEW_HOME"), case_user(user));
	file = fopen(path, "w");
	if (!UNIT_CHECK(file != NULL, "%s can't be written", path))
		return;
	fputs(script, file);
	fclose(file);
}

bool late_client(const char *server, unsigned int user, const char *mailbox,
		 const char *const *commands)
{
	struct imap_client *client = case_imap(server, user);
	struct imap_box box;
	bool ok;

	if (client == NULL)
		return false;
	ok = UNIT_CHECK(imap_select(client, mailbox, &box) == IMAP_OK,
			"SELECT %s: %s", mailbox, imap_error(client));
	for (; ok && *commands != NULL; commands++)
		ok = UNIT_CHECK(imap_run(client, "%s", *commands) == IMAP_OK,
				"%s: %s", *commands, imap_error(client));
	imap_logout(&client);
	return ok;
}
