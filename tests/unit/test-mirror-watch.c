/* test-mirror-watch: what is told, what counts as fresh, what is asked when,
   and what becomes of it when the old server is silent, cut off or mad. */
#include "engine-unit.h"
#include "array.h"
#include "ioloop.h"
#include "str.h"
#include "plugin/engine/mirror-watch-private.h"
#include "fake-imap.h"

#include <stdlib.h>
#include <sys/resource.h>

/* nothing that happens here takes so long */
#define DEADLINE_MSECS 20000
#define NEVER 100000
#define SILENCE_MSECS 300
#define FRESH_MSECS 600
#define MANY 40
#ifdef __SANITIZE_ADDRESS__
#  define MEMORY_MAX_KB (512 * 1024)
#else
#  define MEMORY_MAX_KB (64 * 1024)
#endif

#define EXPECT(text) { FAKE_EXPECT, text, 0 }
#define SEND(text) { FAKE_SEND, text, 0 }
#define REPEAT(text, count) { FAKE_REPEAT, text, count }
#define CLOSE { FAKE_CLOSE, NULL, 0 }
#define END { FAKE_WAIT_CLOSE, NULL, 0 }
#define LOGIN(caps) \
	{ FAKE_ACCEPT, NULL, 0 }, SEND("* OK [CAPABILITY IMAP4rev1] hi\r\n"), \
	EXPECT("LOGIN \"u\" \"p\""), \
	SEND("$0 OK [CAPABILITY IMAP4rev1 " caps "] in\r\n"), \
	EXPECT("NOOP"), SEND("$0 OK\r\n")
#define ITEMS "(MESSAGES UIDNEXT UIDVALIDITY)"
#define STATUS(name) EXPECT("STATUS \"" name "\" " ITEMS)
#define NOTIFY \
	EXPECT("NOTIFY SET STATUS (PERSONAL (MessageNew MessageExpunge " \
	       "FlagChange))")
#define HAS(name, messages) \
	"* STATUS " name " (MESSAGES " messages " UIDNEXT 9 UIDVALIDITY 5)\r\n"
/* INBOX is selected, A not, and NOTIFY is held */
#define HELD \
	LOGIN("NOTIFY"), STATUS("INBOX"), NOTIFY, \
	SEND(HAS("INBOX", "1") "$1 OK\r\n" \
	     HAS("INBOX", "1") HAS("A", "2") "$0 OK\r\n")
#define TOLD_HELD "INBOX 1/9/5/0;INBOX 1/9/5/0;A 2/9/5/0;"

static struct fake_imap fake;
static struct mirror_watch *watch;
static struct watch_settings set;
static unsigned int cmd_timeout_msecs;
static string_t *told;
/* want() is called with this by the next status */
static const char *want_inside;

static const char *old_prefix;

static bool name_map(void *context ATTR_UNUSED, struct name_map *map_r)
{
	map_r->old_sep = '.';
	map_r->sep = '/';
	map_r->old_prefix = old_prefix;
	map_r->prefix = "";
	return TRUE;
}

/* Names separated by spaces. */
static void want(const char *selected, const char *others)
{
	ARRAY_TYPE(const_string) lists[2];
	const char *const *name;

	t_array_init(&lists[0], 8);
	t_array_init(&lists[1], 8);
	for (name = t_strsplit_spaces(selected, " "); *name != NULL; name++)
		array_push_back(&lists[0], name);
	for (name = t_strsplit_spaces(others, " "); *name != NULL; name++)
		array_push_back(&lists[1], name);
	mirror_watch_want(watch, &lists[0], &lists[1]);
}

static void on_status(void *context ATTR_UNUSED, const char *vname,
		      const struct mirror_status *status)
{
	const char *inside = want_inside;

	want_inside = NULL;
	if (inside != NULL)
		want(inside, "");
	str_printfa(told, "%s %u/%u/%u/%"PRIu64";", vname, status->messages,
		    status->uid_next, status->uid_validity, status->modseq);
}

