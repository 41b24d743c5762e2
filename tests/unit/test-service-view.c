/* test-service-view: what doveadm shows of the service, from what that says. */
#include "engine-unit.h"
#include "array.h"
#include "net.h"
#include "str.h"
#include "write-full.h"
#include "plugin/doveadm/service-client.h"
#include "plugin/doveadm/service-picture.h"
#include "plugin/doveadm/service-text.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* 2026-11-22 16:00:00 UTC */
#define NOW 1795363200
#define NOW_STR "1795363200"

static struct service_picture *picture;

static void says(const char *const *lines)
{
	picture = service_picture_init();
	for (; *lines != NULL; lines++)
		service_picture_add(picture, *lines);
}

static void test_lines(void)
{
	static const char *const lines[] = {
		"total\tpaused=1\tusers=12\tseconds_left=\trate=x\tnew=thing",
		"server\thost=old.example:143\tconnections=2\tstate=ok",
		"server", "", "weather\thost=cold",
		"failed\tuser=a\001tb\treason=k=v\tretry=7", NULL
	};
	const struct service_server *server;
	const struct service_failed *failed;

	says(lines);
	CU_ASSERT(picture->total.paused == 1);
	CU_ASSERT(picture->total.users == 12);
	CU_ASSERT(picture->total.local == 0);
	CU_ASSERT(picture->total.seconds_left == SERVICE_UNKNOWN);
	CU_ASSERT(picture->total.rate == SERVICE_UNKNOWN);
	CU_ASSERT_FATAL(array_count(&picture->servers) == 2);
	server = array_front(&picture->servers);
	CU_ASSERT_STRING_EQUAL(server[0].host, "old.example:143");
	CU_ASSERT(server[0].connections == 2);
	CU_ASSERT_STRING_EQUAL(server[0].reason, "");
	CU_ASSERT_STRING_EQUAL(server[1].host, "");
	CU_ASSERT(array_count(&picture->running) == 0);
	CU_ASSERT_FATAL(array_count(&picture->failed) == 1);
	failed = array_front(&picture->failed);
	CU_ASSERT_STRING_EQUAL(failed->user, "a?b");
	CU_ASSERT_STRING_EQUAL(failed->reason, "k=v");
	CU_ASSERT(failed->retry == 7);
	service_picture_deinit(&picture);
}

/* The old server chooses reasons, users choose names of mailboxes. */
static void test_harmful(void)
{
	static const struct {
		const char *said, *shown;
	} texts[] = {
		{ "Gr\xc3\xbc\xc3\x9f" "e", "Gr\xc3\xbc\xc3\x9f" "e" },
		{ "a\033[2Jb", "a?[2Jb" },
		{ "a\rb\177c", "a?b?c" },
		{ "c1 \xc2\x9b" "2J", "c1 ?2J" },
		{ "not \xff utf-8 \xc3", "not ? utf-8 ?" },
		{ "\xe2\x80\xae" "gpj.exe", "?gpj.exe" },
		{ "\xe2\x81\xa6x\xe2\x81\xa9", "?x?" },
	};
	const struct service_running *running;
	const char *lines[] = { NULL, NULL };

	for (unsigned int i = 0; i < N_ELEMENTS(texts); i++) {
		lines[0] = t_strconcat("running\tmailbox=", texts[i].said,
				       NULL);
		says(lines);
		running = array_front(&picture->running);
		UNIT_CHECK(strcmp(running->mailbox, texts[i].shown) == 0,
			   "%u: %s", i, running->mailbox);
		service_picture_deinit(&picture);
	}
}

/* The picture as text; from malloc(). */
static char *text_of(unsigned int rows)
{
	const struct service_text_options options = { rows, NOW };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_FATAL(out != NULL);
	service_text_write(picture, &options, out);
	fclose(out);
	return text;
}

