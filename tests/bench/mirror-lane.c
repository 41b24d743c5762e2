#include "mirror-lane.h"
#include "lane-mail.h"
#include "stock-dovecot.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	/* Keys of `lab env`; NULL: it has a Dovecot of its own. */
	const char *here, *there;
	/* NULL: the new server's */
	const char *mail_location;
} kinds[MIRROR_LANES] = {
	[LANE_OURS] = { "dovecot-migration", "NEW_IMAP", "OLD_IMAP_DIRECT",
			NULL },
	[LANE_LOCAL] = { "local", NULL, NULL, NULL },
	[LANE_DIRECT] = { "direct", "OLD_IMAP", "OLD_IMAP_DIRECT", NULL },
	[LANE_IMAPC] = { "imapc", NULL, "OLD_IMAP_DIRECT", "imapc:~/imapc" },
};

struct imap_client *
mirror_lane_open(const struct bench *bench, const struct mirror_lane *lane,
		 const char *hostport)
{
	return bench_imap_at(bench, hostport, lane->user);
}

static void open_lane(const struct bench *bench, enum mirror_lane_id id,
		      struct mirror_lane *lane)
{
	const unsigned int port = bench->port_base + BENCH_FREE_PORT + id;

	lane->name = id == LANE_OURS && bench->proxied ? "proxied" :
		kinds[id].name;
	lane->user = id;
	if (kinds[id].here == NULL) {
		stock_dovecot_start(bench, lane->name, kinds[id].mail_location,
				    port);
		snprintf(lane->here, sizeof(lane->here), "127.0.0.1:%u", port);
	} else {
		snprintf(lane->here, sizeof(lane->here), "%s",
			 bench_get(bench, kinds[id].here));
	}
	snprintf(lane->there, sizeof(lane->there), "%s",
		 kinds[id].there == NULL ? lane->here :
		 bench_get(bench, kinds[id].there));
}

static void make_mail(const struct bench *bench, const struct mirror_lane *lane)
{
	lane_mail_make(bench, mirror_lane_open(bench, lane, lane->there));
}

void mirror_lanes_up(struct bench *bench,
		     struct mirror_lane lanes[MIRROR_LANES])
{
	unsigned int i;

	bench_lab_up(bench, MIRROR_LANES, 0,
		     bench->proxied ? BENCH_PROXIED : BENCH_MIRRORED);
	for (i = 0; i < MIRROR_LANES; i++)
		open_lane(bench, i, &lanes[i]);
	bench_say("filling the servers");
	make_mail(bench, &lanes[LANE_LOCAL]);
	make_mail(bench, &lanes[LANE_OURS]);
	bench_server(bench, "old", "stop");
	bench_copy_old_home(bench, lanes[LANE_OURS].user,
			    lanes[LANE_DIRECT].user);
	bench_copy_old_home(bench, lanes[LANE_OURS].user,
			    lanes[LANE_IMAPC].user);
	bench_server(bench, "old", "start");
	bench_fill_user(bench, lanes[LANE_OURS].user,
			bench->proxied ? "filled" : "mirrored");
	bench_settle(bench);
}
