/*
 * test-trouble-writes: a write is acknowledged only when the old server has it
 * (I1): refused, cut off and silent in the middle of STORE, APPEND, COPY, MOVE,
 * EXPUNGE and FETCH; and how many commands things cost.
 */
#include "case-folder.h"
#include "test-trouble-lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 10
#define LARGE (2 * 1024 * 1024)
#define MANY 1000
/* sooner than the folders would be looked at anyway */
#define AGREE_MS 20000
/* more than fits into sockets; taken in more than twice imapc_cmd_timeout */
#define HUGE_SIZE (16 * 1024 * 1024)
#define SLOW_RATE (2 * 1024 * 1024)

enum { FIRST, CROWDED };

static void test_start(void)
{
	if (!trouble_start(CASE_MANUAL))
		return;
	trouble_seed(FIRST, "INBOX", MESSAGES, 3000);
	trouble_seed(FIRST, "Large", 1, LARGE);
	trouble_seed(FIRST, "Target", 1, 100);
	trouble_seed(FIRST, "Moved", 3, 100);
	trouble_seed(CROWDED, "INBOX", MANY, 300);
	trouble_seed(CROWDED, "Copies", 1, 300);
}

/* Runs the command under that harm, from first to last. */
static enum imap_status
run_harmed(struct imap_client *client, unsigned int harm, const char *word,
	   const char *command)
{
	struct between_rule rule = harms[harm];
	struct between_counts counts;
	enum imap_status status;

	rule.command = word;
	between_set(trouble_between, &rule);
	status = imap_run(client, "%s", command);
	between_counts(trouble_between, &counts);
	UNIT_CHECK(counts.applied > 0, "%s: %s wasn't met: nothing was sent",
		   command, harm_names[harm]);
	between_set(trouble_between, NULL);
	between_cut(trouble_between);
	if (rule.action == BETWEEN_ANSWER)
		trouble_is_no(client, NULL, command);
	return status;
}

/* The client's view, in a session that works again. */
static bool sees_flag(struct imap_client *client, uint32_t uid,
		      const char *flag)
{
	const struct imap_response *resp;

	imap_clear(client);
	if (!UNIT_CHECK(imap_run(client, "UID FETCH %u FLAGS", uid) == IMAP_OK,
			"FETCH: %s", imap_error(client)))
		return false;
	resp = imap_find(imap_untagged(client), "FETCH");
	return resp != NULL && strstr(resp->raw, flag) != NULL;
}

static void harm_store(unsigned int harm)
{
	struct imap_client *client;
	enum imap_status status;
	uint32_t uid = harm + 1;
	char command[64];
	struct imap_box box;
	bool stored;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	snprintf(command, sizeof(command), "UID STORE %u +FLAGS (\\Flagged)",
		 uid);
	status = run_harmed(client, harm, "STORE", command);
	stored = strstr(trouble_old_flags(FIRST, uid), "\\Flagged") != NULL;
	UNIT_CHECK(status != IMAP_OK || stored, "%s: STORE OK, not stored",
		   harm_names[harm]);
	if (harms[harm].action == BETWEEN_ANSWER)
		UNIT_CHECK(!stored && !sees_flag(client, uid, "Flagged"),
			   "STORE: refused, but the client sees it");
	trouble_recovers(&client, FIRST, "INBOX", box.exists);
	if (client != NULL)
		UNIT_CHECK(sees_flag(client, uid, "Flagged") == stored,
			   "%s: the client sees another flag than the old "
			   "server", harm_names[harm]);
	imap_logout(&client);
}

static void test_store(void)
{
	for (unsigned int harm = 0; harm < HARMS; harm++)
		harm_store(harm);
}

static void harm_append(unsigned int harm)
{
	struct imap_client *client;
	uint32_t before = trouble_old_count(FIRST, "INBOX"), copies;
	enum imap_status status;
	struct imap_box box;
	char id[64], *data, *command = NULL;
	size_t size;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	snprintf(id, sizeof(id), "harm-%u@example.org", harm);
	data = case_message(id, 2000, &size);
	if (asprintf(&command, "APPEND INBOX {%zu+}\r\n%s", size, data) < 0)
		abort();
	status = run_harmed(client, harm, "APPEND", command);
	copies = trouble_old_copies(FIRST, "INBOX", id);
	UNIT_CHECK(status != IMAP_OK || copies == 1, "%s: APPEND OK, %u there",
		   harm_names[harm], copies);
	UNIT_CHECK(copies <= 1, "%s: APPEND done twice", harm_names[harm]);
	if (harms[harm].action == BETWEEN_ANSWER)
		UNIT_CHECK(copies == 0, "APPEND: refused, but done");
	trouble_recovers(&client, FIRST, "INBOX", before + copies);
	imap_logout(&client);
	free(command);
	free(data);
}

