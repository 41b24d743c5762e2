#include "writer.h"
#include "corpus.h"
#include "imap-client.h"
#include "journal.h"
#include "lmtp-client.h"
#include "case.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_WRITERS 16
#define MAX_HOMES 64
#define MAX_TIMES 100000
#define PAUSE_TIMEOUT_MS 60000
#define RETRY_TIMEOUT_MS 60000

struct writer {
	struct writers *all;
	pthread_t thread;
	unsigned int number;
	bool lmtp, paused;

	struct imap_client *client;
	struct corpus_rng rng;
	struct journal journal;
	unsigned int next_id, home;

	struct writers_counts counts;
	/* Since when nothing was acknowledged, in the watched time. */
	double last, gap;
	bool watched;
	double *times;
	size_t time_count;
};

struct writers {
	struct writers_settings set;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct writer writers[MAX_WRITERS];
	unsigned int count;
	char homes[MAX_HOMES][64];
	unsigned int home_count;
	bool go, stop;
};

enum outcome {
	DONE,
	REFUSED,
	UNKNOWN
};

static double clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1000 + (double)ts.tv_nsec / 1000000;
}

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

static void acknowledged(struct writer *writer, double started)
{
	double now = clock_ms();

	pthread_mutex_lock(&writer->all->mutex);
	writer->counts.acknowledged++;
	if (writer->watched && now - writer->last > writer->gap)
		writer->gap = now - writer->last;
	writer->last = now;
	if (writer->time_count < MAX_TIMES)
		writer->times[writer->time_count++] = now - started;
	pthread_cond_broadcast(&writer->all->changed);
	pthread_mutex_unlock(&writer->all->mutex);
}

static bool is_stopping(struct writer *writer)
{
	bool stop;

	pthread_mutex_lock(&writer->all->mutex);
	stop = writer->all->stop;
	pthread_mutex_unlock(&writer->all->mutex);
	return stop;
}

/* IMAP */

