#include "milter-lane.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define START_MS 30000
#define DRAIN_MS 300000
/* Of 70 characters and CRLF. */
#define MAIL_LINES 71

#define SENDER "sender.example"

/* How a tool is started: $1 is where it listens, $2 a file for its settings; and
   what it logs for each mail. */
static const struct {
	const char *name, *script, *proof;
} tools[MILTER_TOOLS] = {
	[MILTER_NONE] = { "none", NULL },
	[MILTER_DO_NOTHING] = { "do-nothing",
		"exec '" DO_NOTHING_MILTER "' \"$1\"" },
	[MILTER_OURS] = { "dovecot-migration",
		"sed \"s,^Socket .*,Socket $1,\" \"$DIR/milter/new.conf\" "
		">\"$2\" && exec \"$MILTER\" -f -c \"$2\"",
		"migration: event=arrival at=new " },
	/* as Debian has it */
	[MILTER_OPENDKIM] = { "opendkim",
		"printf '%s\\n' 'Syslog yes' 'SyslogSuccess yes' 'Mode v' "
		"'Canonicalization relaxed/simple' 'OversignHeaders From' "
		"'UMask 000' 'InternalHosts 192.0.2.1' "
		"\"TestPublicKeys $DIR/milter/dkim.keys\" "
		"\"Socket $1\" >\"$2\" && exec opendkim -f -x \"$2\"",
		"DKIM verification successful" },
};

const char *milter_tool_name(enum milter_tool tool)
{
	return tools[tool].name;
}

const char *milter_mail_make(const struct bench *bench)
{
	static char path[300];
	struct process_result result;

	snprintf(path, sizeof(path), "%s/milter/mail",
		 bench_get(bench, "DIR"));
	result = bench_shell("cd '%s/milter' && "
		"openssl genrsa -traditional -out dkim.private 2048 && "
		"printf 'bench._domainkey." SENDER " v=DKIM1; k=rsa; p=%%s\n' "
		"\"$(openssl rsa -in dkim.private -pubout -outform DER | "
		"base64 -w 0)\" >dkim.keys && "
		"{ printf '%%s: %%s\r\n' From '<sender@" SENDER ">' "
		"To '<%s@%s>' Subject 'as many others' "
		"Date \"$(date -R)\" Message-ID '<bench@" SENDER ">' && "
		"printf '\r\n' && seq -f '%%070.0f' %u | "
		"sed 's/$/\r/'; } | opendkim-testmsg -d " SENDER
		" -k dkim.private -s bench | tr -d '\r' >mail",
		bench_get(bench, "DIR"), bench_user(bench, 0),
		bench_get(bench, "DOMAIN"), MAIL_LINES);
	process_result_free(&result);
	return path;
}

static const char *
unix_path(const struct bench *bench, const struct milter_lane *lane)
{
	static char path[108];

	if (snprintf(path, sizeof(path), "%s/milter/%s.socket",
		     bench_get(bench, "DIR"), tools[lane->tool].name) >=
	    (int)sizeof(path))
		bench_fail("the lab's folder has too long a name");
	return path;
}

/* As libmilter has it, and as Postfix has it. */
static const char *
socket_name(const struct bench *bench, const struct milter_lane *lane,
	    bool for_postfix)
{
	static char name[128];

	if (!lane->inet) {
		snprintf(name, sizeof(name), "unix:%s",
			 unix_path(bench, lane));
	} else {
		snprintf(name, sizeof(name), for_postfix ?
			 "inet:127.0.0.1:%u" : "inet:%u@127.0.0.1",
			 lane->port + 1);
	}
	return name;
}

struct listener {
	int domain;
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_in inet;
	} address;
	socklen_t size;
};

static struct listener
get_listener(const struct bench *bench, const struct milter_lane *lane)
{
	struct listener listener;

	memset(&listener, 0, sizeof(listener));
	listener.domain = lane->inet ? AF_INET : AF_UNIX;
	if (lane->inet) {
		listener.address.inet.sin_family = AF_INET;
		listener.address.inet.sin_port =
			htons((in_port_t)(lane->port + 1));
		listener.address.inet.sin_addr.s_addr =
			htonl(INADDR_LOOPBACK);
		listener.size = sizeof(listener.address.inet);
	} else {
		listener.address.local.sun_family = AF_UNIX;
		strcpy(listener.address.local.sun_path,
		       unix_path(bench, lane));
		listener.size = sizeof(listener.address.local);
	}
	return listener;
}

