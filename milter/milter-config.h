/*
 * milter-config: the settings of migration-milter
 *
 * Made in two steps, because root reads the file and somebody else the rest:
 * milter_config_read() reads the settings, milter_config_load() then what they
 * name (the keys, the files of domains) as whoever it runs as. After that it
 * doesn't change. It is counted: sessions hold the one that they began with, and
 * the last to let go frees it. See migration-milter.conf(5) for what each means.
 *
 * Errors begin with FILE:LINE and say what is expected; they are valid until the
 * same thread's next one.
 */
#ifndef MILTER_CONFIG_H
#define MILTER_CONFIG_H

#include "common/arrival-tag.h"
#include "config-file.h"
#include "domain-set.h"
#include "spam-header.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define MILTER_CONFIG_FILE "/etc/migration-milter.conf"
/* Some senders give up after two days: half a day for what went wrong. */
#define MILTER_DEFER_MAX_SECS (36 * 3600)

enum milter_mode {
	MILTER_MODE_TAG,
	MILTER_MODE_DEFER
};

/* A setting that may be given several times. */
struct config_list {
	char **values;
	size_t count;
};

struct milter_config {
	char *path;
	/* The line being read. */
	unsigned int line;
	/* All as libmilter wants them. */
	struct config_list sockets;
	enum arrival_at server;
	bool has_server;
	char *host;
	struct domain_set *domains;
	struct config_list domain_files;
	struct arrival_key *key;
	char *key_file;
	unsigned int key_line;
	struct spam_header *spam_headers;
	struct config_list submission_daemons;
	enum milter_mode mode;
	/* 0: not set */
	time_t defer_from, defer_until;
	unsigned int defer_line;
	/* 0: never refused */
	unsigned int loop_limit;
	unsigned int heartbeat_secs;
	int facility;
	/* "name" or "name:group" */
	char *user;
	mode_t umask;
	char *pid_file;
	atomic_uint references;
};

/* What the command line puts in the place of settings; NULL where it doesn't. */
struct milter_overrides {
	const char *socket, *pid_file, *user;
};

int milter_config_read(const char *path,
		       const struct milter_overrides *overrides,
		       struct milter_config **config_r, const char **error_r);
int milter_config_load(struct milter_config *config, const char **error_r);

void milter_config_ref(struct milter_config *config);
/* *config becomes NULL. */
void milter_config_unref(struct milter_config **config);

/* The mode in force at that time: defer only in its window. */
enum milter_mode
milter_config_mode(const struct milter_config *config, time_t now);
/* It is, or will be, deferring. */
bool milter_config_may_defer(const struct milter_config *config, time_t now);
const char *milter_mode_name(enum milter_mode mode);
bool milter_config_is_submission(const struct milter_config *config,
				 const char *daemon_name);

#endif
