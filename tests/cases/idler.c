#include "idler.h"
#include "case.h"
#include "untagged.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IDLERS 16
#define POLL_MS 50

struct idler {
	struct idlers *all;
	pthread_t thread;
	struct imap_client *client;
	struct untagged untagged;
	/* Guarded by the mutex. */
	bool idling;
	unsigned int byes, failures;
	uint32_t exists;
	char why[200];
};

struct idlers {
	struct idlers_settings set;
	const char *mailbox;
	pthread_mutex_t mutex;
	struct idler idlers[MAX_IDLERS];
	bool stop;
};

static bool stopping(struct idlers *all)
{
	bool stop;

	pthread_mutex_lock(&all->mutex);
	stop = all->stop;
	pthread_mutex_unlock(&all->mutex);
	return stop;
}

static void fail(struct idler *idler, const char *why)
{
	pthread_mutex_lock(&idler->all->mutex);
	if (idler->failures++ == 0)
		snprintf(idler->why, sizeof(idler->why), "%s", why);
	pthread_mutex_unlock(&idler->all->mutex);
}

static bool begin_idle(struct idler *idler)
{
	const struct idlers_settings *set = &idler->all->set;
	struct imap_box box;
	const char *error = "";

	if (imap_open(set->imap, set->user, set->password, CASE_TIMEOUT_MS,
		      &idler->client, &error) < 0) {
		fail(idler, error);
		return false;
	}
	if (imap_select(idler->client, idler->all->mailbox, &box) != IMAP_OK ||
	    imap_idle_start(idler->client) != IMAP_OK) {
		fail(idler, imap_error(idler->client));
		imap_free(&idler->client);
		return false;
	}
	untagged_begin(&idler->untagged, idler->client);
	return true;
}

/* Does what came make sense? BYE is kept: it's the last. */
static void follow(struct idler *idler)
{
	if (!untagged_follow(&idler->untagged, idler->client)) {
		fail(idler, idler->untagged.odd);
		idler->untagged.odd[0] = '\0';
	}
	if (imap_find(imap_untagged(idler->client), "BYE") == NULL)
		imap_clear(idler->client);
}

static void note_state(struct idler *idler, bool idling)
{
	pthread_mutex_lock(&idler->all->mutex);
	idler->idling = idling;
	if (idling)
		idler->exists = imap_exists(idler->client);
	pthread_mutex_unlock(&idler->all->mutex);
}

static void ended(struct idler *idler)
{
	bool bye = imap_find(imap_untagged(idler->client), "BYE") != NULL;

	if (bye) {
		pthread_mutex_lock(&idler->all->mutex);
		idler->byes++;
		pthread_mutex_unlock(&idler->all->mutex);
	} else {
		fail(idler, imap_error(idler->client));
	}
	note_state(idler, false);
	imap_free(&idler->client);
}

static void *idler_main(void *context)
{
	struct idler *idler = context;

	while (!stopping(idler->all)) {
		if (idler->client == NULL && !begin_idle(idler))
			continue;
		note_state(idler, true);
		if (imap_idle_poll(idler->client, POLL_MS) < 0 ||
		    imap_is_lost(idler->client))
			ended(idler);
		else
			follow(idler);
	}
	imap_free(&idler->client);
	return NULL;
}

struct idlers *idlers_start(const struct idlers_settings *set,
			    const char *mailbox)
{
	struct idlers *all = calloc(1, sizeof(*all));
	unsigned int i;

	if (all == NULL || set->count > MAX_IDLERS)
		abort();
	all->set = *set;
	all->mailbox = mailbox;
	pthread_mutex_init(&all->mutex, NULL);
	for (i = 0; i < set->count; i++) {
		all->idlers[i].all = all;
		if (pthread_create(&all->idlers[i].thread, NULL, idler_main,
				   &all->idlers[i]) != 0)
			abort();
	}
	return all;
}

void idlers_stop(struct idlers **_all)
{
	struct idlers *all = *_all;
	unsigned int i;

	*_all = NULL;
	if (all == NULL)
		return;
	pthread_mutex_lock(&all->mutex);
	all->stop = true;
	pthread_mutex_unlock(&all->mutex);
	for (i = 0; i < all->set.count; i++)
		pthread_join(all->idlers[i].thread, NULL);
	pthread_mutex_destroy(&all->mutex);
	free(all);
}

struct idlers_wish {
	struct idlers *all;
	unsigned int byes;
	/* UINT32_MAX: any */
	uint32_t messages;
};

static bool all_are(void *context)
{
	const struct idlers_wish *wish = context;
	const struct idler *idler;
	unsigned int i;
	bool ok = true;

	pthread_mutex_lock(&wish->all->mutex);
	for (i = 0; i < wish->all->set.count && ok; i++) {
		idler = &wish->all->idlers[i];
		ok = idler->idling && idler->byes >= wish->byes &&
			(wish->messages == UINT32_MAX ||
			 idler->exists == wish->messages);
	}
	pthread_mutex_unlock(&wish->all->mutex);
	return ok;
}

bool idlers_wait(struct idlers *all, unsigned int byes,
		 unsigned int timeout_ms)
{
	struct idlers_wish wish = {
		.all = all, .byes = byes, .messages = UINT32_MAX,
	};

	return wait_until(all_are, &wish, timeout_ms);
}

bool idlers_wait_exists(struct idlers *all, uint32_t messages,
			unsigned int timeout_ms)
{
	struct idlers_wish wish = { .all = all, .messages = messages };

	return wait_until(all_are, &wish, timeout_ms);
}

unsigned int idlers_byes(struct idlers *all)
{
	unsigned int byes = 0;

	pthread_mutex_lock(&all->mutex);
	for (unsigned int i = 0; i < all->set.count; i++)
		byes += all->idlers[i].byes;
	pthread_mutex_unlock(&all->mutex);
	return byes;
}

unsigned int idlers_failures(struct idlers *all, const char **why_r)
{
	static char why[200];
	unsigned int i, failures = 0;

	pthread_mutex_lock(&all->mutex);
	for (i = 0; i < all->set.count; i++) {
		if (failures == 0)
			memcpy(why, all->idlers[i].why, sizeof(why));
		failures += all->idlers[i].failures;
	}
	pthread_mutex_unlock(&all->mutex);
	*why_r = why;
	return failures;
}
