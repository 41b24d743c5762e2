#include "test-milter-lab.h"

#include "net-line.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STOP_TIMEOUT_MS 20000

struct smtp_dialog {
	struct net_line *conn;
	char answer[512];
};

static char dir[256], conf[300], socket_path[300];
static pid_t pid = -1;
static long log_mark;

const char *milter_conf(void)
{
	return conf;
}

const char *milter_dir(void)
{
	return dir;
}

pid_t milter_pid(void)
{
	return pid;
}

pid_t milter_worker(void)
{
	if (!case_shell("pgrep -P %ld", (long)pid))
		return -1;
	return (pid_t)atol(case_output());
}

int milter_lab_init(void)
{
	const char *postfix = case_get("OLD_SMTP_CONF");

	snprintf(dir, sizeof(dir), "%s/own-milter", case_get("DIR"));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	if (!case_shell("mkdir '%s' && openssl rand -hex 32 >'%s/key' && "
			"chmod 600 '%s/key' && chown nobody '%s' '%s/key'",
			dir, dir, dir, dir, dir) ||
	    !case_shell("postconf -c '%s' -e smtpd_milters=unix:%s "
			"non_smtpd_milters=unix:%s "
			"smtpd_authorized_xclient_hosts=127.0.0.0/8 "
			"milter_connect_timeout=5s smtpd_delay_reject=no "
			"defer_transports=lmtp,virtual,error "
			"default_transport=lmtp smtputf8_enable=yes "
			"smtpd_relay_restrictions=permit_mynetworks,"
			"permit_sasl_authenticated,reject_unauth_destination "
			"mynetworks=0.0.0.0/0 && postfix -c '%s' reload",
			postfix, socket_path, socket_path, postfix))
		return -1;
	return 0;
}

void milter_lab_deinit(void)
{
	if (pid > 0)
		milter_end(SIGTERM);
}

/*
 * The milter
 */

static void write_settings(const char *fmt, va_list args)
{
	FILE *file = fopen(conf, "w");

	if (!UNIT_CHECK(file != NULL, "%s can't be written", conf))
		return;
	fprintf(file, "Socket local:%s\nHost mx.lab.example\nKeyFile %s/key\n"
		"UMask 000\nUser nobody\n", socket_path, dir);
	vfprintf(file, fmt, args);
	fclose(file);
	chmod(conf, 0644);
}

void milter_write(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_settings(fmt, args);
	va_end(args);
}

static bool socket_answers(void *unused)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	(void)unused;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.107s", socket_path);
	ok = connect(fd, &addr, sizeof(addr)) == 0;
	close(fd);
	return ok;
}

bool milter_start(const char *fmt, ...)
{
	char command[2000];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	va_list args;

	va_start(args, fmt);
	write_settings(fmt, args);
	va_end(args);
	snprintf(command, sizeof(command), "exec %s %s -f -c '%s'",
		 case_get("RUN_LOGGED"), case_get("MILTER"), conf);
	pid = process_start(argv, NULL);
	return UNIT_CHECK(pid > 0 && wait_until(socket_answers, NULL,
						CASE_TIMEOUT_MS),
			  "the milter doesn't start") &&
		/* for `lab down`, should we not get there */
		case_shell("echo %ld $(cut -d' ' -f22 /proc/%ld/stat) "
			   ">'%s/sessions/own-milter'", (long)pid, (long)pid,
			   case_get("DIR"));
}

int milter_end(int signal)
{
	int status = process_stop(pid, signal, STOP_TIMEOUT_MS);

	pid = -1;
	return status;
}

/*
 * The log
 */

static FILE *open_log(void)
{
	FILE *file = fopen(case_get("REPORT_LOG"), "r");

	UNIT_CHECK(file != NULL, "no log");
	return file;
}

void milter_log_mark(void)
{
	FILE *file = open_log();

	if (file == NULL)
		return;
	fseek(file, 0, SEEK_END);
	log_mark = ftell(file);
	fclose(file);
}

unsigned int milter_log_count(const char *text)
{
	FILE *file = open_log();
	unsigned int count = 0;
	char line[8192];

	if (file == NULL)
		return 0;
	fseek(file, log_mark, SEEK_SET);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strstr(line, text) != NULL)
			count++;
	}
	fclose(file);
	return count;
}

static bool log_has(void *text)
{
	return milter_log_count(text) > 0;
}

bool milter_log_wait(const char *text)
{
	return UNIT_CHECK(wait_until(log_has, (void *)text, CASE_TIMEOUT_MS),
			  "not in the log: %s", text);
}

