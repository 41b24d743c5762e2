#include "stock-dovecot.h"

#include <stdio.h>
#include <string.h>

#define START_MS 30000

static FILE *create_config(const char *path)
{
	FILE *out = fopen(path, "w");

	if (out == NULL)
		bench_fail("%s can't be written", path);
	return out;
}

static void finish_config(FILE *out, const char *path, const struct bench *bench,
			  const char *name, unsigned int port)
{
	const char *dir = bench_get(bench, "DIR");

	fprintf(out, "base_dir = %s/%s/run\nstate_dir = %s/%s/state\n", dir,
		name, dir, name);
	fprintf(out, "instance_name = %s\nlog_path = %s/log/bench.out\n", name,
		dir);
	fprintf(out, "protocols = imap\n"
		"service imap-login {\n  inet_listener imap {\n"
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

static void start(const struct bench *bench, const char *name,
		  const char *config, unsigned int port)
{
	const char *dir = bench_get(bench, "DIR");
	char output[300], hostport[32];
	/* its master forgets the environment by which the lab would find it */
	const char *const argv[] = {
		"setpriv", "--pdeathsig", "TERM", "dovecot", "-F", "-c", config,
		NULL
	};

	snprintf(output, sizeof(output), "%s/log/bench.out", dir);
	snprintf(hostport, sizeof(hostport), "127.0.0.1:%u", port);
	if (process_start(argv, output) < 0 ||
	    !wait_until(is_up, hostport, START_MS))
		bench_fail("the Dovecot %s doesn't start", name);
}

/* Tells the path of its configuration. */
static void make_folders(const struct bench *bench, const char *name,
			 char config_r[300])
{
	const char *dir = bench_get(bench, "DIR");
	struct process_result result;

	result = bench_shell("mkdir -p '%s/%s/run' '%s/%s/state'", dir, name,
			     dir, name);
	process_result_free(&result);
	snprintf(config_r, 300, "%s/%s/dovecot.conf", dir, name);
}

void stock_dovecot_start(const struct bench *bench, const char *name,
			 const char *mail_location, unsigned int port)
{
	char config[300];
	FILE *out;

	make_folders(bench, name, config);
	out = create_config(config);
	fprintf(out, "!include %s\nmail_plugins = listescape\n",
		bench_get(bench, "NEW_CONF"));
	if (mail_location != NULL)
		fprintf(out, "mail_location = %s\n", mail_location);
	finish_config(out, config, bench, name, port);
	start(bench, name, config, port);
}

void stock_proxy_start(const struct bench *bench, const char *name,
		       unsigned int port)
{
	const char *old = bench_get(bench, "OLD_IMAP");
	const char *old_port = strrchr(old, ':') + 1;
	char config[300];
	FILE *out;

	make_folders(bench, name, config);
	out = create_config(config);
	fprintf(out, "listen = 127.0.0.1\nssl = no\n"
		"disable_plaintext_auth = no\n"
		"passdb {\n  driver = static\n"
		"  args = proxy=y host=127.0.0.1 port=%s nopassword=y\n}\n"
		"service imap-login {\n  inet_listener imaps {\n"
		"    port = 0\n  }\n}\n"
		"service anvil {\n  unix_listener anvil-auth-penalty {\n"
		"    mode = 0\n  }\n}\n", old_port);
	finish_config(out, config, bench, name, port);
	start(bench, name, config, port);
}
