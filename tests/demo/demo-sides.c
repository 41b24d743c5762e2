#include "demo-sides.h"
#include "demo-progress.h"
#include "demo-view.h"
#include "process.h"

#include <stdlib.h>

/* Nobody else changes it. */
#define MAILBOX "Projects"
#define SEEN_MS 15000
#define POLL_MS 10

struct side {
	const char *name, *key;
	struct imap_client *writer;
	struct demo_view view;
	/* The writer's last command. */
	unsigned int tag;
};

struct sides {
	struct demo_user *user;
	struct side at[DEMO_SERVERS];
	/* What both must show: the message that each writer made, UID 0 for
	   none, and how many there are in all. */
	struct view_message wanted[DEMO_SERVERS];
	uint32_t exists;
	unsigned int longest_ms;
};

enum change_type { CHANGE_APPEND, CHANGE_FLAG, CHANGE_EXPUNGE };

struct change {
	enum change_type type;
	/* Who made the message. */
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
 * Looking
 */

static void show(const struct sides *sides, uint64_t started)
{
	char new[80], old[80];

	demo_say("%6u ms  %-30s  %s", (unsigned int)(now_ms() - started),
		 demo_view_str(&sides->at[DEMO_NEW].view, new, sizeof(new)),
		 demo_view_str(&sides->at[DEMO_OLD].view, old, sizeof(old)));
}

static bool are_equal(const struct sides *sides)
{
	unsigned int i;

	for (i = 0; i < DEMO_SERVERS; i++) {
		if (!demo_view_is(&sides->at[i].view, sides->wanted,
				  DEMO_SERVERS, sides->exists))
			return false;
	}
	return true;
}

/* -1: it's no use to go on. */
static int look(struct sides *sides, struct side *side)
{
	/* a lost connection is found by looking as well */
	if (imap_idle_poll(side->view.client, POLL_MS) == 0)
		return 0;
	if (demo_view_look(&side->view) == IMAP_OK)
		return 1;
	problem(sides, side, "IDLE", side->view.client);
	return -1;
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
			ret = look(sides, &sides->at[i]);
			if (ret < 0)
				return false;
			if (ret > 0)
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
	struct view_message *message = &sides->wanted[change->whose];

	if (imap_wait(side->writer, side->tag) != IMAP_OK)
		return problem(sides, side, "a change", side->writer);
	switch (change->type) {
	case CHANGE_APPEND:
		message->flags[0] = '\0';
		message->uid = appended_uid(side->writer);
		sides->exists++;
		break;
	case CHANGE_FLAG:
		view_flags_add(message, change->flag);
		break;
	case CHANGE_EXPUNGE:
		message->uid = 0;
		sides->exists--;
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
	struct imap_client *viewer;
	struct imap_box box;

	side->writer = open_client(sides, side, &box);
	if (side->writer == NULL)
		return false;
	viewer = open_client(sides, side, &box);
	if (viewer == NULL)
		return false;
	imap_clear(side->writer);
	if (demo_view_init(&side->view, viewer, &box) != IMAP_OK)
		return problem(sides, side, "IDLE", viewer);
	return true;
}

static bool open_sides(struct sides *sides)
{
	const struct demo_view *new = &sides->at[DEMO_NEW].view;
	const struct demo_view *old = &sides->at[DEMO_OLD].view;

	if (!open_side(sides, &sides->at[DEMO_NEW]) ||
	    !open_side(sides, &sides->at[DEMO_OLD]))
		return false;
	sides->exists = old->exists;
	if (new->exists == old->exists && new->first_uid == old->first_uid)
		return true;
	demo_problem("%s: " MAILBOX " has %u mails and UIDNEXT %u on the new "
		     "server, %u and %u on the old one", sides->user->label,
		     new->exists, new->first_uid, old->exists, old->first_uid);
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
	ok = open_sides(&sides);
	demo_say("           %-30s  %s", "NEW SERVER", "OLD SERVER");
	if (ok)
		show(&sides, now_ms());
	for (i = 0; ok && i < STEPS; i++)
		ok = run_step(&sides, steps[i]);
	if (ok)
		demo_say("each change was seen at both servers after %u ms at "
			 "most", sides.longest_ms);
	for (i = 0; i < DEMO_SERVERS; i++) {
		imap_free(&sides.at[i].view.client);
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