/*
 * SMTP
 */

static int read_answer(struct smtp_dialog *dialog)
{
	const char *line;
	size_t size;

	do {
		if (net_line_read(dialog->conn, &line, &size) < 0) {
			dialog->answer[0] = '\0';
			return 0;
		}
		snprintf(dialog->answer, sizeof(dialog->answer), "%s", line);
	} while (size > 3 && line[3] == '-');
	return atoi(dialog->answer);
}

static int send_text(struct smtp_dialog *dialog, const void *data, size_t size)
{
	if (net_line_write(dialog->conn, data, size) < 0 ||
	    net_line_flush(dialog->conn) < 0)
		return 0;
	return read_answer(dialog);
}

int smtp_say(struct smtp_dialog *dialog, const char *fmt, ...)
{
	char line[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line) - 2, fmt, args);
	va_end(args);
	strcat(line, "\r\n");
	return send_text(dialog, line, strlen(line));
}

int smtp_data(struct smtp_dialog *dialog, const void *data, size_t size)
{
	if (smtp_say(dialog, "DATA") != 354 ||
	    net_line_write(dialog->conn, data, size) < 0)
		return 0;
	return send_text(dialog, "\r\n.\r\n", 5);
}

const char *smtp_answer(const struct smtp_dialog *dialog)
{
	return dialog->answer;
}

struct smtp_dialog *smtp_begin(const char *xclient)
{
	struct smtp_dialog *dialog = calloc(1, sizeof(*dialog));
	const char *error;

	if (dialog == NULL)
		abort();
	if (net_line_connect(case_get("OLD_SMTP"), CASE_TIMEOUT_MS,
			     &dialog->conn, &error) < 0) {
		UNIT_CHECK(false, "no connection: %s", error);
		free(dialog);
		return NULL;
	}
	if (read_answer(dialog) == 220 && xclient != NULL) {
		(void)smtp_say(dialog, "EHLO localhost");
		UNIT_CHECK(smtp_say(dialog, "XCLIENT %s", xclient) == 220,
			   "XCLIENT: %s", dialog->answer);
	}
	UNIT_CHECK(smtp_say(dialog, "EHLO client.example") == 250, "EHLO: %s",
		   dialog->answer);
	return dialog;
}

void smtp_end(struct smtp_dialog **dialog)
{
	if (*dialog == NULL)
		return;
	(void)smtp_say(*dialog, "QUIT");
	net_line_close(&(*dialog)->conn);
	free(*dialog);
	*dialog = NULL;
}

static const char *queue_id(const char *answer)
{
	static char id[64];
	const char *at = strstr(answer, "queued as ");

	id[0] = '\0';
	if (at != NULL)
		snprintf(id, sizeof(id), "%s", at + strlen("queued as "));
	return id;
}

const char *milter_send(const char *xclient, const char *from, const char *to,
			const char *headers)
{
	struct smtp_dialog *dialog = smtp_begin(xclient);
	const char *id = "";
	char *data;
	int size;

	if (dialog == NULL)
		return "";
	size = asprintf(&data, "%s\r\nbody", headers);
	if (UNIT_CHECK(smtp_say(dialog, "MAIL FROM:%s", from) == 250 &&
		       smtp_say(dialog, "RCPT TO:%s", to) == 250 &&
		       smtp_data(dialog, data, (size_t)size) == 250, "%s: %s",
		       to, smtp_answer(dialog)))
		id = queue_id(smtp_answer(dialog));
	free(data);
	smtp_end(&dialog);
	return id;
}

/*
 * The queue
 */

const char *milter_queued(const char *id)
{
	if (!case_shell("postcat -c '%s' -h -q %s", case_get("OLD_SMTP_CONF"),
			id))
		return "";
	return case_output();
}

static bool queue_has(void *context)
{
	const unsigned int *mails = context;

	return case_shell("cd '%s/queue' && "
			  "find incoming active deferred hold -type f "
			  "-printf '%%f\\n' | sort -u | wc -l",
			  case_get("OLD_SMTP_CONF")) &&
		(unsigned int)atoi(case_output()) == *mails;
}

bool milter_queue_holds(unsigned int mails)
{
	return wait_until(queue_has, &mails, CASE_TIMEOUT_MS);
}

void milter_queue_empty(void)
{
	case_shell("postsuper -c '%s' -d ALL", case_get("OLD_SMTP_CONF"));
}
