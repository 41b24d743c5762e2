/*
 * try-arrival-index: what an arrival-index takes, by hand.
 *
 *   TRY_FORMAT=sdbox TRY_MAILS=200000 TRY_MAILBOXES=60 ./try-arrival-index
 *
 * Makes a user with that many mails of 2.5 kB in that many mailboxes (below
 * TMPDIR), and says for each step how long it took, and what CPU and memory.
 */
#include "mail-unit.h"
#include "ioloop.h"
#include "istream.h"
#include "str.h"
#include "plugin/engine/arrival-index-private.h"
#include "plugin/migration-user.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MAIL_SIZE 2500
#define NEW_MAILS 10
#define FINDS 100000
/* of one transaction */
#define SAVES 2000

static struct migration_user *muser;
static struct arrival_index *mail_index;

static double clock_secs(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void step(const char *name, void (*run)(void))
{
	double wall = clock_secs(CLOCK_MONOTONIC);
	double cpu = clock_secs(CLOCK_PROCESS_CPUTIME_ID);
	struct rusage usage;

	T_BEGIN {
		run();
	} T_END;
	wall = clock_secs(CLOCK_MONOTONIC) - wall;
	cpu = clock_secs(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	if (getrusage(RUSAGE_SELF, &usage) < 0)
		i_fatal("getrusage() failed: %m");
	printf("%-12s seconds=%.3f cpu=%.3f peak_kb=%ld\n", name, wall, cpu,
	       usage.ru_maxrss);
	fflush(stdout);
}

static unsigned int number(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);
	unsigned int n;

	return value != NULL && str_to_uint(value, &n) == 0 && n > 0 ?
		n : otherwise;
}

static const char *mail_text(unsigned int n)
{
	string_t *text = t_str_new(MAIL_SIZE + 128);

	str_printfa(text, "Received: from a by b; "
		    "Mon, 05 Jan 2026 10:11:13 +0100\r\n"
		    "Message-ID: <%u@example.org>\r\nFrom: a@example.org\r\n"
		    "Date: Mon, 05 Jan 2026 10:11:12 +0100\r\n"
		    "Subject: mail %u\r\n\r\n", n, n);
	while (str_len(text) < MAIL_SIZE)
		str_printfa(text, "A line at %zu of mail %u, for its size.\r\n",
			    str_len(text), n);
	return str_c(text);
}

static void save_many(const char *vname, unsigned int first, unsigned int count)
{
	const char **texts;

	for (unsigned int n; count > 0; count -= n, first += n) T_BEGIN {
		n = I_MIN(count, SAVES);
		texts = t_new(const char *, n + 1);
		for (unsigned int i = 0; i < n; i++)
			texts[i] = mail_text(first + i);
		mail_unit_save_many(muser, vname, texts);
	} T_END;
}

static void save_all(void)
{
	unsigned int boxes = number("TRY_MAILBOXES", 60);
	unsigned int each = number("TRY_MAILS", 200000) / boxes;

	for (unsigned int i = 0; i < boxes; i++) {
		save_many(i == 0 ? "INBOX" : t_strdup_printf("box%u", i),
			  i * each, each);
	}
}

static void open_and_note(time_t since)
{
	const char *error;

	mail_unit_user_again(&muser);
	if (arrival_index_open(muser, &mail_index, &error) < 0 ||
	    arrival_index_note_all(mail_index, since, &error) < 0)
		i_fatal("%s", error);
}

static void note_too_old(void)
{
	open_and_note(time(NULL) + 3600);
	arrival_index_close(&mail_index);
}

static void note_first(void)
{
	open_and_note(0);
}

static void sync_close(void)
{
	const char *error;

	if (arrival_index_sync(mail_index, &error) < 0)
		i_fatal("%s", error);
	arrival_index_close(&mail_index);
}

static void note_nothing(void)
{
	open_and_note(0);
	sync_close();
}

static void save_new(void)
{
	save_many("INBOX", UINT_MAX / 2, NEW_MAILS);
}

static void find_many(void)
{
	const char *error, *text = mail_text(0);
	struct istream *input = i_stream_create_from_data(text, strlen(text));
	struct mail_identity identity;
	guid_128_t guid;

	if (mail_identity_get(input, NULL, &identity, &error) < 0)
		i_fatal("%s", error);
	i_stream_unref(&input);
	for (unsigned int i = 0; i < FINDS; i++) {
		CU_ASSERT_FATAL(arrival_index_find(mail_index, "INBOX",
						   &identity, guid) ==
				ARRIVAL_BY_DIGEST);
	}
}

static void forget(void)
{
	const char *error;

	if (arrival_index_forget_gone(mail_index, &error) < 0)
		i_fatal("%s", error);
}

static void try_all(void)
{
	const char *format = getenv("TRY_FORMAT");

	muser = mail_unit_user(format == NULL ? "sdbox" : format);
	step("save", save_all);
	step("too_old", note_too_old);
	step("first", note_first);
	step("sync", sync_close);
	step("nothing_new", note_nothing);
	step("save_new", save_new);
	step("new", note_first);
	step("find", find_many);
	step("forget", forget);
	step("sync", sync_close);
	mail_unit_user_free(&muser);
}

static const struct unit_test tests[] = {
	{ "try", try_all },
	{ NULL, NULL }
};

int main(void)
{
	return mail_unit_run("try-arrival-index", tests);
}
