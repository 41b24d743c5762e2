/*
 * test-milter-life: a milter that is killed, stopped, reloaded, and told to defer
 *
 * Under all of it Postfix takes every mail, and has each once.
 */
#include "config.h"
#include "milter/iso-time.h"
#include "test-milter-lab.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define SETTINGS "Server old\nDomain moved.example\n"
#define HEADERS "Message-ID: <1@b.example>\r\nFrom: a@b.example\r\n"
#define LOAD_MAILS 300

/*
 * A sender that sends on and on
 */

struct load {
	pthread_t thread;
	unsigned int wanted;
	/* How many were taken so far, and were not. */
	atomic_uint taken, refused;
	const char *hostport;
};

static void *send_load(void *context)
{
	static const char *const to[] = { "c@moved.example" };
	static const char data[] = HEADERS "\r\nbody\r\n";
	struct load *load = context;
	struct lmtp_client *client;
	struct lmtp_reply reply;
	const char *error;
	unsigned int i;

	for (i = 0; i < load->wanted; i++) {
		reply.code = 0;
		if (smtp_open(load->hostport, CASE_TIMEOUT_MS, &client,
			      &error) == 0) {
			(void)lmtp_deliver(client, "a@b.example", to, 1, data,
					   sizeof(data) - 1, &reply);
			lmtp_quit(&client);
		}
		if (reply.code == 250)
			load->taken++;
		else
			load->refused++;
	}
	return NULL;
}

static void load_start(struct load *load, unsigned int wanted)
{
	milter_queue_empty();
	milter_log_mark();
	memset(load, 0, sizeof(*load));
	load->wanted = wanted;
	load->hostport = case_get("OLD_SMTP");
	if (pthread_create(&load->thread, NULL, send_load, load) != 0)
		abort();
}

static bool load_is_on(void *context)
{
	struct load *load = context;

	return load->taken + load->refused >= load->wanted / 3;
}

/* Until a third of it is sent. */
static void load_wait(struct load *load)
{
	UNIT_CHECK(wait_until(load_is_on, load, CASE_TIMEOUT_MS),
		   "only %u are taken", load->taken);
}

/* All was taken, and is in the queue once. */
static void load_end(struct load *load)
{
	pthread_join(load->thread, NULL);
	UNIT_CHECK(load->refused == 0, "%u were refused", load->refused);
	UNIT_CHECK(milter_queue_holds(load->taken), "not %u in the queue: %s",
		   load->taken, case_output());
}

static bool all_arrivals_are_told(void *context)
{
	const struct load *load = context;

	return milter_log_count("event=arrival") >= load->taken;
}

static void test_begin(void)
{
	CU_ASSERT_EQUAL_FATAL(milter_lab_init(), 0);
	CU_ASSERT_FATAL(milter_start(SETTINGS));
}

/* Who sends while it is killed, again and again, notices nothing. */
static void test_kill_worker(void)
{
	struct load load;
	pid_t worker;

	load_start(&load, LOAD_MAILS);
	load_wait(&load);
	worker = milter_worker();
	kill(worker, SIGKILL);
	milter_log_wait("event=milter_failure at=old host=mx.lab.example "
			"reason=\"the worker of local:");
	milter_log_wait("was killed by signal 9\"");
	milter_log_wait("is served again");
	CU_ASSERT_NOT_EQUAL(milter_worker(), worker);
	load_end(&load);
	milter_log_mark();
	(void)milter_send(NULL, "<a@b.example>", "<c@moved.example>", HEADERS);
	milter_log_wait("event=arrival");
}

static void test_kill_all(void)
{
	struct load load;

	load_start(&load, LOAD_MAILS);
	load_wait(&load);
	milter_end(SIGKILL);
	load_end(&load);
	CU_ASSERT(milter_start(SETTINGS));
	milter_log_wait("event=milter_start");
}

/* With no milter there mail goes on; at a stop, each mail in flight gets its tag
   and its line. */
