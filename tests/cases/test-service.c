/*
 * test-service: `service migration` has all users moved by itself
 * (plugin/scheduler/scheduler-protocol.h): who is wanted first, whose login fails
 * or whose old server is away holds up nobody, and whatever is killed, nothing is
 * lost and nothing comes twice
 */
#include "asker.h"
#include "case-folder.h"
#include "case-userdb.h"
#include "corpus.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USERS 12
/* who is wanted; whose login fails; whose old server is away; who gets mail late,
   and is looked at */
#define WANTED 9
#define REFUSED 1
#define AWAY 3
#define LATE 5
#define KILLS 4
#define SOAK_KILLS 100
#define MAX_DELAY_MS 400
#define OFF CASE_NO_LOOKS
#define ON OFF "plugin {\n  migration_service = yes\n" \
	"  migration_service_catchup = 5 s\n}\n"

/*
 * What the service says
 */

static struct asker *control(void)
{
	struct asker *asker = asker_dial("migration", geteuid());

	if (asker != NULL)
		asker_send(asker, -1, "VERSION\tmigration-control\t1\t0");
	return asker;
}

/* Its answer; "lost" when it isn't there. */
static const char *command(const char *line)
{
	struct asker *asker = control();
	const char *answer = "lost";

	if (asker != NULL)
		answer = asker_ask(asker, "%s", line);
	asker_close(&asker);
	return answer;
}

static void commands_ok(const char *line)
{
	const char *answer = command(line);

	UNIT_CHECK(strcmp(answer, "OK") == 0, "%s: %s", line, answer);
}

/* The line of STATUS that begins so; "" when there's none. */
static const char *status(const char *beginning)
{
	static char found[2000];
	struct asker *asker = control();
	const char *line;

	found[0] = '\0';
	if (asker == NULL)
		return found;
	asker_send(asker, -1, "STATUS");
	do {
		line = asker_line(asker, CASE_TIMEOUT_MS);
		if (strncmp(line, beginning, strlen(beginning)) == 0)
			snprintf(found, sizeof(found), "%s", line);
	} while (strchr(line, '=') != NULL);
	asker_close(&asker);
	return found;
}

static bool has_word(const char *line, const char *word)
{
	const char *found = strstr(line, word);
	size_t size = strlen(word);

	return found != NULL && found > line && found[-1] == '\t' &&
		(found[size] == '\t' || found[size] == '\0');
}

struct wanted_line {
	const char *beginning, *word;
};

static bool line_is_there(void *context)
{
	const struct wanted_line *wanted = context;

	return has_word(status(wanted->beginning), wanted->word);
}

/* All that it says, for who looks for the reason. */
static const char *picture(void)
{
	(void)case_doveadm("migration status --once");
	return case_output();
}

static bool wait_for(const char *beginning, const char *word)
{
	struct wanted_line wanted = { beginning, word };

	return UNIT_CHECK(wait_until(line_is_there, &wanted,
				     CASE_TIMEOUT_MS), "%s: %s\n%s",
			  word, status(beginning), picture());
}

/*
 * What there is
 */

static pid_t process(const char *name)
{
	(void)case_shell("ps -o pid=,comm= --sid $(cut -d' ' -f1 "
			 "%s/sessions/new) | awk '$2 ~ /^%s/ { print $1; "
			 "exit }'", case_get("DIR"), name);
	return (pid_t)strtol(case_output(), NULL, 10);
}

static bool is_same(unsigned int user)
{
	struct snapshot *old = case_snapshot("OLD", user, true);
	struct snapshot *new = case_snapshot("NEW", user, true);

	return case_same(&old, &new, SNAPSHOT_IGNORE_UIDNEXT, case_user(user));
}

static bool log_has(void *text)
{
	return case_log_count(text) > 0;
}

static void not_wanted(void)
{
	const char *answer = command("STATUS");

	UNIT_CHECK(strstr(answer, "migration_service = yes") != NULL, "%s",
		   answer);
}

