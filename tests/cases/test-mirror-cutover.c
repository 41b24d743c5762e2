/*
 * test-mirror-cutover: mirrored mailboxes move while eight clients write and
 * eight watch, and nobody is disturbed (I1, I2, I3)
 *
 * Nobody is disconnected, refused or told anything odd; a session keeps its
 * mailbox selected and its place in it, and its next write goes to the new
 * authority. Before each cutover what was acknowledged is looked for on the old
 * server, afterwards on the new one. How long writers were interrupted is
 * printed, not judged.
 */
#include "case-mirror.h"
#include "idler.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#define IMAP_WRITERS 6
#define LMTP_WRITERS 2
#define WRITERS (IMAP_WRITERS + LMTP_WRITERS)
#define IDLERS 8
#define ROUNDS 20
#define MAX_ROUNDS 60
#define OTHER "Kept"

static struct writers *writers;
static double gaps[MAX_ROUNDS * WRITERS];
static unsigned int gap_count;

static bool make_mailboxes(unsigned int rounds)
{
	static char names[MAX_ROUNDS][16];
	const char *mailboxes[MAX_ROUNDS + 2];
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	bool ok = client != NULL;

	for (unsigned int i = 0; i < rounds && ok; i++) {
		snprintf(names[i], sizeof(names[i]), "Box%02u", i);
		mailboxes[i] = names[i];
		ok = imap_run(client, "CREATE %s", names[i]) == IMAP_OK;
	}
	mailboxes[rounds] = OTHER;
	mailboxes[rounds + 1] = NULL;
	ok = ok && imap_run(client, "CREATE " OTHER) == IMAP_OK;
	UNIT_CHECK(ok, "CREATE");
	imap_logout(&client);
	return ok && case_mirror_fill(0, mailboxes);
}

/* Returns how many messages it has. */
static unsigned int
check(const char *server, const char *mailbox, const char *when)
{
	struct writers_check result;
	const char *error = "";

	if (!UNIT_CHECK(writers_check(writers, case_get(server), mailbox,
				      stdout, &result, &error) == 0,
			"%s: %s", when, error))
		return 0;
	UNIT_CHECK(result.lost + result.doubled + result.changed +
		   result.strange == 0,
		   "%s %s: lost=%u doubled=%u changed=%u strange=%u", mailbox,
		   when, result.lost, result.doubled, result.changed,
		   result.strange);
	return result.messages;
}

static void cut_over(const char *mailbox)
{
	writers_watch_begin(writers);
	case_migration("cutover -u %s %s", case_user(0), mailbox);
	UNIT_CHECK(writers_wait(writers, 2), "%s: nobody writes after the "
		   "cutover", mailbox);
	gap_count += writers_watch_end(writers, gaps + gap_count);
	case_is_state(0, mailbox, "local");
}

/* those who watch */

static struct idlers *start_idlers(const char *mailbox)
{
	struct idlers_settings set = {
		.imap = case_get("NEW_IMAP"),
		.user = case_user(0),
		.password = case_get("PASSWORD"),
		.count = IDLERS,
	};
	struct idlers *idlers = idlers_start(&set, mailbox);

	UNIT_CHECK(idlers_wait(idlers, 0, 30000), "not all idle");
	return idlers;
}

static void end_idlers(struct idlers **idlers, unsigned int messages)
{
	unsigned int failures;
	const char *why;

	UNIT_CHECK(idlers_wait_exists(*idlers, messages, 30000),
		   "not everyone who idles sees %u messages", messages);
	failures = idlers_failures(*idlers, &why);
	UNIT_CHECK(failures == 0, "%u troubles of those who idle: %s", failures,
		   why);
	UNIT_CHECK(idlers_byes(*idlers) == 0, "%u who idled got BYE",
		   idlers_byes(*idlers));
	idlers_stop(idlers);
}

/* "1 17 \Seen\n...": all of the mailbox by sequence numbers, as the session
   sees it. From malloc(). */
static char *view_of(struct imap_client *client)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	imap_clear(client);
	if (out == NULL)
		abort();
	if (imap_exists(client) > 0)
		UNIT_CHECK(imap_run(client, "FETCH 1:* (UID FLAGS)") == IMAP_OK,
			   "FETCH: %s", imap_error(client));
	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (imap_parse_fetch(resp, &fetch))
			fprintf(out, "%u %u %s\n", fetch.seq, fetch.uid,
				case_mail_flags(fetch.flags));
	}
	fclose(out);
	return text;
}

