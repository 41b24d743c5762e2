/* test-milter-config: settings files, good and bad, and what is said of the bad */
#include "milter/config-current.h"
#include "milter/iso-time.h"
#include "milter/worker-set.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define BASE "Socket local:/run/m\nServer old\nDomain a.example\n"

static char dir[] = "/tmp/test-milter-config.XXXXXX";
static char conf[64], key[64], domains[64];

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		abort();
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
}

/* The settings, with %K for the key's path and %D for the file of domains. */
static void write_conf(const char *text)
{
	FILE *file = fopen(conf, "w");

	if (file == NULL)
		abort();
	for (; *text != '\0'; text++) {
		if (strncmp(text, "%K", 2) == 0 || strncmp(text, "%D", 2) == 0) {
			fputs(text[1] == 'K' ? key : domains, file);
			text++;
		} else {
			fputc(*text, file);
		}
	}
	fclose(file);
}

/* *error_r is "" when it is good. */
static int
read_conf(const char *text, const struct milter_overrides *overrides,
	  struct milter_config **config_r, const char **error_r)
{
	static const struct milter_overrides none;

	*error_r = "";
	if (text != NULL)
		write_conf(text);
	if (milter_config_read(conf, overrides == NULL ? &none : overrides,
			       config_r, error_r) < 0)
		return -1;
	if (milter_config_load(*config_r, error_r) == 0)
		return 0;
	milter_config_unref(config_r);
	return -1;
}

static void test_all(void)
{
	struct milter_config *config;
	const char *error;
	int ret;

	write_file(domains, "# moved\n\nc.example\n  d.example  \n", 0644);
	ret = read_conf("# all of them\n\n"
			"Socket  local:/run/m\nsocket inet:8891@localhost\n"
			"Server new\nDomain a.example\nDOMAIN b.example\n"
			"DomainFile %D\nHost mx.example\nKeyFile %K\n"
			"SpamHeader X-Spam-Flag: YES\nSpamHeader X-Junk\n"
			"SubmissionDaemon SUBMIT\nMode tag\nLoopLimit 3\n"
			"Heartbeat 30\nSyslogFacility local3\n"
			"User nobody:nogroup\nUMask 0117\r\n"
			"\tPidFile\t/run/pid", NULL, &config, &error);
	if (!UNIT_CHECK(ret == 0, "%s", error))
		return;
	CU_ASSERT_EQUAL(config->sockets.count, 2);
	CU_ASSERT_STRING_EQUAL(config->sockets.values[1],
			       "inet:8891@localhost");
	CU_ASSERT_EQUAL(config->server, ARRIVAL_AT_NEW);
	CU_ASSERT_EQUAL(domain_set_count(config->domains), 4);
	CU_ASSERT(domain_set_has(config->domains, "d.example", 9));
	CU_ASSERT_STRING_EQUAL(config->host, "mx.example");
	CU_ASSERT_PTR_NOT_NULL(config->key);
	CU_ASSERT(spam_header_matches(config->spam_headers, "X-Junk", "1"));
	CU_ASSERT(milter_config_is_submission(config, "submit"));
	CU_ASSERT(!milter_config_is_submission(config, "ORIGINATING"));
	CU_ASSERT_EQUAL(config->loop_limit, 3);
	CU_ASSERT_EQUAL(config->heartbeat_secs, 30);
	CU_ASSERT_EQUAL(config->facility, LOG_LOCAL3);
	CU_ASSERT_STRING_EQUAL(config->user, "nobody:nogroup");
	CU_ASSERT_EQUAL(config->umask, 0117);
	CU_ASSERT_STRING_EQUAL(config->pid_file, "/run/pid");
	milter_config_unref(&config);
	CU_ASSERT_PTR_NULL(config);
}

