#include "case.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* below the ports that the system gives to clients */
#define PORT_FIRST 10000
#define PORT_LAST 20000
#define PORTS_PER_LAB 20
#define LAB_TIMEOUT_MS 240000
#define DEADLINE_SECS 400
#define SOAK_FACTOR 10

struct lab *case_lab;

static char base_dir[64];
static unsigned int lab_count;
static volatile pid_t child;
static struct process_result last_run;

bool case_soak(void)
{
	const char *value = getenv("MIGRATION_SOAK");

	return value != NULL && strcmp(value, "1") == 0;
}

static bool port_is_free(unsigned int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	bool ok;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ok = bind(fd, &addr, sizeof(addr)) == 0;
	close(fd);
	return ok;
}

/* Test programs may run side by side. The name is free again when the process
   ends, however it does. */
static bool claim_ports(unsigned int base)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1,
		 "dovecot-migration-case-%u", base);
	if (bind(fd, &addr, sizeof(addr)) == 0)
		return true;
	close(fd);
	return false;
}

static unsigned int choose_ports(void)
{
	unsigned int base, i;

	for (base = PORT_FIRST; base < PORT_LAST; base += PORTS_PER_LAB) {
		for (i = 0; i < PORTS_PER_LAB; i++) {
			if (!port_is_free(base + i))
				break;
		}
		if (i == PORTS_PER_LAB && claim_ports(base))
			return base;
	}
	return PORT_FIRST;
}

static int write_settings(const char *settings, const char **error_r)
{
	FILE *file = fopen(lab_get(case_lab, "NEW_EXTRA_CONF"), "w");

	if (file == NULL) {
		*error_r = "the new server's settings can't be written";
		return -1;
	}
	fputs(settings, file);
	fclose(file);
	return 0;
}

bool case_settings(const char *settings, bool restart)
{
	const char *error = "";

	return UNIT_CHECK(write_settings(settings, &error) == 0, "%s",
			  error) &&
		(!restart || case_server("new", "restart", NULL));
}

static int start_lab(const char *const *args, const char *settings,
		     const char **error_r)
{
	static char dir[sizeof(base_dir) + 16];
	const char *words[32] = { "--no-build" };
	struct lab_options options = {
		.dir = dir,
		.port_base = choose_ports(),
		.args = words,
		.timeout_ms = LAB_TIMEOUT_MS,
	};
	unsigned int n = 1;
	int ret;

	for (; args != NULL && *args != NULL && n < 31; args++)
		words[n++] = *args;
	snprintf(dir, sizeof(dir), "%s/%u", base_dir, ++lab_count);
	ret = lab_up(&options, &case_lab, error_r);
	if (ret == 0 && settings != NULL)
		ret = write_settings(settings, error_r);
	return ret;
}

int case_lab_up(const char *const *args, const char *settings)
{
	const char *error;
	int ret = start_lab(args, settings, &error);

	if (ret > 0)
		printf("\n    skipped: %s\n", error);
	UNIT_CHECK(ret >= 0, "lab up: %s", ret < 0 ? error : "");
	return ret;
}

void case_lab_down(struct lab **lab)
{
	const char *error;

	if (case_lab == *lab)
		case_lab = NULL;
	if (lab_down(lab, &error) < 0)
		UNIT_CHECK(false, "lab down: %s", error);
}

const char *case_get(const char *key)
{
	const char *value = case_lab == NULL ? "" : lab_get(case_lab, key);

	UNIT_CHECK(*value != '\0', "the lab has no %s", key);
	return value;
}

const char *case_user(unsigned int user)
{
	const char *name = lab_user(case_lab, user);

	UNIT_CHECK(name != NULL, "the lab has no user %u", user);
	return name == NULL ? "" : name;
}

bool case_server(const char *server, const char *action, const char *option)
{
	const char *const words[] = { server, action, option, NULL };
	const char *error = "";

	return UNIT_CHECK(lab_command(case_lab, words, LAB_TIMEOUT_MS,
				      &error) == 0,
			  "lab %s %s: %s", server, action, error);
}

