#include "chaos.h"
#include "case.h"
#include "corpus.h"
#include "untagged.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLIENTS 16
/* Those that make less of it become more likely from here on. So many that it
   never looks like a wipe when others have deleted them all (fill-expunge.c). */
#define CROWDED 60

struct actor {
	struct chaos *all;
	const struct chaos_client *set;
	pthread_t thread;
	unsigned int number;
	struct corpus_rng rng;
	struct imap_client *client;
	struct untagged untagged;
	const char *mailbox;
	uint64_t messages;
	struct chaos_counts counts;
};

struct chaos {
	struct chaos_settings set;
	unsigned int mailbox_count;
	atomic_bool stop;
	struct actor actors[MAX_CLIENTS];
};

static unsigned int dice(struct actor *actor, unsigned int sides)
{
	return corpus_rng_below(&actor->rng, sides);
}

static const char *any_mailbox(struct actor *actor)
{
	return actor->all->set.mailboxes[dice(actor,
					      actor->all->mailbox_count)];
}

static void fail(struct actor *actor, const char *what, const char *why)
{
	if (actor->counts.failures++ == 0)
		snprintf(actor->counts.failure, sizeof(actor->counts.failure),
			 "client %u (%s): %s: %s", actor->number,
			 actor->set->server, what, why);
}

static char *new_message(struct actor *actor, size_t *size_r)
{
	char id[80];

	snprintf(id, sizeof(id), "chaos-%u-%llu@case.example", actor->number,
		 (unsigned long long)++actor->messages);
	return case_message(id, dice(actor, 8000), size_r);
}

/* IMAP */

static const char *any_flags(struct actor *actor)
{
	static const char *const flags[] = {
		"", "\\Seen", "\\Flagged", "\\Answered", "$Work", "$Later",
		"\\Seen $Work", "\\Flagged $Done \\Draft", "$A $B \\Answered",
	};

	return flags[dice(actor, sizeof(flags) / sizeof(flags[0]))];
}

/* Sequence numbers of one to five messages, in the session's view. */
static const char *any_set(struct actor *actor, char set[40])
{
	uint32_t exists = imap_exists(actor->client);
	uint32_t first = 1 + dice(actor, exists);
	uint32_t last = first + dice(actor, 5);

	snprintf(set, 40, "%u:%u", first, last < exists ? last : exists);
	return set;
}

/* Gone by the hand of another one. */
static bool is_expunged(const struct imap_reply *reply)
{
	return (reply->code != NULL &&
		strcmp(reply->code, "EXPUNGEISSUED") == 0) ||
		strstr(reply->text, "expunged") != NULL ||
		strstr(reply->text, "no longer exist") != NULL;
}

static void end_command(struct actor *actor, enum imap_status status,
			const char *what)
{
	const struct imap_reply *reply = imap_reply(actor->client);

	if (status == IMAP_OK) {
		actor->counts.done++;
	} else if (status == IMAP_NO && actor->all->set.unavailable &&
		   reply->code != NULL &&
		   strcmp(reply->code, "UNAVAILABLE") == 0) {
		actor->counts.unavailable++;
	} else if (status == IMAP_LOST ? !actor->set->may_be_lost :
		   !is_expunged(reply)) {
		fail(actor, what, imap_error(actor->client));
	}
	if (!untagged_follow(&actor->untagged, actor->client))
		fail(actor, what, actor->untagged.odd);
	actor->untagged.odd[0] = '\0';
	if (status == IMAP_LOST)
		imap_free(&actor->client);
	else
		imap_clear(actor->client);
}

static void do_store(struct actor *actor)
{
	static const char *const how[] = {
		"+FLAGS", "-FLAGS", "FLAGS", "+FLAGS.SILENT", "-FLAGS.SILENT",
		"FLAGS.SILENT",
	};
	char set[40];

	end_command(actor, imap_run(actor->client, "STORE %s %s (%s)",
		any_set(actor, set), how[dice(actor, 6)], any_flags(actor)),
		"STORE");
}

static void do_delete(struct actor *actor)
{
	char set[40];

	end_command(actor, imap_run(actor->client,
		"STORE %s +FLAGS (\\Deleted)", any_set(actor, set)), "STORE");
	if (actor->client != NULL && dice(actor, 3) != 0)
		end_command(actor, imap_run(actor->client, "EXPUNGE"),
			    "EXPUNGE");
}

static void do_append(struct actor *actor)
{
	unsigned int tag, count = dice(actor, 4) == 0 ? 3 : 1;
	bool goes_on = true;
	size_t size;
	char *data;

	tag = imap_append_start(actor->client, any_mailbox(actor));
	while (count-- > 0 && goes_on) {
		data = new_message(actor, &size);
		goes_on = imap_append_add(actor->client, any_flags(actor),
			dice(actor, 2) == 0 ? NULL :
			"17-Jul-2019 02:44:25 -0700", data, size);
		free(data);
	}
	if (goes_on)
		imap_end(actor->client);
	end_command(actor, imap_wait(actor->client, tag), "APPEND");
}

static void do_transfer(struct actor *actor)
{
	const char *command = dice(actor, 2) == 0 ? "COPY" : "MOVE";
	char set[40];

	end_command(actor, imap_run(actor->client, "%s %s %s", command,
		any_set(actor, set), any_mailbox(actor)), command);
}

/* Reading marks as \Seen. */
static void do_read(struct actor *actor)
{
	char set[40];

	end_command(actor, imap_run(actor->client, "FETCH %s (FLAGS BODY[])",
		any_set(actor, set)), "FETCH");
}

