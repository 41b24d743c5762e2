/* test-old-limits: the client to the old server keeps to its limits, and hears
   when a scripted server wants less of it. */
#include "engine-unit.h"
#include "istream.h"
#include "sleep.h"
#include "time-util.h"
#include "migration-settings.h"
#include "plugin/engine/old-budget.h"
#include "plugin/engine/old-client.h"
#include "plugin/engine/old-fetch.h"
#include "plugin/engine/old-slots.h"
#include "fake-imap.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define HOST "127.0.0.1"
#define TIMEOUT_MSECS 300
#define LINE "* OK 4567890123456789012345678901234567890123456789012345678901\r\n"
#define LINES 10000
#define BYTES (LINES * (sizeof(LINE) - 1))

#define SEND(text) { FAKE_SEND, text, 0 }
#define EXPECT(text) { FAKE_EXPECT, text, 0 }
#define WAIT_CLOSE { FAKE_WAIT_CLOSE, NULL, 0 }
#define HELLO(text) { FAKE_ACCEPT, NULL, 0 }, SEND(text)
#define LOGIN \
	HELLO("* OK [CAPABILITY IMAP4rev1] hello\r\n"), \
	EXPECT("LOGIN \"u\" \"p\"")
#define LOGGED_IN LOGIN, SEND("$0 OK [CAPABILITY IMAP4rev1] in\r\n")

static const struct fake_step talk[] = {
	LOGGED_IN, EXPECT("NOOP"), { FAKE_REPEAT, LINE, LINES },
	SEND("$0 OK\r\n"), WAIT_CLOSE, { 0 }
};

static int budget_fd, slots_fd;

/* One client, and what is known of its server. */
struct world {
	struct fake_imap fake;
	struct migration_settings set;
	struct old_client_settings client_set;
	struct old_client *client;
	struct old_budget *budget;
	enum mail_error error_code;
	const char *error;
};

static void client_begin(struct world *world, enum old_claim claim)
{
	world->client = old_client_init(&world->client_set, NULL);
	(void)old_client_set_claim(world->client, claim);
}

static void client_end(struct world *world)
{
	old_client_deinit(&world->client);
}

static void world_begin(struct world *world, const struct fake_step *steps,
			enum old_claim claim)
{
	static const struct old_budget_limits no_limits;

	CU_ASSERT_FATAL(fake_imap_start(&world->fake, steps) == 0);
	world->client_set = (struct old_client_settings) {
		.host = HOST, .port = world->fake.port,
		.user = "u", .password = "p",
		.connect_timeout_msecs = TIMEOUT_MSECS,
		.cmd_timeout_msecs = TIMEOUT_MSECS,
		.limits = old_limits_get(HOST, world->fake.port, &world->set),
	};
	world->budget = old_budget_init(budget_fd,
		old_limits_server(world->client_set.limits), &no_limits);
	world->error = "";
	client_begin(world, claim);
}

static void world_end(struct world *world)
{
	client_end(world);
	CU_ASSERT(fake_imap_finish(&world->fake) == 0);
	old_budget_deinit(&world->budget);
}

static bool run(struct world *world, const char *name)
{
	struct old_command *cmd = old_command_new(world->client, name);

	return old_command_run(&cmd, &world->error_code, &world->error) == 0;
}

static enum old_failure take_failure(struct world *world)
{
	return old_limits_take_failure(world->client_set.limits);
}

static bool is_left_alone(struct world *world)
{
	return old_budget_wait_msecs(world->budget) > 0;
}

static uint64_t today(struct world *world)
{
	struct old_budget_status status;

	old_budget_status(world->budget, &status);
	return status.today;
}