static void test_text(void)
{
	static const char *const lines[] = {
		"total\tusers=5000\tunseen=2671\tmoving=12\tlocal=2310"
		"\tclosed=4\tfailed=3\trunning=2\tmessages=30100000"
		"\tdone_messages=12300000\tbytes=2900000000000"
		"\tdone_bytes=1200000000000\trate=38200000"
		"\tseconds_left=44520\tsince=1795351680"
		"\tcatchup_oldest=1795362960",
		"server\thost=old.example:993\tconnections=12\tlimit=16"
		"\tstate=ok\ttoday=210000000000\tdaily=1000000000000"
		"\trate=38200000",
		"server\thost=imap.other.example:143\tconnections=0\tlimit=0"
		"\tstate=backoff\tuntil=1795363242\treason=Too many",
		"running\tuser=\xc3\xa4nne\tdoing=fill\tmailbox=INBOX"
		"\twhat=fetch\tbytes=100\tdone_bytes=50\trate=12000000"
		"\tsince=1795363128",
		"running\tuser=bob\tdoing=survey\tsince=1795363199",
		"failed\tuser=carol@example.org.invalid\tfailure=login"
		"\treason=[AUTHENTICATIONFAILED] no\tsince=1795359600"
		"\tretry=1795366800",
		NULL
	};
	static const char *const expected =
"2026-11-22 16:00:00 +0000, the service runs for 3 h 12 min\n"
"[###########.................] 41 %  1.2 TB of 2.9 TB, 12,300,000 of "
"30,100,000 messages\n"
"38 MB/s; 12 h 22 min left, until 2026-11-23 04:22\n"
"5,000 users: 2,310 local, 12 moving, 2,671 not seen yet, 4 closed; "
"2 running, 3 failed\n"
"late mail: the oldest look was 4 min ago\n"
"\n"
"  old server             users            rate            today state\n"
"  old.example:993        12 of 16      38 MB/s 210 GB of 1.0 TB ok\n"
"  imap.other.example:143 0                   -              0 B "
"backs off, 42 s: Too many\n"
"\n"
"  running            doing   done                       rate       for "
"mailbox\n"
"  \xc3\xa4nne               fill    [######......] 50 %     12 MB/s"
" 1 min 12~ INBOX: fetch\n"
"  bob                survey                                -       1 s \n"
"\n"
"  failed             why               for     again in reason\n"
"  carol@example.org~ login             1 h          1 h "
"[AUTHENTICATIONFAILED] no\n"
"  ... and 2 more\n";
	char *text;

	says(lines);
	text = text_of(0);
	UNIT_CHECK(strcmp(text, expected) == 0, "it is\n%s", text);
	free(text);
	service_picture_deinit(&picture);
}

static void has_line(const char *line, const char *text)
{
	const char *lines[] = { line, NULL };
	char *shown;

	says(lines);
	shown = text_of(0);
	UNIT_CHECK(strstr(shown, text) != NULL, "no %s in\n%s", text, shown);
	free(shown);
	service_picture_deinit(&picture);
}

static void test_states(void)
{
	has_line("total\tusers=3\tlocal=2\tclosed=1\tseconds_left=0",
		 "all users are local\n");
	has_line("total\tusers=3\tlocal=2\tseconds_left=",
		 "-; time left not known yet\n");
	has_line("total\tusers=3\tpaused=1\tseconds_left=60",
		 "PAUSED: doveadm migration resume goes on\n");
	has_line("total\tusers=1\tpaused=1\tlocal=1", "PAUSED");
	/* nothing was looked at yet; only messages are known; more than all */
	has_line("total\tusers=3", "[............................]    -  0 B");
	has_line("total\tmessages=4\tdone_messages=1",
		 "[#######.....................] 25 %  0 B");
	has_line("total\tbytes=4\tdone_bytes=5",
		 "[############################] 100 %  5 B of 4 B");
	/* clocks differ */
	has_line("total\tsince=" NOW_STR "9", "runs for 0 s\n");
	has_line("server\thost=\tstate=ok", "\n  not known yet ");
	has_line("server\thost=h\tstate=daily\tuntil=" NOW_STR,
		 "daily limit, 0 s\n");
}

static unsigned int count_of(const char *text, const char *what)
{
	unsigned int count = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		count++;
	return count;
}

/* What there is of each, and how many of them; of failed users more. */
static void says_many(unsigned int servers, unsigned int running,
		      unsigned int failed, unsigned int all_failed)
{
	unsigned int i;

	picture = service_picture_init();
	service_picture_add(picture, t_strdup_printf(
		"total\tfailed=%u\tcatchup_oldest=1", all_failed));
	for (i = 0; i < servers; i++)
		service_picture_add(picture, "server\thost=SERVER");
	for (i = 0; i < running; i++)
		service_picture_add(picture, "running\tuser=RUNS");
	for (i = 0; i < failed; i++)
		service_picture_add(picture, "failed\tuser=FAILS");
}

/* Rows that are shown and those that are counted, between two titles. */
static unsigned int
told_of(const char *text, const char *what, const char *title, const char *next)
{
	const char *more, *begin = strstr(text, title);
	const char *end = begin == NULL ? NULL : strstr(begin, next);
	unsigned int rest = 0;

	if (begin == NULL)
		return 0;
	text = end == NULL ? begin : t_strdup_until(begin, end);
	more = strstr(text, "... and ");
	if (more != NULL)
		CU_ASSERT(sscanf(more, "... and %u more", &rest) == 1);
	return count_of(text, what) + rest;
}

