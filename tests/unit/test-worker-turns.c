/* The worker's turns: what is done together, in which order, and when not. The
   mirror and the server are this test's own. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "str.h"
#include "engine/mirror-backoff.h"
#include "worker/worker-answer.h"
#include "worker/worker-request.h"
#include "worker/worker-server.h"
#include "engine/old-slots.h"
#include "worker/worker-turns-private.h"

#include "engine-unit.h"
#include "unit.h"

static struct worker_turns *turns;
/* what was done, and what was answered to whom */
static string_t *done;
/* the mirror fails, having no connection */
static bool away;
static unsigned int slots_left, rtt_msecs;
static const struct fill_observer *observer;
/* comes while the next turn is under way */
static const char *late_request;

static void ask(const char *conn, const char *line);

/* A connection is the name of a client, a literal. */
static struct worker_connection *connection(const char *name)
{
	return (struct worker_connection *)name;
}

static const char *first_word(const char *line)
{
	return t_strcut(line, '\t');
}

void worker_server_answer(struct worker_request **request, const char *line)
{
	str_printfa(done, "%s:%s ", (const char *)(*request)->conn,
		    first_word(line));
	worker_request_free(request);
}

/* whose connection is closed */
static const char *left;

bool worker_server_is_left(const struct worker_request *request)
{
	return left != NULL && strcmp((const char *)request->conn, left) == 0;
}

void worker_server_tell(struct worker_request *request, const char *line)
{
	str_printfa(done, "%s:%s ", (const char *)request->conn,
		    t_str_replace(line, '\t', ','));
}

void worker_server_drop(struct worker_request **request)
{
	str_printfa(done, "%s dropped ", (const char *)(*request)->conn);
	worker_request_free(request);
}

unsigned int old_slots_want(struct old_slots *slots ATTR_UNUSED,
			       unsigned int count)
{
	return I_MIN(slots_left, count);
}

static void mirror_called(const char *fmt, ...)
{
	const char *late = late_request;
	va_list args;

	va_start(args, fmt);
	str_vprintfa(done, fmt, args);
	va_end(args);
	CU_ASSERT(worker_turns_running(turns));
	late_request = NULL;
	if (late != NULL)
		ask("late", late);
}

static enum mirror_answer
mirror_result(enum mail_error *error_code_r, const char **error_r)
{
	*error_code_r = MAIL_ERROR_UNAVAILABLE;
	*error_r = "away";
	return away ? MIRROR_FAILED : MIRROR_DONE;
}

void mirror_write(struct mirror *mirror ATTR_UNUSED, const char *vname,
		  const ARRAY_TYPE(mirror_write) *writes)
{
	struct mirror_write *write;

	mirror_called("write(%s*%u) ", vname, array_count(writes));
	array_foreach_elem(writes, write)
		write->answer = mirror_result(&write->error_code,
					      &write->error);
}

enum mirror_answer
mirror_refresh(struct mirror *mirror ATTR_UNUSED, const char *vname,
	       bool *changed_r, enum mail_error *error_code_r,
	       const char **error_r)
{
	mirror_called("refresh(%s) ", vname);
	*changed_r = FALSE;
	return mirror_result(error_code_r, error_r);
}

enum mirror_answer
mirror_fill(struct mirror *mirror ATTR_UNUSED, const char *vname,
	    enum fill_flags flags ATTR_UNUSED, struct fill_result *result_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	mirror_called("fill(%s) ", vname);
	observer->begin(observer->context, vname, "fetched", 1, 2000);
	observer->progress(observer->context, 2000);
	i_zero(result_r);
	return mirror_result(error_code_r, error_r);
}

void mirror_set_claim(struct mirror *mirror ATTR_UNUSED,
		      enum old_claim claim ATTR_UNUSED)
{
}

int mirror_cutover_prepare(struct mirror *mirror ATTR_UNUSED,
			   const ARRAY_TYPE(const_string) *vnames ATTR_UNUSED,
			   enum mail_error *error_code_r, const char **error_r)
{
	mirror_called("prepare ");
	return mirror_result(error_code_r, error_r) == MIRROR_DONE ? 0 : -1;
}

int mirror_cutover(struct mirror *mirror ATTR_UNUSED,
		   const ARRAY_TYPE(const_string) *vnames ATTR_UNUSED,
		   ARRAY_TYPE(cutover_result) *results_r ATTR_UNUSED,
		   enum mail_error *error_code_r, const char **error_r)
{
	mirror_called("cutover ");
	return mirror_result(error_code_r, error_r) == MIRROR_DONE ? 0 : -1;
}

