#include "log-world.h"
#include "log-writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_SECS 60
/* Of 100: spam, and mails that our own users hand in. */
#define SPAM_PERCENT 30
#define SUBMISSION_PERCENT 4
#define MAILBOX_PERCENT 1
/* Of 1000 sources: never learn of the new server. */
#define HARD_WIRED_PERMILLE 3

struct log_source_host {
	unsigned char ip[4];
	unsigned short name;
	bool spammer;
	/* From when on it comes to the new server. */
	int64_t moves;
};

struct log_world {
	struct log_world_settings set;
	struct log_world_counts counts;
	struct log_source_host *sources;
	uint64_t random, mail, seq[2], arrivals[2];
	int64_t now, beat[2];
	struct log_writer writer;
};

static const char *const server_names[] = { "old", "new" };
static const char *const hosts[] = { "mx.old.example", "mx1.example.org" };

const struct log_world_settings log_world_defaults = {
	.seed = 1, .lines = 100000, .every = 1, .sources = 5000, .users = 200,
	.start = 1793491200, .seconds = 21 * 86400
};

/* SplitMix64. */
static uint64_t next_random(struct log_world *world)
{
	uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned int below(struct log_world *world, unsigned int max)
{
	return (unsigned int)(next_random(world) % max);
}

/* Many learn of the switch in the first hours, some need days. */
static int64_t draw_delay(struct log_world *world)
{
	unsigned int kind = below(world, 1000);

	if (kind < HARD_WIRED_PERMILLE)
		return INT64_MAX / 2;
	if (kind < 100)
		return below(world, 5 * 86400);
	return below(world, 4 * 3600);
}

static void make_source(struct log_world *world, struct log_source_host *source)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		source->ip[i] = (unsigned char)(1 + below(world, 222));
	source->name = (unsigned short)below(world, 65536);
	source->spammer = below(world, 100) < SPAM_PERCENT;
	source->moves = world->counts.switched + draw_delay(world);
}

struct log_world *log_world_init(const struct log_world_settings *settings)
{
	struct log_world *world = calloc(1, sizeof(*world));
	unsigned int i;

	if (world == NULL)
		abort();
	world->set = *settings;
	world->random = settings->seed;
	world->writer.rfc3164 = settings->rfc3164;
	world->now = settings->start;
	world->counts.switched = settings->start + settings->seconds / 7;
	world->sources = calloc(settings->sources, sizeof(*world->sources));
	if (world->sources == NULL)
		abort();
	for (i = 0; i < settings->sources; i++)
		make_source(world, &world->sources[i]);
	return world;
}

void log_world_deinit(struct log_world **_world)
{
	struct log_world *world = *_world;

	*_world = NULL;
	free(world->sources);
	free(world);
}

const struct log_world_counts *log_world_counts(const struct log_world *world)
{
	return &world->counts;
}

static size_t put_line(struct log_world *world, char *line, int server,
		       const char *tag, const char *message)
{
	return log_writer_line(&world->writer, line, world->now, hosts[server],
			       tag, message);
}

static size_t put_report(struct log_world *world, char *line, int server,
			 struct report_line *report)
{
	world->counts.report_lines++;
	return put_line(world, line, server, "migration-milter[812]",
			report_line_end(report));
}

static void begin(struct report_line *report, const char *event, int server)
{
	report_line_begin(report, event);
	report_line_add_str(report, "at", server_names[server]);
	report_line_add_str(report, "host", hosts[server]);
}

/* Few send much, many little. */
static unsigned int draw_source(struct log_world *world)
{
	uint64_t a = next_random(world) >> 32, b = next_random(world) >> 32;

	return (unsigned int)((a * b >> 32) * world->set.sources >> 32);
}

static size_t put_arrival(struct log_world *world, char *line)
{
	unsigned int number = draw_source(world), user;
	const struct log_source_host *source = &world->sources[number];
	int server = world->now >= source->moves ? 1 : 0;
	bool spam = source->spammer;
	struct report_line report;

	user = below(world, world->set.users);
	world->arrivals[server]++;
	if (spam)
		world->counts.spam[server]++;
	else
		world->counts.wanted[server]++;
	begin(&report, "arrival", server);
	log_add(&report, "id", "4W%08llXz", (unsigned long long)world->mail++);
	log_add(&report, "client", "%u.%u.%u.%u", source->ip[0], source->ip[1],
		source->ip[2], source->ip[3]);
	log_add(&report, "name", "out%u.mail%u.example", number % 7,
		source->name);
	log_add(&report, "helo", "out%u.mail%u.example", number % 7,
		source->name);
	log_add(&report, "from", "someone%u@sender%u.example",
		below(world, 1000), number);
	log_add(&report, "to", "user%u@" LOG_WORLD_DOMAIN, user);
	log_add(&report, "size", "%u", 1000 + below(world, 100000));
	log_add(&report, "tls", "TLSv1.3");
	log_add(&report, "via", "direct");
	log_add(&report, "spam", spam ? "yes" : "no");
	return put_report(world, line, server, &report);
}