static void begin(const struct fake_step *steps)
{
	const struct mirror_watch_callbacks callbacks = { .status = on_status };
	struct old_client_settings client_set = {
		.host = "127.0.0.1", .user = "u", .password = "p",
		.connect_timeout_msecs = cmd_timeout_msecs,
		.cmd_timeout_msecs = cmd_timeout_msecs,
	};

	if (fake_imap_start(&fake, steps) < 0)
		i_fatal("fake_imap_start() failed: %m");
	client_set.port = fake.port;
	told = str_new(default_pool, 256);
	set.name_map = name_map;
	watch = watch_create(&client_set, &set, &callbacks, NULL);
}

static void end(void)
{
	mirror_watch_deinit(&watch);
	UNIT_CHECK(fake_imap_finish(&fake) == 0, "the script wasn't followed");
	str_free(&told);
}

static void on_tick(void *context ATTR_UNUSED)
{
	io_loop_stop(current_ioloop);
}

static void pass(unsigned int msecs)
{
	struct timeout *to = timeout_add_short(msecs, on_tick, NULL);

	io_loop_run(current_ioloop);
	timeout_remove(&to);
}

#define wait_until(condition) \
	do { \
		uint64_t until = watch_now() + DEADLINE_MSECS; \
		while (!(condition) && watch_now() < until) \
			pass(5); \
		UNIT_CHECK(condition, "%s: %s", #condition, str_c(told)); \
	} while (0)

static void wait_told(const char *text)
{
	wait_until(str_len(told) >= strlen(text));
	UNIT_CHECK(strcmp(str_c(told), text) == 0, "told: %s\nexpected: %s",
		   str_c(told), text);
	str_truncate(told, 0);
}

static bool is_fresh(const char *vname)
{
	return mirror_watch_is_fresh(watch, vname, FRESH_MSECS);
}

/* Was it ever answered for, with this not being so any more? */
static bool is_known(const char *vname)
{
	return mirror_watch_is_fresh(watch, vname, NEVER);
}

/* Nothing by itself, unless the test says so. */
static void reset(void)
{
	i_zero(&set);
	set.selected_msecs = set.all_msecs = NEVER;
	set.heartbeat_msecs = set.patience_msecs = NEVER;
	cmd_timeout_msecs = NEVER;
	old_prefix = "";
	want_inside = NULL;
}

static void test_notify(void)
{
	static const struct fake_step steps[] = {
		LOGIN("NOTIFY CONDSTORE ENABLE"),
		EXPECT("STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY "
		       "HIGHESTMODSEQ)"),
		EXPECT("ENABLE CONDSTORE"), NOTIFY,
		SEND("* STATUS Inbox (MESSAGES 1 UIDNEXT 9 UIDVALIDITY 5 "
		     "HIGHESTMODSEQ 7)\r\n$2 OK\r\n* ENABLED CONDSTORE\r\n"
		     "$1 OK\r\n* STATUS A.B (MESSAGES 2 UIDNEXT 9 UIDVALIDITY "
		     "5 HIGHESTMODSEQ 7)\r\n* STATUS Other (MESSAGES 1)\r\n"
		     "$0 OK\r\n* STATUS {3}\r\nA.B (HIGHESTMODSEQ 8)\r\n"
		     "* STATUS \"A.B\" (MESSAGES 0 UNSEEN 0 HIGHESTMODSEQ "
		     "12345678901)\r\n"
		     "* STATUS A.B (UIDNEXT 3 UIDVALIDITY 6)\r\n"),
		END, { FAKE_END, NULL, 0 } };

	reset();
	begin(steps);
	/* the second can't be named there */
	want("INBOX", "A/B x.y");
	wait_told("INBOX 1/9/5/7;A/B 2/9/5/7;A/B 2/9/5/8;"
		  "A/B 0/9/5/12345678901;A/B 0/3/6/0;");
	CU_ASSERT_TRUE(is_fresh("inbox"));
	CU_ASSERT_TRUE(is_fresh("A/B"));
	CU_ASSERT_FALSE(is_fresh("x.y"));
	CU_ASSERT_FALSE(is_fresh("Other"));
	/* nothing was answered since */
	wait_until(!is_fresh("A/B"));
	CU_ASSERT_TRUE(is_known("A/B"));
	end();
}

/* The way a server has no NOTIFY. */
static void poll_instead(const struct fake_step *steps)
{
	reset();
	set.selected_msecs = 100;
	begin(steps);
	want("INBOX", "A");
	wait_told("INBOX 1/9/5/0;A 2/9/5/0;INBOX 3/9/5/0;");
	CU_ASSERT_TRUE(is_fresh("INBOX"));
	wait_until(!mirror_watch_is_fresh(watch, "A", 100));
	end();
}

#define POLLED \
	SEND(HAS("INBOX", "1") "$1 OK\r\n" HAS("A", "2") "$0 OK\r\n"), \
	STATUS("INBOX"), SEND(HAS("INBOX", "3") "$0 OK\r\n"), END, \
	{ FAKE_END, NULL, 0 }
#define REFUSED(answer) \
	LOGIN("NOTIFY"), STATUS("INBOX"), NOTIFY, \
	SEND("$1 OK\r\n$0 " answer "\r\n"), STATUS("INBOX"), STATUS("A"), POLLED

static void test_no_notify(void)
{
	/* the first question is that of a mailbox that is newly wanted */
	static const struct fake_step none[] = {
		LOGIN(""), STATUS("INBOX"), STATUS("A"), POLLED };
	static const struct fake_step no[] = {
		REFUSED("NO [NOTIFICATIONOVERFLOW] can't") };
	static const struct fake_step bad[] = { REFUSED("BAD what?") };
	static const struct fake_step overflow[] = {
		HELD, SEND("* OK [NOTIFICATIONOVERFLOW] sorry\r\n"),
		STATUS("INBOX"), STATUS("A"), POLLED };

	poll_instead(none);
	poll_instead(no);
	poll_instead(bad);

	reset();
	set.selected_msecs = 100;
	begin(overflow);
	want("INBOX", "A");
	wait_told(TOLD_HELD "INBOX 1/9/5/0;A 2/9/5/0;INBOX 3/9/5/0;");
	CU_ASSERT_EQUAL(watch->notify, WATCH_NOTIFY_OFF);
	CU_ASSERT_TRUE(watch->notify_at > watch_now());
	end();
}

static void test_silence(void)
{
	static const struct fake_step steps[] = {
		HELD, EXPECT("NOOP"), SEND("$0 OK\r\n"), EXPECT("NOOP"), END,
		HELD, END, { FAKE_END, NULL, 0 } };

	reset();
	set.heartbeat_msecs = set.patience_msecs = 200;
	begin(steps);
	want("INBOX", "A");
	wait_told(TOLD_HELD);
	CU_ASSERT_TRUE(is_fresh("A"));
	wait_until(!is_fresh("A"));
	CU_ASSERT_TRUE(watch->noop_sent != 0 || watch->state == WATCH_OFF);
	wait_until(watch->state == WATCH_OFF);
	wait_told(TOLD_HELD);
	CU_ASSERT_TRUE(is_fresh("A"));
	end();
}

static void test_cut(void)
{
	static const struct fake_step steps[] = {
		HELD, CLOSE, HELD, SEND("* BYE enough\r\n"), END, HELD, END,
		{ FAKE_END, NULL, 0 } };
	unsigned int i;

	reset();
	set.heartbeat_msecs = 100;
	begin(steps);
	want("INBOX", "A");
	for (i = 0; i < 3; i++) {
		wait_told(TOLD_HELD);
		if (i < 2)
			wait_until(!is_fresh("A"));
	}
	CU_ASSERT_TRUE(is_fresh("A"));
	end();
}

static void test_login_refused(void)
{
	static const struct fake_step steps[] = {
		{ FAKE_ACCEPT, NULL, 0 },
		SEND("* OK [CAPABILITY IMAP4rev1] hi\r\n"),
		EXPECT("LOGIN \"u\" \"p\""),
		SEND("$0 NO [AUTHENTICATIONFAILED] no\r\n"), END,
		{ FAKE_END, NULL, 0 } };

	reset();
	begin(steps);
	want("INBOX", "");
	wait_until(watch->retry_at != 0);
	CU_ASSERT_TRUE(watch->retry_at + 1000 >= watch_now() +
		       MIRROR_BACKOFF_REFUSED_MIN_MSECS);
	mirror_watch_ask(watch, "INBOX");
	pass(50);
	CU_ASSERT_EQUAL(watch->state, WATCH_OFF);
	end();
}

static void test_garbage(void)
{
	static const struct fake_step steps[] = {
		LOGIN(""), STATUS("INBOX"),
		SEND("* STATUS\r\n* STATUS INBOX\r\n* STATUS (A) B\r\n"
		     "* STATUS INBOX (MESSAGES)\r\n"
		     "* STATUS INBOX (MESSAGES x UIDNEXT 99999999999 "
		     "UIDVALIDITY -1 HIGHESTMODSEQ (1))\r\n"
		     "* STATUS INBOX (() 1 UIDNEXT 4)\r\n$z$z(((\r\n"),
		END,
		LOGIN(""), STATUS("INBOX"), SEND(HAS("INBOX", "1") "$0 OK\r\n"),
		END, { FAKE_END, NULL, 0 } };

	reset();
	begin(steps);
	want("INBOX", "");
	wait_until(watch->state == WATCH_OFF && watch->retry_at != 0);
	CU_ASSERT_FALSE(is_fresh("INBOX"));
	wait_told("INBOX 0/0/0/0;INBOX 0/0/0/0;INBOX 0/0/0/0;INBOX 1/9/5/0;");
	wait_until(is_fresh("INBOX"));
	end();
}

/* A server that accepts everything and says nothing. */
static void test_hung(void)
{
	static const struct fake_step steps[] = {
		LOGIN(""), STATUS("INBOX"), STATUS("A"), END,
		{ FAKE_ACCEPT, NULL, 0 }, END, { FAKE_END, NULL, 0 } };

	reset();
	set.selected_msecs = set.all_msecs = 20;
	cmd_timeout_msecs = SILENCE_MSECS;
	begin(steps);
	want("INBOX", "A");
	wait_until(watch->state == WATCH_UP);
	pass(SILENCE_MSECS / 3);
	mirror_watch_ask(watch, "A");
	mirror_watch_ask(watch, "INBOX");
	pass(SILENCE_MSECS / 6);
	CU_ASSERT_EQUAL(old_client_pending(watch->client), 2);
	wait_until(watch->state == WATCH_OFF);
	CU_ASSERT_EQUAL(old_client_pending(watch->client), 0);
	wait_until(watch->state == WATCH_LOGIN);
	wait_until(watch->state == WATCH_OFF);
	/* later than the first time */
	CU_ASSERT_TRUE(watch->backoff.msecs > MIRROR_BACKOFF_MIN_MSECS);
	end();
}

static void test_vanished(void)
{
	static const struct fake_step steps[] = {
		LOGIN(""), STATUS("INBOX"), STATUS("A"),
		SEND(HAS("INBOX", "1") "$1 OK\r\n" HAS("A", "2") "$0 OK\r\n"),
		STATUS("A"), SEND("$0 NO [NONEXISTENT] gone\r\n"),
		STATUS("A"), SEND("$0 OK but not told\r\n"),
		STATUS("A"), SEND(HAS("A", "4") "$0 OK\r\n"),
		END, { FAKE_END, NULL, 0 } };

	unsigned int commands;

	reset();
	begin(steps);
	want("INBOX", "A");
	wait_told("INBOX 1/9/5/0;A 2/9/5/0;");
	wait_until(is_known("A"));
	mirror_watch_ask(watch, "A");
	wait_until(!is_known("A"));
	/* two are one */
	commands = old_client_counters(watch->client)->commands;
	mirror_watch_ask(watch, "A");
	mirror_watch_ask(watch, "A");
	wait_until(old_client_counters(watch->client)->commands ==
		   commands + 1 && old_client_pending(watch->client) == 0);
	CU_ASSERT_FALSE(is_known("A"));
	mirror_watch_ask(watch, "A");
	wait_told("A 4/9/5/0;");
	wait_until(is_known("A"));
	end();
}

/* What polls find isn't relied on NOTIFY for. */
static void test_untold(void)
{
	static const struct fake_step steps[] = {
		HELD, STATUS("INBOX"), STATUS("A"),
		SEND(HAS("INBOX", "1") "$1 OK\r\n" HAS("A", "3") "$0 OK\r\n"),
		STATUS("INBOX"), STATUS("A"),
		SEND(HAS("INBOX", "1") "$1 OK\r\n" HAS("A", "4") "$0 OK\r\n"),
		END, { FAKE_END, NULL, 0 } };

	reset();
	set.all_msecs = 350;
	begin(steps);
	want("INBOX", "A");
	wait_told(TOLD_HELD);
	CU_ASSERT_TRUE(watch_box_is_notified(watch_box_find(watch, "A")));
	wait_told("INBOX 1/9/5/0;A 3/9/5/0;INBOX 1/9/5/0;A 4/9/5/0;");
	CU_ASSERT_FALSE(watch_box_is_notified(watch_box_find(watch, "A")));
	end();
}

static const char *many_names(void)
{
	string_t *str = t_str_new(256);
	unsigned int i;

	for (i = 0; i < MANY; i++)
		str_printfa(str, "%sa%u", i == 0 ? "" : " ", i);
	return str_c(str);
}

static void list_status(const struct fake_step *steps, const char *prefix)
{
	reset();
	old_prefix = prefix;
	set.selected_msecs = 100;
	set.all_msecs = 200;
	begin(steps);
	want("", t_strconcat("INBOX ", many_names(), NULL));
	mirror_watch_ask(watch, "INBOX");
	wait_told("INBOX 1/9/5/0;INBOX 1/9/5/0;a3 3/9/5/0;");
	wait_until(is_known("a3"));
	CU_ASSERT_FALSE(is_known("a4"));
	wait_told("a4 4/9/5/0;");
	wait_until(is_known("a4"));
	CU_ASSERT_FALSE(is_known("a3"));
	end();
}

#define LIST_CAPS "LIST-STATUS LIST-EXTENDED"

static void test_list_status(void)
{
	static const struct fake_step plain[] = {
		LOGIN(LIST_CAPS), STATUS("INBOX"),
		EXPECT("LIST \"\" \"*\" RETURN (STATUS " ITEMS ")"),
		SEND(HAS("INBOX", "1") "$1 OK\r\n* LIST () \".\" INBOX\r\n"
		     HAS("INBOX", "1") "* LIST () \".\" a3\r\n" HAS("a3", "3")
		     "* LIST () \".\" other\r\n" HAS("other", "3") "$0 OK\r\n"),
		EXPECT("LIST \"\" \"*\" RETURN (STATUS " ITEMS ")"),
		SEND(HAS("a4", "4") "$0 OK\r\n"),
		END, { FAKE_END, NULL, 0 } };
	static const struct fake_step prefix[] = {
		LOGIN(LIST_CAPS), STATUS("INBOX"),
		EXPECT("LIST \"\" (\"INBOX\" \"x \\\"y.*\") RETURN (STATUS "
		       ITEMS ")"),
		SEND(HAS("INBOX", "1") "$1 OK\r\n" HAS("INBOX", "1")
		     HAS("\"x \\\"y.a3\"", "3") HAS("a4", "3") "$0 OK\r\n"),
		EXPECT("LIST \"\" (\"INBOX\" \"x \\\"y.*\") RETURN (STATUS "
		       ITEMS ")"),
		SEND(HAS("\"x \\\"y.a4\"", "4") "$0 OK\r\n"),
		END, { FAKE_END, NULL, 0 } };
	static const struct fake_step refused[] = {
		LOGIN(LIST_CAPS), STATUS("INBOX"),
		EXPECT("LIST \"\" \"*\" RETURN (STATUS " ITEMS ")"),
		SEND(HAS("INBOX", "1") "$1 OK\r\n$0 BAD\r\n"),
		STATUS("INBOX"), STATUS("a0"), STATUS("a1"), STATUS("a2"),
		STATUS("a3"),
		SEND(HAS("INBOX", "1") "$4 OK\r\n$3 NO\r\n$2 NO\r\n$1 NO\r\n"
		     HAS("a3", "3") "$0 OK\r\n"),
		END, { FAKE_END, NULL, 0 } };

	list_status(plain, "");
	list_status(prefix, "x \"y");
	reset();
	set.selected_msecs = 100;
	begin(refused);
	want("", t_strconcat("INBOX ", many_names(), NULL));
	mirror_watch_ask(watch, "INBOX");
	wait_told("INBOX 1/9/5/0;INBOX 1/9/5/0;a3 3/9/5/0;");
	end();
}

static void test_wants(void)
{
	static const struct fake_step steps[] = {
		HELD, STATUS("B"), SEND(HAS("B", "1")), END,
		HELD, END, { FAKE_END, NULL, 0 } };

	reset();
	begin(steps);
	pass(20);
	CU_ASSERT_EQUAL(watch->state, WATCH_OFF);
	want("INBOX", "A");
	wait_told(TOLD_HELD);
	CU_ASSERT_TRUE(is_fresh("A"));
	/* not wanted any more while it's asked for, and inside the callback */
	want("B INBOX", "A");
	want_inside = "INBOX";
	wait_told("B 1/9/5/0;");
	CU_ASSERT_EQUAL(array_count(&watch->boxes), 1);
	CU_ASSERT_FALSE(is_fresh("A"));
	want("", "");
	wait_until(watch->state == WATCH_OFF);
	CU_ASSERT_FALSE(is_fresh("INBOX"));
	want("INBOX", "A");
	wait_told(TOLD_HELD);
	end();
}

/* Only what is wanted takes memory. */
static void test_memory(void)
{
	static const struct fake_step steps[] = {
		HELD, REPEAT("* STATUS overheard (MESSAGES 1 UIDNEXT 2)\r\n",
			     300000),
		SEND(HAS("A", "3")), END, { FAKE_END, NULL, 0 } };
	struct rusage usage;

	reset();
	begin(steps);
	want("INBOX", "A");
	wait_told(TOLD_HELD "A 3/9/5/0;");
	getrusage(RUSAGE_SELF, &usage);
	UNIT_CHECK(getenv("UNIT_VALGRIND") != NULL ||
		   usage.ru_maxrss < MEMORY_MAX_KB, "%ld KB", usage.ru_maxrss);
	end();
}

static void test_switch_ioloop(void)
{
	static const struct fake_step steps[] = {
		HELD, CLOSE, HELD,
		STATUS("A"), SEND(HAS("A", "3") "$0 OK\r\n"), END,
		{ FAKE_END, NULL, 0 } };
	struct ioloop *outer = current_ioloop, *inner;

	reset();
	set.heartbeat_msecs = 2000;
	begin(steps);
	want("INBOX", "A");
	inner = io_loop_create();
	/* with a connection that is to be made, one that is lost, one that
	   stands */
	mirror_watch_switch_ioloop(watch);
	wait_told(TOLD_HELD);
	wait_until(watch->state == WATCH_OFF);
	io_loop_set_current(outer);
	mirror_watch_switch_ioloop(watch);
	wait_told(TOLD_HELD);
	io_loop_set_current(inner);
	mirror_watch_switch_ioloop(watch);
	mirror_watch_ask(watch, "A");
	wait_told("A 3/9/5/0;");
	end();
	io_loop_destroy(&inner);
	CU_ASSERT_PTR_EQUAL(current_ioloop, outer);
}

static const struct unit_test tests[] = {
	{ "NOTIFY", test_notify },
	{ "no NOTIFY", test_no_notify },
	{ "silence", test_silence },
	{ "cut", test_cut },
	{ "login refused", test_login_refused },
	{ "garbage", test_garbage },
	{ "hung", test_hung },
	{ "vanished", test_vanished },
	{ "what NOTIFY doesn't tell", test_untold },
	{ "LIST-STATUS", test_list_status },
	{ "wants", test_wants },
	{ "memory", test_memory },
	{ "another ioloop", test_switch_ioloop },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("mirror-watch", tests);
}
