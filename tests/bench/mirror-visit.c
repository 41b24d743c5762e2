#include "mirror-visit.h"
#include "bench-figures.h"
#include "imap-steps.h"

#include <stdio.h>
#include <string.h>

#define ENVELOPES 50
#define APPEND_SIZE 4096

struct visit {
	struct imap_visit imap;
	/* one of its UIDs */
	uint32_t uid;
	bool add;
};

static void select_inbox(struct visit *visit)
{
	imap_step_select(&visit->imap, "INBOX", visit->imap.messages);
}

static void fetch_envelopes(struct visit *visit)
{
	unsigned int last = visit->imap.messages;

	imap_step_envelopes(&visit->imap, last > ENVELOPES ?
			    last - ENVELOPES + 1 : 1, last);
}

static void fetch_body(struct visit *visit)
{
	imap_step_body(&visit->imap, visit->uid);
}

static void store_flag(struct visit *visit)
{
	imap_step_store(&visit->imap, visit->uid, visit->add);
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
	imap_step_want(&visit->imap,
		       imap_append(visit->imap.client, "INBOX", "\\Seen",
				   NULL, text, sizeof(text), &uid) == IMAP_OK &&
		       uid != 0, "APPEND");
}

static void ask_status(struct visit *visit)
{
	imap_step_status(&visit->imap);
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
		.imap = { .tool = lane->name, .messages = bench->messages },
		.uid = 1 + n % bench->messages,
		.add = n / bench->messages % 2 == 0,
	};
	double started;
	unsigned int i;

	visit.imap.client = mirror_lane_open(bench, lane, lane->here);
	for (i = 0; i < MIRROR_STEPS; i++) {
		imap_clear(visit.imap.client);
		started = bench_now();
		steps[i].run(&visit);
		ms_r[i] = bench_now() - started;
	}
	imap_logout(&visit.imap.client);
}