static void test_defaults(void)
{
	struct milter_config *config;
	const char *error;
	int ret;

	ret = read_conf(BASE "KeyFile %K\n", NULL, &config, &error);
	if (!UNIT_CHECK(ret == 0, "%s", error))
		return;
	CU_ASSERT_EQUAL(config->mode, MILTER_MODE_TAG);
	CU_ASSERT_EQUAL(config->loop_limit, 0);
	CU_ASSERT_EQUAL(config->heartbeat_secs, 60);
	CU_ASSERT_EQUAL(config->facility, LOG_MAIL);
	CU_ASSERT_EQUAL(config->umask, 007);
	CU_ASSERT_PTR_NULL(config->user);
	CU_ASSERT_PTR_NULL(config->pid_file);
	CU_ASSERT_PTR_NULL(config->spam_headers);
	CU_ASSERT(config->host[0] != '\0');
	CU_ASSERT(milter_config_is_submission(config, "ORIGINATING"));
	CU_ASSERT(milter_config_is_submission(config, "MSA"));
	CU_ASSERT(!milter_config_is_submission(config, "MTA"));
	milter_config_unref(&config);
}

static void test_overrides(void)
{
	static const struct milter_overrides overrides = {
		.socket = "inet:1@localhost", .pid_file = "/other",
		.user = "somebody"
	};
	static const struct milter_overrides bad = { .socket = "tcp:1" };
	struct milter_config *config;
	const char *error;
	int ret;

	ret = read_conf(BASE "KeyFile %K\nUser nobody\n", &overrides, &config,
			&error);
	if (!UNIT_CHECK(ret == 0, "%s", error))
		return;
	CU_ASSERT_EQUAL(config->sockets.count, 1);
	CU_ASSERT_STRING_EQUAL(config->sockets.values[0], "inet:1@localhost");
	CU_ASSERT_STRING_EQUAL(config->pid_file, "/other");
	CU_ASSERT_STRING_EQUAL(config->user, "somebody");
	milter_config_unref(&config);
	CU_ASSERT_EQUAL(read_conf(NULL, &bad, &config, &error), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "command line: Socket"));
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		/* All of them, after the file's name. */
		const char *error;
	} tests[] = {
		{ "", ": Socket is missing, expected inet:" },
		{ "Socket local:/m\n", ": Server is missing, expected old" },
		{ "Socket local:/m\nServer old\n", ": Domain is missing" },
		{ BASE, ": KeyFile is missing, expected the path" },
		{ BASE "Colour red\n", ":4: unknown setting Colour" },
		{ BASE "Server old\n", ":4: Server is given in line 2" },
		{ "Server\n", ":1: Server \"\": neither, expected old or new" },
		{ "\n# x\nServer both\n", ":3: Server \"both\": neither" },
		{ "Socket inet:localhost:25\n", ":1: Socket \"inet:localhost:"
		  "25\": no @host, expected inet:PORT@HOST" },
		{ "Domain a b\n", ":1: Domain \"a b\": not a domain name, "
		  "expected a domain" },
		{ "DomainFile x\n", ":1: DomainFile \"x\": not an absolute" },
		{ "Host a/b\n", ":1: Host \"a/b\": not a host name" },
		{ "KeyFile key\n", ":1: KeyFile \"key\": not an absolute" },
		{ "SpamHeader a b\n", ":1: SpamHeader \"a b\"" },
		{ "Mode reject\n", ":1: Mode \"reject\": neither" },
		{ "DeferUntil noon\n", ":1: DeferUntil \"noon\": not such a "
		  "time, expected a time with its zone" },
		{ "LoopLimit 101\n", ":1: LoopLimit \"101\": too large" },
		{ "Heartbeat 0\n", ":1: Heartbeat \"0\": too small" },
		{ "SyslogFacility kern\n", ":1: SyslogFacility \"kern\"" },
		{ "UMask rwx\n", ":1: UMask \"rwx\": not an octal number" },
		{ "PidFile pid\n", ":1: PidFile \"pid\": not an absolute" },
		{ BASE "Mode defer\nKeyFile %K\n", ":4: Mode defer without "
		  "DeferUntil" },
		{ BASE "KeyFile %K\nDeferFrom 2026-01-01T00:00Z\n"
		  "DeferUntil 2026-01-02T12:01Z\nMode defer\n",
		  ":7: DeferUntil is over 36 hours after DeferFrom" },
		{ BASE "KeyFile %K\nDeferFrom 2026-01-01T00:00Z\n"
		  "DeferUntil 2026-01-01T00:00Z\nMode defer\n",
		  ":7: DeferUntil isn't after DeferFrom" },
		{ BASE "KeyFile %K\nMode defer\nDeferUntil 9000-01-01T00:00Z\n",
		  ":5: DeferUntil is over 36 hours after now" },
		{ BASE "KeyFile /nowhere/key\n",
		  ":4: KeyFile /nowhere/key: No such file" }
	};
	struct milter_config *config;
	const char *error;
	char wanted[256];
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		CU_ASSERT_EQUAL(read_conf(tests[i].text, NULL, &config,
					  &error), -1);
		snprintf(wanted, sizeof(wanted), "%s%s", conf,
			 tests[i].error);
		UNIT_CHECK(strncmp(error, wanted, strlen(wanted)) == 0,
			   "case %zu: %s", i, error);
	}
}