int mirror_catchup(struct mirror *mirror ATTR_UNUSED, enum catchup_flags flags,
		   struct catchup_result *result_r,
		   enum mail_error *error_code_r, const char **error_r)
{
	mirror_called("catchup(%u) ", flags);
	i_zero(result_r);
	return mirror_result(error_code_r, error_r) == MIRROR_DONE ? 0 : -1;
}

void mirror_release(struct mirror *mirror ATTR_UNUSED)
{
	mirror_called("release ");
}

void mirror_set_observer(struct mirror *mirror ATTR_UNUSED,
			 const struct fill_observer *new_observer)
{
	observer = new_observer;
}

unsigned int mirror_rtt_msecs(const struct mirror *mirror ATTR_UNUSED)
{
	return rtt_msecs;
}

bool mirror_is_held_back(const struct mirror *mirror ATTR_UNUSED)
{
	return FALSE;
}

bool mirror_is_connected(const struct mirror *mirror ATTR_UNUSED)
{
	return !away;
}

/* Words are separated by ' '. */
static void ask(const char *conn, const char *line)
{
	struct worker_request *request;
	const char *error;

	CU_ASSERT_FATAL(worker_request_parse(t_strsplit(line, " "), &request,
					     &error) == 0);
	request->conn = connection(conn);
	worker_turns_add(turns, request);
}

static void no_states(void *context ATTR_UNUSED)
{
}

static void refreshed(void *context ATTR_UNUSED, const char *vname)
{
	str_printfa(done, "refreshed(%s) ", vname);
}

static void caught_up(void *context ATTR_UNUSED, bool success)
{
	str_printfa(done, "caught_up(%s) ", success ? "yes" : "no");
}

static void begin(void)
{
	static const struct worker_turns_callbacks callbacks = {
		.states_changed = no_states,
		.refreshed = refreshed,
		.caught_up = caught_up,
		.turn_ended = no_states,
	};

	done = t_str_new(256);
	away = FALSE;
	left = NULL;
	slots_left = 2;
	turns = worker_turns_init(NULL, NULL, &callbacks, NULL);
}

static void stop(void *context ATTR_UNUSED)
{
	io_loop_stop(current_ioloop);
}

static void run_for(unsigned int msecs)
{
	struct timeout *to = timeout_add_short(msecs, stop, NULL);

	io_loop_run(current_ioloop);
	timeout_remove(&to);
}

/* Nothing here takes as long. */
static void run(void)
{
	run_for(50);
}

static void check(const char *expected)
{
	UNIT_CHECK(strcmp(str_c(done), expected) == 0, "%s", str_c(done));
	str_truncate(done, 0);
}

static void end(const char *expected)
{
	worker_turns_deinit(&turns);
	check(expected);
}

static void test_together(void)
{
	begin();
	ask("a", "WRITE box 7 expunge 1");
	ask("b", "WRITE other 7 expunge 1");
	ask("c", "FRESH box 0");
	ask("d", "WRITE box 7 expunge 2");
	ask("e", "FRESH box 100");
	worker_turns_refresh(turns, "box");
	worker_turns_refresh(turns, "third");
	worker_turns_refresh(turns, "third");
	run();
	end("write(box*2) a:OK d:OK write(other*1) b:OK "
	    "refresh(box) refreshed(box) c:OK e:OK "
	    "refresh(third) refreshed(third) ");
}

/* What comes in a turn waits for its end. */
/* Nothing is done for who doesn't wait any more. */
static void test_left(void)
{
	begin();
	left = "b";
	ask("a", "WRITE box 7 expunge 1");
	ask("b", "WRITE box 7 expunge 2");
	ask("c", "WRITE other 7 expunge 3");
	run();
	end("write(box*1) a:OK b:NO write(other*1) c:OK ");
}

static void test_alive(void)
{
	begin();
	ask("a", "WRITE box 7 expunge 1");
	ask("b", "FRESH box 0");
	ask("c", "FILL box 0");
	worker_turn_tell_alive(turns);
	check("a:PROGRESS c:PROGRESS ");
	run();
	end("write(box*1) a:OK refresh(box) refreshed(box) b:OK fill(box) "
	    "c:PROGRESS,fetched,1,2000 c:PROGRESS,2000 c:OK ");
}

static void test_in_turn(void)
{
	begin();
	late_request = "WRITE box 7 expunge 2";
	ask("a", "WRITE box 7 expunge 1");
	run();
	end("write(box*1) a:OK write(box*1) late:OK ");
}

static void test_cutover(void)
{
	begin();
	late_request = "WRITE box 7 expunge 2";
	ask("a", "CUTOVER box");
	run();
	check("prepare write(box*1) late:OK cutover a:OK ");
	ask("a", "FILL box 0");
	run();
	end("fill(box) a:PROGRESS,fetched,1,2000 a:PROGRESS,2000 a:OK ");
}

