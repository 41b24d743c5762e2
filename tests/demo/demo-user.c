#include "demo-user.h"
#include "corpus.h"
#include "demo-session.h"
#include "process.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_MS 40
/* A write that the connection was lost in is tried again so many times. */
#define TRIES 5
#define FIND_TRIES 50

enum op_type { OP_APPEND, OP_FLAG, OP_MOVE, OP_EXPUNGE };

/* A write and, once it's done, what the server said. */
struct op {
	enum op_type type;
	/* Index in the journal; not for OP_APPEND. */
	size_t message;
	/* OP_FLAG */
	bool add;
	const char *flag;
	/* OP_APPEND: the message to write. OP_MOVE: where it's found again. */
	char message_id[96];
	struct corpus_message *data;
	char flags[64];
	/* UID that APPEND or MOVE gave. */
	uint32_t uid;
};

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
op_message(struct worker *worker, const struct op *op)
{
	return &worker->journal->messages[op->message];
}

/*
 * Looking things up
 */

/* The UIDs of a search in the selected mailbox: *uid_r is the last one, or 0. */
static enum imap_status
search(struct worker *worker, const char *key, const char *value,
       uint32_t *uid_r)
{
	const struct imap_response *resp;
	const struct imap_arg *arg;
	enum imap_status status;
	uint64_t uid = 0;

	*uid_r = 0;
	imap_clear(worker->session.client);
	status = imap_run(worker->session.client, "UID SEARCH %s %s", key,
			  value);
	if (status != IMAP_OK)
		return status;
	resp = imap_find(imap_untagged(worker->session.client), "SEARCH");
	for (arg = resp == NULL ? NULL : resp->args; arg != NULL;
	     arg = arg->next) {
		if (imap_parse_number(arg->data, UINT32_MAX, &uid))
			*uid_r = (uint32_t)uid;
	}
	return IMAP_OK;
}

static enum imap_status
search_id(struct worker *worker, const char *message_id, uint32_t *uid_r)
{
	return search(worker, "HEADER Message-ID", message_id, uid_r);
}

static enum imap_status
search_uid(struct worker *worker, uint32_t uid, bool *found_r)
{
	char value[16];
	uint32_t found;
	enum imap_status status;

	snprintf(value, sizeof(value), "%u", uid);
	status = search(worker, "UID", value, &found);
	*found_r = found == uid;
	return status;
}

/* In Trash; INBOX is selected again afterwards. */
static enum imap_status
search_trash(struct worker *worker, const char *message_id, uint32_t *uid_r)
{
	struct imap_client *client = worker->session.client;
	struct imap_box box;
	enum imap_status status;

	status = imap_select(client, demo_folder_name(worker->user,
						      JOURNAL_TRASH), &box);
	if (status == IMAP_OK)
		status = search_id(worker, message_id, uid_r);
	if (status == IMAP_OK)
		status = imap_select(client, "INBOX", &box);
	return status;
}

/*
 * Writing
 */

static enum imap_status run_append(struct worker *worker, struct op *op)
{
	enum imap_status status;
	char date[IMAP_DATE_SIZE];

	imap_format_date(op->data->instant, op->data->zone, date);
	status = imap_append(worker->session.client, "INBOX", op->flags, date,
			     op->data->data, op->data->size, &op->uid);
	if (status == IMAP_OK && op->uid == 0)
		status = search_id(worker, op->message_id, &op->uid);
	return status;
}

static enum imap_status run_flag(struct worker *worker, const struct op *op)
{
	return imap_run(worker->session.client, "UID STORE %u %sFLAGS (%s)",
			op_message(worker, op)->uid, op->add ? "+" : "-",
			op->flag);
}

/* COPYUID stands in an untagged OK, or in the tagged one. */
static uint32_t find_copyuid(struct imap_client *client)
{
	const struct imap_response *resp;
	const char *code = imap_reply(client)->code;
	uint32_t uidvalidity;
	uint64_t uid = 0;
	char *from, *to;

	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (resp->code != NULL &&
		    strncasecmp(resp->code, "COPYUID ", 8) == 0)
			code = resp->code;
	}
	if (code == NULL ||
	    !imap_parse_copyuid(code, &uidvalidity, &from, &to))
		return 0;
	if (!imap_parse_number(to, UINT32_MAX, &uid))
		uid = 0;
	free(from);
	free(to);
	return (uint32_t)uid;
}

