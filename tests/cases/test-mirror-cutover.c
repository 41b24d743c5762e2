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
#include "cutover-crowd.h"

#include <stdlib.h>
#include <string.h>

static bool fill_mailboxes(unsigned int rounds)
{
	static char names[CROWD_MAX_ROUNDS][16];
	const char *mailboxes[CROWD_MAX_ROUNDS + 2];

	for (unsigned int i = 0; i < rounds; i++) {
		snprintf(names[i], sizeof(names[i]), "%s", crowd_mailbox(i));
		mailboxes[i] = names[i];
	}
	mailboxes[rounds] = CROWD_OTHER;
	mailboxes[rounds + 1] = NULL;
	return case_mirror_fill(0, mailboxes);
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

	crowd_write(mailbox, 2, true);
	crowd_check("OLD_IMAP_DIRECT", mailbox, "on the old server");
	crowd_check("NEW_IMAP", mailbox, "in the mirror");
	session = open_before(mailbox);
	idlers = crowd_idlers(mailbox);

	crowd_write(mailbox, 1, false);
	crowd_cut_over(mailbox);
	crowd_write(mailbox, 1, true);
	messages = crowd_check("NEW_IMAP", mailbox, "after the cutover");
	crowd_end_idlers(&idlers, messages, 0);
	keeps_place(&session, mailbox);
}

static void judge(unsigned int rounds)
{
	struct writers_counts counts;

	writers_get_counts(crowd_writers(), &counts);
	UNIT_CHECK(counts.failures == 0, "%llu failures: %s",
		   (unsigned long long)counts.failures, counts.failure);
	UNIT_CHECK(counts.connections_lost + counts.refused +
		   counts.unanswered + counts.old_lost == 0,
		   "disconnects=%llu refused=%llu unanswered=%llu",
		   (unsigned long long)counts.connections_lost,
		   (unsigned long long)counts.refused,
		   (unsigned long long)counts.unanswered);
	UNIT_CHECK(counts.acknowledged >= rounds * CROWD_WRITERS * 5,
		   "only %llu writes", (unsigned long long)counts.acknowledged);
	printf("\n    cutovers=%u writes acknowledged=%llu\n    %s\n    ",
	       rounds, (unsigned long long)counts.acknowledged,
	       crowd_interruptions());
}

static void nobody_is_disturbed(void)
{
	unsigned int i, rounds = crowd_rounds();

	/* lmtp reads its settings when it starts */
	if (!case_server("new", "restart", NULL) ||
	    !crowd_make_mailboxes(rounds) || !fill_mailboxes(rounds) ||
	    !crowd_start())
		return;
	for (i = 0; i < rounds && CU_get_number_of_failures() == 0; i++)
		round_of(crowd_mailbox(i));
	crowd_check("OLD_IMAP_DIRECT", CROWD_OTHER, "on the old server");
	crowd_check("NEW_IMAP", CROWD_OTHER, "in the mirror");
	case_is_state(0, CROWD_OTHER, "mirrored");
	judge(i);
	crowd_stop();
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
