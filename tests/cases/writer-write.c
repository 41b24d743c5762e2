#include "writer-private.h"
#include "imap-client.h"
#include "lmtp-client.h"
#include "case.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RETRY_TIMEOUT_MS 60000

enum outcome {
	DONE,
	REFUSED,
	UNKNOWN
};

static const char *home_name(const struct writer *writer)
{
	return writer->all->homes[writer->home];
}

static void
fail(struct writer *writer, const char *what, const char *why)
{
	if (writer->counts.failures++ == 0) {
		snprintf(writer->counts.failure,
			 sizeof(writer->counts.failure), "%s: %s", what, why);
	}
}

/* IMAP */

static bool try_connect(struct writer *writer, const char **error_r)
{
	const struct writers_settings *set = &writer->all->set;
	struct imap_box box;

	if (imap_open(set->imap, set->user, set->password, CASE_TIMEOUT_MS,
		      &writer->client, error_r) < 0)
		return false;
	if (imap_select(writer->client, home_name(writer), &box) == IMAP_OK) {
		untagged_begin(&writer->untagged, writer->client);
		return true;
	}
	*error_r = "SELECT failed";
	fail(writer, "SELECT", imap_error(writer->client));
	imap_free(&writer->client);
	return false;
}

static bool connect_again(struct writer *writer)
{
	uint64_t deadline = now_ms() + RETRY_TIMEOUT_MS;
	const char *error = "";

	while (!try_connect(writer, &error)) {
		if (now_ms() > deadline || writer_is_stopping(writer)) {
			fail(writer, "can't connect", error);
			return false;
		}
	}
	return true;
}

/* A cutover says so. When the way to the old server breaks, nobody knows what
   became of a write. What else is refused is a failure. */
static enum outcome
outcome_of(struct writer *writer, enum imap_status status, const char *what)
{
	const char *code = imap_reply(writer->client)->code;
	const char *text = imap_error(writer->client);

	switch (status) {
	case IMAP_OK:
		return DONE;
	case IMAP_LOST:
		writer->counts.connections_lost++;
		imap_free(&writer->client);
		return UNKNOWN;
	case IMAP_NO:
		/* the worker died */
		if (strstr(text, "can't be changed now") != NULL) {
			writer->counts.old_lost++;
			return UNKNOWN;
		}
		if (strstr(text, "moved to this server") != NULL)
			return REFUSED;
		if (strstr(text, "Disconnected from server") != NULL ||
		    strstr(text, "old mail server failed") != NULL) {
			writer->counts.old_lost++;
			return UNKNOWN;
		}
		if (strstr(text, "can't be reached") != NULL) {
			writer->counts.old_lost++;
			return REFUSED;
		}
		if (code != NULL && strcmp(code, "UNAVAILABLE") == 0) {
			writer->counts.old_lost++;
			return UNKNOWN;
		}
		/* fall through */
	case IMAP_BAD:
		fail(writer, what, text);
	}
	return REFUSED;
}

static void
settle(struct writer *writer, struct journal_note *note, enum outcome outcome,
       enum journal_place place)
{
	switch (outcome) {
	case DONE:
		note->min[place]++;
		note->max[place]++;
		break;
	case UNKNOWN:
		note->max[place]++;
		break;
	case REFUSED:
		break;
	}
	if (outcome == UNKNOWN)
		writer->counts.unanswered++;
	else if (outcome == REFUSED)
		writer->counts.refused++;
}

static struct journal_note *new_note(struct writer *writer)
{
	char id[64];

	snprintf(id, sizeof(id), "%s-w%u-%u@case.example", home_name(writer),
		 writer->number, ++writer->next_id);
	return journal_add(&writer->journal, id, writer->home);
}

static enum outcome write_append(struct writer *writer)
{
	struct journal_note *note = new_note(writer);
	enum imap_status status;
	enum outcome outcome;
	char *data;
	size_t size;

	data = case_message(note->id,
			    corpus_rng_below(&writer->rng, 6000), &size);
	status = imap_append(writer->client, home_name(writer), "$Work", NULL,
			     data, size, &note->uid);
	free(data);
	note->flags = 8;
	outcome = outcome_of(writer, status, "APPEND");
	settle(writer, note, outcome, JOURNAL_HOME);
	if (outcome != DONE)
		note->uid = 0;
	return outcome;
}

static enum outcome write_store(struct writer *writer,
				struct journal_note *note)
{
	static const unsigned int usable[] = { 0, 1, 3, 4 };
	unsigned int flag = usable[corpus_rng_below(&writer->rng, 4)];
	unsigned int bit = 1U << flag;
	bool set = (note->flags & bit) == 0;
	enum outcome outcome;

	outcome = outcome_of(writer, imap_run(writer->client,
		"UID STORE %u %cFLAGS (%s)", note->uid, set ? '+' : '-',
		journal_flags[flag]), "STORE");
	if (outcome == DONE) {
		note->flags ^= bit;
		note->unsure &= ~bit;
	} else if (outcome == UNKNOWN) {
		note->unsure |= bit;
	}
	return outcome;
}

