#include "stock-dovecot.h"

#include <stdio.h>

#define START_MS 30000

static void write_config(const struct bench *bench, const char *path,
			 const char *name, const char *mail_location,
			 unsigned int port)
{
	const char *dir = bench_get(bench, "DIR");
	FILE *out = fopen(path, "w");

	if (out == NULL)
		bench_fail("%s can't be written", path);
	fprintf(out, "!include %s\n", bench_get(bench, "NEW_CONF"));
	fprintf(out, "base_dir = %s/%s/run\nstate_dir = %s/%s/state\n", dir,
		name, dir, name);
	fprintf(out, "instance_name = %s\nlog_path = %s/log/bench.out\n", name,
		dir);
	fprintf(out, "mail_plugins = listescape\nprotocols = imap\n");
	if (mail_location != NULL)
		fprintf(out, "mail_location = %s\n", mail_location);
	fprintf(out, "service imap-login {\n  inet_listener imap {\n"
		"    port = %u\n  }\n}\n", port);
	if (fclose(out) != 0)
		bench_fail("%s can't be written", path);
}

static bool is_up(void *context)
{
	struct imap_client *client;
	const char *error;

	if (imap_connect(context, START_MS, &client, &error) < 0)
		return false;
	imap_logout(&client);
	return true;
}

void stock_dovecot_start(const struct bench *bench, const char *name,
			 const char *mail_location, unsigned int port)
{
	const char *dir = bench_get(bench, "DIR");
	char config[300], output[300], hostport[32];
	/* its master forgets the environment by which the lab would find it */
	const char *const argv[] = {
		"setpriv", "--pdeathsig", "TERM", "dovecot", "-F", "-c", config,
		NULL
	};
	struct process_result result;

	result = bench_shell("mkdir -p '%s/%s/run' '%s/%s/state'", dir, name,
			     dir, name);
	process_result_free(&result);
	snprintf(config, sizeof(config), "%s/%s/dovecot.conf", dir, name);
	snprintf(output, sizeof(output), "%s/log/bench.out", dir);
	snprintf(hostport, sizeof(hostport), "127.0.0.1:%u", port);
	write_config(bench, config, name, mail_location, port);
	if (process_start(argv, output) < 0 ||
	    !wait_until(is_up, hostport, START_MS))
		bench_fail("the Dovecot %s doesn't start", name);
}