static size_t put_submission(struct log_world *world, char *line)
{
	unsigned int user = below(world, world->set.users);
	/* most clients were told */
	int server = world->now > world->counts.switched &&
		user % 20 != 0 ? 1 : 0;
	struct report_line report;

	world->counts.submissions[server]++;
	begin(&report, "submission", server);
	log_add(&report, "id", "4X%08llXz", (unsigned long long)world->mail++);
	log_add(&report, "client", "203.0.113.%u", user % 250);
	log_add(&report, "auth", "user%u", user);
	log_add(&report, "from", "user%u@" LOG_WORLD_DOMAIN, user);
	log_add(&report, "recipients", "%u", 1 + below(world, 3));
	return put_report(world, line, server, &report);
}

static size_t put_heartbeat(struct log_world *world, char *line, int server)
{
	struct report_line report;

	world->beat[server] = world->now;
	world->counts.heartbeats[server]++;
	begin(&report, "heartbeat", server);
	report_line_add_number(&report, "uptime",
			       (uint64_t)(world->now - world->set.start));
	report_line_add_number(&report, "seq", ++world->seq[server]);
	report_line_add_number(&report, "mails", world->arrivals[server]);
	report_line_add_number(&report, "arrivals", world->arrivals[server]);
	return put_report(world, line, server, &report);
}

static size_t put_mailbox(struct log_world *world, char *line)
{
	struct report_line report;
	char name[20];
	unsigned int user = below(world, world->set.users);

	report_line_begin(&report, below(world, 3) == 0 ? "cutover" : "filled");
	log_add(&report, "user", "user%u", user);
	log_add(&report, "mailbox", "Folder %u", below(world, 20));
	log_add(&report, "fetched", "%u", below(world, 3000));
	log_add(&report, "messages", "%u", below(world, 3000));
	log_add(&report, "bytes", "%u", below(world, 30000000));
	log_add(&report, "seconds", "0.%03u", below(world, 1000));
	snprintf(name, sizeof(name), "user%u", user);
	world->counts.report_lines++;
	return log_writer_plugin_line(&world->writer, line, world->now,
				      hosts[1], name, report_line_end(&report));
}

/* Heartbeats come when they are due. */
static size_t put_report_line(struct log_world *world, char *line)
{
	unsigned int kind = below(world, 100);
	int server;

	/* the one that waits for longer */
	server = world->beat[0] <= world->beat[1] ? 0 : 1;
	if (world->now >= world->beat[server] + HEARTBEAT_SECS)
		return put_heartbeat(world, line, server);
	if (kind < SUBMISSION_PERCENT)
		return put_submission(world, line);
	if (kind < SUBMISSION_PERCENT + MAILBOX_PERCENT)
		return put_mailbox(world, line);
	return put_arrival(world, line);
}

/* What Postfix says about a mail, one after the other. */
static size_t put_postfix(struct log_world *world, char *line)
{
	unsigned int number = draw_source(world);
	const struct log_source_host *source = &world->sources[number];
	int server = world->now >= source->moves ? 1 : 0;
	unsigned int mail = (unsigned int)(world->counts.lines / 7);
	char message[500], client[100];
	const char *tag = "postfix/smtpd[2201]";

	snprintf(client, sizeof(client), "out%u.mail%u.example[%u.%u.%u.%u]",
		 number % 7, source->name, source->ip[0], source->ip[1],
		 source->ip[2], source->ip[3]);
	switch (world->counts.lines % 7) {
	case 0:
		snprintf(message, sizeof(message), "connect from %s", client);
		break;
	case 1:
		snprintf(message, sizeof(message), "4Y%08Xz: client=%s", mail,
			 client);
		break;
	case 2:
		tag = "postfix/cleanup[2202]";
		snprintf(message, sizeof(message), "4Y%08Xz: message-id="
			 "<%u.%u@sender%u.example>", mail, mail, number, number);
		break;
	case 3:
		tag = "postfix/qmgr[2203]";
		snprintf(message, sizeof(message), "4Y%08Xz: from=<someone%u@"
			 "sender%u.example>, size=%u, nrcpt=1 (queue active)",
			 mail, mail % 1000, number, 1000 + mail % 100000);
		break;
	case 4:
		snprintf(message, sizeof(message), "disconnect from %s ehlo=2 "
			 "starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7",
			 client);
		break;
	case 5:
		tag = "postfix/lmtp[2204]";
		snprintf(message, sizeof(message), "4Y%08Xz: to=<user%u@"
			 LOG_WORLD_DOMAIN ">, relay=127.0.0.1[127.0.0.1]:24, "
			 "delay=0.4, delays=0.2/0/0.1/0.1, dsn=2.0.0, "
			 "status=sent (250 2.0.0 Saved)", mail,
			 below(world, world->set.users));
		break;
	default:
		tag = "postfix/qmgr[2203]";
		snprintf(message, sizeof(message), "4Y%08Xz: removed", mail);
	}
	return put_line(world, line, server, tag, message);
}

size_t log_world_line(struct log_world *world, char line[LOG_WORLD_LINE_MAX])
{
	const struct log_world_settings *set = &world->set;
	uint64_t number = world->counts.lines;
	size_t size;

	if (number == set->lines)
		return 0;
	world->now = set->start + (int64_t)((double)set->seconds *
					    (double)number / (double)set->lines);
	size = number % set->every == 0 ? put_report_line(world, line) :
		put_postfix(world, line);
	world->counts.lines++;
	return size;
}