static void test_append(void)
{
	for (unsigned int harm = 0; harm < HARMS; harm++)
		harm_append(harm);
}

static void append_huge(const struct between_rule *rule, bool arrives)
{
	uint32_t before = trouble_old_count(FIRST, "Target"), after;
	struct imap_client *client = case_imap("NEW_IMAP", FIRST);
	struct between_counts counts;
	enum imap_status status;
	size_t size;
	char *data = case_message("huge@example.org", HUGE_SIZE, &size);

	if (client == NULL) {
		free(data);
		return;
	}
	between_set(trouble_between, rule);
	status = imap_append(client, "Target", NULL, NULL, data, size, NULL);
	between_counts(trouble_between, &counts);
	UNIT_CHECK(counts.applied == 1, "APPEND was sent %u times",
		   counts.applied);
	if (arrives)
		UNIT_CHECK(status == IMAP_OK, "APPEND: %s",
			   imap_error(client));
	else
		trouble_is_no(client, "UNAVAILABLE", "APPEND");
	between_set(trouble_between, NULL);
	between_cut(trouble_between);
	after = trouble_old_count(FIRST, "Target");
	UNIT_CHECK(after == before + (arrives ? 1 : 0),
		   "APPEND: %u messages are %u", before, after);
	imap_logout(&client);
	free(data);
}

/* However long it takes, as long as it moves. */
static bool has_grown(void *context)
{
	const uint32_t *before = context;

	return trouble_old_count(FIRST, "INBOX") == *before + 1;
}

/* What the session of a client says that is cut off. */
#define SESSION_END "Connection closed (While APPENDing"

static bool session_has_ended(void *context)
{
	const unsigned int *before = context;

	return case_log_count(SESSION_END) > *before;
}

/* The client is cut off in the second message of a MULTIAPPEND; the first one is on
   the old server by then, from where nothing is taken back. */
static void test_half_append(void)
{
	uint32_t before = trouble_old_count(FIRST, "INBOX");
	unsigned int ended = case_log_count(SESSION_END);
	struct imap_client *client;
	struct imap_box box;
	char *data;
	size_t size;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	data = case_message("half@example.org", 2000, &size);
	(void)imap_start(client);
	imap_text(client, "APPEND INBOX ");
	UNIT_CHECK(imap_literal(client, data, size), "APPEND: %s",
		   imap_error(client));
	imap_text(client, " {%zu+}\r\n%.*s", size, (int)size / 2, data);
	(void)imap_flush(client);
	free(data);
	UNIT_CHECK(wait_until(has_grown, &before, CASE_TIMEOUT_MS),
		   "the first message isn't on the old server");
	imap_free(&client);
	UNIT_CHECK(wait_until(session_has_ended, &ended, CASE_TIMEOUT_MS),
		   "the session ends in another way");
	UNIT_CHECK(trouble_old_count(FIRST, "INBOX") == before + 1,
		   "%u messages are %u", before,
		   trouble_old_count(FIRST, "INBOX"));
}

static void test_slow(void)
{
	const struct between_rule rule = {
		.command = "APPEND", .action = BETWEEN_SLOW,
		.bytes = SLOW_RATE,
	};
	uint64_t begin = now_ms();

	append_huge(&rule, true);
	UNIT_CHECK(now_ms() - begin > 6000, "it wasn't slow");
}

static void test_deaf(void)
{
	const struct between_rule rule = {
		.command = "APPEND", .action = BETWEEN_DEAF,
	};

	append_huge(&rule, false);
}

/* COPY and MOVE: what is where, of message number `harm`. */
static void harm_copy(unsigned int harm, const char *verb)
{
	struct imap_client *client;
	uint32_t there, here;
	enum imap_status status;
	struct imap_box box;
	char command[64], id[64];
	bool move = strcmp(verb, "MOVE") == 0;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	/* those of MOVE after those of COPY, so that none is copied twice */
	snprintf(id, sizeof(id), "INBOX-%u@example.org",
		 harm + (move ? HARMS : 0));
	snprintf(command, sizeof(command), "UID %s %u Target", verb,
		 harm + 1 + (move ? HARMS : 0));
	status = run_harmed(client, harm, "COPY", command);
	there = trouble_old_copies(FIRST, "Target", id);
	here = trouble_old_copies(FIRST, "INBOX", id);
	UNIT_CHECK(status != IMAP_OK || there == 1, "%s: %s OK, not done",
		   harm_names[harm], verb);
	UNIT_CHECK(there <= 1 && here <= 1, "%s: %s done twice",
		   harm_names[harm], verb);
	UNIT_CHECK(here + there >= 1, "%s: %s lost it", harm_names[harm], verb);
	UNIT_CHECK(move || here == 1, "%s: COPY took it", harm_names[harm]);
	if (harms[harm].action == BETWEEN_ANSWER)
		UNIT_CHECK(there == 0 && here == 1, "%s: refused, but done",
			   verb);
	trouble_recovers(&client, FIRST, "INBOX",
			 trouble_old_count(FIRST, "INBOX"));
	imap_logout(&client);
}