static bool try_connect(struct writer *writer, const char **error_r)
{
	const struct writers_settings *set = &writer->all->set;
	struct imap_box box;

	if (imap_open(set->imap, set->user, set->password, CASE_TIMEOUT_MS,
		      &writer->client, error_r) < 0)
		return false;
	if (imap_select(writer->client, home_name(writer), &box) == IMAP_OK)
		return true;
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
		if (now_ms() > deadline || is_stopping(writer)) {
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
	const char *text = imap_error(writer->client);

	switch (status) {
	case IMAP_OK:
		return DONE;
	case IMAP_LOST:
		writer->counts.connections_lost++;
		imap_free(&writer->client);
		return UNKNOWN;
	case IMAP_NO:
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

static void write_imap(struct writer *writer)
{
	double started = clock_ms();

	if (writer->client == NULL && !connect_again(writer))
		return;
	imap_clear(writer->client);
	if (write_something(writer) == DONE)
		acknowledged(writer, started);
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

static void write_lmtp(struct writer *writer)
{
	struct journal_note *note = new_note(writer);
	double started = clock_ms();
	enum outcome outcome;
	char *data;
	size_t size;

	data = case_message(note->id,
			    corpus_rng_below(&writer->rng, 6000), &size);
	outcome = deliver(writer, data, size);
	free(data);
	settle(writer, note, outcome, JOURNAL_HOME);
	if (outcome == DONE)
		acknowledged(writer, started);
}

/* the threads */

/* Returns false at the end. */
static bool wait_for_go(struct writer *writer)
{
	struct writers *all = writer->all;
	bool stop;

	pthread_mutex_lock(&all->mutex);
	while (!all->go && !all->stop) {
		writer->paused = true;
		pthread_cond_broadcast(&all->changed);
		pthread_cond_wait(&all->changed, &all->mutex);
	}
	writer->paused = false;
	stop = all->stop;
	if (writer->home != all->home_count - 1 && !stop) {
		writer->home = all->home_count - 1;
		imap_free(&writer->client);
	}
	pthread_mutex_unlock(&all->mutex);
	return !stop;
}

static void *writer_main(void *context)
{
	struct writer *writer = context;

	while (wait_for_go(writer)) {
		if (writer->lmtp)
			write_lmtp(writer);
		else
			write_imap(writer);
	}
	imap_logout(&writer->client);
	return NULL;
}

struct writers *writers_start(const struct writers_settings *set)
{
	struct writers *all = calloc(1, sizeof(*all));
	struct writer *writer;
	unsigned int i;

	if (all == NULL)
		abort();
	all->set = *set;
	all->count = set->imap_writers + set->lmtp_writers;
	if (all->count > MAX_WRITERS)
		abort();
	pthread_mutex_init(&all->mutex, NULL);
	pthread_cond_init(&all->changed, NULL);
	for (i = 0; i < all->count; i++) {
		writer = &all->writers[i];
		writer->all = all;
		writer->number = i;
		writer->lmtp = i >= set->imap_writers;
		writer->times = calloc(MAX_TIMES, sizeof(*writer->times));
		corpus_rng_init(&writer->rng, set->seed, i);
		if (writer->times == NULL ||
		    pthread_create(&writer->thread, NULL, writer_main,
				   writer) != 0)
			abort();
	}
	return all;
}

void writers_stop(struct writers **_all)
{
	struct writers *all = *_all;
	unsigned int i;

	*_all = NULL;
	if (all == NULL)
		return;
	pthread_mutex_lock(&all->mutex);
	all->stop = true;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->mutex);
	for (i = 0; i < all->count; i++) {
		pthread_join(all->writers[i].thread, NULL);
		journal_free(&all->writers[i].journal);
		free(all->writers[i].times);
	}
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->mutex);
	free(all);
}

void writers_go(struct writers *all, const char *mailbox)
{
	pthread_mutex_lock(&all->mutex);
	if ((all->home_count == 0 ||
	     strcmp(all->homes[all->home_count - 1], mailbox) != 0) &&
	    all->home_count < MAX_HOMES) {
		snprintf(all->homes[all->home_count++],
			 sizeof(all->homes[0]), "%s", mailbox);
	}
	all->go = true;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->mutex);
}

typedef bool condition_t(const struct writer *writer, uint64_t limit);

/* Waits, with the mutex held, until it holds for all of them. */
static bool
wait_for_all(struct writers *all, condition_t *condition,
	     const uint64_t *limits)
{
	struct timespec deadline;
	unsigned int i;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += PAUSE_TIMEOUT_MS / 1000;
	for (i = 0; i < all->count; ) {
		if (condition(&all->writers[i],
			      limits == NULL ? 0 : limits[i]))
			i++;
		else if (pthread_cond_timedwait(&all->changed, &all->mutex,
						&deadline) != 0)
			return false;
	}
	return true;
}

static bool is_paused(const struct writer *writer, uint64_t limit)
{
	(void)limit;
	return writer->paused;
}

static bool has_written(const struct writer *writer, uint64_t limit)
{
	return writer->counts.acknowledged >= limit;
}

bool writers_pause(struct writers *all)
{
	bool ok;

	pthread_mutex_lock(&all->mutex);
	all->go = false;
	ok = wait_for_all(all, is_paused, NULL);
	pthread_mutex_unlock(&all->mutex);
	return ok;
}

bool writers_wait(struct writers *all, unsigned int writes)
{
	uint64_t limits[MAX_WRITERS];
	unsigned int i;
	bool ok;

	pthread_mutex_lock(&all->mutex);
	for (i = 0; i < all->count; i++)
		limits[i] = all->writers[i].counts.acknowledged + writes;
	ok = wait_for_all(all, has_written, limits);
	pthread_mutex_unlock(&all->mutex);
	return ok;
}

void writers_watch_begin(struct writers *all)
{
	unsigned int i;

	pthread_mutex_lock(&all->mutex);
	for (i = 0; i < all->count; i++) {
		all->writers[i].watched = true;
		all->writers[i].gap = 0;
	}
	pthread_mutex_unlock(&all->mutex);
}

unsigned int writers_watch_end(struct writers *all, double *gaps_r)
{
	unsigned int i;

	pthread_mutex_lock(&all->mutex);
	for (i = 0; i < all->count; i++) {
		gaps_r[i] = all->writers[i].gap;
		all->writers[i].watched = false;
	}
	pthread_mutex_unlock(&all->mutex);
	return all->count;
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median_time(struct writers *all)
{
	size_t i, n = 0, total = 0;
	double *times, median;

	for (i = 0; i < all->count; i++)
		total += all->writers[i].time_count;
	times = calloc(total + 1, sizeof(*times));
	if (times == NULL)
		abort();
	for (i = 0; i < all->count; i++) {
		memcpy(times + n, all->writers[i].times,
		       all->writers[i].time_count * sizeof(*times));
		n += all->writers[i].time_count;
	}
	qsort(times, total, sizeof(*times), compare_double);
	median = times[total / 2];
	free(times);
	return median;
}

void writers_get_counts(struct writers *all, struct writers_counts *counts_r)
{
	const struct writers_counts *counts;
	unsigned int i;

	memset(counts_r, 0, sizeof(*counts_r));
	for (i = 0; i < all->count; i++) {
		counts = &all->writers[i].counts;
		counts_r->acknowledged += counts->acknowledged;
		counts_r->refused += counts->refused;
		counts_r->unanswered += counts->unanswered;
		counts_r->connections_lost += counts->connections_lost;
		counts_r->old_lost += counts->old_lost;
		if (counts_r->failures == 0)
			memcpy(counts_r->failure, counts->failure,
			       sizeof(counts->failure));
		counts_r->failures += counts->failures;
	}
	counts_r->median = median_time(all);
}

/* checking */

static unsigned int home_index(const struct writers *all, const char *mailbox)
{
	unsigned int i;

	for (i = 0; i < all->home_count; i++) {
		if (strcmp(all->homes[i], mailbox) == 0)
			break;
	}
	return i;
}

static void
judge_all(struct writers *all, const char *mailbox,
	  struct journal_mailbox *box, FILE *out, struct writers_check *check_r)
{
	struct journal_verdict verdict = { .lost = 0 };
	bool other = strcmp(mailbox, all->set.other) == 0;
	size_t i;

	for (i = 0; i < all->count; i++) {
		journal_judge(&all->writers[i].journal, box,
			      other ? JOURNAL_OTHER : JOURNAL_HOME,
			      home_index(all, mailbox), out, &verdict);
	}
	check_r->lost = verdict.lost;
	check_r->doubled = verdict.doubled;
	check_r->changed = verdict.changed;
	check_r->messages = (unsigned int)box->messages;
	for (i = 0; i < box->count; i++) {
		if (!box->found[i].known) {
			fprintf(out, "    %s: nobody wrote that\n",
				box->found[i].id);
			check_r->strange++;
		}
	}
}

int writers_check(struct writers *all, const char *imap, const char *mailbox,
		  FILE *out, struct writers_check *check_r,
		  const char **error_r)
{
	static char error[300];
	struct imap_client *client;
	struct journal_mailbox box;
	struct imap_box status;
	int ret = -1;

	memset(check_r, 0, sizeof(*check_r));
	if (imap_open(imap, all->set.user, all->set.password, CASE_TIMEOUT_MS,
		      &client, error_r) < 0)
		return -1;
	if (imap_examine(client, mailbox, &status) == IMAP_OK) {
		ret = journal_read(client, &box);
		if (ret == 0)
			judge_all(all, mailbox, &box, out, check_r);
		journal_mailbox_free(&box);
	}
	if (ret < 0) {
		snprintf(error, sizeof(error), "%s: %s", mailbox,
			 imap_error(client));
		*error_r = error;
	}
	imap_logout(&client);
	return ret;
}
