/*
 * test-mirror-news: what others do on the old server is told to the new one's
 * clients
 */
#include "test-mirror-session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wish {
	const char *response, *text;
	bool idling;
};

static bool is_told(void *context)
{
	struct wish *wish = context;
	const struct imap_response *resp;

	if (wish->idling)
		(void)imap_idle_poll(session, 50);
	else
		(void)imap_run(session, "NOOP");
	resp = imap_untagged(session);
	while ((resp = imap_find(resp, wish->response)) != NULL) {
		if (strstr(resp->raw, wish->text) != NULL)
			return true;
		resp = resp->next;
	}
	return false;
}

/* How long it took is printed: a busy machine is no failure. */
static void hears(const char *response, const char *text, bool idling)
{
	struct wish wish = {
		.response = response, .text = text, .idling = idling,
	};
	uint64_t begin = now_ms();

	if (UNIT_CHECK(wait_until(is_told, &wish, CASE_MIRROR_PATIENCE_MS),
		       "%s: not told of %s %s", idling ? "IDLE" : "NOOP",
		       response, text))
		printf("%s %s: %u ms; ", idling ? "IDLE" : "NOOP", response,
		       (unsigned int)(now_ms() - begin));
}

static void hears_all(bool idling)
{
	struct imap_client *direct = case_imap("OLD_IMAP_DIRECT", 0);
	char id[64], *data;
	struct imap_box box;
	size_t size;

	if (direct == NULL)
		return;
	snprintf(id, sizeof(id), "direct-%d@case.example", idling);
	data = case_message(id, 900, &size);
	session_ok("NOOP");
	imap_clear(session);
	if (idling)
		session_done(imap_idle_start(session), "IDLE");
	UNIT_CHECK(imap_append(direct, "INBOX", NULL, NULL, data, size,
			       NULL) == IMAP_OK, "%s", imap_error(direct));
	hears("EXISTS", "", idling);
	UNIT_CHECK(imap_select(direct, "INBOX", &box) == IMAP_OK &&
		   imap_run(direct, "STORE * +FLAGS ($Direct)") == IMAP_OK,
		   "%s", imap_error(direct));
	hears("FETCH", "$Direct", idling);
	UNIT_CHECK(imap_run(direct, "STORE * +FLAGS.SILENT (\\Deleted)") ==
		   IMAP_OK && imap_run(direct, "EXPUNGE") == IMAP_OK, "%s",
		   imap_error(direct));
	hears("EXPUNGE", "", idling);
	if (idling)
		session_done(imap_idle_stop(session), "DONE");
	imap_logout(&direct);
	free(data);
}

static bool status_is(void *context)
{
	const struct imap_response *resp;
	unsigned int tag = imap_start(session);
	char text[40];

	imap_clear(session);
	imap_text(session, "STATUS ");
	imap_mailbox(session, case_mirror_name("Other"));
	imap_text(session, " (MESSAGES)");
	imap_end(session);
	(void)imap_wait(session, tag);
	snprintf(text, sizeof(text), "(MESSAGES %u)", *(uint32_t *)context);
	resp = imap_find(imap_untagged(session), "STATUS");
	return resp != NULL && strstr(resp->raw, text) != NULL;
}

static void hears_of_others(void)
{
	const char *other = case_mirror_name("Other");
	struct imap_box box;
	size_t size;
	char *data = case_message("status@case.example", 900, &size);

	UNIT_CHECK(imap_append(session_watch.old, other, NULL, NULL, data, size,
			       NULL) == IMAP_OK &&
		   imap_examine(session_watch.old, other, &box) == IMAP_OK,
		   "APPEND: %s", imap_error(session_watch.old));
	free(data);
	UNIT_CHECK(wait_until(status_is, &box.exists, CASE_MIRROR_PATIENCE_MS),
		   "STATUS isn't (MESSAGES %u)", box.exists);
}

static void hears_by_noop(void)
{
	hears_all(false);
}

static void hears_by_idle(void)
{
	hears_all(true);
}

const struct mirror_part mirror_news[] = {
	{ "NOOP", hears_by_noop },
	{ "IDLE", hears_by_idle },
	{ "STATUS", hears_of_others },
	{ NULL, NULL }
};
