#include "demo-user.h"
#include "corpus.h"
#include "demo-session.h"
#include "demo-write.h"
#include "process.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_MS 40
/* A write that the connection was lost in is tried again so many times. */
#define TRIES 5
#define FIND_TRIES 50

struct worker {
	struct demo_session session;
	struct demo_user *user;
	struct journal *journal;
	struct corpus_rng rng;
	struct corpus_message body;
	unsigned int appended;
};

enum outcome { OUTCOME_OK, OUTCOME_REFUSED, OUTCOME_LOST };

static enum outcome
outcome(struct worker *worker, enum imap_status status, const char *what)
{
	switch (status) {
	case IMAP_OK:
		return OUTCOME_OK;
	case IMAP_LOST:
		return OUTCOME_LOST;
	case IMAP_NO:
	case IMAP_BAD:
		break;
	}
	demo_session_refused(&worker->session, what);
	return OUTCOME_REFUSED;
}

static struct journal_message *
message_of(struct worker *worker, const struct demo_write *write)
{
	return &worker->journal->messages[write->message];
}

static enum outcome run_write(struct worker *worker, struct demo_write *write)
{
	static const char *const names[] = {
		[WRITE_APPEND] = "APPEND", [WRITE_FLAG] = "STORE",
		[WRITE_MOVE] = "MOVE", [WRITE_EXPUNGE] = "EXPUNGE"
	};

	return outcome(worker, demo_write_run(&worker->session, write),
		       names[write->type]);
}

/*
 * The journal
 */