static bool is_listening(void *context)
{
	const struct listener *listener = context;
	int fd = socket(listener->domain, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return false;
	ret = connect(fd, &listener->address.any, listener->size);
	close(fd);
	return ret == 0;
}

static void
start_milter(const struct bench *bench, struct milter_lane *lane)
{
	const char *dir = bench_get(bench, "DIR");
	char script[1200], config[300], output[300];
	const char *const argv[] = {
		"/bin/sh", "-c", script, "sh",
		socket_name(bench, lane, false), config, NULL
	};
	struct listener listener = get_listener(bench, lane);

	snprintf(config, sizeof(config), "%s/milter/%s-%s.conf", dir,
		 tools[lane->tool].name, lane->inet ? "inet" : "unix");
	snprintf(output, sizeof(output), "%s/log/bench.out", dir);
	snprintf(script, sizeof(script),
		 "exec %s sh -c \"$SCRIPT\" sh \"$1\" \"$2\"",
		 bench_get(bench, "RUN_LOGGED"));
	(void)setenv("DIR", dir, 1);
	(void)setenv("MILTER", bench_get(bench, "MILTER"), 1);
	(void)setenv("SCRIPT", tools[lane->tool].script, 1);
	(void)setenv("DOVECOT_MIGRATION_LAB", dir, 1);
	lane->pid = process_start(argv, output);
	if (lane->pid < 0 || !wait_until(is_listening, &listener, START_MS))
		bench_fail("%s doesn't start", tools[lane->tool].name);
}

void milter_lane_start(const struct bench *bench, struct milter_lane *lane)
{
	const char *config = bench_get(bench, "NEW_SMTP_CONF");
	struct process_result result;

	if (lane->tool != MILTER_NONE)
		start_milter(bench, lane);
	result = bench_shell("p=127.0.0.1:%u && postconf -c '%s' -M "
			     "\"$p/inet=$p inet n - n - - smtpd\" && "
			     "postconf -c '%s' -P \"$p/inet/smtpd_milters=%s\"",
			     lane->port, config, config,
			     lane->tool == MILTER_NONE ? "" :
			     socket_name(bench, lane, true));
	process_result_free(&result);
}

void milter_lanes_open(const struct bench *bench)
{
	const char *config = bench_get(bench, "NEW_SMTP_CONF");
	struct process_result result;

	result = bench_shell("postconf -c '%s' -e virtual_transport=discard: "
			     "non_smtpd_milters= && postfix -c '%s' reload",
			     config, config);
	process_result_free(&result);
}

static bool queue_is_empty(void *context)
{
	struct process_result result;
	bool empty;

	result = bench_shell("cd '%s/queue' && find maildrop incoming active "
			     "deferred -type f -print -quit 2>/dev/null || :",
			     (const char *)context);
	empty = result.size == 0;
	process_result_free(&result);
	return empty;
}

void milter_lanes_drain(const struct bench *bench)
{
	const char *config = bench_get(bench, "NEW_SMTP_CONF");

	if (!wait_until(queue_is_empty, (void *)config, DRAIN_MS))
		bench_fail("Postfix doesn't get its queue empty");
}

unsigned int milter_lane_proofs(const struct bench *bench,
				const struct milter_lane *lane)
{
	struct process_result result;
	unsigned int count;

	if (tools[lane->tool].proof == NULL)
		return 0;
	result = bench_shell("grep -cF '%s' '%s' || :",
			     tools[lane->tool].proof,
			     bench_get(bench, "REPORT_LOG"));
	count = (unsigned int)strtoul(result.output, NULL, 10);
	process_result_free(&result);
	return count;
}

void milter_lanes_check(const struct bench *bench)
{
	struct process_result result;

	result = bench_shell("grep -m 3 'warning: .*milter' '%s' || :",
			     bench_get(bench, "NEW_SMTP_LOG"));
	if (result.size > 0)
		bench_fail("Postfix couldn't ask a milter: %s", result.output);
	process_result_free(&result);
}
