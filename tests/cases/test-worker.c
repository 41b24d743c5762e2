/*
 * test-worker: the life of migration-worker: who may start it, how many there
 * are, when it ends, and what becomes of requests when it is killed
 */
#include "asker.h"
#include "case-folder.h"
#include "case-mirror.h"
#include "corpus.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* somebody else */
#define NOBODY 65534
#define USERS 2
#define MAX_WORKERS 16
#define KILLS 16
#define SOAK_KILLS 200
/* on which side of its answer a write is killed is left to chance */
#define MAX_DELAY_MS 100
/* how long a write may take before it's said to wait */
#define WAIT_MS 500
/* the longest that anybody waits for FRESH */
#define FRESHNESS_MS 2000
#define SETTINGS CASE_MIRROR \
	"service migration-worker {\n  idle_kill = 1 s\n}\n"

static struct corpus_rng rng;

static unsigned int worker_count(void)
{
	pid_t pids[MAX_WORKERS];

	return case_mirror_workers(pids, MAX_WORKERS);
}

static bool no_worker(void *context)
{
	(void)context;
	return worker_count() == 0;
}

static bool workers_end(void)
{
	return UNIT_CHECK(wait_until(no_worker, NULL, CASE_TIMEOUT_MS),
			  "%u workers don't end", worker_count());
}

static uint32_t uid_validity(unsigned int user)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	struct imap_box box = { .exists = 0 };

	if (client != NULL)
		UNIT_CHECK(imap_examine(client, "INBOX", &box) == IMAP_OK,
			   "EXAMINE");
	imap_logout(&client);
	return box.uidvalidity;
}

static bool prepare(const char *settings)
{
	static const char *const mailboxes[] = { "INBOX", NULL };
	unsigned int user;

	if (!case_settings(settings, true) || !workers_end())
		return false;
	for (user = 0; user < USERS; user++) {
		if (strcmp(case_status(user, "INBOX", "state"),
			   "mirrored") != 0 &&
		    !case_mirror_fill(user, mailboxes))
			return false;
	}
	return true;
}

/* To the old server, from all that there is here. */
static unsigned int old_connections(unsigned int user)
{
	if (!case_shell("doveadm -c %s/old/dovecot.conf who -1 %s | "
			"grep -c ' imap ' || :", case_get("DIR"),
			case_user(user)))
		return 0;
	return (unsigned int)strtoul(case_output(), NULL, 10);
}

struct wanted_connections {
	unsigned int user, count;
};

static bool has_connections(void *context)
{
	const struct wanted_connections *wanted = context;

	return old_connections(wanted->user) == wanted->count;
}

/* The one that listens comes a little later. */
static void check_connections(unsigned int user, unsigned int count)
{
	struct wanted_connections wanted = { user, count };

	UNIT_CHECK(wait_until(has_connections, &wanted, CASE_TIMEOUT_MS),
		   "%u connections to the old server instead of %u",
		   old_connections(user), count);
}

/* The first who asks has it started, the second finds it. */
static void starts_once(void)
{
	struct asker *asker, *other;
	pid_t pid, now;
	const char *line;

	if (!prepare(SETTINGS) || (asker = asker_open(0)) == NULL)
		return;
	UNIT_CHECK(case_mirror_workers(&pid, 1) == 1, "no process");
	line = asker_start_worker(case_user(0), geteuid());
	UNIT_CHECK(strcmp(line, "OK") == 0, "a second start: %s", line);
	ASKER_CHECK(asker, "OK", "FRESH\tINBOX\t1000");
	other = asker_connect(0, geteuid());
	if (UNIT_CHECK(other != NULL, "no second connection"))
		ASKER_CHECK(other, "OK", "FRESH\tINBOX\t1000");
	UNIT_CHECK(case_mirror_workers(&now, 1) == 1 && now == pid,
		   "another process");
	asker_close(&other);
	asker_close(&asker);
	workers_end();
}

static void one_each_user(void)
{
	struct asker *askers[USERS];
	unsigned int user;

	for (user = 0; user < USERS; user++) {
		if ((askers[user] = asker_open(user)) != NULL)
			ASKER_CHECK(askers[user], "OK", "FRESH\tINBOX\t1000");
	}
	UNIT_CHECK(worker_count() == USERS, "%u processes", worker_count());
	for (user = 0; user < USERS; user++)
		check_connections(user, 2);
	for (user = 0; user < USERS; user++)
		asker_close(&askers[user]);
	workers_end();
}

