#include "mirror-seen.h"
#include "bench-figures.h"

#include <string.h>

/* What asks in turns does so each second: the change comes at any time of
   that. */
#define PHASE_MS 1000

static struct imap_client *
come(const struct bench *bench, const struct mirror_lane *lane,
     const char *hostport)
{
	struct imap_client *client = mirror_lane_open(bench, lane, hostport);
	struct imap_box box;

	if (imap_select(client, "INBOX", &box) != IMAP_OK)
		bench_fail("%s: SELECT: %s", lane->name, imap_error(client));
	imap_clear(client);
	return client;
}

/* Takes in what comes until that time. */
static void idle_until(struct imap_client *client, double end)
{
	double now;

	while ((now = bench_now()) < end) {
		if (imap_idle_poll(client, 1 + (unsigned int)(end - now)) < 0)
			bench_fail("IDLE: %s", imap_error(client));
	}
	imap_clear(client);
}

static unsigned int send_change(struct imap_client *client,
				enum mirror_change change, unsigned int n,
				unsigned int messages)
{
	static const char text[] = "Subject: new\r\n\r\nnew\r\n";
	unsigned int tag;

	if (change == CHANGE_MAIL) {
		tag = imap_append_send(client, "INBOX", NULL, NULL, text,
				       sizeof(text) - 1);
	} else {
		tag = imap_send(client, "UID STORE %u %cFLAGS.SILENT ($Seen)",
				1 + n % messages,
				n / messages % 2 == 0 ? '+' : '-');
	}
	(void)imap_flush(client);
	return tag;
}

/* Some other news may come before it. */
static void wait_told(struct imap_client *client, enum mirror_change change,
		      uint32_t exists)
{
	const double end = bench_now() + BENCH_IMAP_TIMEOUT_MS;

	while (change == CHANGE_MAIL ? imap_exists(client) == exists :
	       imap_find(imap_untagged(client), "FETCH") == NULL) {
		if (imap_idle_poll(client, BENCH_IMAP_TIMEOUT_MS) <= 0 ||
		    bench_now() > end)
			bench_fail("a change is never seen");
	}
}

double mirror_seen(const struct bench *bench, const struct mirror_lane *lane,
		   const char *writer, const char *idler,
		   enum mirror_change change, unsigned int n)
{
	struct imap_client *from = come(bench, lane, writer);
	struct imap_client *to = come(bench, lane, idler);
	struct corpus_rng phase;
	unsigned int tag;
	double started, ms;

	if (imap_idle_start(to) != IMAP_OK)
		bench_fail("%s: IDLE: %s", lane->name, imap_error(to));
	corpus_rng_init(&phase, n, change);
	idle_until(to, bench_now() + corpus_rng_below(&phase, PHASE_MS));
	started = bench_now();
	tag = send_change(from, change, n, bench->messages);
	wait_told(to, change, imap_exists(to));
	ms = bench_now() - started;
	if (imap_wait(from, tag) != IMAP_OK)
		bench_fail("%s: a change: %s", lane->name, imap_error(from));
	(void)imap_idle_stop(to);
	imap_logout(&to);
	imap_logout(&from);
	return ms;
}
