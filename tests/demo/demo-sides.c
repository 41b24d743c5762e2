#include "demo-sides.h"
#include "demo-progress.h"
#include "imap-client.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

/* Nobody else changes it. */
#define MAILBOX "Projects"
#define SEEN_MS 15000
#define POLL_MS 10
#define MAX_MESSAGES 4

/* What the demo writes there: a message of each side. */
struct message {
	uint32_t uid;
	char flags[4];
};

struct view {
	uint32_t exists;
	struct message messages[MAX_MESSAGES];
	unsigned int count;
};

struct side {
	const char *name, *key;
	struct imap_client *writer, *viewer;
	/* Those from here on are the demo's. */
	uint32_t first_uid;
	struct view view;
	/* The writer's last command. */
	unsigned int tag;
};

struct sides {
	struct demo_user *user;
	struct side at[DEMO_SERVERS];
	/* What both must show: by who wrote it, UID 0 for none. */
	struct message wanted[DEMO_SERVERS];
	uint32_t exists;
	unsigned int longest_ms;
};

enum change_type { CHANGE_APPEND, CHANGE_FLAG, CHANGE_EXPUNGE };

struct change {
	enum change_type type;
	/* Of which side the message is; the flag and its letter. */
	enum demo_server whose;
	const char *flag;
};

