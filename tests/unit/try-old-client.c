/*
 * try-old-client: try the client to the old server by hand.
 *
 *   try-old-client HOST PORT USER COMMAND...
 *
 * The password is read from OLD_PASSWORD. OLD_SSL is imaps or starttls, OLD_CA
 * a file of certificates to check against, OLD_MASTER a master user, OLD_SASL
 * mechanisms, OLD_RAWLOG a folder. Commands go in one burst; "wait" waits for
 * those before it, "fetch SET" streams bodies and counts them, "append MAILBOX
 * FILE" streams a file, others go as they are. The last line has the counters.
 */
#include "lib.h"
#include "ioloop.h"
#include "net.h"
#include "istream.h"
#include "str.h"
#include "time-util.h"
#include "imap-util.h"
#include "plugin/engine/old-client.h"
#include "plugin/engine/old-fetch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct try {
	struct old_client *client;
	struct istream *body;
	unsigned int items, bodies, failed;
	uint64_t bytes;
};

static void on_reply(const struct old_reply *reply, char *command)
{
	static const char *const names[] = { "OK", "NO", "BAD", "LOST" };

	printf("%s: %s [%s %s] %s%s%s\n", command, names[reply->state],
	       reply->code, reply->code_value, reply->text,
	       *reply->error == '\0' ? "" : " => ", reply->error);
}

static void on_fetched(const struct old_reply *reply, struct try *try)
{
	printf("fetch: %u items, %u bodies, %u failed, %s\n", try->items,
	       try->bodies, try->failed, reply->text);
}

static bool on_untagged(const struct old_untagged *untagged,
			struct try *try ATTR_UNUSED)
{
	string_t *str = t_str_new(128);

	imap_write_args_for_human(str, untagged->args);
	printf("* %s %u %s [%s %s] %s\n", untagged->name, untagged->num,
	       str_c(str), untagged->code, untagged->code_value,
	       untagged->text);
	return TRUE;
}

static int on_item(void *context, const struct old_fetch_item *item ATTR_UNUSED)
{
	((struct try *)context)->items++;
	return 0;
}

static int
on_body_begin(void *context, const struct old_fetch_item *item ATTR_UNUSED,
	      struct istream *body)
{
	((struct try *)context)->body = body;
	return 0;
}

static int on_body_more(void *context)
{
	struct try *try = context;
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(try->body, &data, &size) > 0) {
		try->bytes += size;
		i_stream_skip(try->body, size);
	}
	return 0;
}

static void on_body_end(void *context, const char *error)
{
	struct try *try = context;

	if (error == NULL)
		try->bodies++;
	else
		try->failed++;
}

static const struct old_fetch_handler handler = {
	.item = on_item,
	.body_begin = on_body_begin,
	.body_more = on_body_more,
	.body_end = on_body_end,
};

static void try_fetch(struct try *try, const char *uids)
{
	struct old_fetch_request req = {
		.uids = uids,
		.fields = OLD_FETCH_FLAGS | OLD_FETCH_DATE | OLD_FETCH_SIZE |
			OLD_FETCH_BODY,
	};

	old_fetch_send(try->client, &req, &handler, on_fetched, try);
}

static void try_append(struct try *try, char *command)
{
	const char *const *args = t_strsplit_spaces(command, " ");
	struct old_command *cmd = old_command_new(try->client, "APPEND");
	struct istream *input = i_stream_create_file(args[2], 65536);
	uoff_t size;

	if (i_stream_get_size(input, TRUE, &size) <= 0)
		i_fatal("%s: can't be read", args[2]);
	old_command_add_string(cmd, args[1]);
	old_command_add_stream(cmd, input, size);
	i_stream_unref(&input);
	old_command_send(&cmd, on_reply, command);
}

static void try_wait(struct try *try)
{
	enum mail_error code;
	const char *error;

	if (old_client_wait(try->client, &code, &error) < 0)
		printf("wait: %d %s\n", code, error);
}

static void try_command(struct try *try, char *command)
{
	if (strcmp(command, "wait") == 0)
		try_wait(try);
	else if (str_begins(command, "fetch "))
		try_fetch(try, command + strlen("fetch "));
	else if (str_begins(command, "append ") &&
		 str_array_length(t_strsplit_spaces(command, " ")) == 3)
		try_append(try, command);
	else
		old_client_send(try->client, on_reply, command, "%s", command);
}

static void try_counters(struct try *try, const struct timeval *start)
{
	const struct old_client_counters *count =
		old_client_counters(try->client);
	struct rusage usage;
	struct timeval now;

	i_gettimeofday(&now);
	getrusage(RUSAGE_SELF, &usage);
	printf("in=%"PRIu64" out=%"PRIu64" commands=%u bursts=%u "
	       "body_bytes=%"PRIu64" seconds=%.3f maxrss_kb=%ld\n",
	       count->bytes_in, count->bytes_out, count->commands,
	       count->bursts, try->bytes,
	       timeval_diff_usecs(&now, start) / 1e6, usage.ru_maxrss);
}

static int try_run(struct try *try, char *const commands[])
{
	struct timeval start;
	enum mail_error code;
	const char *error;

	if (old_client_connect(try->client, &code, &error) < 0) {
		printf("connect: %d %s%s\n", code, error,
		       old_client_login_refused(try->client) ?
		       " (login refused)" : "");
		return 1;
	}
	printf("server=%s quirks=%x\n", old_client_server(try->client),
	       old_client_quirks(try->client));
	i_gettimeofday(&start);
	for (; *commands != NULL; commands++)
		try_command(try, *commands);
	try_wait(try);
	try_counters(try, &start);
	return 0;
}

static void try_settings(struct old_client_settings *set, char *const argv[])
{
	const char *ssl = getenv("OLD_SSL");

	i_zero(set);
	set->host = argv[1];
	if (net_str2port(argv[2], &set->port) < 0)
		i_fatal("not a port: %s", argv[2]);
	set->user = argv[3];
	set->password = getenv("OLD_PASSWORD");
	set->master_user = getenv("OLD_MASTER");
	set->sasl_mechanisms = getenv("OLD_SASL");
	set->rawlog_dir = getenv("OLD_RAWLOG");
	if (ssl != NULL) {
		set->ssl_mode = strcmp(ssl, "imaps") == 0 ? OLD_SSL_IMAPS :
			OLD_SSL_STARTTLS;
	}
	set->ssl_set.ca_file = getenv("OLD_CA");
	set->ssl_verify = set->ssl_set.ca_file != NULL;
}

int main(int argc, char *argv[])
{
	struct try try = { .items = 0 };
	struct old_client_settings set;
	struct ioloop *ioloop;
	struct event *event;
	int ret;

	if (argc < 4) {
		fprintf(stderr, "usage: %s HOST PORT USER COMMAND...\n",
			argv[0]);
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	lib_init();
	ioloop = io_loop_create();
	event = event_create(NULL);
	try_settings(&set, argv);
	try.client = old_client_init(&set, event);
	old_client_set_untagged(try.client, on_untagged, &try);
	ret = try_run(&try, argv + 4);
	old_client_deinit(&try.client);
	event_unref(&event);
	io_loop_destroy(&ioloop);
	lib_deinit();
	return ret;
}
