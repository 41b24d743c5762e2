/*
 * test-mirror-faults: the old server goes away, hangs, refuses or dies in the
 * middle of a write, and so does the worker, of a mirrored mailbox (I1, I5)
 *
 * Reads go on. A write is refused with a reason; when nobody knows whether it
 * was done, it was done once or not at all, and both servers agree on which.
 * Limits on time are there to find what hangs, not to judge speed.
 */
#include "case-mirror.h"
#include "case-folder.h"
#include "test-trouble-lab.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 24
#define QUOTA_MESSAGES 40
/* A read that takes longer hangs; SELECT waits 2 seconds for news. */
#define HANG_MS 10000
#define LARGE (8 * 1024 * 1024)
#define SLOW_RATE (1024 * 1024)
#define KILLS 12
#define SOAK_KILLS 200

/* users */
enum { AWAY, HARMED, FULL, KILLED, USERS };

static const char *const mailboxes[] = { "INBOX", "Archive", NULL };
static struct imap_client *client;
static uint64_t step_begin;

static bool write_quota(void)
{
	char path[600];
	FILE *file;

	snprintf(path, sizeof(path), "%s/old/extra.conf", case_get("DIR"));
	file = fopen(path, "w");
	if (!UNIT_CHECK(file != NULL, "%s", path))
		return false;
	fprintf(file, "mail_plugins = $mail_plugins quota\n"
		"plugin {\n  quota = count:User quota\n"
		"  quota_vsizes = yes\n}\n");
	fclose(file);
	return case_shell("sed -i '/^%s:/s/$/"
			  "userdb_quota_rule=*:messages=%u/' '%s/old/users'",
			  case_user(FULL), QUOTA_MESSAGES, case_get("DIR")) &&
		case_server("old", "restart", NULL);
}

static void test_start(void)
{
	if (!write_quota() ||
	    !trouble_start(CASE_MIRROR_QUICK
			   "lmtp_save_to_detail_mailbox = yes\n"))
		return;
	for (unsigned int user = 0; user < USERS; user++) {
		trouble_seed(user, "INBOX", MESSAGES, 3000);
		trouble_seed(user, "Archive", 3, 1000);
		case_mirror_fill(user, mailboxes);
	}
}

static bool select_inbox(unsigned int user)
{
	struct imap_box box;

	client = trouble_select(user, "INBOX", &box);
	return client != NULL;
}

/* reads and writes without the old server */

static void begin_step(void)
{
	step_begin = now_ms();
}

static void reads(const char *command)
{
	begin_step();
	imap_clear(client);
	UNIT_CHECK(imap_run(client, "%s", command) == IMAP_OK, "%s: %s",
		   command, imap_error(client));
	UNIT_CHECK(now_ms() - step_begin < HANG_MS, "%s: took %u ms", command,
		   (unsigned int)(now_ms() - step_begin));
}

static void reads_all(void)
{
	struct imap_box box;

	begin_step();
	client = case_imap("NEW_IMAP", AWAY);
	if (client == NULL)
		return;
	UNIT_CHECK(imap_select(client, "INBOX", &box) == IMAP_OK, "SELECT: %s",
		   imap_error(client));
	UNIT_CHECK(box.exists == MESSAGES, "%u messages", box.exists);
	UNIT_CHECK(now_ms() - step_begin < HANG_MS, "SELECT: took %u ms",
		   (unsigned int)(now_ms() - step_begin));
	reads("FETCH 1:* (FLAGS ENVELOPE BODY.PEEK[])");
	reads("SEARCH TEXT fox");
	reads("NOOP");
	reads("STATUS Archive (MESSAGES UNSEEN)");
}

static void is_refused(const char *command)
{
	begin_step();
	(void)imap_run(client, "%s", command);
	trouble_is_no(client, "UNAVAILABLE", command);
	UNIT_CHECK(now_ms() - step_begin < 2 * HANG_MS, "%s: took %u ms",
		   command, (unsigned int)(now_ms() - step_begin));
}