static const struct change steps[][DEMO_SERVERS] = {
	{ [DEMO_NEW] = { CHANGE_APPEND, DEMO_NEW, NULL },
	  [DEMO_OLD] = { CHANGE_APPEND, DEMO_OLD, NULL } },
	{ [DEMO_NEW] = { CHANGE_FLAG, DEMO_OLD, "\\Seen" },
	  [DEMO_OLD] = { CHANGE_FLAG, DEMO_NEW, "\\Answered" } },
	{ [DEMO_NEW] = { CHANGE_FLAG, DEMO_NEW, "\\Flagged" },
	  [DEMO_OLD] = { CHANGE_FLAG, DEMO_NEW, "\\Seen" } },
	{ [DEMO_NEW] = { CHANGE_EXPUNGE, DEMO_OLD, NULL },
	  [DEMO_OLD] = { CHANGE_EXPUNGE, DEMO_NEW, NULL } },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static bool problem(const struct sides *sides, const struct side *side,
		    const char *what, const struct imap_client *client)
{
	demo_problem("%s: %s at the %s server: %s: %s", sides->user->label,
		     MAILBOX, side->name, what, imap_error(client));
	return false;
}

/*
 * Flags: a letter for each
 */

static const struct {
	const char *flag;
	char letter;
} letters[] = { { "\\Answered", 'A' }, { "\\Flagged", 'F' },
		{ "\\Seen", 'S' } };
#define LETTERS (sizeof(letters) / sizeof(letters[0]))

static void flags_parse(const struct imap_arg *flags, char *str)
{
	const struct imap_arg *arg;
	unsigned int i;

	for (i = 0; i < LETTERS; i++) {
		for (arg = flags; arg != NULL; arg = arg->next) {
			if (imap_arg_is(arg, letters[i].flag))
				*str++ = letters[i].letter;
		}
	}
	*str = '\0';
}

static void flags_add(char *str, const char *flag)
{
	char old[LETTERS + 1];
	unsigned int i;

	snprintf(old, sizeof(old), "%s", str);
	for (i = 0; i < LETTERS; i++) {
		if (strchr(old, letters[i].letter) != NULL ||
		    strcmp(letters[i].flag, flag) == 0)
			*str++ = letters[i].letter;
	}
	*str = '\0';
}

/*
 * Looking
 */

static const char *view_str(const struct view *view, char *str, size_t size)
{
	unsigned int i;
	int used;

	used = snprintf(str, size, "%u mails", view->exists);
	for (i = 0; i < view->count && (size_t)used < size; i++) {
		used += snprintf(str + used, size - (size_t)used, " %u:%s",
				 view->messages[i].uid,
				 view->messages[i].flags[0] == '\0' ? "-" :
				 view->messages[i].flags);
	}
	return str;
}

static void show(const struct sides *sides, uint64_t started)
{
	char new[80], old[80];

	demo_say("%6u ms  %-30s  %s", (unsigned int)(now_ms() - started),
		 view_str(&sides->at[DEMO_NEW].view, new, sizeof(new)),
		 view_str(&sides->at[DEMO_OLD].view, old, sizeof(old)));
}

static void view_take(struct side *side)
{
	const struct imap_response *resp;
	struct view view = { .exists = imap_exists(side->viewer) };
	struct imap_fetch fetch;

	for (resp = imap_find(imap_untagged(side->viewer), "FETCH");
	     resp != NULL && view.count < MAX_MESSAGES;
	     resp = imap_find(resp->next, "FETCH")) {
		/* "n:*" has the last one in any case */
		if (!imap_parse_fetch(resp, &fetch) ||
		    fetch.uid < side->first_uid)
			continue;
		view.messages[view.count].uid = fetch.uid;
		flags_parse(fetch.flags, view.messages[view.count++].flags);
	}
	side->view = view;
}

/* It was told that something is new: it asks what, and idles again. */
static bool look(struct sides *sides, struct side *side)
{
	struct imap_client *client = side->viewer;

	if (imap_idle_stop(client) != IMAP_OK)
		return problem(sides, side, "IDLE", client);
	imap_clear(client);
	if (imap_run(client, "UID FETCH %u:* (UID FLAGS)", side->first_uid) !=
	    IMAP_OK)
		return problem(sides, side, "FETCH", client);
	view_take(side);
	imap_clear(client);
	if (imap_idle_start(client) != IMAP_OK)
		return problem(sides, side, "IDLE", client);
	return true;
}

static bool is_seen(const struct view *view, const struct message *wanted)
{
	unsigned int i;

	for (i = 0; i < view->count; i++) {
		if (view->messages[i].uid == wanted->uid)
			return strcmp(view->messages[i].flags,
				      wanted->flags) == 0;
	}
	return false;
}

static bool is_as_wanted(const struct sides *sides, const struct view *view)
{
	unsigned int i, count = 0;

	for (i = 0; i < DEMO_SERVERS; i++) {
		if (sides->wanted[i].uid == 0)
			continue;
		if (!is_seen(view, &sides->wanted[i]))
			return false;
		count++;
	}
	return view->count == count && view->exists == sides->exists + count;
}

static bool are_equal(const struct sides *sides)
{
	return is_as_wanted(sides, &sides->at[DEMO_NEW].view) &&
		is_as_wanted(sides, &sides->at[DEMO_OLD].view);
}

/* Shows what the viewers are told until both see all of it. */
static bool wait_seen(struct sides *sides, uint64_t started)
{
	unsigned int i;
	int ret;

	while (!are_equal(sides) && !demo_is_interrupted()) {
		if (now_ms() - started > SEEN_MS) {
			demo_problem("%s: both servers don't show the same "
				     "in " MAILBOX, sides->user->label);
			return false;
		}
		for (i = 0; i < DEMO_SERVERS; i++) {
			ret = imap_idle_poll(sides->at[i].viewer, POLL_MS);
			/* a lost connection is found by it as well */
			if (ret == 0)
				continue;
			if (!look(sides, &sides->at[i]))
				return false;
			show(sides, started);
		}
		demo_progress_tick();
	}
	return !demo_is_interrupted();
}

/*
 * Changing
 */

/* Sends it and waits for nothing. Its text is for the screen. */
static void send_change(struct sides *sides, struct side *side,
			const struct change *change, char *text, size_t size)
{
	static const char mail[] = "Subject: from one of two sides\r\n\r\nx\r\n";
	const uint32_t uid = sides->wanted[change->whose].uid;

	switch (change->type) {
	case CHANGE_APPEND:
		snprintf(text, size, "APPEND");
		side->tag = imap_append_send(side->writer,
				demo_folder_name(sides->user, MAILBOX), NULL,
				NULL, mail, sizeof(mail) - 1);
		break;
	case CHANGE_FLAG:
		snprintf(text, size, "UID STORE %u +FLAGS (%s)", uid,
			 change->flag);
		side->tag = imap_send(side->writer, "%s", text);
		break;
	case CHANGE_EXPUNGE:
		snprintf(text, size, "UID EXPUNGE %u", uid);
		(void)imap_send(side->writer, "UID STORE %u +FLAGS.SILENT "
				"(\\Deleted)", uid);
		side->tag = imap_send(side->writer, "%s", text);
		break;
	}
	(void)imap_flush(side->writer);
}

static uint32_t appended_uid(const struct imap_client *client)
{
	uint32_t uidvalidity;
	uint64_t uid = 0;
	char *uids;

	if (imap_parse_appenduid(imap_reply(client)->code, &uidvalidity,
				 &uids)) {
		(void)imap_parse_number(uids, UINT32_MAX, &uid);
		free(uids);
	}
	return (uint32_t)uid;
}

static bool
end_change(struct sides *sides, struct side *side, const struct change *change)
{
	struct message *message = &sides->wanted[change->whose];

	if (imap_wait(side->writer, side->tag) != IMAP_OK)
		return problem(sides, side, "a change", side->writer);
	switch (change->type) {
	case CHANGE_APPEND:
		message->flags[0] = '\0';
		message->uid = appended_uid(side->writer);
		break;
	case CHANGE_FLAG:
		flags_add(message->flags, change->flag);
		break;
	case CHANGE_EXPUNGE:
		message->uid = 0;
		break;
	}
	imap_clear(side->writer);
	return true;
}

static bool run_step(struct sides *sides, const struct change *changes)
{
	char text[DEMO_SERVERS][80];
	uint64_t started = now_ms();
	unsigned int i, ms;

	for (i = 0; i < DEMO_SERVERS; i++)
		send_change(sides, &sides->at[i], &changes[i], text[i],
			    sizeof(text[i]));
	demo_say("           %-30s  %s", text[DEMO_NEW], text[DEMO_OLD]);
	for (i = 0; i < DEMO_SERVERS; i++) {
		if (!end_change(sides, &sides->at[i], &changes[i]))
			return false;
	}
	if (!wait_seen(sides, started))
		return false;
	ms = (unsigned int)(now_ms() - started);
	sides->longest_ms = ms > sides->longest_ms ? ms : sides->longest_ms;
	/* so that the writers know what the others did */
	for (i = 0; i < DEMO_SERVERS; i++) {
		if (imap_run(sides->at[i].writer, "NOOP") != IMAP_OK)
			return problem(sides, &sides->at[i], "NOOP",
				       sides->at[i].writer);
		imap_clear(sides->at[i].writer);
	}
	return true;
}

/*
 * The plot
 */

static struct imap_client *
open_client(const struct sides *sides, const struct side *side,
	    struct imap_box *box_r)
{
	const struct lab *lab = sides->user->lab->lab;
	struct imap_client *client;
	const char *error;

	if (imap_open(lab_get(lab, side->key), sides->user->name,
		      lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS, &client,
		      &error) < 0) {
		demo_problem("%s: %s server: %s", sides->user->label,
			     side->name, error);
		return NULL;
	}
	if (imap_select(client, demo_folder_name(sides->user, MAILBOX),
			box_r) != IMAP_OK) {
		problem(sides, side, "SELECT", client);
		imap_free(&client);
	}
	return client;
}

static bool open_side(struct sides *sides, struct side *side)
{
	struct imap_box box;

	side->writer = open_client(sides, side, &box);
	if (side->writer != NULL)
		side->viewer = open_client(sides, side, &box);
	if (side->viewer == NULL)
		return false;
	side->first_uid = box.uidnext;
	sides->exists = side->view.exists = box.exists;
	imap_clear(side->writer);
	if (imap_idle_start(side->viewer) != IMAP_OK)
		return problem(sides, side, "IDLE", side->viewer);
	return true;
}

static bool are_open(struct sides *sides)
{
	const struct side *new = &sides->at[DEMO_NEW];
	const struct side *old = &sides->at[DEMO_OLD];

	if (!open_side(sides, &sides->at[DEMO_NEW]) ||
	    !open_side(sides, &sides->at[DEMO_OLD]))
		return false;
	if (new->view.exists == old->view.exists &&
	    new->first_uid == old->first_uid)
		return true;
	demo_problem("%s: " MAILBOX " has %u mails and UIDNEXT %u on the new "
		     "server, %u and %u on the old one", sides->user->label,
		     new->view.exists, new->first_uid, old->view.exists,
		     old->first_uid);
	return false;
}

static void show_user(struct demo_user *user)
{
	struct sides sides = {
		.user = user,
		.at = { [DEMO_OLD] = { .name = "old", .key = "OLD_IMAP_DIRECT" },
			[DEMO_NEW] = { .name = "new", .key = "NEW_IMAP" } },
	};
	unsigned int i;
	bool ok;

	demo_say(MAILBOX " of %s at both servers, while a client at each\n"
		 "        changes it (UID:flags; A answered, F flagged, S "
		 "seen)", user->label);
	ok = are_open(&sides);
	demo_say("           %-30s  %s", "NEW SERVER", "OLD SERVER");
	if (ok)
		show(&sides, now_ms());
	for (i = 0; ok && i < STEPS; i++)
		ok = run_step(&sides, steps[i]);
	if (ok)
		demo_say("each change was seen at both servers after %u ms at "
			 "most", sides.longest_ms);
	for (i = 0; i < DEMO_SERVERS; i++) {
		imap_free(&sides.at[i].viewer);
		imap_free(&sides.at[i].writer);
	}
}

void demo_sides_show(struct demo *demo)
{
	struct demo_user *user;

	for (user = demo->users; user < demo->users + demo->user_count;
	     user++) {
		if (user->mirrored_mailboxes > 0 &&
		    user->mirrored_mailboxes == user->mailboxes) {
			show_user(user);
			return;
		}
	}
	demo_say("no user's mailboxes are mirrored: nothing to show side by "
		 "side");
}
