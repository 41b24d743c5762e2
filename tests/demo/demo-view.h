/*
 * demo-view: what a client that idles in a mailbox sees of its newest messages
 *
 * Of those from a UID on, in a line of text: "61 mails 62:FS 63:-", the letters
 * being flags: A answered, F flagged, S seen.
 */
#ifndef DEMO_VIEW_H
#define DEMO_VIEW_H

#include "imap-client.h"

#define VIEW_MAX_MESSAGES 4
#define VIEW_FLAGS 3

struct view_message {
	uint32_t uid;
	/* letters, in their order */
	char flags[VIEW_FLAGS + 1];
};

struct demo_view {
	/* Has the mailbox selected. */
	struct imap_client *client;
	uint32_t first_uid, exists;
	struct view_message messages[VIEW_MAX_MESSAGES];
	unsigned int count;
};

/* Begins to idle, seeing none of them yet. */
enum imap_status
demo_view_init(struct demo_view *view, struct imap_client *client,
	       const struct imap_box *box);
/* After imap_idle_poll() of its client had something: asks what is new, as a
   mail program does, and idles again. */
enum imap_status demo_view_look(struct demo_view *view);

/* Exactly these, of those with a UID, and so many messages in all. */
bool demo_view_is(const struct demo_view *view,
		  const struct view_message *messages, unsigned int count,
		  uint32_t exists);
/* Returns str. */
const char *demo_view_str(const struct demo_view *view, char *str, size_t size);

/* "\\Seen": adds its letter. */
void view_flags_add(struct view_message *message, const char *flag);

#endif