/* Many start at once: one remains for each user. */
static void start_many(void)
{
	struct asker *asker;
	unsigned int i;

	CU_ASSERT(case_shell("for i in 1 2 3 4 5 6 7 8; do "
		"printf 'VERSION\\tmigration-worker\\t1\\t0\\nUSER\\t%s\\n' | "
		"timeout 20 perl -MIO::Socket::UNIX -e "
		"'$s = IO::Socket::UNIX->new($ARGV[0]); print $s <STDIN>; "
		"print scalar <$s>' %s/new/run/migration-worker & done; wait",
		case_user(0), case_get("DIR")));
	UNIT_CHECK(strcmp(case_output(), "OK\nOK\nOK\nOK\nOK\nOK\nOK\nOK\n")
		   == 0, "%s", case_output());
	for (i = 0; i < 3 && (asker = asker_open(0)) != NULL; i++) {
		ASKER_CHECK(asker, "OK", "FRESH\tINBOX\t1000");
		asker_close(&asker);
	}
	workers_end();
}

static void strangers_are_refused(void)
{
	struct asker *asker;
	const char *line = asker_start_worker(case_user(0), NOBODY);

	UNIT_CHECK(strcmp(line, "NO\tPermission denied") == 0, "%s", line);
	line = asker_start_worker(case_user(0),
				  (uid_t)atoi(case_get("MAIL_ID")));
	UNIT_CHECK(strcmp(line, "OK") == 0, "the mail user: %s", line);
	asker = asker_connect(0, NOBODY);
	UNIT_CHECK(asker == NULL, "anybody can connect");
	/* and even where the folders are open */
	case_shell("chmod -R a+rwx %s", case_get("NEW_HOME"));
	asker = asker_connect(0, NOBODY);
	UNIT_CHECK(asker == NULL, "anybody is served");
	asker = asker_connect(0, (uid_t)atoi(case_get("MAIL_ID")));
	UNIT_CHECK(asker != NULL, "the mail user isn't served");
	asker_close(&asker);
	case_shell("chmod -R go-rwx %s", case_get("NEW_HOME"));
	workers_end();
}

static void nonsense_is_refused(void)
{
	struct asker *asker = asker_open(0);
	const char *line;

	if (asker == NULL)
		return;
	ASKER_CHECK(asker, "NO\tparams\t", "WRITE\tINBOX\t1\texpunge\t1:*");
	line = asker_answer(asker, CASE_TIMEOUT_MS);
	UNIT_CHECK(strcmp(line, "lost") == 0, "it goes on: %s", line);
	asker_close(&asker);
	if ((asker = asker_open(0)) == NULL)
		return;
	ASKER_CHECK(asker, "GONE", "WRITE\tINBOX\t1\texpunge\t1");
	asker_close(&asker);
	line = asker_start_worker("nobody", geteuid());
	UNIT_CHECK(strncmp(line, "NO\tThe user can't be looked up", 30) == 0,
		   "%s", line);
	workers_end();
}

static void plugin_is_missing(void)
{
	const char *line;

	if (!prepare(SETTINGS "protocol migration-worker {\n"
		     "  mail_plugins =\n}\n"))
		return;
	line = asker_start_worker(case_user(0), geteuid());
	UNIT_CHECK(strstr(line, "global mail_plugins") != NULL, "%s", line);
	workers_end();
	if (!prepare(SETTINGS "protocol migration-worker {\n"
		     "  plugin {\n    migration = no\n  }\n}\n"))
		return;
	line = asker_start_worker(case_user(0), geteuid());
	UNIT_CHECK(strstr(line, "isn't being moved") != NULL, "%s", line);
	workers_end();
	prepare(SETTINGS);
}

struct write {
	char id[40];
	bool acknowledged;
};