static void digest(const void *data, size_t size, unsigned char *digest_r)
{
	if (EVP_Digest(data, size, digest_r, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

static void note_append(struct worker *worker, struct demo_write *write)
{
	struct journal_message *msg;

	write->message = worker->journal->count;
	msg = journal_add(worker->journal, write->new_uid, write->flags);
	msg->message_id = strdup(write->message_id);
	msg->size = write->data->size;
	msg->instant = write->data->instant;
	digest(write->data->data, write->data->size, msg->digest);
}

/* It's two commands: the first of them may have been before the cutover. */
static void note_deleted(struct worker *worker, const struct demo_write *write)
{
	message_of(worker, write)->flags |= journal_flag(worker->journal,
							 "\\Deleted");
	journal_note_unsure(worker->journal, write->message);
}

static void note_change(struct worker *worker, const struct demo_write *write)
{
	struct journal_message *msg = message_of(worker, write);
	unsigned int flag;

	if (write->type == WRITE_FLAG) {
		flag = journal_flag(worker->journal, write->flag);
		msg->flags = write->add ? msg->flags | flag :
			msg->flags & ~flag;
		return;
	}
	if (write->type == WRITE_MOVE)
		msg->trash_uid = write->new_uid;
	msg->uid = 0;
}

/* Nobody tells a client when its mailbox is cut over. So what the old server
   keeps is known but for the writes that were under way meanwhile. */
static void note_done(struct worker *worker, struct demo_write *write)
{
	struct journal *journal = worker->journal;
	bool unsure;

	if (!journal->frozen &&
	    (worker->user->moving || worker->user->is_cut_over))
		journal_freeze(journal);
	unsure = journal->frozen && !write->is_after;
	worker->user->client.writes++;
	if (write->type == WRITE_APPEND) {
		note_append(worker, write);
	} else {
		if (write->type == WRITE_EXPUNGE && unsure)
			note_deleted(worker, write);
		note_change(worker, write);
	}
	if (unsure)
		journal_note_unsure(journal, write->message);
}

static void note_interruption(struct worker *worker, uint64_t started)
{
	unsigned int ms = (unsigned int)(now_ms() - started);

	if (ms > worker->user->client.interrupted_ms)
		worker->user->client.interrupted_ms = ms;
}

/* 1: the write, begun at that time, was done before the connection was lost; 0:
   it wasn't. */
static int
recover(struct worker *worker, struct demo_write *write, uint64_t started)
{
	struct demo_session *session = &worker->session;
	bool done = false;
	int ret;

	ret = demo_session_again(session);
	if (ret < 0)
		return -1;
	if (write != NULL &&
	    outcome(worker, demo_write_look(session, write, &done),
		    "looking") != OUTCOME_OK)
		return -1;
	if (done)
		note_done(worker, write);
	if (ret > 0)
		note_interruption(worker, started);
	return done ? 1 : 0;
}

/* Does it, whatever happens to the connection. -1: no use to go on. */
static int do_write(struct worker *worker, struct demo_write *write)
{
	uint64_t started = now_ms();
	enum outcome result;
	unsigned int i;
	int done = 0;

	write->is_after = worker->user->is_cut_over;
	for (i = 0; i < TRIES && done == 0; i++) {
		result = run_write(worker, write);
		if (result == OUTCOME_REFUSED)
			return 0;
		if (result == OUTCOME_OK) {
			note_done(worker, write);
			break;
		}
		done = recover(worker, write, started);
	}
	if (done < 0 || i == TRIES)
		return -1;
	demo_counts_time(worker->session.counts, started);
	imap_clear(worker->session.client);
	return 0;
}

/*
 * A working day
 */

/* A message in INBOX; own: one that the client wrote. */
static bool pick(struct worker *worker, bool own, size_t *message_r)
{
	const struct journal *journal = worker->journal;
	unsigned int i;

	for (i = 0; i < FIND_TRIES; i++) {
		*message_r = corpus_rng_below(&worker->rng,
					      (unsigned int)journal->count);
		if (journal->messages[*message_r].uid != 0 &&
		    (!own || journal->messages[*message_r].message_id != NULL))
			return true;
	}
	return false;
}

static int do_append(struct worker *worker)
{
	static const char *const flags[] = { "", "\\Seen", "\\Draft \\Seen",
					     "$Label1 \\Flagged" };
	const struct corpus corpus = {
		.set = CORPUS_SMALL, .seed = 400 + worker->user->index
	};
	struct demo_write write = { .type = WRITE_APPEND };
	struct corpus_message text = { .data = NULL };
	const char *rest;
	size_t size;
	FILE *out;
	int ret;

	corpus_make(&corpus, worker->appended++, &worker->body);
	snprintf(write.message_id, sizeof(write.message_id), "<client-%u.%u@"
		 "lab.example>", worker->appended, worker->user->index);
	snprintf(write.flags, sizeof(write.flags), "%s",
		 flags[corpus_rng_below(&worker->rng, 4)]);
	rest = memmem(worker->body.data, worker->body.size, "\r\n\r\n", 4);
	out = open_memstream(&text.data, &size);
	if (out == NULL)
		abort();
	fprintf(out, "Message-ID: %s\r\nSubject: written here",
		write.message_id);
	fwrite(rest, 1, worker->body.size - (size_t)(rest - worker->body.data),
	       out);
	fclose(out);
	text.size = size;
	/* Dovecot takes none from the future */
	text.instant = worker->body.instant % time(NULL);
	text.zone = worker->body.zone;
	write.data = &text;
	ret = do_write(worker, &write);
	free(text.data);
	return ret;
}

static int do_flag(struct worker *worker)
{
	static const char *const flags[] = { "\\Seen", "\\Flagged",
					     "\\Answered", "$Label1",
					     "$Forwarded", "NonJunk" };
	struct demo_write write = { .type = WRITE_FLAG };

	if (!pick(worker, false, &write.message))
		return 0;
	write.uid = message_of(worker, &write)->uid;
	write.flag = flags[corpus_rng_below(&worker->rng, 6)];
	write.add = corpus_rng_below(&worker->rng, 3) > 0;
	return do_write(worker, &write);
}

static int do_away(struct worker *worker, enum demo_write_type type)
{
	struct demo_write write = { .type = type };

	/* others may share a Message-ID, or have none */
	if (!pick(worker, type == WRITE_MOVE, &write.message))
		return 0;
	write.uid = message_of(worker, &write)->uid;
	if (type == WRITE_MOVE)
		snprintf(write.message_id, sizeof(write.message_id), "%s",
			 message_of(worker, &write)->message_id);
	return do_write(worker, &write);
}

static bool body_is_right(struct imap_client *client,
			  const struct journal_message *msg)
{
	unsigned char found[SNAPSHOT_DIGEST_SIZE];
	const struct imap_response *resp;
	struct imap_fetch fetch;

	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (imap_parse_fetch(resp, &fetch) && fetch.uid == msg->uid &&
		    fetch.has_body) {
			digest(fetch.body, fetch.body_size, found);
			return memcmp(found, msg->digest, sizeof(found)) == 0;
		}
	}
	return false;
}

static int do_read(struct worker *worker)
{
	const struct journal_message *msg;
	uint64_t started = now_ms();
	enum outcome result;
	size_t message;

	if (!pick(worker, false, &message))
		return 0;
	msg = &worker->journal->messages[message];
	imap_clear(worker->session.client);
	result = outcome(worker, imap_run(worker->session.client, "UID FETCH "
					  "%u (UID BODY.PEEK[])", msg->uid),
			 "FETCH");
	if (result == OUTCOME_LOST)
		return recover(worker, NULL, started);
	if (result == OUTCOME_OK &&
	    !body_is_right(worker->session.client, msg)) {
		worker->session.counts->errors++;
		demo_problem("%s: client: UID %u was read with another body",
			     worker->user->label, msg->uid);
	}
	worker->session.counts->reads++;
	demo_counts_time(worker->session.counts, started);
	imap_clear(worker->session.client);
	return 0;
}

/* Until something comes, for some milliseconds at most. */
static int do_idle(struct worker *worker)
{
	struct imap_client *client = worker->session.client;
	enum imap_status status;

	status = imap_idle_start(client);
	if (status == IMAP_OK) {
		(void)imap_idle_poll(client, IDLE_MS);
		status = imap_is_lost(client) ? IMAP_LOST :
			imap_idle_stop(client);
	}
	imap_clear(client);
	if (outcome(worker, status, "IDLE") != OUTCOME_LOST)
		return 0;
	return recover(worker, NULL, now_ms());
}

static int do_something(struct worker *worker)
{
	unsigned int dice = corpus_rng_below(&worker->rng, 100);

	if (dice < 16)
		return do_append(worker);
	if (dice < 35)
		return do_flag(worker);
	if (dice < 42)
		return do_away(worker, WRITE_MOVE);
	if (dice < 47)
		return do_away(worker, WRITE_EXPUNGE);
	if (dice < 55)
		return do_read(worker);
	return do_idle(worker);
}

void *demo_client_thread(void *context)
{
	struct demo_user *user = context;
	struct worker worker = {
		.user = user,
		.journal = &user->journal,
		.session = {
			.user = user, .counts = &user->client,
			.program = "client"
		}
	};

	corpus_rng_init(&worker.rng, 500 + user->index, 0);
	if (demo_session_open(&worker.session) == 0) {
		while (!demo_user_ends(user) &&
		       demo_session_reopen(&worker.session) == 0 &&
		       do_something(&worker) >= 0) ;
		demo_session_close(&worker.session);
	}
	corpus_message_free(&worker.body);
	return NULL;
}

/* One IDLE, for a second at most. -1: no use to go on. */
static int watch(struct demo_session *session)
{
	enum imap_status status = imap_idle_start(session->client);
	uint64_t until = now_ms() + 1000;

	while (status == IMAP_OK && now_ms() < until &&
	       !demo_user_ends(session->user)) {
		if (imap_idle_poll(session->client, 100) > 0)
			session->counts->reads++;
		if (imap_is_lost(session->client))
			status = IMAP_LOST;
		imap_clear(session->client);
	}
	if (status == IMAP_OK)
		status = imap_idle_stop(session->client);
	if (status == IMAP_LOST)
		return demo_session_again(session) < 0 ? -1 : 0;
	if (status != IMAP_OK)
		demo_session_refused(session, "IDLE");
	return 0;
}

void *demo_watcher_thread(void *context)
{
	struct demo_user *user = context;
	struct demo_session session = {
		.user = user, .counts = &user->watcher, .program = "watcher"
	};

	if (demo_session_open(&session) < 0)
		return NULL;
	while (!demo_user_ends(user) && demo_session_reopen(&session) == 0 &&
	       watch(&session) == 0) ;
	demo_session_close(&session);
	return NULL;
}