/* All rows are there, or are counted; and none too many. */
static void fits(unsigned int rows, unsigned int servers, unsigned int running,
		 unsigned int failed, unsigned int all_failed)
{
	unsigned int used;
	char *text;

	says_many(servers, running, failed, all_failed);
	text = text_of(rows);
	used = count_of(text, "\n");
	UNIT_CHECK(used <= rows, "%u lines of %u", used, rows);
	UNIT_CHECK(told_of(text, "SERVER", "\n  old", "\n\n") == servers &&
		   told_of(text, "RUNS", "\n  runn", "\n\n") == running &&
		   told_of(text, "FAILS", "\n  fail", "\n\n") == all_failed,
		   "%u rows:\n%s", rows, text);
	/* none is wasted that would have had room */
	UNIT_CHECK(used + 1 >= rows ||
		   (count_of(text, "SERVER") == servers &&
		    count_of(text, "RUNS") == running &&
		    count_of(text, "FAILS") == failed),
		   "%u of %u rows:\n%s", used, rows, text);
	free(text);
	service_picture_deinit(&picture);
}

static void test_rows(void)
{
	/* 5 of the total, and 3 of each section at least */
	for (unsigned int rows = 14; rows < 80; rows++) {
		fits(rows, 1, 4, 0, 0);
		fits(rows, 1, 4, 3, 3);
		fits(rows, 3, 16, 20, 20);
		fits(rows, 2, 8, 10, 999);
		fits(rows, 30, 30, 30, 30);
	}
}

/*
 * The client, and a service that has its answers ready
 */

static const char *socket_path;

static pid_t serve(const char *answers)
{
	int listen_fd, fd;
	char c;
	pid_t pid;

	socket_path = t_strconcat(engine_unit_dir(), "/migration", NULL);
	listen_fd = net_listen_unix(socket_path, 1);
	CU_ASSERT_FATAL(listen_fd != -1);
	if ((pid = fork()) == 0) {
		net_set_nonblock(listen_fd, FALSE);
		fd = net_accept(listen_fd, NULL, NULL);
		net_set_nonblock(fd, FALSE);
		if (write_full(fd, answers, strlen(answers)) < 0)
			_exit(1);
		(void)shutdown(fd, SHUT_WR);
		while (read(fd, &c, 1) > 0) ;
		_exit(0);
	}
	i_close_fd(&listen_fd);
	return pid;
}

static struct service_client *ask(const char *word)
{
	const char *const words[] = { word, NULL };
	struct service_client *client;
	const char *error;

	CU_ASSERT_FATAL(service_client_init(socket_path, NULL, &client,
					    &error) == 0);
	CU_ASSERT(service_client_say(client, words, &error) == 0);
	return client;
}

static void test_answers(void)
{
	static const struct {
		const char *answer;
		int ret;
		const char *error;
	} cases[] = {
		{ "OK\n", 1, NULL },
		{ "something new\nOK\tmore\n", 1, NULL },
		{ "NO\tno\001tsuch user\n", 0, "no\tsuch user" },
		{ "NO\n", 0, "The service refuses" },
		{ "OK", -1, NULL },
		{ "", -1, NULL },
	};
	struct service_client *client;
	const char *error;
	pid_t pid;
	int ret;

	for (unsigned int i = 0; i < N_ELEMENTS(cases); i++) {
		pid = serve(cases[i].answer);
		client = ask("PAUSE");
		ret = service_client_answer(client, &error);
		UNIT_CHECK(ret == cases[i].ret, "%u: %d", i, ret);
		if (cases[i].error != NULL)
			CU_ASSERT_STRING_EQUAL(error, cases[i].error);
		service_client_deinit(&client);
		CU_ASSERT(engine_unit_wait(pid) == 0);
	}
	CU_ASSERT(service_client_init("/nowhere/migration", NULL, &client,
				      &error) == -1);
}

static void test_pictures(void)
{
	pid_t pid = serve("total\tusers=1\nOK\ntotal\tusers=2\n"
			  "server\thost=h\nOK\ntotal\tusers=3\n");
	struct service_client *client = ask("WATCH");
	const char *error;

	for (unsigned int i = 1; i <= 2; i++) {
		CU_ASSERT_FATAL(service_client_picture(client, &picture,
						       &error) == 1);
		CU_ASSERT(picture->total.users == i);
		CU_ASSERT(array_count(&picture->servers) == i - 1);
		service_picture_deinit(&picture);
	}
	/* half of one is none */
	CU_ASSERT(service_client_picture(client, &picture, &error) == -1);
	service_client_deinit(&client);
	CU_ASSERT(engine_unit_wait(pid) == 0);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "lines", test_lines },
		{ "texts that would do something", test_harmful },
		{ "the text", test_text },
		{ "states", test_states },
		{ "it fits", test_rows },
		{ "answers", test_answers },
		{ "pictures", test_pictures },
		{ NULL, NULL }
	};

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setenv("TZ", "UTC", 1);
	tzset();
	return engine_unit_run("service-view", tests);
}