static void test_copy(void)
{
	for (unsigned int harm = 0; harm < HARMS; harm++)
		harm_copy(harm, "COPY");
}

static void test_move(void)
{
	for (unsigned int harm = 0; harm < HARMS; harm++)
		harm_copy(harm, "MOVE");
}

static void test_expunge(void)
{
	struct imap_client *client;
	struct imap_box box;
	uint32_t before, after;

	for (unsigned int harm = 0; harm < HARMS; harm++) {
		enum imap_status status;

		client = trouble_select(FIRST, "INBOX", &box);
		if (client == NULL)
			return;
		before = box.exists;
		UNIT_CHECK(imap_run(client, "STORE 1 +FLAGS (\\Deleted)") ==
			   IMAP_OK, "STORE: %s", imap_error(client));
		status = run_harmed(client, harm, "EXPUNGE", "EXPUNGE");
		after = trouble_old_count(FIRST, "INBOX");
		UNIT_CHECK(status != IMAP_OK || after == before - 1,
			   "%s: EXPUNGE OK, %u messages are %u",
			   harm_names[harm], before, after);
		UNIT_CHECK(after + 1 >= before, "%s: EXPUNGE took %u",
			   harm_names[harm], before - after);
		trouble_recovers(&client, FIRST, "INBOX", after);
		imap_logout(&client);
	}
}

/* A body that ends in the middle is never answered OK. */
static bool rename_is_seen(void *context)
{
	const char *name = context;

	return folder_listed("NEW_IMAP", FIRST, name) &&
		folder_count("NEW_IMAP", FIRST, name) == 3;
}

/* Done or not, both servers agree on it at once. */
static void rename_harmed(unsigned int harm)
{
	struct imap_client *client;
	struct imap_box box;
	enum imap_status status;
	bool done;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	status = run_harmed(client, harm, " RENAME ", "RENAME Moved Elsewhere");
	imap_logout(&client);
	done = folder_listed("OLD_IMAP_DIRECT", FIRST, "Elsewhere");
	UNIT_CHECK(status != IMAP_OK || done, "RENAME %s: OK, not done",
		   harm_names[harm]);
	UNIT_CHECK(wait_until(rename_is_seen, done ? "Elsewhere" : "Moved",
			      AGREE_MS), "RENAME %s: not seen here",
		   harm_names[harm]);
	UNIT_CHECK(!folder_listed("NEW_IMAP", FIRST, done ? "Moved" :
				  "Elsewhere"), "RENAME %s: both names",
		   harm_names[harm]);
	if (done)
		UNIT_CHECK(folder_run("NEW_IMAP", FIRST,
				      "RENAME Elsewhere Moved") == IMAP_OK,
			   "RENAME %s: not back", harm_names[harm]);
}

static void test_rename(void)
{
	for (unsigned int harm = 0; harm < HARMS; harm++)
		rename_harmed(harm);
}

static void test_fetch(void)
{
	static const struct between_rule rules[] = {
		{ .command = "FETCH", .action = BETWEEN_CUT_AFTER,
		  .bytes = LARGE / 2, .times = 1 },
		{ .command = "FETCH", .action = BETWEEN_HANG_AFTER,
		  .bytes = LARGE / 2, .times = 1 },
	};
	const struct imap_response *resp;
	struct imap_client *client;
	struct imap_fetch fetch;
	struct imap_box box;

	for (unsigned int i = 0; i < 2; i++) {
		client = trouble_select(FIRST, "Large", &box);
		if (client == NULL)
			return;
		between_set(trouble_between, &rules[i]);
		imap_clear(client);
		if (imap_run(client, "FETCH 1 BODY.PEEK[]") == IMAP_OK) {
			resp = imap_find(imap_untagged(client), "FETCH");
			UNIT_CHECK(resp != NULL &&
				   imap_parse_fetch(resp, &fetch) &&
				   fetch.body_size >= LARGE,
				   "FETCH: OK with %zu bytes", resp == NULL ?
				   0 : fetch.body_size);
		}
		between_set(trouble_between, NULL);
		between_cut(trouble_between);
		trouble_recovers(&client, FIRST, "Large", 1);
		imap_clear(client);
		UNIT_CHECK(imap_run(client, "FETCH 1 BODY.PEEK[]") == IMAP_OK,
			   "FETCH: %s", imap_error(client));
		imap_logout(&client);
	}
}