static void test_failures(void)
{
	static const struct {
		const char *name;
		struct fake_step steps[10];
		const char *command;
		enum old_failure failure;
		bool left_alone;
	} tests[] = {
		{ "greeting", { HELLO("* BYE too many connections\r\n"),
		  WAIT_CLOSE }, "NOOP", OLD_FAILURE_THROTTLED, TRUE },
		{ "another greeting", { HELLO("* BYE not now\r\n"),
		  WAIT_CLOSE }, "NOOP", OLD_FAILURE_UNREACHABLE, TRUE },
		{ "login", { LOGIN, SEND("$0 NO [LIMIT] no\r\n"), WAIT_CLOSE },
		  "NOOP", OLD_FAILURE_THROTTLED, TRUE },
		{ "Gmail", { LOGIN, SEND("$0 NO [OVERQUOTA] Account exceeded "
		  "command or bandwidth limits.\r\n"), WAIT_CLOSE },
		  "NOOP", OLD_FAILURE_USER, FALSE },
		{ "BYE to the login", { LOGIN, SEND("* BYE throttled\r\n"),
		  WAIT_CLOSE }, "NOOP", OLD_FAILURE_THROTTLED, TRUE },
		{ "wrong password", { LOGIN, SEND("$0 NO "
		  "[AUTHENTICATIONFAILED] no\r\n"), WAIT_CLOSE }, "NOOP",
		  OLD_FAILURE_LOGIN, FALSE },
		{ "a user who can't", { LOGIN, SEND("$0 NO [UNAVAILABLE] "
		  "Temporary failure\r\n"), WAIT_CLOSE }, "NOOP",
		  OLD_FAILURE_USER, FALSE },
		{ "command", { LOGGED_IN, EXPECT("SELECT x"),
		  SEND("$0 NO [THROTTLED] slowly\r\n"), WAIT_CLOSE },
		  "SELECT x", OLD_FAILURE_THROTTLED, TRUE },
		{ "command's text", { LOGGED_IN, EXPECT("SELECT x"),
		  SEND("$0 BAD Request is throttled.\r\n"), WAIT_CLOSE },
		  "SELECT x", OLD_FAILURE_THROTTLED, TRUE },
		{ "in use", { LOGGED_IN, EXPECT("SELECT x"),
		  SEND("$0 NO [INUSE] x\r\n"), WAIT_CLOSE }, "SELECT x",
		  OLD_FAILURE_NONE, FALSE },
		{ "too many flags", { LOGGED_IN, EXPECT("UID STORE 1 x"),
		  SEND("$0 NO [LIMIT] no more flags\r\n"), WAIT_CLOSE },
		  "UID STORE 1 x", OLD_FAILURE_NONE, FALSE },
		{ "BYE", { LOGGED_IN, EXPECT("NOOP"), SEND("* BYE x\r\n"),
		  WAIT_CLOSE }, "NOOP", OLD_FAILURE_NONE, FALSE },
		{ "throttled", { LOGGED_IN, EXPECT("NOOP"),
		  SEND("* BYE [LIMIT] x\r\n"), WAIT_CLOSE }, "NOOP",
		  OLD_FAILURE_THROTTLED, TRUE },
		{ "lost", { LOGGED_IN, EXPECT("NOOP"),
		  { FAKE_CLOSE, NULL, 0 } }, "NOOP", OLD_FAILURE_NONE, FALSE },
		{ "OK", { LOGGED_IN, EXPECT("NOOP"), SEND("$0 OK x\r\n"),
		  WAIT_CLOSE }, "NOOP", OLD_FAILURE_NONE, FALSE },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		struct world world = { .error = NULL };
		enum old_failure failure;
		bool left_alone;

		world_begin(&world, tests[i].steps, OLD_CLAIM_LOOK);
		(void)run(&world, tests[i].command);
		failure = take_failure(&world);
		left_alone = is_left_alone(&world);
		UNIT_CHECK(failure == tests[i].failure &&
			   left_alone == tests[i].left_alone,
			   "%s: %d, %d: %s", tests[i].name, failure,
			   left_alone, world.error);
		world_end(&world);
		CU_ASSERT(take_failure(&world) == OLD_FAILURE_NONE);
	}
}

static void test_left_alone(void)
{
	static const struct fake_step steps[] = {
		HELLO("* BYE too many connections\r\n"), WAIT_CLOSE,
		LOGGED_IN, EXPECT("NOOP"), SEND("$0 OK\r\n"), WAIT_CLOSE,
		{ 0 }
	};
	struct world world = { .error = NULL };
	unsigned int msecs;

	world_begin(&world, steps, OLD_CLAIM_LOOK);
	CU_ASSERT(!run(&world, "NOOP"));
	msecs = old_budget_wait_msecs(world.budget);
	CU_ASSERT(take_failure(&world) == OLD_FAILURE_THROTTLED);
	/* it isn't asked again */
	CU_ASSERT(!run(&world, "NOOP"));
	CU_ASSERT(strstr(world.error, "left alone") != NULL);
	CU_ASSERT(world.error_code == MAIL_ERROR_UNAVAILABLE);
	CU_ASSERT(take_failure(&world) == OLD_FAILURE_THROTTLED);
	CU_ASSERT(old_budget_wait_msecs(world.budget) <= msecs);
	/* but for a client */
	(void)old_client_set_claim(world.client, OLD_CLAIM_WAITED);
	CU_ASSERT(run(&world, "NOOP"));
	/* which proves nothing */
	CU_ASSERT(is_left_alone(&world));
	world_end(&world);
}

