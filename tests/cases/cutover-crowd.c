#include "cutover-crowd.h"

#include <stdlib.h>

#define IMAP_WRITERS 6
#define LMTP_WRITERS (CROWD_WRITERS - IMAP_WRITERS)
#define ROUNDS 20
#define IDLE_TIMEOUT_MS 30000

static struct writers *writers;
static double gaps[CROWD_MAX_ROUNDS * CROWD_WRITERS];
static unsigned int gap_count;

unsigned int crowd_rounds(void)
{
	return case_soak() ? CROWD_MAX_ROUNDS : ROUNDS;
}

const char *crowd_mailbox(unsigned int round)
{
	static char name[16];

	snprintf(name, sizeof(name), "Box%02u", round);
	return name;
}

bool crowd_make_mailboxes(unsigned int rounds)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	bool ok;

	if (client == NULL)
		return false;
	ok = imap_run(client, "CREATE " CROWD_OTHER) == IMAP_OK;
	for (unsigned int i = 0; i < rounds; i++)
		ok = imap_run(client, "CREATE %s",
			      crowd_mailbox(i)) == IMAP_OK && ok;
	UNIT_CHECK(ok, "CREATE: %s", imap_error(client));
	imap_logout(&client);
	return ok;
}

struct writers *crowd_writers(void)
{
	return writers;
}

bool crowd_start(void)
{
	struct writers_settings set = {
		.imap = case_get("NEW_IMAP"),
		.lmtp = case_get("NEW_LMTP"),
		.user = case_user(0),
		.password = case_get("PASSWORD"),
		.other = CROWD_OTHER,
		.imap_writers = IMAP_WRITERS,
		.lmtp_writers = LMTP_WRITERS,
		.seed = 1,
	};

	gap_count = 0;
	writers = writers_start(&set);
	return UNIT_CHECK(writers != NULL, "no writers");
}

void crowd_stop(void)
{
	writers_stop(&writers);
}

void crowd_write(const char *mailbox, unsigned int writes, bool pause)
{
	writers_go(writers, mailbox);
	UNIT_CHECK(writers_wait(writers, writes), "%s: no writes", mailbox);
	if (pause)
		UNIT_CHECK(writers_pause(writers), "%s: a writer hangs",
			   mailbox);
}

unsigned int
crowd_check(const char *server, const char *mailbox, const char *when)
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

void crowd_cut_over(const char *mailbox)
{
	writers_watch_begin(writers);
	case_migration("cutover -u %s %s", case_user(0), mailbox);
	UNIT_CHECK(writers_wait(writers, 2), "%s: nobody writes after the "
		   "cutover", mailbox);
	gap_count += writers_watch_end(writers, gaps + gap_count);
	case_is_state(0, mailbox, "local");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

const char *crowd_interruptions(void)
{
	static char text[200];
	struct writers_counts counts;

	text[0] = '\0';
	if (gap_count == 0)
		return text;
	writers_get_counts(writers, &counts);
	qsort(gaps, gap_count, sizeof(*gaps), compare);
	snprintf(text, sizeof(text), "a write usually takes %.1f ms; "
		 "interrupted by a cutover: median %.1f ms, max %.1f ms",
		 counts.median, gaps[gap_count / 2], gaps[gap_count - 1]);
	return text;
}

struct idlers *crowd_idlers(const char *mailbox)
{
	struct idlers_settings set = {
		.imap = case_get("NEW_IMAP"),
		.user = case_user(0),
		.password = case_get("PASSWORD"),
		.count = CROWD_IDLERS,
	};
	struct idlers *idlers = idlers_start(&set, mailbox);

	UNIT_CHECK(idlers_wait(idlers, 0, IDLE_TIMEOUT_MS), "not all idle");
	return idlers;
}

void crowd_end_idlers(struct idlers **idlers, unsigned int messages,
		      unsigned int byes)
{
	unsigned int failures;
	const char *why;

	UNIT_CHECK(idlers_wait(*idlers, byes, IDLE_TIMEOUT_MS),
		   "not everyone got %u BYE", byes);
	UNIT_CHECK(idlers_wait_exists(*idlers, messages, IDLE_TIMEOUT_MS),
		   "not everyone who idles sees %u messages", messages);
	failures = idlers_failures(*idlers, &why);
	UNIT_CHECK(failures == 0, "%u troubles of those who idle: %s",
		   failures, why);
	if (byes == 0)
		UNIT_CHECK(idlers_byes(*idlers) == 0, "%u who idled got BYE",
			   idlers_byes(*idlers));
	idlers_stop(idlers);
}