/* The answer within delay_ms, or the worker is killed. */
static bool write_and_kill(const struct write *write, uint32_t validity,
			   unsigned int delay_ms)
{
	struct asker *asker = asker_open(0);
	size_t size;
	char *message = case_message(write->id, 2000, &size);
	int file = memfd_create("message", MFD_CLOEXEC);
	const char *line = "";
	pid_t pid;

	if (asker != NULL && file != -1 &&
	    pwrite(file, message, size, 0) == (ssize_t)size &&
	    UNIT_CHECK(case_mirror_workers(&pid, 1) == 1, "no process")) {
		asker_send(asker, file, "WRITE\tINBOX\t%u\tappend\t0\t%zu\t"
			   "1767600000\t60\t\\Seen", validity, size);
		line = asker_answer(asker, delay_ms);
		CU_ASSERT(kill(pid, SIGKILL) == 0);
		if (*line == '\0')
			line = asker_answer(asker, CASE_TIMEOUT_MS);
		UNIT_CHECK(strcmp(line, "lost") == 0 ||
			   strncmp(line, "OK\t", 3) == 0, "%s", line);
	}
	asker_close(&asker);
	close(file);
	free(message);
	return strncmp(line, "OK", 2) == 0;
}

static unsigned int copies(struct imap_client *client, const char *id)
{
	const struct imap_response *found;
	const struct imap_arg *arg;
	unsigned int count = 0;

	imap_clear(client);
	if (!UNIT_CHECK(imap_run(client, "UID SEARCH HEADER Message-ID %s",
				 id) == IMAP_OK, "SEARCH"))
		return 0;
	found = imap_find(imap_untagged(client), "SEARCH");
	for (arg = found == NULL ? NULL : found->args; arg != NULL;
	     arg = arg->next)
		count++;
	return count;
}

static void check_writes(const struct write *writes, unsigned int count)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	struct imap_box box;
	unsigned int i, n, acknowledged = 0;

	if (client == NULL || imap_examine(client, "INBOX", &box) != IMAP_OK) {
		CU_FAIL("EXAMINE");
		return;
	}
	for (i = 0; i < count; i++) {
		n = copies(client, writes[i].id);
		UNIT_CHECK(n == 1 || (n == 0 && !writes[i].acknowledged),
			   "%s is there %u times", writes[i].id, n);
		acknowledged += writes[i].acknowledged ? 1 : 0;
	}
	UNIT_CHECK(acknowledged > 0 && acknowledged < count,
		   "%u of %u acknowledged", acknowledged, count);
	imap_logout(&client);
}

/* Whatever the machine's speed, the first one isn't answered and the last one is. */
static unsigned int kill_delay(unsigned int i, unsigned int count)
{
	return i == 0 ? 0 : i + 1 == count ? CASE_TIMEOUT_MS :
		corpus_rng_below(&rng, MAX_DELAY_MS) + 1;
}

static void killed_under_writes(void)
{
	unsigned int i, count = case_soak() ? SOAK_KILLS : KILLS;
	struct write *writes = calloc(count, sizeof(*writes));
	uint32_t validity = uid_validity(0);

	corpus_rng_init(&rng, 5, 0);
	for (i = 0; i < count; i++) {
		snprintf(writes[i].id, sizeof(writes[i].id),
			 "killed-%u@case.example", i);
		writes[i].acknowledged = write_and_kill(&writes[i], validity,
			kill_delay(i, count));
	}
	check_writes(writes, count);
	free(writes);
	case_mirror_settles(0, false, "after kills");
}

/* It has the new settings, and the server was away meanwhile. */
static void restarted(void)
{
	struct asker *asker = asker_open(0);
	pid_t before, after;

	if (asker == NULL)
		return;
	(void)case_mirror_workers(&before, 1);
	if (case_doveadm("reload") != 0)
		CU_FAIL("reload");
	UNIT_CHECK(strcmp(asker_answer(asker, CASE_TIMEOUT_MS), "lost") == 0,
		   "the worker doesn't end on reload");
	asker_close(&asker);
	if ((asker = asker_open(0)) == NULL)
		return;
	UNIT_CHECK(case_mirror_workers(&after, 1) == 1 && after != before,
		   "the same process");
	case_server("new", "restart", NULL);
	UNIT_CHECK(strcmp(asker_answer(asker, CASE_TIMEOUT_MS), "lost") == 0,
		   "the worker outlives Dovecot");
	asker_close(&asker);
	if ((asker = asker_open(0)) != NULL)
		ASKER_CHECK(asker, "OK", "FRESH\tINBOX\t1000");
	asker_close(&asker);
	workers_end();
}

