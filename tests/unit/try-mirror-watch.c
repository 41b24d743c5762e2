/*
 * try-mirror-watch: watch mailboxes of an old server by hand.
 *
 *   try-mirror-watch HOST PORT USER SECONDS SELECTED... [-- OTHER...]
 *
 * Names are the old server's; those of a range as in "box%u:5000" are box0 to
 * box4999. OLD_PASSWORD, OLD_RAWLOG as in try-old-client; OLD_PREFIX is
 * imapc_list_prefix, OLD_SEP the separator, WATCH_MSECS the interval. A line
 * for each status with the seconds since the epoch, and one each second with
 * what is fresh, and counters.
 */
#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "str.h"
#include "time-util.h"
#include "plugin/engine/mirror-watch-private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static ARRAY_TYPE(const_string) names[2];
static struct mirror_watch *watch;
static unsigned int told, seconds;

static const char *env(const char *name, const char *value)
{
	return getenv(name) == NULL ? value : getenv(name);
}

static bool name_map(void *context ATTR_UNUSED, struct name_map *map_r)
{
	map_r->old_sep = map_r->sep = *env("OLD_SEP", ".");
	map_r->old_prefix = env("OLD_PREFIX", "");
	map_r->prefix = "";
	return TRUE;
}

static void on_status(void *context ATTR_UNUSED, const char *vname,
		      const struct mirror_status *status)
{
	struct timeval tv;

	told++;
	i_gettimeofday(&tv);
	printf("%lu.%06lu %s messages=%u uidnext=%u uidvalidity=%u "
	       "modseq=%"PRIu64"\n", (unsigned long)tv.tv_sec,
	       (unsigned long)tv.tv_usec, vname, status->messages,
	       status->uid_next, status->uid_validity, status->modseq);
	fflush(stdout);
}

static void add_names(ARRAY_TYPE(const_string) *array, const char *arg)
{
	const char *colon = strchr(arg, ':'), *name = arg;
	unsigned int i, count = colon == NULL ? 1 : strtoul(colon + 1, NULL, 10);

	for (i = 0; i < count; i++) {
		if (colon != NULL) {
			name = i_strdup_printf("%.*s%u",
				(int)(strchr(arg, '%') - arg), arg, i);
		}
		array_push_back(array, &name);
	}
}

static void on_second(void *context ATTR_UNUSED)
{
	unsigned int fresh[2] = { 0, 0 }, i;
	struct rusage usage;
	const char *name;

	for (i = 0; i < 2; i++) {
		array_foreach_elem(&names[i], name) {
			if (mirror_watch_is_fresh(watch, name, 1000))
				fresh[i]++;
		}
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("fresh=%u/%u others=%u/%u notify=%u told=%u commands=%u "
	       "bursts=%u in=%"PRIu64" cpu_ms=%ld maxrss_kb=%ld\n", fresh[0],
	       array_count(&names[0]), fresh[1], array_count(&names[1]),
	       watch->notify, told,
	       old_client_counters(watch->client)->commands,
	       old_client_counters(watch->client)->bursts,
	       old_client_counters(watch->client)->bytes_in,
	       usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
	       usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000,
	       usage.ru_maxrss);
	fflush(stdout);
	if (--seconds == 0)
		io_loop_stop(current_ioloop);
}

static void run(char *const argv[])
{
	const struct mirror_watch_callbacks callbacks = { .status = on_status };
	const struct watch_settings set = {
		.selected_msecs = 1000,
		.all_msecs = strtoul(env("WATCH_MSECS", "10000"), NULL, 10),
		.heartbeat_msecs = 800, .patience_msecs = 5000,
		.name_map = name_map,
	};
	struct old_client_settings client_set = {
		.host = argv[1], .user = argv[3],
		.password = getenv("OLD_PASSWORD"),
		.rawlog_dir = getenv("OLD_RAWLOG"),
		.connect_timeout_msecs = 30000, .cmd_timeout_msecs = 30000,
	};
	struct timeout *to;
	unsigned int to_list = 0;

	if (net_str2port(argv[2], &client_set.port) < 0)
		i_fatal("not a port: %s", argv[2]);
	seconds = strtoul(argv[4], NULL, 10);
	i_array_init(&names[0], 16);
	i_array_init(&names[1], 16);
	for (argv += 5; *argv != NULL; argv++) {
		if (strcmp(*argv, "--") == 0)
			to_list = 1;
		else
			add_names(&names[to_list], *argv);
	}
	watch = watch_create(&client_set, &set, &callbacks, NULL);
	mirror_watch_want(watch, &names[0], &names[1]);
	to = timeout_add(1000, on_second, NULL);
	io_loop_run(current_ioloop);
	timeout_remove(&to);
	mirror_watch_deinit(&watch);
	array_free(&names[0]);
	array_free(&names[1]);
}

int main(int argc, char *argv[])
{
	struct ioloop *ioloop;

	if (argc < 6)
		i_fatal("usage: try-mirror-watch HOST PORT USER SECONDS "
			"SELECTED... [-- OTHER...]");
	signal(SIGPIPE, SIG_IGN);
	lib_init();
	ioloop = io_loop_create();
	run(argv);
	io_loop_destroy(&ioloop);
	lib_deinit();
	return 0;
}
