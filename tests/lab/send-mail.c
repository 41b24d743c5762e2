/*
 * send-mail: mail for users of the lab, from outside
 *
 * send-mail --server SMTP,IMAP [--server SMTP,IMAP] --domain DOMAIN
 *           --password PASSWORD --first N --count N [--timeout SECONDS] USER...
 *
 * Mails number N and so on, to the users in turn, each to all of these servers
 * (HOST:PORT for both protocols), and waits until each of them shows it. Prints
 * one line. Exits 0, 1 when a mail wasn't taken or doesn't come, 64 for wrong
 * usage.
 */
#include "message-ids.h"
#include "options.h"
#include "process.h"
#include "sent-mail.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS 2
#define SEED 700
#define TIMEOUT_MS 60000
#define MAX_COUNT 1000000

struct server {
	const char *smtp, *imap;
};

struct sender {
	struct server servers[SERVERS];
	unsigned int server_count;
	const char *domain, *password;
	char **users;
	unsigned int user_count, first, count, timeout_ms;
	/* Why a mailbox couldn't be read, the last time that one couldn't. */
	char error[300];
};

/* They take turns, by the mail's number. */
static const char *const froms[] = {
	"news@quick.example", "office@slow.example", "invoices@yearly.example"
};

static const char *user_of(const struct sender *sender, unsigned int n)
{
	return sender->users[n % sender->user_count];
}

static void name_mail(const struct sender *sender, unsigned int n,
		      char id[SENT_MAIL_ID_SIZE])
{
	snprintf(id, SENT_MAIL_ID_SIZE, "<sent-%u.%s@world.example>", n,
		 user_of(sender, n));
}

static int send_one(const struct sender *sender, unsigned int n)
{
	struct sent_mail mail = {
		.from = froms[n % 3], .date = time(NULL)
	};
	const char *error;
	char to[200];
	unsigned int i;
	int ret = 0;

	name_mail(sender, n, mail.message_id);
	snprintf(to, sizeof(to), "%s@%s", user_of(sender, n), sender->domain);
	sent_mail_make(&mail, SEED, n);
	for (i = 0; i < sender->server_count; i++) {
		if (sent_mail_send(&mail, sender->servers[i].smtp, to,
				   TIMEOUT_MS, &error) / 100 == 2)
			continue;
		fprintf(stderr, "send-mail: %s to %s: %s\n", mail.message_id,
			sender->servers[i].smtp, error);
		ret = -1;
	}
	sent_mail_free(&mail);
	return ret;
}

/*
 * Waiting
 */

/* Of those mails that are this user's, how many the server doesn't show. */
static unsigned int
count_missing(struct sender *sender, const struct server *server,
	      unsigned int user)
{
	unsigned int i, missing = 0;
	char id[SENT_MAIL_ID_SIZE];
	struct message_ids ids;
	const char *error;

	if (message_ids_take(server->imap, sender->users[user],
			     sender->password, TIMEOUT_MS, &ids, &error) < 0) {
		snprintf(sender->error, sizeof(sender->error), " (%s: %s)",
			 server->imap, error);
		memset(&ids, 0, sizeof(ids));
	}
	for (i = sender->first; i < sender->first + sender->count; i++) {
		name_mail(sender, i, id);
		if (i % sender->user_count == user &&
		    message_ids_count(&ids, id, NULL) == 0)
			missing++;
	}
	message_ids_free(&ids);
	return missing;
}

static unsigned int count_all_missing(struct sender *sender)
{
	unsigned int i, j, missing = 0;

	for (i = 0; i < sender->server_count; i++) {
		for (j = 0; j < sender->user_count; j++)
			missing += count_missing(sender, &sender->servers[i],
						 j);
	}
	return missing;
}

static bool none_missing(void *context)
{
	struct sender *sender = context;

	sender->error[0] = '\0';
	return count_all_missing(sender) == 0;
}

/*
 * Options
 */

static void usage(void) __attribute__((noreturn));
static void usage(void)
{
	fprintf(stderr, "usage: send-mail --server SMTP,IMAP [--server "
		"SMTP,IMAP] --domain DOMAIN\n"
		"            --password PASSWORD --first N --count N "
		"[--timeout SECONDS] USER...\n");
	exit(64);
}

static unsigned int number(const char *str, unsigned int max)
{
	return (unsigned int)option_number(str, 0, max, usage);
}

static void add_server(struct sender *sender, char *pair)
{
	char *comma = strchr(pair, ',');

	if (comma == NULL || sender->server_count == SERVERS)
		usage();
	*comma = '\0';
	sender->servers[sender->server_count].smtp = pair;
	sender->servers[sender->server_count++].imap = comma + 1;
}

static void parse_options(struct sender *sender, int argc, char **argv)
{
	static const struct option options[] = {
		{ "server", required_argument, NULL, 's' },
		{ "domain", required_argument, NULL, 'd' },
		{ "password", required_argument, NULL, 'p' },
		{ "first", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's': add_server(sender, optarg); break;
		case 'd': sender->domain = optarg; break;
		case 'p': sender->password = optarg; break;
		case 'f': sender->first = number(optarg, INT32_MAX); break;
		case 'c': sender->count = number(optarg, MAX_COUNT); break;
		case 't':
			sender->timeout_ms = number(optarg, 3600) * 1000;
			break;
		default: usage();
		}
	}
	sender->users = argv + optind;
	sender->user_count = (unsigned int)(argc - optind);
	if (sender->server_count == 0 || sender->user_count == 0 ||
	    sender->domain == NULL || sender->password == NULL)
		usage();
}

int main(int argc, char *argv[])
{
	struct sender sender = { .timeout_ms = TIMEOUT_MS };
	unsigned int i, refused = 0;
	uint64_t started = now_ms();

	parse_options(&sender, argc, argv);
	for (i = sender.first; i < sender.first + sender.count; i++)
		refused += send_one(&sender, i) < 0;
	if (refused > 0)
		return EXIT_FAILURE;
	if (!wait_until(none_missing, &sender, sender.timeout_ms)) {
		fprintf(stderr, "send-mail: %u of %u mails aren't in the "
			"mailboxes%s\n", count_all_missing(&sender),
			sender.count * sender.server_count, sender.error);
		return EXIT_FAILURE;
	}
	printf("send-mail: mails=%u servers=%u users=%u first=%u "
	       "seconds=%.1f\n", sender.count, sender.server_count,
	       sender.user_count, sender.first,
	       (double)(now_ms() - started) / 1000);
	return EXIT_SUCCESS;
}