static void paused(void)
{
	struct asker *asker = asker_open(0), *other = asker_open(0);
	uint32_t validity = uid_validity(0);
	const char *line;

	if (asker == NULL || other == NULL)
		return;
	ASKER_CHECK(asker, "OK", "PAUSE");
	asker_send(other, -1, "WRITE\tINBOX\t%u\tstore\t1\t+FLAGS (\\Flagged)",
		   validity);
	line = asker_answer(other, WAIT_MS);
	UNIT_CHECK(*line == '\0', "written in a pause: %s", line);
	ASKER_CHECK(asker, "OK", "RESUME");
	line = asker_answer(other, CASE_TIMEOUT_MS);
	UNIT_CHECK(strncmp(line, "OK\t", 3) == 0, "after RESUME: %s", line);

	ASKER_CHECK(asker, "OK", "PAUSE");
	asker_send(other, -1, "WRITE\tINBOX\t%u\tstore\t1\t-FLAGS (\\Flagged)",
		   validity);
	line = asker_answer(other, WAIT_MS);
	UNIT_CHECK(*line == '\0', "written in a pause: %s", line);
	if (case_soak()) {
		line = asker_answer(other, 2 * CASE_TIMEOUT_MS);
		UNIT_CHECK(strncmp(line, "OK\t", 3) == 0, "a minute later: %s",
			   line);
	}
	asker_close(&asker);
	line = case_soak() ? "OK\t" : asker_answer(other, CASE_TIMEOUT_MS);
	UNIT_CHECK(strncmp(line, "OK\t", 3) == 0, "who paused is gone: %s",
		   line);
	asker_close(&other);
	workers_end();
}

/* Who gave up has told its client so: what it asked for isn't done any more. */
static void asker_gives_up(void)
{
	struct asker *pauser = asker_open(0), *asker = asker_open(0);
	uint32_t before = folder_count("OLD_IMAP_DIRECT", 0, "INBOX");
	uint32_t validity = uid_validity(0);
	size_t size;
	char *message = case_message("given-up@case.example", 2000, &size);
	int file = memfd_create("message", MFD_CLOEXEC);

	if (pauser != NULL && asker != NULL && file != -1 &&
	    pwrite(file, message, size, 0) == (ssize_t)size) {
		ASKER_CHECK(pauser, "OK", "PAUSE");
		asker_send(asker, file, "WRITE\tINBOX\t%u\tappend\t0\t%zu\t"
			   "1767600000\t60\t", validity, size);
		UNIT_CHECK(*asker_answer(asker, WAIT_MS) == '\0',
			   "written in a pause");
		asker_close(&asker);
		ASKER_CHECK(pauser, "OK", "RESUME");
		ASKER_CHECK(pauser, "OK", "PAUSE");
	}
	UNIT_CHECK(folder_count("OLD_IMAP_DIRECT", 0, "INBOX") == before,
		   "written for nobody");
	asker_close(&asker);
	asker_close(&pauser);
	close(file);
	free(message);
	workers_end();
}

/* Of the copy; nobody is asked for anything. */
static unsigned int copy_count(void)
{
	if (!UNIT_CHECK(case_doveadm("-o plugin/migration=no -f tab mailbox "
				     "status -u %s messages INBOX",
				     case_user(0)) == 0, "%s", case_output()))
		return 0;
	return (unsigned int)strtoul(strrchr(case_output(), '\t') + 1, NULL,
				     10);
}

static bool copy_has(void *context)
{
	const unsigned int *count = context;

	return copy_count() == *count;
}

/* It has one connection, and looks for itself. */
static void check_news_without_watch(struct asker *asker)
{
	unsigned int count = copy_count() + 1;

	ASKER_CHECK(asker, "OK", "WATCH\tINBOX");
	folder_append("OLD_IMAP_DIRECT", 0, "INBOX", "unwatched@case.example");
	UNIT_CHECK(wait_until(copy_has, &count, CASE_TIMEOUT_MS),
		   "the news aren't seen");
}

static void limited(void)
{
	struct asker *first, *second;
	uint32_t validity = uid_validity(1);

	if (!prepare(SETTINGS "plugin {\n  migration_old_connections = 1\n"
		     "  migration_mirror_interval = 3 s\n}\n"))
		return;
	first = asker_open(0);
	second = asker_open(1);
	if (first == NULL || second == NULL)
		return;
	ASKER_CHECK(first, "OK", "FRESH\tINBOX\t1000");
	check_news_without_watch(first);
	check_connections(0, 1);
	ASKER_CHECK(second, "NO\tlimit\t", "FRESH\tINBOX\t1000");
	ASKER_CHECK(second, "NO\tlimit\t[LIMIT] ",
		    "WRITE\tINBOX\t%u\tstore\t1\t+FLAGS (\\Flagged)", validity);
	asker_close(&first);
	if (case_mirror_kill_workers() != 2)
		CU_FAIL("not two workers");
	asker_close(&second);
	if ((second = asker_open(1)) != NULL)
		ASKER_CHECK(second, "OK\t", "WRITE\tINBOX\t%u\tstore\t1\t"
			    "+FLAGS (\\Flagged)", validity);
	asker_close(&second);
	workers_end();
	prepare(SETTINGS);
}

