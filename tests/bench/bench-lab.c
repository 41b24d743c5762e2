#include "bench-lab.h"
#include "lab.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One MULTIAPPEND */
#define BATCH_MESSAGES 200

const char *bench_get(const struct bench *bench, const char *key)
{
	const char *value = lab_get(bench->lab, key);

	if (*value == '\0')
		bench_fail("the lab has no %s", key);
	return value;
}

const char *bench_user(const struct bench *bench, unsigned int n)
{
	const char *user = lab_user(bench->lab, n);

	if (user == NULL)
		bench_fail("the lab has no user %u", n);
	return user;
}

static void write_settings(const char *path, const char *settings)
{
	FILE *file = fopen(path, "a");

	if (file == NULL || fputs(settings, file) < 0 || fclose(file) != 0)
		bench_fail("%s can't be written", path);
}

void bench_lab_up(struct bench *bench, unsigned int users,
		  unsigned int messages, const char *settings)
{
	char user_count[16], message_count[16], rtt[16];
	const char *const args[] = {
		"--no-build", "--users", user_count, "--folders", "0",
		"--messages", message_count, "--corpus",
		bench_corpus_find(bench->corpus)->set_name,
		"--rtt", rtt, "--store", bench->store, NULL
	};
	const struct lab_options options = {
		.dir = bench->dir,
		.port_base = bench->port_base,
		.args = args,
		.timeout_ms = BENCH_TIMEOUT_MS,
	};
	const char *error;
	int ret;

	snprintf(user_count, sizeof(user_count), "%u", users);
	snprintf(message_count, sizeof(message_count), "%u", messages);
	snprintf(rtt, sizeof(rtt), "%u", bench->rtt_ms);
	bench_say("bringing up the lab");
	ret = lab_up(&options, &bench->lab, &error);
	if (ret < 0)
		bench_fail("no lab: %s", error);
	if (ret > 0) {
		bench_say("no lab: %s", error);
		exit(LAB_UNSUPPORTED);
	}
	write_settings(bench_get(bench, "NEW_EXTRA_CONF"), settings);
	bench_server(bench, "new", "restart");
}

const char *bench_lab_certificate(const struct bench *bench)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/old/cert.pem",
		 bench_get(bench, "DIR"));
	return path;
}

void bench_lab_tls(struct bench *bench)
{
	const char *dir = bench_get(bench, "DIR");
	struct process_result result;
	char path[600], settings[1500];

	result = bench_shell("openssl req -x509 -newkey rsa:2048 -nodes "
			     "-days 30 -subj /CN=127.0.0.1 -keyout '%s/old/"
			     "key.pem' -out '%s/old/cert.pem' 2>&1", dir, dir);
	process_result_free(&result);
	snprintf(path, sizeof(path), "%s/old/extra.conf", dir);
	snprintf(settings, sizeof(settings), "ssl = yes\n"
		 "ssl_cert = <%s/old/cert.pem\nssl_key = <%s/old/key.pem\n"
		 "service imap-login {\n  inet_listener imap {\n"
		 "    ssl = yes\n  }\n}\n", dir, dir);
	write_settings(path, settings);
	write_settings(bench_get(bench, "NEW_EXTRA_CONF"),
		       "imapc_ssl = imaps\nimapc_ssl_verify = no\n");
	bench_server(bench, "old", "restart");
	bench_server(bench, "new", "restart");
}

void bench_lab_check(const struct bench *bench)
{
	struct process_result result;

	result = bench_shell("grep -hE '(Panic|Fatal): |killed with signal' "
			     "'%s' '%s' || :", bench_get(bench, "OLD_LOG"),
			     bench_get(bench, "NEW_LOG"));
	if (result.size > 0)
		bench_fail("a server crashed: %s", result.output);
	process_result_free(&result);
}

void bench_lab_explain(const char *dir)
{
	struct process_result result;

	(void)process_shell(BENCH_TIMEOUT_MS, &result,
			    "cd '%s' 2>/dev/null && tail -n 5 log/bench.out "
			    "2>/dev/null; grep -hE 'Error|Fatal|Panic' "
			    "old/dovecot.log new/dovecot.log | tail -n 20",
			    dir);
	if (result.size > 0)
		bench_say("the end of its logs:\n%s", result.output);
	process_result_free(&result);
}

/* Deleting takes longer than `lab down` is given. */
static void delete_mail(const char *dir)
{
	struct process_result result;

	(void)process_shell(BENCH_TIMEOUT_MS, &result,
			    "rm -rf '%s/aside' '%s/new/home' '%s/old/home'",
			    dir, dir, dir);
	process_result_free(&result);
}

void bench_lab_end(const char *dir)
{
	const char *error;
	struct lab *lab;
	struct stat st;

	if (stat(dir, &st) < 0)
		return;
	delete_mail(dir);
	if (lab_attach(dir, &lab, &error) < 0 || lab_down(&lab, &error) < 0)
		bench_say("%s: %s", dir, error);
}

void bench_server(struct bench *bench, const char *server, const char *action)
{
	const char *const words[] = { server, action, NULL };
	const char *error;

	if (lab_command(bench->lab, words, BENCH_TIMEOUT_MS, &error) < 0)
		bench_fail("lab %s %s: %s", server, action, error);
}

struct process_result bench_shell(const char *fmt, ...)
{
	struct process_result result;
	va_list args;
	char *command;

	va_start(args, fmt);
	if (vasprintf(&command, fmt, args) < 0)
		abort();
	va_end(args);
	if (process_shell(BENCH_TIMEOUT_MS, &result, "%s", command) < 0)
		bench_fail("%s: %s", command, result.output);
	free(command);
	return result;
}