static void do_look(struct actor *actor)
{
	end_command(actor, imap_run(actor->client, "NOOP"), "NOOP");
	if (actor->client != NULL)
		end_command(actor, imap_run(actor->client, "STATUS %s "
			"(MESSAGES UNSEEN UIDNEXT)", any_mailbox(actor)),
			"STATUS");
}

static void do_select(struct actor *actor)
{
	struct imap_box box;
	enum imap_status status;

	actor->mailbox = any_mailbox(actor);
	status = imap_select(actor->client, actor->mailbox, &box);
	if (status == IMAP_OK)
		untagged_begin(&actor->untagged, actor->client);
	imap_clear(actor->client);
	end_command(actor, status, "SELECT");
}

static const struct {
	unsigned int weight;
	void (*run)(struct actor *actor);
	/* nothing can be done with an empty mailbox */
	bool needs_some;
} deeds[] = {
	{ 35, do_store, true },
	{ 10, do_delete, true },
	{ 15, do_append, false },
	{ 10, do_transfer, true },
	{ 8, do_read, true },
	{ 16, do_look, false },
	{ 6, do_select, false },
};

static bool open_imap(struct actor *actor)
{
	const struct chaos_settings *set = &actor->all->set;
	const char *error;

	if (imap_open(actor->set->server, set->user, set->password,
		      CASE_TIMEOUT_MS, &actor->client, &error) < 0) {
		if (!actor->set->may_be_lost)
			fail(actor, "login", error);
		return false;
	}
	do_select(actor);
	return actor->client != NULL;
}

static void do_imap(struct actor *actor)
{
	unsigned int i = 0, left;

	if (actor->client == NULL && !open_imap(actor))
		return;
	if (imap_exists(actor->client) > CROWDED && dice(actor, 2) == 0) {
		do_delete(actor);
		return;
	}
	for (left = dice(actor, 100); left >= deeds[i].weight; i++)
		left -= deeds[i].weight;
	if (deeds[i].needs_some && imap_exists(actor->client) == 0)
		do_look(actor);
	else
		deeds[i].run(actor);
}

/* the others */

static void do_lmtp(struct actor *actor)
{
	struct lmtp_client *client = NULL;
	struct lmtp_reply reply = { .code = 0 };
	char address[200];
	const char *recipient = address, *error = "";
	size_t size;
	char *data = new_message(actor, &size);

	snprintf(address, sizeof(address), "%s+%s@lab.example",
		 actor->all->set.user, any_mailbox(actor));
	if (lmtp_open(actor->set->server, CASE_TIMEOUT_MS, &client,
		      &error) < 0) {
		fail(actor, "LMTP", error);
	} else if (lmtp_deliver(client, CASE_MESSAGE_FROM, &recipient, 1, data,
				size, &reply) == 1) {
		actor->counts.done++;
	} else if (actor->all->set.unavailable && reply.code / 100 == 4) {
		actor->counts.unavailable++;
	} else {
		fail(actor, "LMTP", reply.text);
	}
	lmtp_quit(&client);
	free(data);
}

static void do_pop3(struct actor *actor)
{
	const struct chaos_settings *set = &actor->all->set;
	struct pop3_client *client = NULL;
	unsigned int count = 0;
	const char *error = "";
	uint64_t bytes;

	if (pop3_open(actor->set->server, set->user, set->password,
		      CASE_TIMEOUT_MS, &client, &error) < 0) {
		fail(actor, "POP3", error);
		return;
	}
	if (pop3_stat(client, &count, &bytes) == POP3_OK && count > CROWDED / 2)
		(void)pop3_dele(client, 1 + dice(actor, count));
	if (pop3_quit(&client) == POP3_OK)
		actor->counts.done++;
}

/* the threads */

static void *actor_main(void *context)
{
	static void (*const run[CHAOS_KINDS])(struct actor *actor) = {
		do_imap, do_lmtp, do_pop3,
	};
	struct actor *actor = context;

	while (!actor->all->stop)
		run[actor->set->kind](actor);
	imap_logout(&actor->client);
	return NULL;
}

struct chaos *chaos_start(const struct chaos_settings *set)
{
	struct chaos *all = calloc(1, sizeof(*all));
	struct actor *actor;

	if (all == NULL || set->client_count > MAX_CLIENTS)
		abort();
	all->set = *set;
	while (set->mailboxes[all->mailbox_count] != NULL)
		all->mailbox_count++;
	for (unsigned int i = 0; i < set->client_count; i++) {
		actor = &all->actors[i];
		actor->all = all;
		actor->set = &set->clients[i];
		actor->number = i;
		corpus_rng_init(&actor->rng, set->seed, i);
		if (pthread_create(&actor->thread, NULL, actor_main,
				   actor) != 0)
			abort();
	}
	return all;
}

static void add(struct chaos_counts *sum, const struct chaos_counts *counts)
{
	if (sum->failures == 0)
		memcpy(sum->failure, counts->failure, sizeof(sum->failure));
	sum->failures += counts->failures;
	sum->done += counts->done;
	sum->unavailable += counts->unavailable;
	if (counts->done < sum->least)
		sum->least = counts->done;
}

void chaos_stop(struct chaos **_all, struct chaos_counts *counts_r)
{
	struct chaos *all = *_all;

	*_all = NULL;
	memset(counts_r, 0, sizeof(*counts_r));
	counts_r->least = UINT64_MAX;
	all->stop = true;
	for (unsigned int i = 0; i < all->set.client_count; i++) {
		pthread_join(all->actors[i].thread, NULL);
		add(counts_r, &all->actors[i].counts);
	}
	free(all);
}