/* It had the mailbox selected before the cutover. */
static void keeps_place(struct imap_client **client, const char *mailbox)
{
	struct imap_client *fresh = case_imap("NEW_IMAP", 0);
	char *before = NULL, *after = NULL;
	struct imap_box box;

	if (fresh != NULL &&
	    UNIT_CHECK(imap_run(*client, "NOOP") == IMAP_OK &&
		       imap_select(fresh, mailbox, &box) == IMAP_OK,
		       "%s: %s", mailbox, imap_error(*client))) {
		before = view_of(*client);
		after = view_of(fresh);
		UNIT_CHECK(strcmp(before, after) == 0, "%s: a session from "
			   "before the cutover sees another mailbox than one "
			   "from after it", mailbox);
	}
	free(before);
	free(after);
	imap_logout(&fresh);
	imap_logout(client);
}

static struct imap_client *open_before(const char *mailbox)
{
	struct imap_client *client = case_imap("NEW_IMAP", 0);
	struct imap_box box;

	if (client != NULL)
		UNIT_CHECK(imap_select(client, mailbox, &box) == IMAP_OK,
			   "SELECT: %s", imap_error(client));
	return client;
}

static void round_of(const char *mailbox)
{
	struct imap_client *session;
	struct idlers *idlers;
	unsigned int messages;

	writers_go(writers, mailbox);
	UNIT_CHECK(writers_wait(writers, 2), "%s: no writes", mailbox);
	UNIT_CHECK(writers_pause(writers), "%s: a writer hangs", mailbox);
	check("OLD_IMAP_DIRECT", mailbox, "on the old server");
	check("NEW_IMAP", mailbox, "in the mirror");
	session = open_before(mailbox);
	idlers = start_idlers(mailbox);

	writers_go(writers, mailbox);
	UNIT_CHECK(writers_wait(writers, 1), "%s: no writes", mailbox);
	cut_over(mailbox);
	UNIT_CHECK(writers_pause(writers), "%s: a writer hangs", mailbox);
	messages = check("NEW_IMAP", mailbox, "after the cutover");
	end_idlers(&idlers, messages);
	keeps_place(&session, mailbox);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void judge(unsigned int rounds)
{
	struct writers_counts counts;

	writers_get_counts(writers, &counts);
	UNIT_CHECK(counts.failures == 0, "%llu failures: %s",
		   (unsigned long long)counts.failures, counts.failure);
	UNIT_CHECK(counts.connections_lost + counts.refused +
		   counts.unanswered + counts.old_lost == 0,
		   "disconnects=%llu refused=%llu unanswered=%llu",
		   (unsigned long long)counts.connections_lost,
		   (unsigned long long)counts.refused,
		   (unsigned long long)counts.unanswered);
	UNIT_CHECK(counts.acknowledged >= rounds * WRITERS * 5,
		   "only %llu writes", (unsigned long long)counts.acknowledged);
	if (gap_count == 0)
		return;
	qsort(gaps, gap_count, sizeof(*gaps), compare);
	printf("\n    cutovers=%u writes acknowledged=%llu\n    "
	       "a write usually takes %.1f ms; interrupted by a cutover: "
	       "median %.1f ms, max %.1f ms\n    ", rounds,
	       (unsigned long long)counts.acknowledged, counts.median,
	       gaps[gap_count / 2], gaps[gap_count - 1]);
}

static void start_writers(void)
{
	struct writers_settings set = {
		.imap = case_get("NEW_IMAP"),
		.lmtp = case_get("NEW_LMTP"),
		.user = case_user(0),
		.password = case_get("PASSWORD"),
		.other = OTHER,
		.imap_writers = IMAP_WRITERS,
		.lmtp_writers = LMTP_WRITERS,
		.seed = 1,
	};

	writers = writers_start(&set);
}

static void nobody_is_disturbed(void)
{
	unsigned int i, rounds = case_soak() ? MAX_ROUNDS : ROUNDS;
	char mailbox[16];

	/* lmtp reads its settings when it starts */
	if (!case_server("new", "restart", NULL) || !make_mailboxes(rounds))
		return;
	start_writers();
	for (i = 0; i < rounds && CU_get_number_of_failures() == 0; i++) {
		snprintf(mailbox, sizeof(mailbox), "Box%02u", i);
		round_of(mailbox);
	}
	check("OLD_IMAP_DIRECT", OTHER, "on the old server");
	check("NEW_IMAP", OTHER, "in the mirror");
	case_is_state(0, OTHER, "mirrored");
	judge(i);
	writers_stop(&writers);
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "nobody is disturbed", nobody_is_disturbed },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "1", "--messages", "20", "--folders", "0",
		"--old-store", "sdbox", NULL
	};
	const struct case_program program = {
		.name = "test-mirror-cutover",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MIRROR "lmtp_save_to_detail_mailbox = yes\n",
	};

	return case_main(&program);
}
