#include "lib.h"
#include "array.h"
#include "mail-storage-private.h"
#include "maildir-storage.h"
#include "maildir-uidlist.h"
#include "verify-ahead.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* Files that are handed over at once. */
#define CHUNK_FILES 128
/* What is read ahead of one; the kernel goes on when it is read. */
#define AHEAD_BYTES (256 * 1024)

/* Of one chunk, while the thread has it. */
struct chunk {
	pool_t pool;
	const char *paths[CHUNK_FILES];
	unsigned int count;
	uint32_t last_uid;
};

struct verify_ahead {
	struct mailbox *box;
	struct seq_range_iter iter;
	unsigned int next;

	/* those that are compared, and those that the thread has */
	struct chunk *now, *coming;
	struct chunk chunks[2];

	pthread_t thread;
	bool threaded;
	/* between the two */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct chunk *work;
	bool end;
};

static const char *maildir_path(struct mailbox *box, uint32_t uid)
{
	struct maildir_mailbox *maildir =
		container_of(box, struct maildir_mailbox, box);
	enum maildir_uidlist_rec_flag flags;
	const char *name;

	if (maildir_uidlist_lookup(maildir->uidlist, uid, &flags, &name) <= 0)
		return NULL;
	return t_strdup_printf("%s/%s/%s", mailbox_get_path(box),
		(flags & MAILDIR_UIDLIST_REC_FLAG_NEW_DIR) != 0 ? "new" :
		"cur", name);
}

static const char *sdbox_path(struct mailbox *box, uint32_t uid)
{
	return t_strdup_printf("%s/u.%u", mailbox_get_path(box), uid);
}

static bool has_files(struct mailbox *box)
{
	return strcmp(box->storage->name, "sdbox") == 0 ||
		strcmp(box->storage->name, MAILDIR_STORAGE_NAME) == 0;
}

static const char *file_path(struct mailbox *box, uint32_t uid)
{
	return strcmp(box->storage->name, "sdbox") == 0 ?
		sdbox_path(box, uid) : maildir_path(box, uid);
}

static void fill_chunk(struct verify_ahead *ahead, struct chunk *chunk)
{
	const char *path;
	uint32_t uid;

	p_clear(chunk->pool);
	chunk->count = 0;
	chunk->last_uid = UINT32_MAX;
	while (chunk->count < CHUNK_FILES) {
		if (!seq_range_array_iter_nth(&ahead->iter, ahead->next, &uid))
			return;
		ahead->next++;
		T_BEGIN {
			path = file_path(ahead->box, uid);
			if (path != NULL) {
				chunk->paths[chunk->count++] =
					p_strdup(chunk->pool, path);
			}
		} T_END;
		chunk->last_uid = uid;
	}
}

static void refresh_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	/* whoever reads it says what is wrong with it */
	if (fd == -1)
		return;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)posix_fadvise(fd, 0, AHEAD_BYTES, POSIX_FADV_WILLNEED);
	(void)close(fd);
}

static void refresh_chunk(const struct chunk *chunk)
{
	for (unsigned int i = 0; i < chunk->count; i++)
		refresh_file(chunk->paths[i]);
}

static void *thread_main(void *context)
{
	struct verify_ahead *ahead = context;

	pthread_mutex_lock(&ahead->mutex);
	while (!ahead->end) {
		if (ahead->work == NULL) {
			pthread_cond_wait(&ahead->changed, &ahead->mutex);
			continue;
		}
		pthread_mutex_unlock(&ahead->mutex);
		refresh_chunk(ahead->work);
		pthread_mutex_lock(&ahead->mutex);
		ahead->work = NULL;
		pthread_cond_signal(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->mutex);
	return NULL;
}

static void hand_over(struct verify_ahead *ahead, struct chunk *chunk)
{
	if (!ahead->threaded) {
		refresh_chunk(chunk);
		return;
	}
	pthread_mutex_lock(&ahead->mutex);
	ahead->work = chunk;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->mutex);
}

static void wait_for_thread(struct verify_ahead *ahead)
{
	if (!ahead->threaded)
		return;
	pthread_mutex_lock(&ahead->mutex);
	while (ahead->work != NULL)
		pthread_cond_wait(&ahead->changed, &ahead->mutex);
	pthread_mutex_unlock(&ahead->mutex);
}

/* Signals are for those who expect them. Without a thread it takes longer. */
static void start_thread(struct verify_ahead *ahead)
{
	sigset_t all, old;

	pthread_mutex_init(&ahead->mutex, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ahead->threaded = pthread_create(&ahead->thread, NULL, thread_main,
					 ahead) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct verify_ahead *
verify_ahead_init(struct mailbox *box, const ARRAY_TYPE(seq_range) *uids)
{
	struct verify_ahead *ahead;

	if (!has_files(box))
		return NULL;
	ahead = i_new(struct verify_ahead, 1);
	ahead->box = box;
	seq_range_array_iter_init(&ahead->iter, uids);
	for (unsigned int i = 0; i < N_ELEMENTS(ahead->chunks); i++)
		ahead->chunks[i].pool = pool_alloconly_create("ahead", 16*1024);
	ahead->now = &ahead->chunks[0];
	ahead->coming = &ahead->chunks[1];
	start_thread(ahead);
	fill_chunk(ahead, ahead->coming);
	hand_over(ahead, ahead->coming);
	return ahead;
}

void verify_ahead_wait(struct verify_ahead *ahead, uint32_t uid)
{
	struct chunk *done;

	while (uid > ahead->now->last_uid) {
		wait_for_thread(ahead);
		done = ahead->now;
		ahead->now = ahead->coming;
		ahead->coming = done;
		fill_chunk(ahead, done);
		hand_over(ahead, done);
	}
}

void verify_ahead_deinit(struct verify_ahead **_ahead)
{
	struct verify_ahead *ahead = *_ahead;

	if (ahead == NULL)
		return;
	*_ahead = NULL;
	if (ahead->threaded) {
		pthread_mutex_lock(&ahead->mutex);
		ahead->end = TRUE;
		pthread_cond_signal(&ahead->changed);
		pthread_mutex_unlock(&ahead->mutex);
		(void)pthread_join(ahead->thread, NULL);
	}
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->mutex);
	for (unsigned int i = 0; i < N_ELEMENTS(ahead->chunks); i++)
		pool_unref(&ahead->chunks[i].pool);
	i_free(ahead);
}