static void writes_are_refused(void)
{
	static const char *const commands[] = {
		"STORE 1 +FLAGS (\\Flagged)", "STORE 2:3 FLAGS ($Work)",
		"EXPUNGE", "COPY 1:2 Archive", "MOVE 3 Archive",
		"APPEND INBOX {4+}\r\na: b",
	};
	const struct imap_response *found;
	size_t size;
	char *data = case_message("away@example.org", 500, &size);

	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]);
	     i++)
		is_refused(commands[i]);
	UNIT_CHECK(case_lmtp("NEW_LMTP", AWAY, data, size) / 100 == 4,
		   "LMTP isn't put off");
	free(data);
	/* nothing of it is to be seen */
	reads("NOOP");
	UNIT_CHECK(imap_exists(client) == MESSAGES, "%u messages",
		   imap_exists(client));
	reads("SEARCH OR FLAGGED KEYWORD $Work");
	found = imap_find(imap_untagged(client), "SEARCH");
	UNIT_CHECK(found != NULL && found->args == NULL,
		   "a flag that was refused is here");
}

static bool is_seen(void *context)
{
	uint32_t uid = *(const uint32_t *)context;

	/* somebody must want the mailbox */
	(void)folder_run("NEW_IMAP", AWAY, "STATUS INBOX (MESSAGES)");
	return strstr(trouble_old_flags(AWAY, uid), "\\Seen") != NULL;
}

static bool writes_again(void *context)
{
	const char *command = context;

	return imap_run(client, "%s", command) == IMAP_OK;
}

static void recovers(void)
{
	UNIT_CHECK(wait_until(writes_again, "STORE 4 +FLAGS ($Again)",
			      CASE_MIRROR_PATIENCE_MS), "no writes again: %s",
		   imap_error(client));
}

/* Read while the old server is away; what remembers it survives the worker. */
static void test_away(void)
{
	uint32_t uid = MESSAGES;

	if (!select_inbox(AWAY))
		return;
	UNIT_CHECK(imap_run(client, "STORE 5 +FLAGS (\\Deleted)") == IMAP_OK,
		   "STORE: %s", imap_error(client));
	imap_logout(&client);
	trouble_down();
	reads_all();
	if (client == NULL)
		return;
	writes_are_refused();
	reads("UID FETCH 24 BODY[]");
	UNIT_CHECK(strstr(trouble_old_flags(AWAY, uid), "\\Seen") == NULL,
		   "the old server isn't away");
	(void)case_mirror_kill_workers();
	trouble_up();
	UNIT_CHECK(wait_until(is_seen, &uid, CASE_MIRROR_PATIENCE_MS),
		   "\\Seen isn't on the old server: (%s)",
		   trouble_old_flags(AWAY, uid));
	recovers();
	imap_logout(&client);
	case_mirror_settles(AWAY, false, "after it was away");
}

static void test_hung(void)
{
	(void)trouble_tell("stall");
	reads_all();
	if (client == NULL)
		return;
	is_refused("STORE 1 +FLAGS (\\Answered)");
	reads("FETCH 1 BODY[]");
	(void)trouble_tell("cut");
	trouble_up();
	recovers();
	imap_logout(&client);
	case_mirror_settles(AWAY, false, "after it hung");
}

/* harm in the middle of a write */

/* How often a message is in INBOX and in Archive. */
struct places {
	unsigned int here, there;
};

/* Each harm meets a message of its own, from first_uid on. */
static const struct {
	/* of the old server's command */
	const char *word;
	const char *command, *args;
	/* 0: APPEND */
	uint32_t first_uid;
	struct places before, after;
} writes[] = {
	{ "STORE", "UID STORE", "+FLAGS (\\Flagged $Harm)", 1,
	  { 1, 0 }, { 1, 0 } },
	{ "APPEND", NULL, NULL, 0, { 0, 0 }, { 1, 0 } },
	{ "COPY", "UID COPY", "Archive", 6, { 1, 0 }, { 1, 1 } },
	{ "COPY", "UID MOVE", "Archive", 11, { 1, 0 }, { 0, 1 } },
	{ "EXPUNGE", "UID EXPUNGE", "", 16, { 1, 0 }, { 0, 0 } },
};
#define WRITES (sizeof(writes) / sizeof(writes[0]))

/* Before the harm: what is expunged must be marked. */
static void make_ready(unsigned int write, unsigned int harm)
{
	uint32_t uid = writes[write].first_uid + harm;

	if (strcmp(writes[write].word, "EXPUNGE") == 0)
		UNIT_CHECK(imap_run(client, "UID STORE %u +FLAGS (\\Deleted)",
				    uid) == IMAP_OK, "STORE: %s",
			   imap_error(client));
}