static void test_bad_files(void)
{
	struct milter_config *config;
	const char *error;
	char line[5000];

	CU_ASSERT_EQUAL(read_conf(BASE "KeyFile %K\nDomainFile /nowhere\n",
				  NULL, &config, &error), -1);
	CU_ASSERT_STRING_EQUAL(error, "/nowhere: No such file or directory");
	write_file(domains, "a.example\nb@c\n", 0644);
	CU_ASSERT_EQUAL(read_conf(BASE "KeyFile %K\nDomainFile %D\n", NULL,
				  &config, &error), -1);
	UNIT_CHECK(strstr(error, ":2: \"b@c\": not a domain name, expected a "
			  "domain a line") != NULL, "%s", error);
	write_file(domains, "# none\n", 0644);
	CU_ASSERT_EQUAL(read_conf("Socket local:/m\nServer old\nKeyFile %K\n"
				  "DomainFile %D\n", NULL, &config, &error),
			-1);
	UNIT_CHECK(strstr(error, "has no domain") != NULL, "%s", error);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	CU_ASSERT_EQUAL(read_conf(line, NULL, &config, &error), -1);
	UNIT_CHECK(strstr(error, ":1: line over") != NULL, "%s", error);
	unlink(conf);
	CU_ASSERT_EQUAL(read_conf(NULL, NULL, &config, &error), -1);
	UNIT_CHECK(strstr(error, ": No such file") != NULL, "%s", error);
}

static void test_key(void)
{
	static const struct {
		const char *text;
		mode_t mode;
		bool good;
	} tests[] = {
		{ "0123456789abcdef\n", 0600, true },
		{ "0123456789abcdef\n", 0400, true },
		{ "0123456789abcdef\n", 0640, false },
		{ "0123456789abcdef\n", 0604, false },
		{ "0123456789abcde\n", 0600, false },
		{ "", 0600, false }
	};
	struct milter_config *config;
	const char *error;
	int ret;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		write_file(key, tests[i].text, tests[i].mode);
		ret = read_conf(BASE "KeyFile %K\n", NULL, &config, &error);
		UNIT_CHECK((ret == 0) == tests[i].good, "case %zu: %s", i,
			   error);
		if (ret < 0) {
			UNIT_CHECK(strstr(error, ":4: KeyFile ") != NULL,
				   "%s", error);
			continue;
		}
		milter_config_unref(&config);
	}
	write_file(key, "0123456789abcdef\n", 0600);
}