static void test_unreachable(void)
{
	static const struct fake_step steps[] = { { 0 } };
	struct world world = { .error = NULL };

	world_begin(&world, steps, OLD_CLAIM_LOOK);
	CU_ASSERT(fake_imap_finish(&world.fake) == 0);
	CU_ASSERT(!run(&world, "NOOP"));
	CU_ASSERT(take_failure(&world) == OLD_FAILURE_UNREACHABLE);
	CU_ASSERT(is_left_alone(&world));
	client_end(&world);
	old_budget_deinit(&world.budget);
}

/* The pauses are longer than the server may be silent. */
static void test_rate(void)
{
	struct world world = { .set = { .old_rate = BYTES } };
	struct timeval begin, end;

	i_gettimeofday(&begin);
	world_begin(&world, talk, OLD_CLAIM_LOOK);
	CU_ASSERT(run(&world, "NOOP"));
	i_gettimeofday(&end);
	/* less what may come early, and the last read */
	CU_ASSERT(timeval_diff_msecs(&end, &begin) >= 500);
	CU_ASSERT(today(&world) ==
		  old_client_counters(world.client)->bytes_in);
	world_end(&world);
}

static int body_item(void *context ATTR_UNUSED,
		     const struct old_fetch_item *item ATTR_UNUSED)
{
	return 0;
}

static int body_begin(void *context, const struct old_fetch_item *item ATTR_UNUSED,
		      struct istream *body)
{
	struct istream **body_r = context;

	*body_r = body;
	return 0;
}

static int body_more(void *context)
{
	struct istream *body = *(struct istream **)context;

	while (i_stream_read(body) > 0)
		i_stream_skip(body, i_stream_get_data_size(body));
	return 0;
}

static void body_end(void *context, const char *error)
{
	*(struct istream **)context = NULL;
	CU_ASSERT(error == NULL);
}

static void body_done(const struct old_reply *reply,
		      struct istream **body ATTR_UNUSED)
{
	CU_ASSERT(reply->state == OLD_REPLY_OK);
}

/* It is read past the client. */
static void test_body(void)
{
	static const struct old_fetch_handler handler = {
		.item = body_item,
		.body_begin = body_begin,
		.body_more = body_more,
		.body_end = body_end,
	};
	static const struct old_fetch_request request = {
		.uids = "1", .fields = OLD_FETCH_BODY,
	};
	static const struct fake_step steps[] = {
		LOGGED_IN, EXPECT("UID FETCH 1 (UID BODY.PEEK[])"),
		SEND("* 1 FETCH (UID 1 BODY[] {100000}\r\n"),
		{ FAKE_REPEAT, "0123456789", 10000 }, SEND(")\r\n$0 OK x\r\n"),
		WAIT_CLOSE, { 0 }
	};
	struct world world = { .error = NULL };
	struct istream *body = NULL;

	world_begin(&world, steps, OLD_CLAIM_LOOK);
	old_fetch_send(world.client, &request, &handler, body_done, &body);
	CU_ASSERT(old_client_wait(world.client, &world.error_code,
				  &world.error) == 0);
	CU_ASSERT(today(&world) ==
		  old_client_counters(world.client)->bytes_in);
	CU_ASSERT(today(&world) > 100000);
	world_end(&world);
}

/* It would take hours. */
static void test_rate_waited(void)
{
	struct world world = { .set = { .old_rate = 64 } };

	world_begin(&world, talk, OLD_CLAIM_WAITED);
	CU_ASSERT(run(&world, "NOOP"));
	CU_ASSERT(today(&world) >= BYTES);
	world_end(&world);
}

static void test_daily(void)
{
	static const struct fake_step steps[] = {
		LOGGED_IN, EXPECT("NOOP"), { FAKE_REPEAT, LINE, 1000 },
		WAIT_CLOSE,
		LOGGED_IN, EXPECT("NOOP"), SEND("$0 OK\r\n"), WAIT_CLOSE,
		{ 0 }
	};
	struct world world = { .set = { .old_daily = 10000 } };

	world_begin(&world, steps, OLD_CLAIM_FILL);
	CU_ASSERT(!run(&world, "NOOP"));
	CU_ASSERT(world.error_code == MAIL_ERROR_LIMIT);
	CU_ASSERT(strstr(world.error, "migration_old_daily") != NULL);
	CU_ASSERT(take_failure(&world) == OLD_FAILURE_DAILY);
	CU_ASSERT(!is_left_alone(&world));
	CU_ASSERT(!run(&world, "NOOP"));
	CU_ASSERT(take_failure(&world) == OLD_FAILURE_DAILY);
	(void)old_client_set_claim(world.client, OLD_CLAIM_LOOK);
	CU_ASSERT(run(&world, "NOOP"));
	world_end(&world);
}