static enum imap_status
write_it(unsigned int write, unsigned int harm, char id[64])
{
	uint32_t uid = writes[write].first_uid + harm;
	enum imap_status status;
	size_t size;
	char *data;

	if (writes[write].first_uid == 0) {
		snprintf(id, 64, "harm-%u@example.org", harm);
		data = case_message(id, 2000, &size);
		status = imap_append(client, "INBOX", "\\Seen", NULL, data,
				     size, NULL);
		free(data);
		return status;
	}
	snprintf(id, 64, "INBOX-%u@example.org", uid - 1);
	return imap_run(client, "%s %u %s", writes[write].command, uid,
			writes[write].args);
}

static void count_places(const char *id, struct places *places_r)
{
	places_r->here = trouble_old_copies(HARMED, "INBOX", id);
	places_r->there = trouble_old_copies(HARMED, "Archive", id);
}

static bool same_places(const struct places *a, const struct places *b)
{
	return a->here == b->here && a->there == b->there;
}

static void judge(unsigned int write, enum imap_status status,
		  const struct places *places, const char *what)
{
	const struct places *before = &writes[write].before;
	const struct places *after = &writes[write].after;

	if (status == IMAP_OK)
		UNIT_CHECK(same_places(places, after), "%s: OK, but %u and %u "
			   "of it are there", what, places->here,
			   places->there);
	else
		/* MOVE may have ended between its two halves */
		UNIT_CHECK(same_places(places, before) ||
			   same_places(places, after) ||
			   (before->here == 1 && after->there == 1 &&
			    places->here == 1 && places->there == 1),
			   "%s: %u and %u of it are there", what, places->here,
			   places->there);
}

/* After the harm is over nothing more happens to that message. */
static void harm(unsigned int write, unsigned int harm)
{
	struct between_rule rule = harms[harm];
	struct places places, later;
	struct between_counts counts;
	enum imap_status status;
	char id[64], what[100];

	snprintf(what, sizeof(what), "%s, %s", writes[write].command == NULL ?
		 "APPEND" : writes[write].command, harm_names[harm]);
	if (!select_inbox(HARMED))
		return;
	make_ready(write, harm);
	rule.command = writes[write].word;
	between_set(trouble_between, &rule);
	status = write_it(write, harm, id);
	between_counts(trouble_between, &counts);
	UNIT_CHECK(counts.applied > 0, "%s: nothing was sent", what);
	between_set(trouble_between, NULL);
	between_cut(trouble_between);
	if (rule.action == BETWEEN_ANSWER)
		trouble_is_no(client, NULL, what);
	count_places(id, &places);
	judge(write, status, &places, what);
	if (rule.action == BETWEEN_ANSWER)
		UNIT_CHECK(same_places(&places, &writes[write].before),
			   "%s: refused, but done", what);
	recovers();
	case_mirror_settles(HARMED, false, what);
	count_places(id, &later);
	UNIT_CHECK(same_places(&places, &later), "%s: done again afterwards",
		   what);
	imap_logout(&client);
}

static void test_harm(void)
{
	for (unsigned int i = 0; i < WRITES; i++) {
		for (unsigned int j = 0; j < HARMS; j++)
			harm(i, j);
	}
}

static bool is_met(void *context)
{
	struct between_counts counts;

	(void)context;
	between_counts(trouble_between, &counts);
	return counts.applied > 0;
}

/* While the bytes of a message are on their way to the old server. */
static void test_cut_literal(void)
{
	const struct between_rule rule = {
		.command = "APPEND", .action = BETWEEN_SLOW,
		.bytes = SLOW_RATE, .times = 1,
	};
	size_t size;
	char *data = case_message("literal@example.org", LARGE, &size);
	unsigned int tag;

	if (select_inbox(HARMED)) {
		between_set(trouble_between, &rule);
		tag = imap_append_send(client, "INBOX", NULL, NULL, data, size);
		(void)imap_flush(client);
		UNIT_CHECK(wait_until(is_met, NULL, CASE_MIRROR_PATIENCE_MS),
			   "no APPEND at the old server");
		between_cut(trouble_between);
		(void)imap_wait(client, tag);
		trouble_is_no(client, "UNAVAILABLE", "APPEND");
		between_set(trouble_between, NULL);
		UNIT_CHECK(trouble_old_copies(HARMED, "INBOX",
					      "literal@example.org") == 0,
			   "half a message is there");
		recovers();
		UNIT_CHECK(imap_append(client, "INBOX", NULL, NULL, data, size,
				       NULL) == IMAP_OK, "APPEND: %s",
			   imap_error(client));
	}
	free(data);
	imap_logout(&client);
	case_mirror_settles(HARMED, false, "after a cut literal");
}