static void test_stop(void)
{
	static const char data[] = HEADERS "\r\nbody";
	struct smtp_dialog *dialog = smtp_begin(NULL);

	milter_queue_empty();
	milter_log_mark();
	CU_ASSERT_EQUAL(smtp_say(dialog, "MAIL FROM:<a@b.example>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<c@moved.example>"), 250);
	kill(milter_pid(), SIGTERM);
	CU_ASSERT_EQUAL(smtp_data(dialog, data, sizeof(data) - 1), 250);
	milter_log_wait("event=arrival");
	CU_ASSERT_EQUAL(milter_end(SIGTERM), 0);
	milter_log_wait("mails=1 arrivals=1 relayed=0");
	milter_log_wait("event=milter_stop");
	smtp_end(&dialog);
	milter_log_mark();
	(void)milter_send(NULL, "<a@b.example>", "<c@moved.example>", HEADERS);
	CU_ASSERT(milter_queue_holds(2));
	CU_ASSERT_EQUAL(milter_log_count("event="), 0);
	CU_ASSERT(milter_start(SETTINGS));
}

static void reload(const char *answer)
{
	milter_log_mark();
	kill(milter_pid(), SIGUSR1);
	milter_log_wait(answer);
}

static bool arrives_at_two(void *unused)
{
	(void)unused;
	(void)milter_send(NULL, "<a@b.example>", "<c@two.example>", HEADERS);
	return milter_log_count("to=<c@two.example>") > 0;
}

static void test_reload(void)
{
	struct load load;
	unsigned int i;

	load_start(&load, LOAD_MAILS);
	load_wait(&load);
	for (i = 0; i < 10; i++) {
		milter_write("Server old\nDomain moved.example\nHost h%u\n", i);
		kill(milter_pid(), SIGUSR1);
	}
	load_end(&load);
	UNIT_CHECK(wait_until(all_arrivals_are_told, &load, CASE_TIMEOUT_MS),
		   "%u of %u are told", milter_log_count("event=arrival"),
		   load.taken);
	milter_write(SETTINGS "Domain two.example\n");
	reload("event=milter_reload at=old host=mx.lab.example version="
	       VERSION " mode=tag domains=2 ok=yes\n");
	milter_log_wait("event=heartbeat");
	UNIT_CHECK(wait_until(arrives_at_two, NULL, CASE_TIMEOUT_MS),
		   "the worker has the old settings");
	/* a bad file leaves them in force */
	milter_write(SETTINGS "Colour red\n");
	reload("domains=2 ok=no error=\"");
	milter_log_wait("/conf:8: unknown setting Colour: see "
			"migration-milter.conf(5)\"\n");
	CU_ASSERT(arrives_at_two(NULL));
	milter_write(SETTINGS "DomainFile /nowhere\n");
	reload("ok=no error=\"/nowhere: No such file or directory\"\n");
	chmod(milter_dir(), 0);
	reload("ok=no error=\"");
	chmod(milter_dir(), 0755);
	milter_write(SETTINGS "PidFile /elsewhere\n");
	reload("PidFile has changed");
}

static bool worker_has_memory(long max_kb)
{
	return case_shell("awk '/VmRSS/ { print $2 }' /proc/%ld/status",
			  (long)milter_worker()) &&
		UNIT_CHECK(atol(case_output()) <= max_kb, "%s kB",
			   case_output());
}

static void test_is_small(void)
{
	worker_has_memory(30000);
	case_shell("awk '/^Uid:/ { print $2, $3, $4, $5 }' /proc/%ld/status",
		   (long)milter_pid());
	CU_ASSERT_STRING_EQUAL(case_output(), "65534 65534 65534 65534\n");
	case_shell("awk '/^(Groups|CapEff):/ { print $2 }' /proc/%ld/status",
		   (long)milter_worker());
	CU_ASSERT_STRING_EQUAL(case_output(), "65534\n0000000000000000\n");
}

/*
 * Mode defer
 */

