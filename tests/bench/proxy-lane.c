#include "proxy-lane.h"
#include "lane-mail.h"
#include "stock-dovecot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *state;
	/* A key of `lab env`; NULL: it has a Dovecot of its own. */
	const char *here;
	const char *mail_location;
} kinds[PROXY_LANES] = {
	[PROXY_DIRECT] = { "direct", "remote", "OLD_IMAP", NULL },
	[PROXY_LOGIN] = { "login-proxy", "remote", NULL, NULL },
	[PROXY_IMAPC] = { "imapc", "remote", NULL, "imapc:~/imapc" },
	[PROXY_LOCAL] = { "local", "local", NULL, NULL },
	[PROXY_OURS] = { "dovecot-migration", "remote", "NEW_IMAP", NULL },
	[PROXY_FILLED] = { "dovecot-migration", "filled", "NEW_IMAP", NULL },
};

static void start_stock(const struct bench *bench, enum proxy_lane_id id,
			unsigned int port)
{
	if (id == PROXY_LOGIN)
		stock_proxy_start(bench, kinds[id].name, port);
	else
		stock_dovecot_start(bench, kinds[id].name,
				    kinds[id].mail_location, port);
}

static void open_lane(const struct bench *bench, enum proxy_lane_id id,
		      struct proxy_lane *lane)
{
	const unsigned int port = bench->port_base + BENCH_FREE_PORT + id;

	lane->name = kinds[id].name;
	lane->state = kinds[id].state;
	lane->user = id;
	if (kinds[id].here == NULL) {
		start_stock(bench, id, port);
		snprintf(lane->here, sizeof(lane->here), "127.0.0.1:%u", port);
	} else {
		snprintf(lane->here, sizeof(lane->here), "%s",
			 bench_get(bench, kinds[id].here));
	}
}

void proxy_lanes_up(struct bench *bench, struct proxy_lane lanes[PROXY_LANES])
{
	const char *old;
	unsigned int i;

	bench_lab_up(bench, PROXY_LANES, 0, BENCH_PROXIED);
	old = bench_get(bench, "OLD_IMAP_DIRECT");
	for (i = 0; i < PROXY_LANES; i++)
		open_lane(bench, i, &lanes[i]);
	bench_say("filling the servers");
	lane_mail_make(bench, bench_imap_at(bench, lanes[PROXY_LOCAL].here,
					    PROXY_LOCAL));
	lane_mail_make(bench, bench_imap_at(bench, old, PROXY_DIRECT));
	bench_server(bench, "old", "stop");
	for (i = 0; i < PROXY_LANES; i++) {
		if (i != PROXY_DIRECT && i != PROXY_LOCAL)
			bench_copy_old_home(bench, PROXY_DIRECT, i);
	}
	bench_server(bench, "old", "start");
	bench_fill_user(bench, PROXY_FILLED, "filled");
	bench_settle(bench);
}

unsigned int proxy_lane_logins(const struct bench *bench,
			       const struct proxy_lane *lane)
{
	struct process_result result;
	unsigned int count;

	result = bench_shell("grep -c 'imap-login: Info: Login: user=<%s>' "
			     "'%s' || :", bench_user(bench, lane->user),
			     bench_get(bench, "OLD_LOG"));
	count = (unsigned int)strtoul(result.output, NULL, 10);
	process_result_free(&result);
	return count;
}
