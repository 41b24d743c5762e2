#include "demo-late-watch.h"
#include "demo-progress.h"
#include "process.h"

#include <string.h>

/* The promise. */
#define SEEN_MS 60000
#define POLL_MS 100

static bool problem(struct late_watch *watch, const char *what)
{
	demo_problem("%s: late mail: %s: %s", watch->user->label, what,
		     imap_error(watch->client));
	return false;
}

bool late_watch_open(struct late_watch *watch, struct demo_user *user)
{
	const struct lab *lab = user->lab->lab;
	struct imap_box box;
	const char *error;

	watch->user = user;
	if (imap_open(lab_get(lab, "NEW_IMAP"), user->name,
		      lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS,
		      &watch->client, &error) < 0) {
		demo_problem("%s: late mail: %s", user->label, error);
		return false;
	}
	if (imap_select(watch->client, "INBOX", &box) != IMAP_OK)
		return problem(watch, "SELECT");
	if (user->late.next_uid == 0)
		user->late.next_uid = box.uidnext;
	imap_clear(watch->client);
	return true;
}

void late_watch_close(struct late_watch *watch)
{
	imap_logout(&watch->client);
}

/* What the new server has anyway doesn't count. */
static unsigned int count_unseen(const struct late_list *list)
{
	unsigned int i, count = 0;

	for (i = 0; i < list->count; i++) {
		if (list->mails[i].accepted_ms != 0 &&
		    list->mails[i].kind == LATE_AT_OLD &&
		    list->mails[i].seen_ms == 0)
			count++;
	}
	return count;
}

static void note_seen(struct late_list *list, const struct imap_fetch *fetch)
{
	struct late_mail *mail;
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		mail = &list->mails[i];
		if (mail->seen_ms == 0 &&
		    memmem(fetch->body, fetch->body_size, mail->message_id,
			   strlen(mail->message_id)) != NULL)
			mail->seen_ms = now_ms();
	}
}

static bool look(struct late_watch *watch)
{
	struct late_list *list = &watch->user->late;
	const struct imap_response *resp;
	uint32_t first = list->next_uid;
	struct imap_fetch fetch;

	imap_clear(watch->client);
	if (imap_run(watch->client, "UID FETCH %u:* (UID "
		     "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])", first) !=
	    IMAP_OK)
		return problem(watch, "FETCH");
	for (resp = imap_untagged(watch->client); resp != NULL;
	     resp = resp->next) {
		/* "n:*" has the last one in any case */
		if (!imap_parse_fetch(resp, &fetch) || !fetch.has_body ||
		    fetch.uid < first)
			continue;
		note_seen(list, &fetch);
		if (fetch.uid >= list->next_uid)
			list->next_uid = fetch.uid + 1;
	}
	imap_clear(watch->client);
	return true;
}

/* Until something comes. */
static bool idle(struct late_watch *watch, uint64_t deadline)
{
	if (imap_idle_start(watch->client) != IMAP_OK)
		return problem(watch, "IDLE");
	while (imap_idle_poll(watch->client, POLL_MS) == 0 &&
	       now_ms() < deadline && !demo_is_interrupted())
		demo_progress_tick();
	if (imap_is_lost(watch->client) ||
	    imap_idle_stop(watch->client) != IMAP_OK)
		return problem(watch, "IDLE");
	return true;
}

bool late_watch_wait(struct late_watch *watch)
{
	const struct late_list *list = &watch->user->late;
	uint64_t deadline = now_ms() + SEEN_MS;

	if (!look(watch))
		return false;
	while (count_unseen(list) > 0 && !demo_is_interrupted()) {
		if (now_ms() >= deadline) {
			demo_problem("%s: %u late mails aren't seen at the "
				     "new server within a minute",
				     watch->user->label,
				     count_unseen(list));
			return false;
		}
		if (!idle(watch, deadline) || !look(watch))
			return false;
	}
	return true;
}
