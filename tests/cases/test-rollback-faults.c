/*
 * test-rollback-faults: a rollback that is killed at each change that it makes to
 * files, and an old server whose answers get lost: each mail is there once
 */
#include "case-folder.h"
#include "fault-proxy.h"
#include "rollback-content.h"

#include <stdlib.h>
#include <string.h>

#define BOX "INBOX"
/* each is a fill, a cutover and two rollbacks */
#define KILLS_STEP 3

static bool cut_over(unsigned int user)
{
	return case_migration("fill -u %s", case_user(user)) &&
		case_migration("cutover -u %s", case_user(user)) &&
		case_is_state(user, "*", "local");
}

static const char *says(const struct process_result *result)
{
	static const char name[] = "fault-at: ";
	const char *text = result->output == NULL ? NULL :
		strstr(result->output, name);

	return text == NULL ? "" : text + strlen(name);
}

static const char *state_of(unsigned int user)
{
	return case_status(user, BOX, "state");
}

/* Some new mail, and other flags. */
static void use(unsigned int user, unsigned int n)
{
	char id[64];

	for (unsigned int i = 0; i < 2; i++) {
		snprintf(id, sizeof(id), "n%u-%u@case.example", n, i);
		folder_append("NEW_IMAP", user, BOX, id);
	}
	(void)folder_run("NEW_IMAP", user, "NOOP");
}

/* Killed before the n-th change; 0: not, and they are counted. Returns what
   fault-at says of it; "" when it ended before. */
static const char *roll_back_killed(unsigned int n, struct process_result *result)
{
	(void)process_shell(CASE_TIMEOUT_MS, result, "%s migration rollback "
			    "--yes -u %s " BOX, n == 0 ?
			    case_faulty("count any 0") :
			    case_faulty("kill any %u", n), case_user(0));
	return says(result);
}

/* It is wholly here or wholly there, and nothing is missing; then it goes on. */
static void check_killed(unsigned int n, const char *call,
			 struct rollback_content *before)
{
	struct rollback_content now, old;
	char what[100];
	bool local = strcmp(state_of(0), "local") == 0;

	snprintf(what, sizeof(what), "killed at %u (%.20s), %s", n, call,
		 state_of(0));
	UNIT_CHECK(local || strcmp(state_of(0), "filling") == 0, "%s", what);
	rollback_content_get(local ? "NEW" : "OLD", 0, BOX, NULL, &now);
	rollback_content_get(local ? "NEW" : "OLD", 0, BOX, NULL, &old);
	rollback_content_same(before, &now, what);
	if (local) {
		rollback_content_free(&old);
		rollback_content_get("NEW", 0, BOX, NULL, &now);
		case_migration("rollback --yes -u %s", case_user(0));
		rollback_content_get("OLD", 0, BOX, NULL, &old);
		rollback_content_same(&now, &old, what);
	} else {
		rollback_content_free(&old);
	}
}

static void killed_anywhere(void)
{
	unsigned int step = case_soak() ? 1 : KILLS_STEP, kills = 0;
	struct rollback_content before;
	struct process_result result;
	unsigned long calls;

	if (!cut_over(0))
		return;
	use(0, 0);
	calls = strtoul(roll_back_killed(0, &result), NULL, 10);
	UNIT_CHECK(result.status == 0 && calls > 10, "%lu calls: %s", calls,
		   result.output);
	process_result_free(&result);
	for (unsigned int n = 1; n <= calls && CU_get_number_of_failures() == 0;
	     n += step) {
		char call[32];

		if (!cut_over(0))
			return;
		use(0, n);
		rollback_content_get("NEW", 0, BOX, NULL, &before);
		snprintf(call, sizeof(call), "%s",
			 roll_back_killed(n, &result));
		process_result_free(&result);
		kills++;
		check_killed(n, call, &before);
	}
	printf("\n    kills=%u of %lu changes\n    ", kills, calls);
	case_no_crash();
}

static unsigned int port_of(const char *key)
{
	const char *colon = strrchr(case_get(key), ':');

	return colon == NULL ? 0 : (unsigned int)strtoul(colon + 1, NULL, 10);
}

static void use_port(unsigned int port)
{
	case_shell("sed -i 's/imapc_port=[0-9]*/imapc_port=%u/' '%s/new/users'",
		   port, case_get("DIR"));
}

/* Until a look says that all is there; a lost answer is looked for when it can't
   come any more. */
static bool caught_up(void *context)
{
	(void)context;
	return case_doveadm("migration catchup -u %s", case_user(1)) == 0;
}

static void answers_lost(void)
{
	struct rollback_content new, old;
	struct fault_proxy *proxy;
	unsigned int port;

	if (!cut_over(1))
		return;
	case_settings(CASE_MANUAL "plugin {\n  migration_copy_back = yes\n"
		      "  migration_catchup_interval = 0\n}\n", true);
	proxy = fault_proxy_start(port_of("OLD_IMAP"), &port);
	use_port(port);
	for (unsigned int n = 1; n <= 3; n++) {
		use(1, 100 + n);
		fault_proxy_set(proxy, FAULT_ANSWER, n == 3 ? 1 : n);
		UNIT_CHECK(wait_until(caught_up, NULL, CASE_TIMEOUT_MS),
			   "catchup: %s", case_output());
		CU_ASSERT_EQUAL(fault_proxy_count(proxy), n);
		rollback_content_get("NEW", 1, BOX, NULL, &new);
		rollback_content_get("OLD", 1, BOX, NULL, &old);
		rollback_content_same(&new, &old, "copied back");
	}
	/* once more: nothing to do, and nothing doubled */
	case_migration("catchup -u %s", case_user(1));
	use(1, 200);
	fault_proxy_set(proxy, FAULT_ANSWER, 1);
	rollback_content_get("NEW", 1, BOX, NULL, &new);
	case_migration("rollback --yes -u %s", case_user(1));
	rollback_content_get("OLD", 1, BOX, NULL, &old);
	rollback_content_same(&new, &old, "rolled back");
	CU_ASSERT_EQUAL(fault_proxy_count(proxy), 4);
	case_no_crash();
}

/* Courier: no CONDSTORE, and UIDs to be looked for where it tells none. */
static void other_servers(void)
{
	static const char *const args[] = {
		"--old", "courier", "--users", "1", "--messages", "30",
		"--folders", "1", NULL
	};
	struct lab *first = case_lab, *lab;
	struct rollback_content new, old;

	if (case_lab_up(args, CASE_MANUAL) != 0)
		return;
	lab = case_lab;
	if (cut_over(0)) {
		use(0, 1);
		rollback_content_get("NEW", 0, BOX, NULL, &new);
		case_migration("rollback --yes -u %s", case_user(0));
		rollback_content_get("OLD", 0, BOX, NULL, &old);
		rollback_content_same(&new, &old, "Courier");
		case_no_crash();
	}
	case_lab_down(&lab);
	case_lab = first;
}

static const struct unit_test tests[] = {
	{ "killed anywhere", killed_anywhere },
	{ "answers lost", answers_lost },
	{ "other servers", other_servers },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "2", "--messages", "20", "--folders", "1", NULL
	};
	const struct case_program program = {
		.name = "test-rollback-faults",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL "plugin {\n"
			"  migration_catchup_interval = 0\n}\n",
		.deadline_secs = 480,
	};

	return case_main(&program);
}
