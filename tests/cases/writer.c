#include "writer-private.h"
#include "imap-client.h"
#include "case.h"

#include <stdlib.h>
#include <string.h>

#define PAUSE_TIMEOUT_MS 60000

double writer_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1000 + (double)ts.tv_nsec / 1000000;
}

void writer_acknowledged(struct writer *writer, double started)
{
	double now = writer_clock_ms();

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

bool writer_is_stopping(struct writer *writer)
{
	bool stop;

	pthread_mutex_lock(&writer->all->mutex);
	stop = writer->all->stop;
	pthread_mutex_unlock(&writer->all->mutex);
	return stop;
}

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
			writer_write_lmtp(writer);
		else
			writer_write_imap(writer);
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
