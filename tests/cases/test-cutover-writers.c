/*
 * test-cutover-writers: mailboxes move while eight clients write (I1, I3)
 *
 * In each round a mailbox is written to through the old server, what was
 * acknowledged is looked for on the old server itself, the mailbox is cut over
 * under the writers, and everything is looked for on the new one. Idle clients
 * must get BYE and see everything when they are back. How long writers were
 * interrupted is printed, not judged. The old server has sdbox: under so many
 * sessions Dovecot 2.3.19 itself now and then loses a flag of a Maildir.
 */
#include "cutover-crowd.h"

static void round_of(const char *mailbox, bool idle)
{
	struct idlers *idlers = idle ? crowd_idlers(mailbox) : NULL;
	unsigned int messages;

	crowd_write(mailbox, 2, false);
	case_migration("fill -u %s %s", case_user(0), mailbox);
	crowd_write(mailbox, 1, true);
	crowd_check("OLD_IMAP_DIRECT", mailbox, "on the old server");
	crowd_write(mailbox, 1, false);
	crowd_cut_over(mailbox);
	crowd_write(mailbox, 1, true);
	messages = crowd_check("NEW_IMAP", mailbox, "on the new server");
	if (idle)
		crowd_end_idlers(&idlers, messages, 1);
}

static void judge(unsigned int rounds)
{
	struct writers_counts counts;

	writers_get_counts(crowd_writers(), &counts);
	UNIT_CHECK(counts.failures == 0, "%llu failures: %s",
		   (unsigned long long)counts.failures, counts.failure);
	UNIT_CHECK(counts.acknowledged >= rounds * CROWD_WRITERS * 6,
		   "only %llu writes", (unsigned long long)counts.acknowledged);
	/* Dovecot 2.3.19 as the old server now and then panics in COPY, or
	   crashes, under so many writers */
	UNIT_CHECK(counts.old_lost == 0 ||
		   case_old_log_count("Panic: file cmd-copy.c") > 0 ||
		   case_old_log_count("killed with signal 11") > 0,
		   "the old server was lost %llu times without a reason",
		   (unsigned long long)counts.old_lost);
	printf("\n    cutovers=%u writes acknowledged=%llu refused=%llu "
	       "unanswered=%llu\n    %s\n    ", rounds,
	       (unsigned long long)counts.acknowledged,
	       (unsigned long long)counts.refused,
	       (unsigned long long)counts.unanswered, crowd_interruptions());
}

static void writers_lose_nothing(void)
{
	unsigned int i, rounds = crowd_rounds();

	/* lmtp reads its settings when it starts */
	if (!case_server("new", "restart", NULL) ||
	    !crowd_make_mailboxes(rounds) || !crowd_start())
		return;
	for (i = 0; i < rounds && CU_get_number_of_failures() == 0; i++)
		round_of(crowd_mailbox(i), i % 4 == 0);
	crowd_check("OLD_IMAP_DIRECT", CROWD_OTHER, "on the old server");
	case_migration("cutover -u %s " CROWD_OTHER, case_user(0));
	crowd_check("NEW_IMAP", CROWD_OTHER, "on the new server");
	judge(rounds);
	crowd_stop();
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "no acknowledged write is lost or doubled", writers_lose_nothing },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "1", "--messages", "20", "--folders", "0",
		"--old-store", "sdbox", NULL
	};
	const struct case_program program = {
		.name = "test-cutover-writers",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL "lmtp_save_to_detail_mailbox = yes\n",
	};

	return case_main(&program);
}
