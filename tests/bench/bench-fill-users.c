#include "bench-fill-users.h"
#include "bench-figures.h"
#include "copy-tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_USERS 100

struct copies {
	enum copy_tool_id id;
	unsigned int run;
	/* Each user's, in one shell. */
	char *command[MAX_USERS], folder[MAX_USERS][600];
};

struct figures {
	double in_turn[BENCH_MAX_RUNS], at_once[BENCH_MAX_RUNS];
	double cpu[BENCH_MAX_RUNS], ratio[BENCH_MAX_RUNS];
};

static struct bench_sum sums[MAX_USERS];

static void copies_init(const struct bench *bench, enum copy_tool_id id,
			unsigned int run, const char *how,
			struct copies *copies_r)
{
	unsigned int u;

	copies_r->id = id;
	copies_r->run = run;
	for (u = 0; u < bench->users; u++) {
		snprintf(copies_r->folder[u], sizeof(copies_r->folder[u]),
			 "%s/%s-%u-%s-%u", bench_get(bench, "DIR"),
			 copy_tools[id].name, run, how, u);
		copies_r->command[u] = copy_command(bench, id, u,
						    copies_r->folder[u]);
	}
	bench_settle(bench);
}

/* They must be right; then they're out of the way. */
static void copies_deinit(const struct bench *bench, struct copies *copies)
{
	unsigned int u;

	for (u = 0; u < bench->users; u++) {
		copy_check(bench, copies->id, u, copies->folder[u], &sums[u]);
		if (copy_tools[copies->id].into_store)
			bench_move_aside(bench, bench_user(bench, u));
		free(copies->command[u]);
	}
}

static double copy_in_turn(const struct bench *bench, enum copy_tool_id id,
			   unsigned int run)
{
	struct copies copies;
	double wall_s = 0;
	unsigned int u;

	copies_init(bench, id, run, "in-turn", &copies);
	for (u = 0; u < bench->users; u++)
		wall_s += bench_run(bench, copies.command[u]).wall_s;
	copies_deinit(bench, &copies);
	return wall_s;
}

static struct bench_usage
copy_at_once(const struct bench *bench, enum copy_tool_id id, unsigned int run)
{
	struct bench_usage usage;
	struct copies copies;
	char *command;
	size_t size;
	FILE *out;
	unsigned int u;

	copies_init(bench, id, run, "at-once", &copies);
	out = open_memstream(&command, &size);
	if (out == NULL)
		abort();
	fprintf(out, "pids=\n");
	for (u = 0; u < bench->users; u++)
		fprintf(out, "(%s) & pids=\"$pids $!\"\n", copies.command[u]);
	fprintf(out, "for pid in $pids; do wait $pid || exit; done\n");
	if (fclose(out) != 0)
		abort();
	usage = bench_run(bench, command);
	free(command);
	copies_deinit(bench, &copies);
	return usage;
}

static void print_figures(const struct bench *bench, enum copy_tool_id id,
			  struct figures *f)
{
	double wall = bench_median(f->at_once, bench->runs);
	unsigned long long messages = 0;
	unsigned int u;

	for (u = 0; u < bench->users; u++)
		messages += sums[u].messages;
	printf("bench: part=fill tool=%s corpus=%s rtt_ms=%u store=%s tls=%s "
	       "users=%u messages=%llu wall_s=%.3f in_turn_s=%.3f "
	       "msgs_per_s=%.0f cpu_s=%.2f runs=%u\n", copy_tools[id].name,
	       bench->corpus, bench->rtt_ms, bench->store,
	       bench->tls ? "yes" : "no", bench->users, messages, wall,
	       bench_median(f->in_turn, bench->runs), (double)messages / wall,
	       bench_median(f->cpu, bench->runs), bench->runs);
	printf("bench: part=fill ratio=at-once/in-turn tool=%s corpus=%s "
	       "rtt_ms=%u store=%s tls=%s users=%u value=%.2f\n",
	       copy_tools[id].name, bench->corpus, bench->rtt_ms, bench->store,
	       bench->tls ? "yes" : "no", bench->users,
	       bench_median(f->ratio, bench->runs));
}

static struct figures figures[COPY_TOOLS];

static void run_tool(const struct bench *bench, enum copy_tool_id id,
		     unsigned int run)
{
	struct figures *f = &figures[id];
	struct bench_usage usage;

	f->in_turn[run] = copy_in_turn(bench, id, run);
	usage = copy_at_once(bench, id, run);
	f->at_once[run] = usage.wall_s;
	f->cpu[run] = usage.cpu_s;
	f->ratio[run] = usage.wall_s / f->in_turn[run];
	bench_say("run %u of %u: %s: %.2f s in turn, %.2f s at once", run + 1,
		  bench->runs, copy_tools[id].name, f->in_turn[run],
		  f->at_once[run]);
}

void bench_fill_users(const struct bench *bench)
{
	unsigned int i, t, u;

	for (u = 0; u < bench->users; u++)
		sums[u] = bench_sum_old(bench, u);
	for (i = 0; i < bench->runs; i++) {
		for (t = 0; t < COPY_TOOLS; t++) {
			if (copy_tool_wanted(bench, t))
				run_tool(bench, t, i);
		}
	}
	for (t = 0; t < COPY_TOOLS; t++) {
		if (copy_tool_wanted(bench, t))
			print_figures(bench, t, &figures[t]);
	}
}