bool case_forget_user(unsigned int user)
{
	return case_shell("rm -rf '%s/%s'", case_get("NEW_HOME"),
			  case_user(user));
}

static int
run(const char *prefix, const char *fmt, va_list args)
{
	char *words;

	process_result_free(&last_run);
	if (vasprintf(&words, fmt, args) < 0)
		abort();
	(void)process_shell(CASE_TIMEOUT_MS * (case_soak() ? SOAK_FACTOR : 2),
			    &last_run, "exec %s %s", prefix, words);
	free(words);
	return last_run.status;
}

const char *case_faulty(const char *fmt, ...)
{
	static char command[1200];
	char fault[60];
	va_list args;

	va_start(args, fmt);
	vsnprintf(fault, sizeof(fault), fmt, args);
	va_end(args);
	snprintf(command, sizeof(command), "LD_PRELOAD=%s FAULT='%s' exec %s",
		 FAULT_AT, fault, case_get("DOVEADM"));
	return command;
}

int case_doveadm(const char *fmt, ...)
{
	va_list args;
	int status;

	va_start(args, fmt);
	status = run(case_get("DOVEADM"), fmt, args);
	va_end(args);
	return status;
}

bool case_shell(const char *fmt, ...)
{
	va_list args;
	char *command;
	bool ok;

	va_start(args, fmt);
	if (vasprintf(&command, fmt, args) < 0)
		abort();
	va_end(args);
	process_result_free(&last_run);
	ok = process_shell(CASE_TIMEOUT_MS, &last_run, "%s", command) == 0;
	UNIT_CHECK(ok, "%s: %s", command, case_output());
	free(command);
	return ok;
}

bool case_migration(const char *fmt, ...)
{
	char prefix[600];
	va_list args;
	int status;

	snprintf(prefix, sizeof(prefix), "%s migration", case_get("DOVEADM"));
	va_start(args, fmt);
	status = run(prefix, fmt, args);
	va_end(args);
	return UNIT_CHECK(status == 0, "doveadm migration %s: status %d: %s",
			  fmt, status, case_output());
}

const char *case_output(void)
{
	return last_run.output == NULL ? "" : last_run.output;
}

/* The n-th field of a line of -f tab; static. */
static const char *tab_field(const char *line, unsigned int n)
{
	static char field[1024];
	size_t size;

	for (; n > 0 && line != NULL; n--) {
		line += strcspn(line, "\t\n");
		line = *line == '\t' ? line + 1 : NULL;
	}
	if (line == NULL)
		return "";
	size = strcspn(line, "\t\n");
	snprintf(field, sizeof(field), "%.*s", (int)size, line);
	return field;
}

static unsigned int tab_column(const char *header, const char *column)
{
	unsigned int n;

	for (n = 0; n < 20; n++) {
		if (strcmp(tab_field(header, n), column) == 0)
			return n;
	}
	UNIT_CHECK(false, "status has no column %s", column);
	return n;
}

const char *case_status(unsigned int user, const char *mailbox,
			const char *column)
{
	const char *line, *header;
	unsigned int n;

	(void)case_doveadm("-f tab migration status -u %s 2>/dev/null",
			   case_user(user));
	line = header = case_output();
	n = tab_column(header, column);
	while ((line = strchr(line, '\n')) != NULL) {
		line++;
		if (strcmp(tab_field(line, 0), mailbox) == 0)
			return tab_field(line, n);
	}
	return "";
}

bool case_is_state(unsigned int user, const char *mailbox, const char *state)
{
	const char *found = case_status(user, mailbox, "state");

	return UNIT_CHECK(strcmp(found, state) == 0, "%s is '%s', not '%s'",
			  mailbox, found, state);
}

struct imap_client *case_imap(const char *server, unsigned int user)
{
	struct imap_client *client = NULL;
	const char *error = "";

	UNIT_CHECK(imap_open(case_get(server), case_user(user),
			     case_get("PASSWORD"), CASE_TIMEOUT_MS, &client,
			     &error) == 0, "%s: %s", server, error);
	return client;
}