/* kill -9 of the worker */

static void check(struct writers *writers, const char *server,
		  const char *mailbox)
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

static void kill_workers(struct writers *writers)
{
	unsigned int killed = 0, kills = case_soak() ? SOAK_KILLS : KILLS;

	for (unsigned int i = 0; i < kills; i++) {
		killed += case_mirror_kill_workers();
		if (!UNIT_CHECK(writers_wait(writers, 2),
				"no writes after a kill"))
			return;
	}
	UNIT_CHECK(killed >= kills / 2, "only %u workers killed", killed);
}

static void test_killed(void)
{
	static const char *const names[] = { "Work", "Kept", NULL };
	struct writers_settings set = {
		/* stock lmtp tries INBOX when the other mailbox fails */
		.other = "Kept", .imap_writers = 6, .seed = 5,
	};
	struct writers_counts counts;
	struct writers *writers;

	if (!case_mirror_make(KILLED, "Work", 0) ||
	    !case_mirror_make(KILLED, "Kept", 0) ||
	    !case_mirror_fill(KILLED, names))
		return;
	set.imap = case_get("NEW_IMAP");
	set.lmtp = case_get("NEW_LMTP");
	set.user = case_user(KILLED);
	set.password = case_get("PASSWORD");
	writers = writers_start(&set);
	writers_go(writers, "Work");
	UNIT_CHECK(writers_wait(writers, 1), "no writes");
	kill_workers(writers);
	UNIT_CHECK(writers_pause(writers), "a writer hangs");
	case_mirror_settles(KILLED, false, "after kills");
	for (unsigned int i = 0; i < 2; i++) {
		check(writers, "OLD_IMAP_DIRECT", names[i]);
		check(writers, "NEW_IMAP", names[i]);
	}
	writers_get_counts(writers, &counts);
	UNIT_CHECK(counts.failures == 0, "%llu failures: %s",
		   (unsigned long long)counts.failures, counts.failure);
	UNIT_CHECK(counts.connections_lost == 0, "%llu sessions were lost",
		   (unsigned long long)counts.connections_lost);
	printf("acknowledged=%llu unanswered=%llu ",
	       (unsigned long long)counts.acknowledged,
	       (unsigned long long)counts.unanswered);
	writers_stop(&writers);
}

/* a full old server */

static void test_full(void)
{
	enum imap_status status = IMAP_OK;
	uint32_t before;
	size_t size;
	char *data;

	if (!select_inbox(FULL))
		return;
	data = case_message("full@example.org", 400, &size);
	for (unsigned int i = 0; i < QUOTA_MESSAGES && status == IMAP_OK; i++)
		status = imap_append(client, "INBOX", NULL, NULL, data, size,
				     NULL);
	trouble_is_no(client, "OVERQUOTA", "APPEND");
	before = trouble_old_count(FULL, "INBOX");
	UNIT_CHECK(imap_exists(client) == before, "%u messages here, %u there",
		   imap_exists(client), before);
	(void)imap_run(client, "COPY 1:2 Archive");
	trouble_is_no(client, "OVERQUOTA", "COPY");
	UNIT_CHECK(case_lmtp("NEW_LMTP", FULL, data, size) > 0,
		   "LMTP: taken");
	UNIT_CHECK(imap_run(client, "STORE 1:3 +FLAGS (\\Deleted)") ==
		   IMAP_OK && imap_run(client, "EXPUNGE") == IMAP_OK &&
		   imap_append(client, "INBOX", NULL, NULL, data, size,
			       NULL) == IMAP_OK, "afterwards: %s",
		   imap_error(client));
	free(data);
	imap_logout(&client);
	case_mirror_settles(FULL, false, "over quota");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "accounts", test_start },
		{ "the old server is away", test_away },
		{ "it hangs", test_hung },
		{ "harm in the middle of a write", test_harm },
		{ "cut in a literal", test_cut_literal },
		{ "the worker is killed", test_killed },
		{ "over quota", test_full },
		{ "no crash", trouble_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "4", "--messages", "0", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-mirror-faults",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
