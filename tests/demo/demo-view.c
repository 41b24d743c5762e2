#include "demo-view.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *flag;
	char letter;
} letters[VIEW_FLAGS] = {
	{ "\\Answered", 'A' }, { "\\Flagged", 'F' }, { "\\Seen", 'S' }
};

void view_flags_add(struct view_message *message, const char *flag)
{
	char *str = message->flags, before[VIEW_FLAGS + 1];
	unsigned int i;

	memcpy(before, str, sizeof(before));
	for (i = 0; i < VIEW_FLAGS; i++) {
		if (strchr(before, letters[i].letter) != NULL ||
		    strcasecmp(letters[i].flag, flag) == 0)
			*str++ = letters[i].letter;
	}
	*str = '\0';
}

static void view_add(struct demo_view *view, const struct imap_fetch *fetch)
{
	struct view_message *message = &view->messages[view->count++];
	const struct imap_arg *flag;

	message->uid = fetch->uid;
	message->flags[0] = '\0';
	for (flag = fetch->flags; flag != NULL; flag = flag->next)
		view_flags_add(message, flag->data);
}

static void take_answer(struct demo_view *view)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;

	view->exists = imap_exists(view->client);
	view->count = 0;
	for (resp = imap_find(imap_untagged(view->client), "FETCH");
	     resp != NULL && view->count < VIEW_MAX_MESSAGES;
	     resp = imap_find(resp->next, "FETCH")) {
		/* "n:*" has the last one in any case */
		if (imap_parse_fetch(resp, &fetch) &&
		    fetch.uid >= view->first_uid)
			view_add(view, &fetch);
	}
	imap_clear(view->client);
}

enum imap_status
demo_view_init(struct demo_view *view, struct imap_client *client,
	       const struct imap_box *box)
{
	memset(view, 0, sizeof(*view));
	view->client = client;
	view->first_uid = box->uidnext;
	view->exists = box->exists;
	imap_clear(client);
	return imap_idle_start(client);
}

enum imap_status demo_view_look(struct demo_view *view)
{
	enum imap_status status = imap_idle_stop(view->client);

	imap_clear(view->client);
	if (status == IMAP_OK)
		status = imap_run(view->client, "UID FETCH %u:* (UID FLAGS)",
				  view->first_uid);
	if (status != IMAP_OK)
		return status;
	take_answer(view);
	return imap_idle_start(view->client);
}

static bool
is_seen(const struct demo_view *view, const struct view_message *wanted)
{
	unsigned int i;

	for (i = 0; i < view->count; i++) {
		if (view->messages[i].uid == wanted->uid)
			return strcmp(view->messages[i].flags,
				      wanted->flags) == 0;
	}
	return false;
}

bool demo_view_is(const struct demo_view *view,
		  const struct view_message *messages, unsigned int count,
		  uint32_t exists)
{
	unsigned int i, there = 0;

	for (i = 0; i < count; i++) {
		if (messages[i].uid == 0)
			continue;
		if (!is_seen(view, &messages[i]))
			return false;
		there++;
	}
	return view->count == there && view->exists == exists;
}

const char *demo_view_str(const struct demo_view *view, char *str, size_t size)
{
	const struct view_message *message;
	unsigned int i;
	int used;

	used = snprintf(str, size, "%u mails", view->exists);
	for (i = 0; i < view->count && (size_t)used < size; i++) {
		message = &view->messages[i];
		used += snprintf(str + used, size - (size_t)used, " %u:%s",
				 message->uid, message->flags[0] == '\0' ?
				 "-" : message->flags);
	}
	return str;
}