int case_lmtp(const char *server, unsigned int user, const char *data,
	      size_t size)
{
	const char *recipient = case_user(user), *error = "";
	struct lmtp_reply reply = { .code = 0 };
	struct lmtp_client *client = NULL;
	int ret = -1;

	if (lmtp_open(case_get(server), CASE_TIMEOUT_MS, &client, &error) < 0)
		return -1;
	if (lmtp_deliver(client, "sender@example.org", &recipient, 1, data,
			 size, &reply) == 1)
		ret = 0;
	else if (reply.code != 0)
		ret = reply.code;
	lmtp_quit(&client);
	return ret;
}

struct snapshot *case_snapshot(const char *side, unsigned int user, bool pop3)
{
	struct snapshot_source source = {
		.user = case_user(user),
		.password = case_get("PASSWORD"),
		.timeout_ms = CASE_TIMEOUT_MS,
	};
	bool old = strcmp(side, "OLD") == 0;
	struct snapshot *snapshot = NULL;
	const char *error = "";

	source.imap = case_get(old ? "OLD_IMAP_DIRECT" : "NEW_IMAP");
	if (pop3)
		source.pop3 = case_get(old ? "OLD_POP3_DIRECT" : "NEW_POP3");
	if (old && strcmp(case_get("OLD"), "courier") == 0)
		source.flags |= SNAPSHOT_SELECT;
	UNIT_CHECK(snapshot_take(&source, &snapshot, &error) == 0,
		   "picture of %s at %s: %s", source.user, side, error);
	return snapshot;
}

bool case_same(struct snapshot **a, struct snapshot **b, unsigned int ignore,
	       const char *what)
{
	struct snapshot_diff diff;
	bool ok = false;

	if (*a != NULL && *b != NULL)
		ok = snapshot_compare(*a, *b, ignore, stdout, &diff);
	snapshot_free(a);
	snapshot_free(b);
	return UNIT_CHECK(ok, "%s: not the same", what);
}

char *case_message(const char *id, size_t size, size_t *size_r)
{
	static const char line[] = "The quick brown fox jumps over it, again "
		"and again, without a word.\r\n";
	char *data = malloc(size + 1024);
	size_t used;

	if (data == NULL)
		abort();
	used = (size_t)sprintf(data, "From: " CASE_MESSAGE_FROM "\r\n"
		"To: reader@lab.example\r\n"
		"Date: " CASE_MESSAGE_DATE "\r\n"
		"Message-ID: <%s>\r\nSubject: %s\r\n\r\n", id, id);
	do {
		memcpy(data + used, line, sizeof(line) - 1);
		used += sizeof(line) - 1;
	} while (used < size);
	data[used] = '\0';
	*size_r = used;
	return data;
}

bool case_has_module(const char *name)
{
	struct stat st;
	char path[600];

	snprintf(path, sizeof(path), "%s/modules/%s", case_get("DIR"), name);
	return stat(path, &st) == 0;
}

static unsigned int count_lines(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	unsigned int count = 0;
	size_t room = 0;
	char *line = NULL;

	if (!UNIT_CHECK(file != NULL, "%s: %s", path, strerror(errno)))
		return 0;
	while (getline(&line, &room, file) >= 0) {
		if (strstr(line, text) != NULL)
			count++;
	}
	free(line);
	fclose(file);
	return count;
}

unsigned int case_log_count(const char *text)
{
	return count_lines(case_get("NEW_LOG"), text);
}

unsigned int case_old_log_count(const char *text)
{
	return count_lines(case_get("OLD_LOG"), text);
}

static bool is_one_of(const char *line, const char *const texts[])
{
	for (; *texts != NULL; texts++) {
		if (strstr(line, *texts) != NULL)
			return true;
	}
	return false;
}