struct bench_usage bench_run(const struct bench *bench, const char *command)
{
	struct process_result result;
	struct bench_usage usage;
	char output[600];
	int status;

	snprintf(output, sizeof(output), "%s/log/bench.out",
		 bench_get(bench, "DIR"));
	status = bench_measure(command, output, &usage);
	if (status != 0) {
		result = bench_shell("tail -n 5 '%s'", output);
		bench_fail("%s: status %d: %s", command, status,
			   result.output);
	}
	return usage;
}

struct imap_client *bench_imap_at(const struct bench *bench,
				  const char *hostport, unsigned int user)
{
	struct imap_client *client;
	const char *error;

	if (imap_open(hostport, bench_user(bench, user),
		      bench_get(bench, "PASSWORD"), BENCH_IMAP_TIMEOUT_MS,
		      &client, &error) < 0)
		bench_fail("%s: %s", hostport, error);
	return client;
}

struct imap_client *bench_imap(const struct bench *bench, const char *server,
			       unsigned int user)
{
	return bench_imap_at(bench, bench_get(bench, server), user);
}

void bench_fill_user(const struct bench *bench, unsigned int user,
		     const char *state)
{
	struct process_result result;

	result = bench_shell("%s migration fill -u %s",
			     bench_get(bench, "DOVEADM"),
			     bench_user(bench, user));
	process_result_free(&result);
	/* after the heading; "*" is the total */
	result = bench_shell("%s -f tab migration status -u %s | "
			     "awk -F '\t' 'NR > 1 && $1 != \"*\" && "
			     "$2 != \"%s\"'", bench_get(bench, "DOVEADM"),
			     bench_user(bench, user), state);
	if (result.size > 0)
		bench_fail("not %s after the fill: %s", state, result.output);
	process_result_free(&result);
}

struct bench_sum bench_sum_user(const struct bench *bench,
				const char *doveadm, const char *user)
{
	unsigned long long messages, bytes;
	struct process_result result;
	struct bench_sum sum;

	result = bench_shell("%s -f flow mailbox status -t -u %s "
			     "'messages vsize' '*' 2>>'%s/log/bench.out'",
			     doveadm, user, bench_get(bench, "DIR"));
	if (sscanf(result.output, "messages=%llu vsize=%llu", &messages,
		   &bytes) != 2)
		bench_fail("mailbox status: %s", result.output);
	process_result_free(&result);
	sum.messages = messages;
	sum.bytes = bytes;
	return sum;
}

struct bench_sum bench_sum_old(const struct bench *bench, unsigned int user)
{
	char doveadm[600];

	snprintf(doveadm, sizeof(doveadm), "doveadm -c '%s/old/dovecot.conf'",
		 bench_get(bench, "DIR"));
	return bench_sum_user(bench, doveadm, bench_user(bench, user));
}

static void append_batch(struct imap_client *client, const char *mailbox,
			 const struct corpus *corpus, unsigned int first,
			 unsigned int count)
{
	struct corpus_message msg = { .data = NULL };
	char date[IMAP_DATE_SIZE];
	unsigned int i, tag;

	tag = imap_append_start(client, mailbox);
	for (i = first; i < first + count; i++) {
		corpus_make(corpus, i, &msg);
		imap_format_date(msg.instant, msg.zone, date);
		if (!imap_append_add(client, msg.flags, date, msg.data,
				     msg.size))
			break;
	}
	imap_end(client);
	if (imap_wait(client, tag) != IMAP_OK)
		bench_fail("APPEND: %s", imap_error(client));
	imap_clear(client);
	corpus_message_free(&msg);
}

void bench_append(const struct bench *bench, struct imap_client *client,
		  const char *mailbox, unsigned int n)
{
	const struct corpus corpus = { .set = bench->corpus_set, .seed = 1 };
	unsigned int i, count;

	if (!imap_has(client, "MULTIAPPEND"))
		bench_fail("the server has no MULTIAPPEND");
	for (i = 0; i < n; i += count) {
		count = n - i < BATCH_MESSAGES ? n - i : BATCH_MESSAGES;
		append_batch(client, mailbox, &corpus, i, count);
	}
}

void bench_copy_old_home(const struct bench *bench, unsigned int from,
			 unsigned int to)
{
	const char *dir = bench_get(bench, "DIR");
	struct process_result result;

	/* what isn't a message is written in place */
	result = bench_shell("cd '%s/old/home' && rm -rf '%s' && "
		"cp -al '%s' '%s' && find '%s' -type f ! -path '*/cur/*' "
		"! -path '*/new/*' -exec sh -c 'cp -p \"$1\" \"$1.copy\" && "
		"mv \"$1.copy\" \"$1\"' sh '{}' ';'", dir,
		bench_user(bench, to), bench_user(bench, from),
		bench_user(bench, to), bench_user(bench, to));
	process_result_free(&result);
}

void bench_move_aside(const struct bench *bench, const char *user)
{
	const char *dir = bench_get(bench, "DIR");
	struct process_result result;

	result = bench_shell("mkdir -p '%s/aside' && mv '%s/%s' "
			     "\"$(mktemp -d '%s/aside/XXXXXX')\"", dir,
			     bench_get(bench, "NEW_HOME"), user, dir);
	process_result_free(&result);
}

void bench_settle(const struct bench *bench)
{
	int fd = open(bench_get(bench, "DIR"),
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0)
		bench_fail("the file system can't be synced");
	close(fd);
}
