#include "proxy-visit.h"
#include "bench-figures.h"
#include "imap-steps.h"

struct visit {
	const struct bench *bench;
	const struct proxy_lane *lane;
	struct imap_visit imap;
	/* 50 messages that no visit has looked at before, and one of them; the
	   mailbox' UIDs are its sequence numbers */
	unsigned int first, last;
	bool add;
};

static void login_select(struct visit *visit)
{
	visit->imap.client = bench_imap_at(visit->bench, visit->lane->here,
					   visit->lane->user);
	imap_step_select(&visit->imap, "INBOX", visit->imap.messages);
}

static void fetch_envelopes(struct visit *visit)
{
	imap_step_envelopes(&visit->imap, visit->first, visit->last);
}

static void fetch_body(struct visit *visit)
{
	imap_step_body(&visit->imap, visit->first);
}

static void store_flag(struct visit *visit)
{
	imap_step_store(&visit->imap, visit->first, visit->add);
}

static void ask_status(struct visit *visit)
{
	imap_step_status(&visit->imap);
}

static void list_status(struct visit *visit)
{
	imap_step_want(&visit->imap,
		       imap_run(visit->imap.client, "LIST \"\" \"folder*\" "
				"RETURN (STATUS (MESSAGES UIDNEXT UNSEEN))") ==
		       IMAP_OK &&
		       imap_step_count(&visit->imap, "STATUS") == LANE_FOLDERS,
		       "LIST-STATUS");
}

static void search_header(struct visit *visit)
{
	imap_step_want(&visit->imap,
		       imap_run(visit->imap.client, "UID SEARCH UID %u:%u "
				"HEADER SUBJECT nobody-writes-this",
				visit->first, visit->last) == IMAP_OK &&
		       imap_step_count(&visit->imap, "SEARCH") == 1, "SEARCH");
}

static const struct {
	const char *name;
	void (*run)(struct visit *visit);
} steps[PROXY_STEPS] = {
	[PROXY_OPEN] = { "login_select", login_select },
	[PROXY_ENVELOPES_COLD] = { "envelopes_cold", fetch_envelopes },
	[PROXY_ENVELOPES_WARM] = { "envelopes_warm", fetch_envelopes },
	[PROXY_BODY] = { "body", fetch_body },
	[PROXY_STORE] = { "store", store_flag },
	[PROXY_STATUS] = { "status60", ask_status },
	[PROXY_LIST_STATUS] = { "list_status60", list_status },
	[PROXY_SEARCH] = { "search50", search_header },
};

const char *proxy_step_name(enum proxy_step step)
{
	return steps[step].name;
}

void proxy_visit(const struct bench *bench, const struct proxy_lane *lane,
		 unsigned int n, double ms_r[PROXY_STEPS])
{
	const unsigned int windows = bench->messages / PROXY_WINDOW;
	struct visit visit = {
		.bench = bench, .lane = lane,
		.imap = { .tool = lane->name, .messages = bench->messages },
		.last = (windows - n % windows) * PROXY_WINDOW,
		.add = n / windows % 2 == 0,
	};
	double started;
	unsigned int i;

	visit.first = visit.last - PROXY_WINDOW + 1;
	for (i = 0; i < PROXY_STEPS; i++) {
		if (visit.imap.client != NULL)
			imap_clear(visit.imap.client);
		started = bench_now();
		steps[i].run(&visit);
		ms_r[i] = bench_now() - started;
	}
	imap_logout(&visit.imap.client);
}