/* What whoever reads the test's output needs: its folder is gone by then. */
static void print_lines(const char *path, const char *const texts[])
{
	FILE *file = fopen(path, "r");
	size_t room = 0;
	char *line = NULL;

	if (file == NULL)
		return;
	while (getline(&line, &room, file) >= 0) {
		if (is_one_of(line, texts))
			printf("    %s", line);
	}
	free(line);
	fclose(file);
}

bool case_no_crash(void)
{
	static const char *const signs[] = {
		"Panic:", "killed with signal 6", "killed with signal 11", NULL
	};
	static const char *const reasons[] = {
		"Panic:", "Raw backtrace:", "Fatal:", NULL
	};
	unsigned int i, crashes = 0;

	for (i = 0; signs[i] != NULL; i++)
		crashes += case_log_count(signs[i]);
	/* some tests kill */
	if (UNIT_CHECK(crashes == 0 && case_log_count("Fatal:") ==
		       case_log_count("killed with signal 9"),
		       "%s tells of a crash", case_get("NEW_LOG")))
		return true;
	print_lines(case_get("NEW_LOG"), reasons);
	return false;
}

/* the child */

static int run_tests(const struct case_program *program)
{
	const char *error;
	int ret = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (program->lab_args != NULL)
		ret = start_lab(program->lab_args, program->settings, &error);
	if (ret != 0) {
		printf("%s: %s: %s\n", program->name,
		       ret > 0 ? "skipped" : "no lab", error);
		return ret > 0 ? LAB_UNSUPPORTED : 1;
	}
	ret = unit_run(program->name, program->tests);
	process_result_free(&last_run);
	lab_free(&case_lab);
	return ret;
}

/* the parent */

static void end_lab(const char *dir)
{
	const char *error;
	struct lab *lab;

	if (lab_attach(dir, &lab, &error) < 0 || lab_down(&lab, &error) < 0)
		fprintf(stderr, "%s: %s\n", dir, error);
}

static void end_labs(void)
{
	char dir[sizeof(base_dir) + 16];
	struct stat st;
	unsigned int i;

	for (i = 1; i < 100; i++) {
		snprintf(dir, sizeof(dir), "%s/%u", base_dir, i);
		if (stat(dir, &st) == 0)
			end_lab(dir);
	}
	if (rmdir(base_dir) < 0)
		perror(base_dir);
}

static void pass_on(int signal)
{
	if (child > 0)
		(void)kill(child, signal == SIGALRM ? SIGKILL : SIGTERM);
}

static void watch_signals(unsigned int deadline_secs)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };
	struct sigaction action = { .sa_handler = pass_on,
				    .sa_flags = SA_RESTART };
	unsigned int i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
	(void)alarm(deadline_secs);
}

static void forget_signals(void)
{
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int wait_for_child(const char *name, unsigned int deadline_secs)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return 1;
	}
	child = 0;
	(void)alarm(0);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("%s: ended by signal %d%s (deadline: %u seconds)\n", name,
	       WTERMSIG(status), WTERMSIG(status) == SIGKILL ?
	       ", its time is over" : "", deadline_secs);
	return 1;
}

int case_main(const struct case_program *program)
{
	unsigned int deadline = program->deadline_secs != 0 ?
		program->deadline_secs : DEADLINE_SECS;
	int status;

	if (geteuid() != 0) {
		printf("%s: skipped: the lab needs root\n", program->name);
		return LAB_UNSUPPORTED;
	}
	if (case_soak())
		deadline *= SOAK_FACTOR;
	snprintf(base_dir, sizeof(base_dir), "/var/tmp/%s.XXXXXX",
		 program->name);
	if (mkdtemp(base_dir) == NULL || chmod(base_dir, 0755) < 0) {
		perror(base_dir);
		return 1;
	}
	fflush(NULL);
	child = fork();
	if (child == 0) {
		forget_signals();
		exit(run_tests(program));
	}
	watch_signals(deadline);
	status = wait_for_child(program->name, deadline);
	if (getenv("MIGRATION_KEEP") == NULL)
		end_labs();
	else
		printf("the labs are left in %s\n", base_dir);
	return status;
}