static void test_defer(void)
{
	struct milter_config *config;
	char text[256], from[ISO_TIME_SIZE], until[ISO_TIME_SIZE];
	time_t now = time(NULL);
	const char *error;
	int ret;

	snprintf(text, sizeof(text), BASE "KeyFile %%K\nMode defer\n"
		 "DeferFrom %s\nDeferUntil %s\n",
		 iso_time_format(now + 100, from),
		 iso_time_format(now + 100 + MILTER_DEFER_MAX_SECS, until));
	ret = read_conf(text, NULL, &config, &error);
	if (!UNIT_CHECK(ret == 0, "%s", error))
		return;
	CU_ASSERT_EQUAL(milter_config_mode(config, now + 99),
			MILTER_MODE_TAG);
	CU_ASSERT_EQUAL(milter_config_mode(config, now + 100),
			MILTER_MODE_DEFER);
	CU_ASSERT_EQUAL(milter_config_mode(config, now + 99 +
					   MILTER_DEFER_MAX_SECS),
			MILTER_MODE_DEFER);
	CU_ASSERT_EQUAL(milter_config_mode(config, now + 100 +
					   MILTER_DEFER_MAX_SECS),
			MILTER_MODE_TAG);
	CU_ASSERT(milter_config_may_defer(config, now));
	CU_ASSERT(!milter_config_may_defer(config, now + 100 +
					   MILTER_DEFER_MAX_SECS));
	milter_config_unref(&config);
	/* over: it may stay in the file */
	CU_ASSERT_EQUAL(read_conf(BASE "KeyFile %K\nMode defer\n"
				  "DeferUntil 2020-01-01T00:00Z\n", NULL,
				  &config, &error), 0);
	CU_ASSERT_EQUAL(milter_config_mode(config, now), MILTER_MODE_TAG);
	milter_config_unref(&config);
}

/* Who took the settings before keeps them when others come. */
static void test_current(void)
{
	struct milter_config *a, *b, *taken;
	const char *error;

	CU_ASSERT_EQUAL_FATAL(read_conf(BASE "KeyFile %K\nHost a\n", NULL, &a,
					&error), 0);
	CU_ASSERT_EQUAL_FATAL(read_conf(BASE "KeyFile %K\nHost b\n", NULL, &b,
					&error), 0);
	config_current_set(a);
	taken = config_current_get();
	config_current_set(b);
	CU_ASSERT_STRING_EQUAL(taken->host, "a");
	milter_config_unref(&taken);
	taken = config_current_get();
	CU_ASSERT_STRING_EQUAL(taken->host, "b");
	milter_config_unref(&taken);
	config_current_set(NULL);
}

/* The value of a setting of the systemd unit, or NULL. */
static const char *unit_setting(const char *key)
{
	static char line[200];
	FILE *file = fopen(SERVICE_PATH, "r");
	const char *value = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (value == NULL && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, strlen(key)) == 0 &&
		    line[strlen(key)] == '=')
			value = line + strlen(key) + 1;
	}
	fclose(file);
	return value;
}

/* A stop lets mails end: the workers get no signal but the supervisor's, and have
   their time. */
static void test_service(void)
{
	const char *value = unit_setting("KillMode");

	UNIT_CHECK(value != NULL && strcmp(value, "mixed") == 0, "%s",
		   value == NULL ? "no KillMode" : value);
	value = unit_setting("TimeoutStopSec");
	UNIT_CHECK(value != NULL && atoi(value) > WORKER_SET_STOP_SECS, "%s",
		   value == NULL ? "no TimeoutStopSec" : value);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "all settings", test_all },
		{ "defaults", test_defaults },
		{ "command line", test_overrides },
		{ "bad settings", test_bad },
		{ "bad files", test_bad_files },
		{ "key file", test_key },
		{ "defer", test_defer },
		{ "settings in force", test_current },
		{ "systemd unit", test_service },
		{ NULL, NULL }
	};
	int ret;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(domains, sizeof(domains), "%s/domains", dir);
	write_file(key, "0123456789abcdef\n", 0600);
	ret = unit_run("milter-config", tests);
	unlink(conf);
	unlink(key);
	unlink(domains);
	rmdir(dir);
	return ret;
}
