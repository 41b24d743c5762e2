/*
 * test-kill-sessions: imap and lmtp are killed while they write (I1)
 *
 * What was acknowledged is there, once; what was left unanswered may be there
 * once. After the cutover nobody is killed: Dovecot 2.3.19 itself then rebuilds
 * the index of its sdbox, and answers some clients with NO meanwhile.
 */
#include "case.h"
#include "corpus.h"
#include "writer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define KILLS 30
#define SOAK_KILLS 300
#define MAX_PIDS 64
#define MAILBOX "Work"
#define OTHER "Kept"

static struct writers *writers;
static struct corpus_rng rng;

/* The new server's processes that serve clients. */
static unsigned int find_sessions(pid_t *pids)
{
	struct process_result result;
	unsigned int count = 0;
	char *line, *next;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"ps -o pid=,comm= --sid $(cut -d' ' -f1 %s/sessions/new) | "
		"grep -E ' (imap|lmtp)$'", case_get("DIR"));
	for (line = result.output; *line != '\0' && count < MAX_PIDS;
	     line = next) {
		pids[count++] = (pid_t)strtol(line, &next, 10);
		next += strcspn(next, "\n");
		next += *next == '\n';
	}
	process_result_free(&result);
	return count;
}

struct sessions {
	pid_t pids[MAX_PIDS];
	unsigned int count;
};

static bool sessions_found(void *context)
{
	struct sessions *sessions = context;

	sessions->count = find_sessions(sessions->pids);
	return sessions->count > 0;
}

/* On a busy machine those killed before may still be on their way back. */
static bool kill_one(void)
{
	struct sessions sessions;
	pid_t pid;

	if (!UNIT_CHECK(wait_until(sessions_found, &sessions, CASE_TIMEOUT_MS),
			"nobody to kill"))
		return false;
	pid = sessions.pids[corpus_rng_below(&rng, sessions.count)];
	return kill(pid, SIGKILL) == 0;
}

static void kill_many(void)
{
	unsigned int i, killed = 0, kills = case_soak() ? SOAK_KILLS : KILLS;

	writers_go(writers, MAILBOX);
	for (i = 0; i < kills; i++) {
		if (kill_one())
			killed++;
		if (!UNIT_CHECK(writers_wait(writers, 1),
				"no writes after a kill"))
			break;
	}
	UNIT_CHECK(killed >= kills / 2, "only %u killed", killed);
	UNIT_CHECK(writers_pause(writers), "a writer hangs");
}

static void write_undisturbed(void)
{
	writers_go(writers, MAILBOX);
	UNIT_CHECK(writers_wait(writers, 10), "no writes");
	UNIT_CHECK(writers_pause(writers), "a writer hangs");
}

static void check(const char *server, const char *mailbox)
{
	struct writers_check result;
	const char *error = "";

	if (UNIT_CHECK(writers_check(writers, case_get(server), mailbox,
				     stdout, &result, &error) == 0,
		       "%s at %s: %s", mailbox, server, error))
		UNIT_CHECK(result.lost + result.doubled + result.changed +
			   result.strange == 0,
			   "%s at %s: lost=%u doubled=%u changed=%u strange=%u",
			   mailbox, server, result.lost, result.doubled,
			   result.changed, result.strange);
}

static bool make_mailboxes(void)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	bool ok = client != NULL &&
		imap_run(client, "CREATE " MAILBOX) == IMAP_OK &&
		imap_run(client, "CREATE " OTHER) == IMAP_OK;

	imap_free(&client);
	return UNIT_CHECK(ok, "CREATE");
}

static void print_figures(void)
{
	struct writers_counts counts;

	writers_get_counts(writers, &counts);
	UNIT_CHECK(counts.failures == 0, "%llu failures: %s",
		   (unsigned long long)counts.failures, counts.failure);
	UNIT_CHECK(counts.unanswered > 0, "nobody was hit");
	printf("\n    acknowledged=%llu unanswered=%llu connections lost=%llu"
	       "\n    ", (unsigned long long)counts.acknowledged,
	       (unsigned long long)counts.unanswered,
	       (unsigned long long)counts.connections_lost);
}

static void killed_sessions_lose_nothing(void)
{
	struct writers_settings set = {
		.other = OTHER, .imap_writers = 4, .lmtp_writers = 2, .seed = 7,
	};

	/* lmtp reads its settings when it starts */
	if (!case_server("new", "restart", NULL) || !make_mailboxes())
		return;
	set.imap = case_get("NEW_IMAP");
	set.lmtp = case_get("NEW_LMTP");
	set.user = case_user(0);
	set.password = case_get("PASSWORD");
	corpus_rng_init(&rng, 11, 0);
	writers = writers_start(&set);
	kill_many();
	check("OLD_IMAP_DIRECT", MAILBOX);
	check("OLD_IMAP_DIRECT", OTHER);

	case_migration("fill -u %s", case_user(0));
	check("NEW_IMAP", MAILBOX);
	check("NEW_IMAP", OTHER);
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "*", "local");
	write_undisturbed();
	check("NEW_IMAP", MAILBOX);
	check("NEW_IMAP", OTHER);
	print_figures();
	writers_stop(&writers);
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "killed sessions lose nothing", killed_sessions_lose_nothing },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "1", "--messages", "20", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-kill-sessions",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL "lmtp_save_to_detail_mailbox = yes\n",
	};

	return case_main(&program);
}