static bool tell_proxy(const char *command)
{
	return case_shell("'%s' --tell '%s' %s", case_get("DELAY_PROXY"),
			  case_get("OLD_PROXY_CONTROL"), command);
}

static void refused_at_once(struct asker *asker)
{
	uint64_t start = now_ms();

	ASKER_CHECK(asker, "NO\tunavailable\t", "FRESH\tINBOX\t0");
	UNIT_CHECK(now_ms() - start < WAIT_MS, "FRESH took %u ms",
		   (unsigned int)(now_ms() - start));
}

struct fresh_again {
	struct asker *asker;
	const char *line;
};

static bool is_fresh(void *context)
{
	struct fresh_again *again = context;

	again->line = asker_ask(again->asker, "FRESH\tINBOX\t0");
	return strcmp(again->line, "OK") == 0;
}

/* One waits for an old server that hangs, the others don't wait long. */
static void hang(struct asker *asker, struct asker *other)
{
	struct fresh_again again = { other, "" };
	const char *line;

	ASKER_CHECK(asker, "OK", "FRESH\tINBOX\t0");
	tell_proxy("stall");
	asker_send(asker, -1, "FRESH\tINBOX\t0");
	line = asker_answer(asker, FRESHNESS_MS + WAIT_MS);
	UNIT_CHECK(*line == '\0', "before its time: %s", line);
	refused_at_once(other);
	line = asker_answer(asker, CASE_TIMEOUT_MS);
	UNIT_CHECK(strncmp(line, "NO\tunavailable\t", 15) == 0, "%s", line);
	refused_at_once(other);
	tell_proxy("go");
	UNIT_CHECK(wait_until(is_fresh, &again, CASE_TIMEOUT_MS),
		   "it's back: %s", again.line);
}

static void old_server_hangs(void)
{
	struct asker *asker, *other;

	if (!prepare("imapc_cmd_timeout = 4 s\n" SETTINGS))
		return;
	asker = asker_open(0);
	other = asker_open(0);
	if (asker != NULL && other != NULL)
		hang(asker, other);
	asker_close(&asker);
	asker_close(&other);
	workers_end();
	case_no_crash();
}

/* What was read while the old server was away is known when it has no word any
   more. */
static void seen_before_cutover(void)
{
	const char *file = folder_file(1, "seen", "INBOX");
	const char *flags;

	if (!prepare(SETTINGS))
		return;
	folder_append("OLD_IMAP_DIRECT", 1, "INBOX", "unseen@case.example");
	CU_ASSERT(case_shell("mkdir -p $(dirname %s) && "
			     "printf '%u 1:1000\n' >%s && "
			     "chown -R %s $(dirname %s)", file,
			     uid_validity(1), file, case_get("MAIL_ID"),
			     file));
	CU_ASSERT(case_migration("cutover -u %s INBOX", case_user(1)));
	flags = folder_flags("NEW_IMAP", 1, "INBOX",
			     folder_count("NEW_IMAP", 1, "INBOX"));
	UNIT_CHECK(strstr(flags, "\\Seen") != NULL, "flags: %s", flags);
	workers_end();
}

static const struct unit_test tests[] = {
	{ "starts once", starts_once },
	{ "one a user", one_each_user },
	{ "many start at once", start_many },
	{ "strangers are refused", strangers_are_refused },
	{ "nonsense is refused", nonsense_is_refused },
	{ "the plugin is missing", plugin_is_missing },
	{ "killed under writes", killed_under_writes },
	{ "restarted", restarted },
	{ "paused", paused },
	{ "an asker gives up", asker_gives_up },
	{ "limited", limited },
	{ "the old server hangs", old_server_hangs },
	{ "seen before a cutover", seen_before_cutover },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "2", "--messages", "20", "--folders", "1",
		"--names", "plain", NULL
	};
	const struct case_program program = {
		.name = "test-worker",
		.tests = tests,
		.lab_args = args,
		.settings = SETTINGS,
	};

	return case_main(&program);
}
