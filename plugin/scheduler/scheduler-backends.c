#include "lib.h"
#include "array.h"
#include "dict.h"
#include "ioloop.h"
#include "scheduler-backends.h"

#include <time.h>

#define KEY_PREFIX DICT_PATH_SHARED"migration/backends/"

struct backend {
	struct scheduler_backends *backends;
	/* in the dict */
	char *key;
	/* NULL: there's none; of the first look it isn't known how old it is */
	char *value;
	bool looked_at;
	/* when the value was another one, when it was last known */
	uint64_t changed_at, known_at;
};

struct scheduler_backends {
	struct dict *dict;
	void (*changed)(void *context, unsigned int machines);
	void *context;
	char *own_key;
	/* the others; lookups that aren't answered */
	ARRAY(struct backend *) others;
	unsigned int pending;
	struct timeout *to;
	uint64_t now;
	/* counts up from the time of the start */
	uint64_t own_value;
	unsigned int machines;
	/* it was logged that the dict doesn't work */
	bool failing;
};

static const struct dict_op_settings op_set = { .username = "" };

static uint64_t monotonic_msecs(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void dict_failed(struct scheduler_backends *backends, const char *error)
{
	if (!backends->failing) {
		i_error("migration: migration_backends_dict: %s: all backends "
			"are taken to be there", error);
	}
	backends->failing = TRUE;
}

static void dict_worked(struct scheduler_backends *backends)
{
	if (backends->failing)
		i_info("migration: migration_backends_dict works again");
	backends->failing = FALSE;
}

/*
 * The others
 */

static bool is_there(const struct backend *backend, uint64_t now)
{
	if (now - backend->known_at > SCHEDULER_BACKENDS_GONE_MSECS)
		return TRUE;
	return backend->value != NULL &&
		now - backend->changed_at <= SCHEDULER_BACKENDS_GONE_MSECS;
}

static void count(struct scheduler_backends *backends)
{
	struct backend *backend;
	unsigned int machines = 1;

	array_foreach_elem(&backends->others, backend) {
		if (!backend->looked_at || is_there(backend, backends->now))
			machines++;
	}
	if (machines == backends->machines)
		return;
	backends->machines = machines;
	backends->changed(backends->context, machines);
}

static void backend_found(struct backend *backend, const char *value)
{
	uint64_t now = backend->backends->now;

	backend->known_at = now;
	if (!backend->looked_at || null_strcmp(backend->value, value) != 0)
		backend->changed_at = now;
	backend->looked_at = TRUE;
	i_free(backend->value);
	backend->value = i_strdup(value);
}

static void
backend_looked_up(const struct dict_lookup_result *result,
		  struct backend *backend)
{
	struct scheduler_backends *backends = backend->backends;

	backends->pending--;
	if (result->ret < 0) {
		dict_failed(backends, result->error);
		return;
	}
	dict_worked(backends);
	backend_found(backend, result->ret == 0 ? NULL : result->value);
	count(backends);
}

/* Where lookups block and fail, one of them is enough. */
static void look_up_others(struct scheduler_backends *backends)
{
	struct backend *backend;

	array_foreach_elem(&backends->others, backend) {
		backends->pending++;
		dict_lookup_async(backends->dict, &op_set, backend->key,
				  backend_looked_up, backend);
		if (backends->failing)
			break;
	}
}

/*
 * This one
 */

static void
own_written(const struct dict_commit_result *result,
	    struct scheduler_backends *backends)
{
	if (result->ret < 0)
		dict_failed(backends, result->error);
}

static void write_own(struct scheduler_backends *backends)
{
	struct dict_transaction_context *trans =
		dict_transaction_begin(backends->dict, &op_set);

	dict_transaction_no_slowness_warning(trans);
	dict_set(trans, backends->own_key, dec2str(++backends->own_value));
	dict_transaction_commit_async(&trans, own_written, backends);
}

/* dict_transaction_commit() crashes with 2.3.19's redis. */
static void remove_own(struct scheduler_backends *backends)
{
	struct dict_transaction_context *trans =
		dict_transaction_begin(backends->dict, &op_set);

	dict_unset(trans, backends->own_key);
	dict_transaction_commit_async(&trans, own_written, backends);
	dict_wait(backends->dict);
}

void scheduler_backends_look(struct scheduler_backends *backends,
			     uint64_t msecs)
{
	backends->now = msecs;
	/* an answer that never comes isn't waited for by more than one look */
	if (backends->pending == 0) {
		write_own(backends);
		look_up_others(backends);
	}
	count(backends);
}

static void look(struct scheduler_backends *backends)
{
	T_BEGIN {
		scheduler_backends_look(backends, monotonic_msecs());
	} T_END;
}

/*
 * Life
 */

static char *backend_key(const char *name)
{
	return i_strconcat(KEY_PREFIX, dict_escape_string(name), NULL);
}

static void add_other(struct scheduler_backends *backends, const char *name)
{
	struct backend *backend = i_new(struct backend, 1);

	backend->backends = backends;
	backend->key = backend_key(name);
	array_push_back(&backends->others, &backend);
}

static void add_names(struct scheduler_backends *backends, const char *names)
{
	const char *const *name = t_strsplit_spaces(names, " ");

	backends->own_key = backend_key(*name);
	while (*++name != NULL)
		add_other(backends, *name);
}

int scheduler_backends_init(const char *names, const char *uri,
			    const char *base_dir,
			    void (*changed)(void *context,
					    unsigned int machines),
			    void *context,
			    struct scheduler_backends **backends_r,
			    const char **error_r)
{
	const struct dict_settings set = { .base_dir = base_dir };
	struct scheduler_backends *backends;
	struct dict *dict;

	if (*t_strsplit_spaces(names, " ") == NULL) {
		*error_r = "migration_backends is empty: it needs this "
			"machine's name, and those of the others";
		return -1;
	}
	if (dict_init(uri, &set, &dict, error_r) < 0) {
		*error_r = t_strdup_printf("migration_backends_dict = %s: %s",
					   uri, *error_r);
		return -1;
	}
	backends = i_new(struct scheduler_backends, 1);
	backends->dict = dict;
	backends->changed = changed;
	backends->context = context;
	backends->own_value = (uint64_t)time(NULL) * 1000;
	i_array_init(&backends->others, 8);
	add_names(backends, names);
	look(backends);
	backends->to = timeout_add(SCHEDULER_BACKENDS_MSECS, look, backends);
	*backends_r = backends;
	return 0;
}

void scheduler_backends_deinit(struct scheduler_backends **_backends)
{
	struct scheduler_backends *backends = *_backends;
	struct backend *backend;

	if (backends == NULL)
		return;
	*_backends = NULL;
	timeout_remove(&backends->to);
	dict_wait(backends->dict);
	remove_own(backends);
	dict_deinit(&backends->dict);
	array_foreach_elem(&backends->others, backend) {
		i_free(backend->key);
		i_free(backend->value);
		i_free(backend);
	}
	array_free(&backends->others);
	i_free(backends->own_key);
	i_free(backends);
}