/* Another process has the only slot for so long; 0: until it's killed. */
static pid_t have_slot(const char *path, unsigned int msecs)
{
	struct old_slots *slots;
	int fd, pipe_fds[2];
	char byte;
	pid_t pid;

	CU_ASSERT_FATAL(pipe(pipe_fds) == 0);
	fflush(NULL);
	if ((pid = fork()) == 0) {
		fd = open(path, O_RDWR);
		slots = old_slots_init(fd, HOST, 1, NULL);
		if (old_slots_want(slots, 1) != 1 ||
		    write(pipe_fds[1], "", 1) != 1)
			_exit(1);
		i_sleep_msecs(msecs);
		old_slots_deinit(&slots);
		_exit(0);
	}
	i_close_fd(&pipe_fds[1]);
	CU_ASSERT(read(pipe_fds[0], &byte, 1) == 1);
	i_close_fd(&pipe_fds[0]);
	return pid;
}

static const char *slots_path;

static void test_slots(void)
{
	static const struct fake_step steps[] = {
		LOGGED_IN, EXPECT("NOOP"), SEND("$0 OK\r\n"), WAIT_CLOSE,
		LOGGED_IN, EXPECT("NOOP"), SEND("$0 OK\r\n"), WAIT_CLOSE,
		{ 0 }
	};
	struct world world = { .set = { .old_connections = 1 } };
	pid_t pid = have_slot(slots_path, TIMEOUT_MSECS / 2);

	world_begin(&world, steps, OLD_CLAIM_LOOK);
	/* it's waited for */
	CU_ASSERT(run(&world, "NOOP"));
	CU_ASSERT(take_failure(&world) == OLD_FAILURE_NONE);
	CU_ASSERT(engine_unit_wait(pid) == 0);
	client_end(&world);
	/* and given back */
	pid = have_slot(slots_path, 30 * 1000);
	client_begin(&world, OLD_CLAIM_LOOK);
	CU_ASSERT(!run(&world, "NOOP"));
	CU_ASSERT(strstr(world.error, "migration_old_connections") != NULL);
	CU_ASSERT(take_failure(&world) == OLD_FAILURE_NO_SLOT);
	CU_ASSERT(!is_left_alone(&world));
	CU_ASSERT(kill(pid, SIGKILL) == 0 && engine_unit_wait(pid) == -1);
	CU_ASSERT(run(&world, "NOOP"));
	world_end(&world);
}

static void test_no_limits(void)
{
	static const struct migration_settings set;

	old_limits_deinit_all();
	CU_ASSERT(old_limits_get(HOST, 143, &set) == NULL);
	old_limits_set_files(-1, -1);
	CU_ASSERT(old_limits_get(HOST, 143, &set) ==
		  old_limits_get(HOST, 143, &set));
	CU_ASSERT(old_limits_get("OLD.example", 143, &set) !=
		  old_limits_get(HOST, 143, &set));
	CU_ASSERT(strcmp(old_limits_server(old_limits_get("OLD.example", 143,
							  &set)),
			 "old.example:143") == 0);
	old_limits_deinit_all();
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CU_ASSERT_FATAL(fd != -1);
	return fd;
}

static void test_open_files(void)
{
	const char *dir = engine_unit_dir();

	slots_path = t_strconcat(dir, "/"OLD_SLOTS_FILE, NULL);
	slots_fd = open_file(slots_path);
	budget_fd = open_file(t_strconcat(dir, "/"OLD_BUDGET_FILE, NULL));
	old_limits_set_files(budget_fd, slots_fd);
}

static void test_close_files(void)
{
	old_limits_deinit_all();
	i_close_fd(&slots_fd);
	i_close_fd(&budget_fd);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "its files", test_open_files },
		{ "failures", test_failures },
		{ "left alone", test_left_alone },
		{ "unreachable", test_unreachable },
		{ "body", test_body },
		{ "rate", test_rate },
		{ "rate, and a client waits", test_rate_waited },
		{ "daily", test_daily },
		{ "slots", test_slots },
		{ "end", test_close_files },
		{ "no limits", test_no_limits },
		{ NULL, NULL }
	};

	return engine_unit_run("old-limits", tests);
}