/* It was paused once; some want nonsense. Who is wanted is the first, unseen as he is. */
static void wanted_first(void)
{
	struct asker *asker;

	case_shell("install -d -m 700 %s/new/state/migration && "
		   ">%s/new/state/migration/paused", case_get("DIR"),
		   case_get("DIR"));
	if (!case_settings(ON, true) || !wait_for("total", "users=12"))
		return;
	CU_ASSERT(has_word(status("total"), "paused=1"));
	CU_ASSERT(has_word(status("total"), "unseen=12"));
	case_userdb_set(REFUSED, "imapc_password", "wrong");
	case_userdb_set(AWAY, "imapc_port", "1");
	asker = asker_dial("migration-demand",
			   (uid_t)atoi(case_get("MAIL_ID")));
	if (!UNIT_CHECK(asker != NULL, "nobody may want anything"))
		return;
	asker_send(asker, -1, "VERSION\tmigration-demand\t1\t0\n"
		   "WANT\t%s\tINBOX\nWANT\tnobody\tINBOX\n"
		   "WANT\t%s\t\xff\xfe", case_user(WANTED),
		   case_user(LATE));
	asker_close(&asker);
	/* what is said first is heard first */
	(void)status("total");
	commands_ok("RESUME");
	wait_until(log_has, (void *)"event=filled", CASE_TIMEOUT_MS);
	case_shell("grep -m1 'event=filled' %s", case_get("NEW_LOG"));
	UNIT_CHECK(strstr(case_output(), case_user(WANTED)) != NULL, "%s",
		   case_output());
}

static bool has_ended(void *context)
{
	const pid_t *pid = context;

	return kill(*pid, 0) < 0;
}

static void killed(void)
{
	static const char *const names[] = {
		"migration-sched", "migration-mover"
	};
	unsigned int i, count = case_soak() ? SOAK_KILLS : KILLS;
	unsigned int killed = 0;
	struct corpus_rng rng;
	pid_t pid;

	corpus_rng_init(&rng, 17, 0);
	for (i = 0; i < count; i++) {
		/* at any moment of what they do */
		usleep(corpus_rng_below(&rng, MAX_DELAY_MS) * 1000);
		/* one that ends by itself is fine, too */
		if ((pid = process(names[i % 2])) > 0 &&
		    kill(pid, SIGKILL) == 0)
			killed++;
		if (pid > 0)
			wait_until(has_ended, &pid, CASE_TIMEOUT_MS);
		wait_for("total", "users=12");
		CU_ASSERT(has_word(status("total"), "paused=0"));
	}
	/* the scheduler each time */
	UNIT_CHECK(killed >= (count + 1) / 2, "only %u of %u were killed",
		   killed, count);
	/* who failed because his mover was killed */
	commands_ok("RETRY");
}

static void all_become_local(void)
{
	const char *host = "server\thost=127.0.0.1:1\t";
	char port[8];

	if (!wait_for("total", "local=10"))
		return;
	CU_ASSERT(wait_for("failed", "failure=login"));
	UNIT_CHECK(has_word(status("total"), "failed=1"), "%s",
		   status("total"));
	CU_ASSERT(wait_for(host, "state=backoff"));
	CU_ASSERT(case_log_count("event=throttled host=127.0.0.1:1 ") > 0);
	is_same(WANTED);
	is_same(LATE);
	case_userdb_set(REFUSED, "imapc_password", case_get("PASSWORD"));
	snprintf(port, sizeof(port), "%s",
		 strchr(case_get("OLD_IMAP"), ':') + 1);
	case_userdb_set(AWAY, "imapc_port", port);
	commands_ok("RETRY");
	wait_for("total", "local=12");
	UNIT_CHECK(has_word(status("total"), "failed=0"), "%s",
		   status("total"));
	is_same(REFUSED);
	is_same(AWAY);
}

static bool mail_is_here(void *context)
{
	const uint32_t *count = context;

	return folder_count("NEW_IMAP", LATE, "INBOX") == *count;
}

/* No session is there; and nothing is looked for while it pauses. */
static void late_mail(void)
{
	uint32_t count = folder_count("NEW_IMAP", LATE, "INBOX") + 1;

	commands_ok("PAUSE");
	wait_for("total", "running=0");
	folder_append("OLD_IMAP_DIRECT", LATE, "INBOX", "late@case.example");
	CU_ASSERT(!mail_is_here(&count));
	commands_ok("RESUME");
	UNIT_CHECK(wait_until(mail_is_here, &count, CASE_TIMEOUT_MS),
		   "the late mail doesn't come");
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "not wanted", not_wanted },
	{ "wanted first", wanted_first },
	{ "killed", killed },
	{ "all become local", all_become_local },
	{ "late mail", late_mail },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "12", "--messages", "60", "--folders", "2", NULL
	};
	const struct case_program program = {
		.name = "test-service",
		.tests = tests,
		.lab_args = args,
		.settings = OFF,
	};

	return case_main(&program);
}