static bool idler_hears(void *context)
{
	struct imap_client *client = context;
	const struct imap_response *resp;

	(void)imap_idle_poll(client, 100);
	resp = imap_find(imap_untagged(client), "EXISTS");
	return resp != NULL || imap_is_lost(client);
}

/* What asks for an idling client hangs: it hears of news all the same. */
static void test_idle(void)
{
	const struct between_rule rule = {
		.command = "NOOP", .action = BETWEEN_HANG_AFTER, .bytes = 3,
		.times = 1,
	};
	struct between_counts counts;
	struct imap_client *client;
	struct imap_box box;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	imap_clear(client);
	between_set(trouble_between, &rule);
	UNIT_CHECK(imap_idle_start(client) == IMAP_OK, "IDLE: %s",
		   imap_error(client));
	trouble_seed(FIRST, "INBOX", 1, 300);
	UNIT_CHECK(wait_until(idler_hears, client, TROUBLE_RECOVERY_MS) &&
		   !imap_is_lost(client), "IDLE: not told of a new message");
	UNIT_CHECK(imap_idle_stop(client) == IMAP_OK, "DONE: %s",
		   imap_error(client));
	between_counts(trouble_between, &counts);
	UNIT_CHECK(counts.applied == 1, "no NOOP for an idling client");
	between_set(trouble_between, NULL);
	between_cut(trouble_between);
	imap_logout(&client);
}

/* What the index here holds for needless is sent all the same: it may be
   wrong. */
static void test_needless(void)
{
	struct imap_client *client;
	struct imap_box box;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		between_reset(trouble_between);
		UNIT_CHECK(imap_run(client, "STORE 1 +FLAGS (\\Answered)") ==
			   IMAP_OK, "STORE: %s", imap_error(client));
		UNIT_CHECK(between_count(trouble_between, "STORE") >= 1,
			   "STORE number %u wasn't sent", i + 1);
	}
	imap_logout(&client);
}

static void
counted(struct imap_client *client, const char *command, unsigned int max)
{
	struct between_counts counts;
	uint64_t begin = now_ms();

	between_reset(trouble_between);
	imap_clear(client);
	UNIT_CHECK(imap_run(client, "%s", command) == IMAP_OK, "%s: %s",
		   command, imap_error(client));
	between_counts(trouble_between, &counts);
	printf("\n    %s: %u commands, %u round trips, %u ms ", command,
	       counts.commands, counts.round_trips,
	       (unsigned int)(now_ms() - begin));
	UNIT_CHECK(counts.commands <= max, "%s: %u commands for %u messages",
		   command, counts.commands, MANY);
}

/* None costs a command a message, at 20 ms a round trip. */
static void test_round_trips(void)
{
	struct imap_client *client;
	struct imap_box box;

	(void)trouble_tell("rtt 20");
	client = trouble_select(CROWDED, "INBOX", &box);
	if (client != NULL) {
		UNIT_CHECK(box.exists == MANY, "%u messages", box.exists);
		counted(client, "FETCH 1:* FLAGS", 10);
		counted(client, "FETCH 1:* ENVELOPE", 30);
		counted(client, "FETCH 1:500 BODY.PEEK[]", 30);
		counted(client, "STORE 1:* +FLAGS ($Marked)", 20);
		counted(client, "STORE 1:* FLAGS (\\Seen)", 20);
		counted(client, "SEARCH UNSEEN", 10);
		counted(client, "COPY 1:100 Copies", 20);
	}
	imap_logout(&client);
	(void)trouble_tell("rtt 0");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "accounts", test_start },
		{ "STORE that seems needless", test_needless },
		{ "STORE", test_store },
		{ "APPEND", test_append },
		{ "APPEND that ends early", test_half_append },
		{ "APPEND that is slow", test_slow },
		{ "APPEND that isn't read", test_deaf },
		{ "COPY", test_copy },
		{ "MOVE", test_move },
		{ "EXPUNGE", test_expunge },
		{ "RENAME", test_rename },
		{ "FETCH", test_fetch },
		{ "IDLE", test_idle },
		{ "round trips", test_round_trips },
		{ "no crash", trouble_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "2", "--messages", "0", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-trouble-writes",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