static enum imap_status run_move(struct worker *worker, struct op *op)
{
	struct imap_client *client = worker->session.client;
	enum imap_status status;
	unsigned int tag;

	imap_clear(client);
	tag = imap_start(client);
	imap_text(client, "UID MOVE %u ", op_message(worker, op)->uid);
	imap_mailbox(client, demo_folder_name(worker->user, JOURNAL_TRASH));
	imap_end(client);
	status = imap_wait(client, tag);
	if (status != IMAP_OK)
		return status;
	op->uid = find_copyuid(client);
	return op->uid != 0 ? IMAP_OK :
		search_trash(worker, op->message_id, &op->uid);
}

static enum imap_status run_expunge(struct worker *worker, const struct op *op)
{
	struct imap_client *client = worker->session.client;
	uint32_t uid = op_message(worker, op)->uid;
	unsigned int store, expunge;
	enum imap_status status;

	store = imap_send(client, "UID STORE %u +FLAGS.SILENT (\\Deleted)",
			  uid);
	expunge = imap_send(client, "UID EXPUNGE %u", uid);
	status = imap_wait(client, store);
	if (status == IMAP_LOST)
		return status;
	if (status != IMAP_OK) {
		(void)imap_wait(client, expunge);
		return status;
	}
	return imap_wait(client, expunge);
}

static enum outcome run_op(struct worker *worker, struct op *op)
{
	switch (op->type) {
	case OP_APPEND:
		return outcome(worker, run_append(worker, op), "APPEND");
	case OP_FLAG:
		return outcome(worker, run_flag(worker, op), "STORE");
	case OP_MOVE:
		return outcome(worker, run_move(worker, op), "MOVE");
	case OP_EXPUNGE:
		return outcome(worker, run_expunge(worker, op), "EXPUNGE");
	}
	abort();
}

/*
 * After a lost connection: was it done?
 */

static enum imap_status
look_flag(struct worker *worker, const struct op *op, bool *done_r)
{
	const uint32_t uid = op_message(worker, op)->uid;
	const struct imap_response *resp;
	const struct imap_arg *flag;
	struct imap_fetch fetch;
	enum imap_status status;
	bool set = false;

	*done_r = false;
	imap_clear(worker->session.client);
	status = imap_run(worker->session.client, "UID FETCH %u (FLAGS)", uid);
	for (resp = imap_untagged(worker->session.client);
	     status == IMAP_OK && resp != NULL; resp = resp->next) {
		if (!imap_parse_fetch(resp, &fetch) || fetch.uid != uid)
			continue;
		for (flag = fetch.flags; flag != NULL; flag = flag->next)
			set = set || imap_arg_is(flag, op->flag);
		*done_r = set == op->add;
	}
	return status;
}

static enum imap_status
look_gone(struct worker *worker, const struct op *op, bool *done_r)
{
	enum imap_status status;
	bool found;

	status = search_uid(worker, op_message(worker, op)->uid, &found);
	*done_r = !found;
	return status;
}

static enum imap_status
look(struct worker *worker, struct op *op, bool *done_r)
{
	enum imap_status status;

	switch (op->type) {
	case OP_APPEND:
		status = search_id(worker, op->message_id, &op->uid);
		*done_r = op->uid != 0;
		return status;
	case OP_FLAG:
		return look_flag(worker, op, done_r);
	case OP_MOVE:
		status = look_gone(worker, op, done_r);
		if (status == IMAP_OK && *done_r)
			status = search_trash(worker, op->message_id,
					      &op->uid);
		return status;
	case OP_EXPUNGE:
		return look_gone(worker, op, done_r);
	}
	abort();
}

/*
 * The journal
 */