static enum outcome
transfer(struct writer *writer, struct journal_note *note, const char *command)
{
	unsigned int tag = imap_start(writer->client);

	imap_text(writer->client, "UID %s %u ", command, note->uid);
	imap_mailbox(writer->client, writer->all->set.other);
	imap_end(writer->client);
	return outcome_of(writer, imap_wait(writer->client, tag), command);
}

static enum outcome write_copy(struct writer *writer,
			       struct journal_note *note)
{
	enum outcome outcome = transfer(writer, note, "COPY");

	settle(writer, note, outcome, JOURNAL_OTHER);
	return outcome;
}

static void leaves_home(struct journal_note *note, enum outcome outcome)
{
	if (outcome == REFUSED)
		return;
	note->min[JOURNAL_HOME] = 0;
	if (outcome == DONE)
		note->max[JOURNAL_HOME] = 0;
	/* nothing more is done to it */
	note->uid = 0;
}

/* Without an answer it may be in both, but not in neither. */
static enum outcome write_move(struct writer *writer,
			       struct journal_note *note)
{
	enum outcome outcome = transfer(writer, note, "MOVE");

	settle(writer, note, outcome, JOURNAL_OTHER);
	leaves_home(note, outcome);
	note->moving = outcome == UNKNOWN;
	return outcome;
}

static enum outcome write_expunge(struct writer *writer,
				  struct journal_note *note)
{
	enum outcome outcome;

	outcome = outcome_of(writer, imap_run(writer->client,
		"UID STORE %u +FLAGS.SILENT (\\Deleted)", note->uid), "STORE");
	if (outcome != REFUSED)
		note->flags |= 4;
	if (outcome == UNKNOWN)
		note->unsure |= 4;
	if (outcome != DONE)
		return outcome;
	outcome = outcome_of(writer, imap_run(writer->client, "UID EXPUNGE %u",
					      note->uid), "EXPUNGE");
	leaves_home(note, outcome);
	return outcome;
}

/* One of its own that is in the mailbox for certain, or NULL. */
static struct journal_note *pick(struct writer *writer)
{
	struct journal *journal = &writer->journal;
	struct journal_note *note;
	size_t i, tries = 20;

	while (journal->count > 0 && tries-- > 0) {
		i = corpus_rng_below(&writer->rng,
				     (unsigned int)journal->count);
		note = &journal->notes[i];
		if (note->uid != 0 && note->home == writer->home &&
		    (note->flags & 4) == 0)
			return note;
	}
	return NULL;
}

static enum outcome write_something(struct writer *writer)
{
	unsigned int dice = corpus_rng_below(&writer->rng, 100);
	struct journal_note *note = dice < 45 ? NULL : pick(writer);

	if (note == NULL)
		return write_append(writer);
	if (dice < 65)
		return write_store(writer, note);
	if (dice < 75)
		return write_copy(writer, note);
	if (dice < 85)
		return write_move(writer, note);
	return write_expunge(writer, note);
}

void writer_write_imap(struct writer *writer)
{
	double started = writer_clock_ms();

	if (writer->client == NULL && !connect_again(writer))
		return;
	if (write_something(writer) == DONE)
		writer_acknowledged(writer, started);
	if (writer->client == NULL)
		return;
	if (!untagged_follow(&writer->untagged, writer->client)) {
		fail(writer, "untagged", writer->untagged.odd);
		writer->untagged.odd[0] = '\0';
	}
	imap_clear(writer->client);
}

/* LMTP */

static enum outcome
deliver(struct writer *writer, const char *data, size_t size)
{
	const struct writers_settings *set = &writer->all->set;
	struct lmtp_reply reply = { .code = 0 };
	struct lmtp_client *client;
	char address[200];
	const char *recipient = address, *error;
	int ret;

	snprintf(address, sizeof(address), "%s+%s@lab.example", set->user,
		 home_name(writer));
	if (lmtp_open(set->lmtp, CASE_TIMEOUT_MS, &client, &error) < 0) {
		/* the process may just have been killed */
		writer->counts.connections_lost++;
		return REFUSED;
	}
	ret = lmtp_deliver(client, "sender@example.org", &recipient, 1, data,
			   size, &reply);
	if (ret < 0 || reply.code / 100 == 2)
		lmtp_free(&client);
	else
		lmtp_quit(&client);
	if (ret == 1)
		return DONE;
	if (ret < 0 && reply.code == 0) {
		writer->counts.connections_lost++;
		return UNKNOWN;
	}
	fail(writer, "LMTP", reply.text);
	return REFUSED;
}

void writer_write_lmtp(struct writer *writer)
{
	struct journal_note *note = new_note(writer);
	double started = writer_clock_ms();
	enum outcome outcome;
	char *data;
	size_t size;

	data = case_message(note->id,
			    corpus_rng_below(&writer->rng, 6000), &size);
	outcome = deliver(writer, data, size);
	free(data);
	settle(writer, note, outcome, JOURNAL_HOME);
	if (outcome == DONE)
		writer_acknowledged(writer, started);
}