static void start_defer(time_t from, time_t until)
{
	char a[ISO_TIME_SIZE], b[ISO_TIME_SIZE];

	milter_end(SIGTERM);
	milter_log_mark();
	milter_start(SETTINGS "Mode defer\nDeferFrom %s\nDeferUntil %s\n",
		     iso_time_format(from, a), iso_time_format(until, b));
}

static int rcpt(struct smtp_dialog *dialog, const char *from, const char *to)
{
	(void)smtp_say(dialog, "RSET");
	CU_ASSERT_EQUAL(smtp_say(dialog, "MAIL FROM:%s", from), 250);
	return smtp_say(dialog, "RCPT TO:%s", to);
}

static bool is_taken(void *dialog)
{
	return rcpt(dialog, "<>", "<c@moved.example>") == 250;
}

static void test_defer(void)
{
	time_t now = time(NULL);
	struct smtp_dialog *dialog;

	start_defer(now - 10, now + 3600);
	milter_log_wait("ALL mail for 1 domain(s) is turned away");
	milter_log_wait("event=milter_start at=old host=mx.lab.example version="
			VERSION " mode=defer");
	dialog = smtp_begin("NAME=mail.b.example ADDR=192.0.2.7 PORT=4");
	CU_ASSERT_EQUAL(rcpt(dialog, "<a@b.example>", "<c@moved.example>"),
			451);
	UNIT_CHECK(strncmp(smtp_answer(dialog), "451 4.3.2 ", 10) == 0 &&
		   strstr(smtp_answer(dialog), "MX") != NULL, "%s",
		   smtp_answer(dialog));
	milter_log_wait("event=deferred at=old host=mx.lab.example "
			"client=192.0.2.7 name=mail.b.example "
			"from=<a@b.example> to=<c@moved.example>\n");
	CU_ASSERT_EQUAL(rcpt(dialog, "<a@b.example>", "<c@other.example>"),
			250);
	smtp_end(&dialog);
	/* who has logged in, and mail without SMTP */
	dialog = smtp_begin("LOGIN=user");
	CU_ASSERT_EQUAL(rcpt(dialog, "<u@moved.example>",
			     "<c@moved.example>"), 250);
	smtp_end(&dialog);
	case_shell("printf 'Subject: x\n\nbody\n' | MAIL_CONFIG='%s' sendmail "
		   "-f a@b.example c@moved.example",
		   case_get("OLD_SMTP_CONF"));
	milter_log_wait("to=<c@moved.example> via=local");
	CU_ASSERT_EQUAL(milter_log_count("event=deferred"), 1);
}

/* Its window begins and ends by itself, in sessions too. */
static void test_defer_window(void)
{
	time_t now = time(NULL);
	struct smtp_dialog *dialog;

	start_defer(now + 2, now + 4);
	dialog = smtp_begin(NULL);
	CU_ASSERT_EQUAL(rcpt(dialog, "<>", "<c@moved.example>"), 250);
	milter_log_wait("mode is defer now");
	CU_ASSERT_EQUAL(rcpt(dialog, "<>", "<c@moved.example>"), 451);
	milter_log_wait("mode is tag now");
	UNIT_CHECK(wait_until(is_taken, dialog, CASE_TIMEOUT_MS),
		   "still deferred");
	smtp_end(&dialog);
}

/*
 * The command line
 */