static void digest(const void *data, size_t size, unsigned char *digest_r)
{
	if (EVP_Digest(data, size, digest_r, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

static void note_append(struct worker *worker, const struct op *op)
{
	struct journal_message *msg;

	msg = journal_add(worker->journal, op->uid, op->flags);
	msg->message_id = strdup(op->message_id);
	msg->size = op->data->size;
	msg->instant = op->data->instant;
	digest(op->data->data, op->data->size, msg->digest);
}

static void note_done(struct worker *worker, const struct op *op)
{
	struct journal_message *msg;
	unsigned int flag;

	worker->user->client.writes++;
	if (op->type == OP_APPEND) {
		note_append(worker, op);
		return;
	}
	msg = op_message(worker, op);
	if (op->type == OP_FLAG) {
		flag = journal_flag(worker->journal, op->flag);
		msg->flags = op->add ? msg->flags | flag : msg->flags & ~flag;
		return;
	}
	if (op->type == OP_MOVE)
		msg->trash_uid = op->uid;
	msg->uid = 0;
}

static void note_interruption(struct worker *worker, uint64_t started)
{
	unsigned int ms = (unsigned int)(now_ms() - started);

	if (ms > worker->user->client.interrupted_ms)
		worker->user->client.interrupted_ms = ms;
}

/* 1: the write, begun at that time, was done before the connection was lost; 0:
   it wasn't. */
static int recover(struct worker *worker, struct op *op, uint64_t started)
{
	bool done = false;
	int ret;

	ret = demo_session_again(&worker->session);
	if (ret < 0)
		return -1;
	if (op != NULL &&
	    outcome(worker, look(worker, op, &done), "looking") != OUTCOME_OK)
		return -1;
	if (done)
		note_done(worker, op);
	if (ret > 0) {
		/* what the old server has by now, it keeps */
		journal_freeze(worker->journal);
		note_interruption(worker, started);
	}
	return done ? 1 : 0;
}

/* Does it, whatever happens to the connection. -1: no use to go on. */
static int do_op(struct worker *worker, struct op *op)
{
	uint64_t started = now_ms();
	enum outcome result;
	unsigned int i;
	int done = 0;

	for (i = 0; i < TRIES && done == 0; i++) {
		result = run_op(worker, op);
		if (result == OUTCOME_REFUSED)
			return 0;
		if (result == OUTCOME_OK) {
			note_done(worker, op);
			break;
		}
		done = recover(worker, op, started);
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
	struct op op = { .type = OP_APPEND };
	struct corpus_message text = { .data = NULL };
	const char *rest;
	size_t size;
	FILE *out;
	int ret;

	corpus_make(&corpus, worker->appended++, &worker->body);
	snprintf(op.message_id, sizeof(op.message_id), "<client-%u.%u@"
		 "lab.example>", worker->appended, worker->user->index);
	snprintf(op.flags, sizeof(op.flags), "%s",
		 flags[corpus_rng_below(&worker->rng, 4)]);
	rest = memmem(worker->body.data, worker->body.size, "\r\n\r\n", 4);
	out = open_memstream(&text.data, &size);
	if (out == NULL)
		abort();
	fprintf(out, "Message-ID: %s\r\nSubject: written here", op.message_id);
	fwrite(rest, 1, worker->body.size - (size_t)(rest - worker->body.data),
	       out);
	fclose(out);
	text.size = size;
	/* Dovecot takes none from the future */
	text.instant = worker->body.instant % time(NULL);
	text.zone = worker->body.zone;
	op.data = &text;
	ret = do_op(worker, &op);
	free(text.data);
	return ret;
}

static int do_flag(struct worker *worker)
{
	static const char *const flags[] = { "\\Seen", "\\Flagged",
					     "\\Answered", "$Label1",
					     "$Forwarded", "NonJunk" };
	struct op op = { .type = OP_FLAG };

	if (!pick(worker, false, &op.message))
		return 0;
	op.flag = flags[corpus_rng_below(&worker->rng, 6)];
	op.add = corpus_rng_below(&worker->rng, 3) > 0;
	return do_op(worker, &op);
}

static int do_away(struct worker *worker, enum op_type type)
{
	struct op op = { .type = type };

	/* others may share a Message-ID, or have none */
	if (!pick(worker, type == OP_MOVE, &op.message))
		return 0;
	if (type == OP_MOVE)
		snprintf(op.message_id, sizeof(op.message_id), "%s",
			 op_message(worker, &op)->message_id);
	return do_op(worker, &op);
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
		return do_away(worker, OP_MOVE);
	if (dice < 47)
		return do_away(worker, OP_EXPUNGE);
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
		while (!demo_user_ends(user) && do_something(&worker) >= 0) ;
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
	while (!demo_user_ends(user) && watch(&session) == 0) ;
	demo_session_close(&session);
	return NULL;
}
