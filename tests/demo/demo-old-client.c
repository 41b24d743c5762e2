#include "demo-old-client.h"
#include "demo-progress.h"
#include "process.h"

#include <string.h>

#define FOLDER "Projects"
#define TARGET "Projects.2019"
#define FOLLOWED_MS 60000

static bool problem(const struct demo_user *user, const char *what,
		    const struct imap_client *client)
{
	demo_problem("%s: client at the old server: %s: %s", user->label, what,
		     imap_error(client));
	return false;
}

/*
 * What to take
 */

static const struct snapshot_message *
find_message(const struct demo_user *user, const struct message_place *place)
{
	const struct snapshot_folder *folder;
	size_t i;

	folder = snapshot_find(user->after, FOLDER);
	for (i = 0; folder != NULL && i < folder->count; i++) {
		if (folder->messages[i].uid == place->uid)
			return &folder->messages[i];
	}
	return NULL;
}

/* Known by its Message-ID, and without the flags that are to be set. */
static bool
is_fit(const struct demo_user *user, const struct message_place *place)
{
	const struct snapshot_message *msg;

	if (message_ids_count(&user->ids_after, place->message_id, NULL) != 1)
		return false;
	msg = find_message(user, place);
	return msg != NULL && strstr(msg->flags, "\\Flagged") == NULL &&
		strstr(msg->flags, "\\Deleted") == NULL;
}

static void choose(struct old_client *client, const struct demo_user *user)
{
	const char *folder = demo_folder_name(user, FOLDER);
	const struct message_place *places[3], *place;
	unsigned int count = 0;
	size_t i;

	memset(client, 0, sizeof(*client));
	for (i = 0; i < user->ids_after.count && count < 3; i++) {
		place = &user->ids_after.items[i];
		if (strcmp(place->mailbox, folder) == 0 && is_fit(user, place))
			places[count++] = place;
	}
	if (count < 3)
		return;
	client->flagged = places[0];
	client->moved = places[1];
	client->deleted = places[2];
}

/*
 * At the old server
 */

static bool expunge(struct imap_client *client, uint32_t uid)
{
	return imap_run(client, "UID STORE %u +FLAGS.SILENT (\\Deleted)",
			uid) == IMAP_OK &&
		imap_run(client, "UID EXPUNGE %u", uid) == IMAP_OK;
}

static bool move(struct imap_client *client, const struct demo_user *user,
		 uint32_t uid)
{
	const bool has_move = imap_has(client, "MOVE");
	unsigned int tag = imap_start(client);

	imap_text(client, "UID %s %u ", has_move ? "MOVE" : "COPY", uid);
	imap_mailbox(client, demo_folder_name(user, TARGET));
	imap_end(client);
	return imap_wait(client, tag) == IMAP_OK &&
		(has_move || expunge(client, uid));
}

static struct imap_client *
open_folder(const struct demo_user *user, const char *server)
{
	const struct lab *lab = user->lab->lab;
	struct imap_client *client;
	struct imap_box box;
	const char *error;

	if (imap_open(lab_get(lab, server), user->name,
		      lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS, &client,
		      &error) < 0) {
		demo_problem("%s: %s: %s", user->label, server, error);
		return NULL;
	}
	if (imap_select(client, demo_folder_name(user, FOLDER), &box) !=
	    IMAP_OK) {
		problem(user, "SELECT", client);
		imap_free(&client);
	}
	return client;
}

bool old_client_work(struct old_client *client, struct demo_user *user)
{
	struct imap_client *imap;
	bool ok;

	choose(client, user);
	if (client->flagged == NULL)
		return true;
	imap = open_folder(user, "OLD_IMAP_DIRECT");
	if (imap == NULL)
		return false;
	ok = imap_run(imap, "UID STORE %u +FLAGS (\\Flagged)",
		      client->flagged->uid) == IMAP_OK &&
		move(imap, user, client->moved->uid) &&
		expunge(imap, client->deleted->uid);
	if (!ok)
		problem(user, "a change", imap);
	imap_logout(&imap);
	return ok;
}

/*
 * At the new server
 */

struct follow_goal {
	const struct old_client *client;
	const struct demo_user *user;
	struct imap_client *imap;
};

/* -1: no such message. */
static int is_flagged(struct imap_client *imap, uint32_t uid)
{
	const struct imap_response *resp;
	const struct imap_arg *flag;
	struct imap_fetch fetch;
	int flagged = -1;

	imap_clear(imap);
	if (imap_run(imap, "UID FETCH %u (FLAGS)", uid) != IMAP_OK)
		return -1;
	for (resp = imap_untagged(imap); resp != NULL; resp = resp->next) {
		if (!imap_parse_fetch(resp, &fetch) || fetch.uid != uid)
			continue;
		flagged = flagged < 0 ? 0 : flagged;
		for (flag = fetch.flags; flag != NULL; flag = flag->next) {
			if (imap_arg_is(flag, "\\Flagged"))
				flagged = 1;
		}
	}
	return flagged;
}

static bool is_followed(void *context)
{
	const struct follow_goal *goal = context;

	return demo_is_interrupted() ||
		(is_flagged(goal->imap, goal->client->flagged->uid) == 1 &&
		 is_flagged(goal->imap, goal->client->moved->uid) < 0);
}

/* It's in the other folder, once, and nowhere else. */
static bool
is_moved(const struct old_client *client, const struct demo_user *user)
{
	const struct lab *lab = user->lab->lab;
	const char *id = client->moved->message_id, *error;
	struct message_ids ids;
	size_t here, all;

	if (message_ids_take(lab_get(lab, "NEW_IMAP"), user->name,
			     lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS, &ids,
			     &error) < 0) {
		demo_problem("%s: Message-IDs: %s", user->label, error);
		return false;
	}
	here = message_ids_count(&ids, id, demo_folder_name(user, TARGET));
	all = message_ids_count(&ids, id, NULL);
	message_ids_free(&ids);
	if (here == 1 && all == 1)
		return true;
	demo_problem("%s: %s was moved to %s at the old server, and is there "
		     "%zu times and %zu times in all", user->label, id, TARGET,
		     here, all);
	return false;
}

bool old_client_wait(const struct old_client *client, struct demo_user *user)
{
	struct follow_goal goal = { .client = client, .user = user };
	bool ok = true;

	if (client->flagged == NULL)
		return true;
	goal.imap = open_folder(user, "NEW_IMAP");
	if (goal.imap == NULL)
		return false;
	if (!wait_until(is_followed, &goal, FOLLOWED_MS)) {
		demo_problem("%s: what a client did at the old server isn't "
			     "followed within a minute (flagged: %d; moved "
			     "away: %d)", user->label,
			     is_flagged(goal.imap, client->flagged->uid),
			     is_flagged(goal.imap, client->moved->uid) < 0);
		ok = false;
	} else if (is_flagged(goal.imap, client->deleted->uid) < 0) {
		demo_problem("%s: what a client deleted at the old server is "
			     "gone here", user->label);
		ok = false;
	} else {
		ok = demo_is_interrupted() || is_moved(client, user);
	}
	imap_logout(&goal.imap);
	if (ok)
		demo_say("%-14s what a client did at the old server: flagged "
			 "and moved here as well, deleted is kept here",
			 user->label);
	return ok;
}