/* One look does for all that wait for it, with the flags of each; it costs little
   (4) when that is what each wants. */
static void test_catchup(void)
{
	begin();
	ask("a", "WRITE box 7 expunge 1");
	worker_turns_catchup(turns);
	ask("b", "CATCHUP 0 4");
	ask("c", "FRESH box 0");
	worker_turns_catchup(turns);
	run();
	check("write(box*1) a:OK catchup(4) caught_up(yes) b:OK "
	      "refresh(box) refreshed(box) c:OK ");
	ask("a", "CATCHUP 0 4");
	ask("b", "CATCHUP 0 2");
	ask("c", "CATCHUP 0 1");
	run();
	check("catchup(3) caught_up(yes) a:OK b:OK c:OK ");
	/* who asks while one is under way isn't answered by it */
	late_request = "CATCHUP 0 0";
	ask("a", "CATCHUP 0 0");
	run();
	end("catchup(0) caught_up(yes) a:OK catchup(0) caught_up(yes) "
	    "late:OK ");
}

/* Each look of its own accord waits as users' requests do. */
static void test_catchup_away(void)
{
	begin();
	away = TRUE;
	worker_turns_catchup(turns);
	run();
	check("catchup(4) caught_up(no) ");
	worker_turns_catchup(turns);
	ask("a", "CATCHUP 0 0");
	run();
	check("a:NO ");
	slots_left = 0;
	away = FALSE;
	worker_turns_old_server_seen(turns);
	worker_turns_catchup(turns);
	ask("a", "CATCHUP 0 0");
	run();
	check("a:NO ");
	slots_left = 1;
	ask("a", "CATCHUP 0 0");
	run();
	end("catchup(0) caught_up(yes) a:OK ");
}

static void test_pause(void)
{
	static const char conn[] = "a";

	begin();
	ask(conn, "PAUSE");
	ask("b", "WRITE box 7 expunge 1");
	ask("c", "PAUSE");
	run();
	check("release a:OK release c:OK ");
	worker_turns_resume(turns, connection(conn));
	run();
	check("");
	end("b dropped ");
}

static void test_resume(void)
{
	static const char conn[] = "a";

	begin();
	ask(conn, "PAUSE");
	ask("b", "WRITE box 7 expunge 1");
	run();
	check("release a:OK ");
	worker_turns_resume(turns, connection(conn));
	worker_turns_resume(turns, connection(conn));
	run();
	end("write(box*1) b:OK ");
}

/* Only the first one waits for an old server that is away. */
static void test_away(void)
{
	begin();
	away = TRUE;
	ask("a", "FRESH box 0");
	run();
	check("refresh(box) a:NO ");
	ask("b", "FRESH box 0");
	ask("c", "WRITE box 7 expunge 1");
	ask("d", "FILL box 0");
	run();
	check("b:NO c:NO d:NO ");
	worker_turns_refresh(turns, "box");
	run();
	check("");
	/* the administrator tries again before users do */
	run_for(MIRROR_BACKOFF_MIN_MSECS);
	ask("d", "FILL box 0");
	run();
	check("fill(box) d:PROGRESS,fetched,1,2000 d:PROGRESS,2000 d:NO ");
	run_for(MIRROR_BACKOFF_MIN_MSECS);
	ask("e", "WRITE box 7 expunge 1");
	run();
	check("e:NO ");
	away = FALSE;
	worker_turns_old_server_seen(turns);
	ask("e", "WRITE box 7 expunge 1");
	run();
	end("write(box*1) e:OK ");
}

static void test_no_slot(void)
{
	begin();
	slots_left = 0;
	ask("a", "FRESH box 0");
	ask("b", "WRITE box 7 expunge 1");
	ask("c", "PAUSE");
	run();
	end("a:NO b:NO release c:OK ");
}

static void test_freshness(void)
{
	begin();
	CU_ASSERT(worker_turns_freshness_msecs(turns) == 2000);
	rtt_msecs = 100;
	CU_ASSERT(worker_turns_freshness_msecs(turns) == 400);
	rtt_msecs = 1000;
	CU_ASSERT(worker_turns_freshness_msecs(turns) == 2000);
	end("");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "what is done together", test_together },
		{ "left", test_left },
		{ "alive", test_alive },
		{ "asked in a turn", test_in_turn },
		{ "cutover", test_cutover },
		{ "catch-up", test_catchup },
		{ "catch-up, old server away", test_catchup_away },
		{ "pause", test_pause },
		{ "resume", test_resume },
		{ "old server away", test_away },
		{ "no slot", test_no_slot },
		{ "freshness", test_freshness },
		{ NULL, NULL }
	};

	return engine_unit_run("worker-turns", tests);
}