static int run(const char *options, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* With these settings; the exit status. What it says is case_output(). */
static int run(const char *options, const char *fmt, ...)
{
	char path[400];
	va_list args;
	FILE *file;
	int status;

	snprintf(path, sizeof(path), "%s/other", milter_dir());
	file = fopen(path, "w");
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fclose(file);
	if (!case_shell("rc=0; timeout 20 %s -c '%s' %s 2>&1 || rc=$?; "
			"echo \"rc=$rc\"", case_get("MILTER"), path, options))
		return -1;
	status = atoi(strstr(case_output(), "rc=") + 3);
	return status;
}

static bool output_has(const char *text)
{
	return UNIT_CHECK(strstr(case_output(), text) != NULL,
			  "no \"%s\" in: %s", text, case_output());
}

static void test_command_line(void)
{
	const char *dir = milter_dir();

#define GOOD "Server old\nDomain a.example\nUser nobody\n"
	CU_ASSERT_EQUAL(run("-n", GOOD "Socket local:%s/s\nKeyFile %s/key\n",
			    dir, dir), 0);
	output_has("/other is good");
	CU_ASSERT_EQUAL(run("-V", "%s", ""), 0);
	output_has(VERSION);
	CU_ASSERT_EQUAL(run("-x", "%s", ""), EX_USAGE);
	output_has("usage: migration-milter");
	CU_ASSERT_EQUAL(run("-n more", "%s", ""), EX_USAGE);
	CU_ASSERT_EQUAL(run("-n", "%s", ""), EX_CONFIG);
	output_has("Socket is missing");
	CU_ASSERT_EQUAL(run("-n", "Colour red\n%s", ""), EX_CONFIG);
	output_has("/other:1: unknown setting Colour");
	CU_ASSERT_EQUAL(run("-n -u nosuchuser", GOOD "Socket local:/x\n"
			    "KeyFile %s/key\n", dir), EX_CONFIG);
	output_has("there is no user nosuchuser");
	CU_ASSERT_EQUAL(run("-n", "Server old\nDomain a.example\n"
			    "Socket local:/x\nKeyFile %s/key\n", dir),
			EX_CONFIG);
	output_has("User is missing, and this is root");
	/* the key must be readable for whom it becomes */
	CU_ASSERT_EQUAL(run("-n -u daemon", GOOD "Socket local:/x\n"
			    "KeyFile %s/key\n", dir), EX_CONFIG);
	output_has("/key: Permission denied");
	CU_ASSERT_EQUAL(run("-f", GOOD "Socket local:/nowhere/s\n"
			    "KeyFile %s/key\n", dir), EX_UNAVAILABLE);
	output_has("/nowhere/s");
	CU_ASSERT_EQUAL(run("", GOOD "Socket local:/nowhere/s\n"
			    "KeyFile %s/key\n", dir), EX_UNAVAILABLE);
	CU_ASSERT_EQUAL(run("-f -p tcp:1", GOOD "Socket local:/x\n"
			    "KeyFile %s/key\n", dir), EX_CONFIG);
	output_has("command line: Socket \"tcp:1\"");
}

/* In the background, on several sockets; a second one doesn't start. */
static void test_background(void)
{
	const char *dir = milter_dir();
	char settings[1000];

	snprintf(settings, sizeof(settings), GOOD "Socket local:%s/a\n"
		 "Socket local:%s/b\nKeyFile %s/key\nPidFile %s/pid\n", dir,
		 dir, dir, dir);
	if (!UNIT_CHECK(run("", "%s", settings) == 0, "%s", case_output()))
		return;
	case_shell("test -S '%s/a' && test -S '%s/b' && "
		   "test $(stat -c %%a '%s/b') = 770 && "
		   "test $(pgrep -P $(cat '%s/pid') | wc -l) = 2", dir, dir,
		   dir, dir);
	CU_ASSERT_EQUAL(run("", "%s", settings), EX_UNAVAILABLE);
	output_has("another process holds it");
	case_shell("kill $(cat '%s/pid')", dir);
	case_shell("for i in $(seq 200); do test -e '%s/pid' || exit 0; "
		   "sleep 0.1; done; exit 1", dir);
	case_shell("! test -e '%s/a' && ! test -e '%s/b'", dir, dir);
}

static void test_end(void)
{
	CU_ASSERT_EQUAL(milter_end(SIGTERM), 0);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "begin", test_begin },
		{ "killed worker", test_kill_worker },
		{ "all killed", test_kill_all },
		{ "stop", test_stop },
		{ "reload under load", test_reload },
		{ "no root, little memory", test_is_small },
		{ "defer", test_defer },
		{ "a window to defer in", test_defer_window },
		{ "command line", test_command_line },
		{ "in the background", test_background },
		{ "end", test_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "1", "--messages", "5", "--folders", "1", NULL
	};
	const struct case_program program = {
		.name = "test-milter-life",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
