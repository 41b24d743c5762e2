#include "mirror-visit.h"
#include "bench-figures.h"

#include <stdio.h>
#include <string.h>

#define ENVELOPES 50
#define APPEND_SIZE 4096

struct visit {
	const struct mirror_lane *lane;
	struct imap_client *client;
	/* Those that the mailbox had in the beginning; one of their UIDs */
	unsigned int messages;
	uint32_t uid;
	bool add;
};

/* How many untagged answers have that name. */
static unsigned int count_answers(const struct visit *visit, const char *name)
{
	const struct imap_response *resp;
	unsigned int count = 0;

	for (resp = imap_find(imap_untagged(visit->client), name);
	     resp != NULL; resp = imap_find(resp->next, name))
		count++;
	return count;
}

static void __attribute__((noreturn))
fail(const struct visit *visit, const char *what)
{
	bench_fail("%s: %s: %s", visit->lane->name, what,
		   imap_error(visit->client));
}

static void want(const struct visit *visit, bool ok, const char *what)
{
	if (!ok)
		fail(visit, what);
}

/*
 * The steps
 */

static void select_inbox(struct visit *visit)
{
	struct imap_box box;

	want(visit, imap_select(visit->client, "INBOX", &box) == IMAP_OK &&
	     box.exists >= visit->messages, "SELECT");
}

static void fetch_envelopes(struct visit *visit)
{
	unsigned int last = visit->messages;
	unsigned int first = last > ENVELOPES ? last - ENVELOPES + 1 : 1;

	want(visit, imap_run(visit->client, "FETCH %u:%u (UID FLAGS "
			     "INTERNALDATE RFC822.SIZE ENVELOPE)", first,
			     last) == IMAP_OK &&
	     count_answers(visit, "FETCH") == last - first + 1, "FETCH");
}

static void fetch_body(struct visit *visit)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;

	want(visit, imap_run(visit->client, "UID FETCH %u BODY[]",
			     visit->uid) == IMAP_OK, "FETCH of a body");
	resp = imap_find(imap_untagged(visit->client), "FETCH");
	want(visit, resp != NULL && imap_parse_fetch(resp, &fetch) &&
	     fetch.uid == visit->uid && fetch.body_size > 0,
	     "a body doesn't come");
}

static void store_flag(struct visit *visit)
{
	want(visit, imap_run(visit->client, "UID STORE %u %cFLAGS "
			     "(\\Answered)", visit->uid,
			     visit->add ? '+' : '-') == IMAP_OK &&
	     count_answers(visit, "FETCH") > 0, "STORE");
}

static void append_message(struct visit *visit)
{
	static char text[APPEND_SIZE];
	uint32_t uid;
	int size;

	size = snprintf(text, sizeof(text), "From: visitor@example.org\r\n"
			"Subject: visit\r\n\r\n");
	memset(text + size, 'a', sizeof(text) - (size_t)size);
	memcpy(text + sizeof(text) - 2, "\r\n", 2);
	want(visit, imap_append(visit->client, "INBOX", "\\Seen", NULL, text,
				sizeof(text), &uid) == IMAP_OK && uid != 0,
	     "APPEND");
}

static void ask_status(struct visit *visit)
{
	unsigned int i, tag = 0;

	for (i = 0; i < MIRROR_FOLDERS; i++)
		tag = imap_send(visit->client, "STATUS %s (MESSAGES UIDNEXT "
				"UNSEEN)", mirror_folder(i));
	want(visit, imap_wait(visit->client, tag) == IMAP_OK &&
	     count_answers(visit, "STATUS") == MIRROR_FOLDERS, "STATUS");
}

static const struct {
	const char *name;
	void (*run)(struct visit *visit);
} steps[MIRROR_STEPS] = {
	[STEP_SELECT] = { "select", select_inbox },
	[STEP_ENVELOPES] = { "envelopes", fetch_envelopes },
	[STEP_BODY] = { "body", fetch_body },
	[STEP_STORE] = { "store", store_flag },
	[STEP_APPEND] = { "append", append_message },
	[STEP_STATUS] = { "status60", ask_status },
};

const char *mirror_step_name(enum mirror_step step)
{
	return steps[step].name;
}

void mirror_visit(const struct bench *bench, const struct mirror_lane *lane,
		  unsigned int n, double ms_r[MIRROR_STEPS])
{
	struct visit visit = {
		.lane = lane, .messages = bench->messages,
		.uid = 1 + n % bench->messages,
		.add = n / bench->messages % 2 == 0,
	};
	double started;
	unsigned int i;

	visit.client = mirror_lane_open(bench, lane, lane->here);
	for (i = 0; i < MIRROR_STEPS; i++) {
		imap_clear(visit.client);
		started = bench_now();
		steps[i].run(&visit);
		ms_r[i] = bench_now() - started;
	}
	imap_logout(&visit.client);
}
