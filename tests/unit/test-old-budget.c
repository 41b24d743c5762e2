/* test-old-budget: the limits hold whoever draws from them, and whoever dies; a
   broken file stops nobody. */
#include "engine-unit.h"
#include "buffer.h"
#include "sleep.h"
#include "plugin/engine/old-budget.h"
#include "plugin/engine/old-budget-file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SERVER "old.example:143"
#define BLOCK (16 * 1024)
#define DRAWERS 4
#define DRAW_RATE (8 * 1024 * 1024)
#define DRAW_USECS 600000
#define DRAW_SECS 30

static const struct old_budget_limits no_limits;
static uint64_t clock_usecs;
static uint64_t (*real_usecs)(void);

static uint64_t test_usecs(void)
{
	return clock_usecs;
}

static void clock_add_msecs(uint64_t msecs)
{
	clock_usecs += msecs * 1000;
}

/* Noon of some day, local time. */
static void clock_begin(void)
{
	struct tm tm = {
		.tm_year = 130, .tm_mon = 4, .tm_mday = 6, .tm_hour = 12,
		.tm_isdst = -1,
	};

	clock_usecs = mktime(&tm) * 1000000ULL;
	real_usecs = old_budget_now_usecs;
	old_budget_now_usecs = test_usecs;
}

static void clock_end(void)
{
	old_budget_now_usecs = real_usecs;
}

static int budget_file(const char *dir)
{
	int fd = open(t_strconcat(dir, "/"OLD_BUDGET_FILE, NULL),
		      O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CU_ASSERT_FATAL(fd != -1);
	return fd;
}

static struct old_budget *
budget_of(int fd, const char *server, uint64_t rate, uint64_t daily)
{
	const struct old_budget_limits limits = {
		.rate = rate, .daily = daily,
	};

	return old_budget_init(fd, server, &limits);
}

static uint64_t today(struct old_budget *budget)
{
	struct old_budget_status status;

	old_budget_status(budget, &status);
	return status.today;
}

/* How many bytes there are in ten seconds. */
static uint64_t draw_10_secs(struct old_budget *budget, uint64_t block)
{
	uint64_t begin = clock_usecs, sum = 0;

	while (clock_usecs < begin + 10 * 1000000ULL) {
		clock_add_msecs(old_budget_take(budget, block));
		sum += block;
	}
	return sum;
}

static void check_near(uint64_t bytes, uint64_t expected)
{
	UNIT_CHECK(bytes >= expected * 95 / 100 && bytes <= expected * 105 / 100,
		   "%llu instead of %llu", (unsigned long long)bytes,
		   (unsigned long long)expected);
}

static void test_rate(void)
{
	struct old_budget *budget, *other;
	int fd = budget_file(engine_unit_dir());

	clock_begin();
	budget = budget_of(fd, SERVER, 1000000, 0);
	check_near(draw_10_secs(budget, 1000), 10000000);
	check_near(draw_10_secs(budget, 500000), 10000000);
	/* another server has a rate of its own */
	other = budget_of(fd, "other.example:143", 1000000, 0);
	CU_ASSERT(old_budget_take(other, 100000) == 0);
	old_budget_deinit(&other);
	/* what another process reads counts */
	other = budget_of(fd, SERVER, 1000000, 0);
	CU_ASSERT(old_budget_take(other, 5000000) >= 4800);
	CU_ASSERT(old_budget_take(budget, 1) >= 4800);
	/* nothing is saved up */
	clock_add_msecs(60 * 1000);
	check_near(draw_10_secs(budget, 1000), 10000000);
	old_budget_deinit(&other);
	old_budget_deinit(&budget);
	/* large numbers */
	budget = budget_of(-1, SERVER, 1, 0);
	CU_ASSERT(old_budget_take(budget, UINT64_MAX) > 0);
	old_budget_deinit(&budget);
	budget = budget_of(-1, SERVER, UINT64_MAX, UINT64_MAX);
	CU_ASSERT(old_budget_take(budget, UINT64_MAX) == 0);
	old_budget_deinit(&budget);
	clock_end();
	i_close_fd(&fd);
}

/* A process that draws what it may, until it's killed. */
static pid_t draw(const char *dir)
{
	struct old_budget *budget;
	unsigned int msecs;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) != 0)
		return pid;
	(void)alarm(DRAW_SECS);
	budget = budget_of(budget_file(dir), SERVER, DRAW_RATE, 0);
	for (;;) {
		msecs = old_budget_take(budget, BLOCK);
		if (msecs > 0)
			i_sleep_msecs(msecs);
	}
}

/* The bytes that were drawn until the time is over. */
static uint64_t drawn_until(struct old_budget *budget, uint64_t usecs)
{
	uint64_t now = old_budget_now_usecs();

	if (now < usecs)
		i_sleep_usecs(usecs - now);
	return today(budget);
}

static void kill_drawer(pid_t pid)
{
	CU_ASSERT(kill(pid, SIGKILL) == 0);
	CU_ASSERT(engine_unit_wait(pid) == -1);
}

static void test_processes(void)
{
	const char *dir = engine_unit_dir();
	int fd = budget_file(dir);
	struct old_budget *budget = budget_of(fd, SERVER, DRAW_RATE, 0);
	uint64_t begin = old_budget_now_usecs(), bytes, expected, usecs;
	pid_t pids[DRAWERS];

	for (unsigned int i = 0; i < DRAWERS; i++)
		pids[i] = draw(dir);
	(void)drawn_until(budget, begin + DRAW_USECS / 2);
	kill_drawer(pids[0]);
	bytes = drawn_until(budget, begin + DRAW_USECS);
	usecs = old_budget_now_usecs() - begin;
	for (unsigned int i = 1; i < DRAWERS; i++)
		kill_drawer(pids[i]);
	/* besides the time: what may come early, and a block of each */
	expected = DRAW_RATE * usecs / 1000000;
	UNIT_CHECK(bytes >= expected / 2 &&
		   bytes <= expected + DRAW_RATE / 5 + DRAWERS * BLOCK,
		   "%llu instead of %llu", (unsigned long long)bytes,
		   (unsigned long long)expected);
	old_budget_deinit(&budget);
	i_close_fd(&fd);
}

static void test_day(void)
{
	int fd = budget_file(engine_unit_dir());
	struct old_budget *budget;
	int64_t until;

	clock_begin();
	budget = budget_of(fd, SERVER, 0, 1000);
	CU_ASSERT(old_budget_has_today(budget, &until));
	CU_ASSERT(until == (int64_t)(clock_usecs / 1000000) + 12 * 3600);
	CU_ASSERT(old_budget_take(budget, 999) == 0);
	CU_ASSERT(old_budget_has_today(budget, &until));
	CU_ASSERT(old_budget_take(budget, 1) == 0);
	CU_ASSERT(!old_budget_has_today(budget, &until));
	old_budget_deinit(&budget);
	/* after a restart */
	budget = budget_of(fd, SERVER, 0, 1000);
	CU_ASSERT(!old_budget_has_today(budget, &until));
	CU_ASSERT(today(budget) == 1000);
	clock_add_msecs(12 * 3600 * 1000 - 1);
	CU_ASSERT(!old_budget_has_today(budget, &until));
	clock_add_msecs(1);
	CU_ASSERT(old_budget_has_today(budget, &until));
	CU_ASSERT(today(budget) == 0);
	CU_ASSERT(until == (int64_t)(clock_usecs / 1000000) + 24 * 3600);
	(void)old_budget_take(budget, 7);
	CU_ASSERT(today(budget) == 7);
	old_budget_deinit(&budget);
	clock_end();
	i_close_fd(&fd);
}

static void test_back_off(void)
{
	int fd = budget_file(engine_unit_dir());
	struct old_budget *budget = old_budget_init(fd, SERVER, &no_limits);
	unsigned int i, msecs, expected = OLD_BUDGET_BACK_OFF_MIN_MSECS;

	clock_begin();
	CU_ASSERT(old_budget_wait_msecs(budget) == 0);
	for (i = 0; i < 20; i++) {
		msecs = old_budget_back_off(budget);
		UNIT_CHECK(msecs >= expected && msecs <= expected * 3 / 2,
			   "%u: %u instead of %u", i, msecs, expected);
		CU_ASSERT(old_budget_wait_msecs(budget) == msecs);
		/* others hear the same */
		clock_add_msecs(1);
		CU_ASSERT(old_budget_back_off(budget) == msecs - 1);
		clock_add_msecs(msecs - 1);
		CU_ASSERT(old_budget_wait_msecs(budget) == 0);
		expected = I_MIN(expected * 2, OLD_BUDGET_BACK_OFF_MAX_MSECS);
	}
	CU_ASSERT(expected == OLD_BUDGET_BACK_OFF_MAX_MSECS);
	/* a login that is just possible again proves nothing */
	old_budget_succeeded(budget);
	CU_ASSERT(old_budget_back_off(budget) >= expected);
	/* nor does one that was there before */
	old_budget_succeeded(budget);
	CU_ASSERT(old_budget_wait_msecs(budget) >= expected);
	clock_add_msecs(3 * OLD_BUDGET_BACK_OFF_MAX_MSECS);
	old_budget_succeeded(budget);
	msecs = old_budget_back_off(budget);
	CU_ASSERT(msecs <= OLD_BUDGET_BACK_OFF_MIN_MSECS * 3 / 2);
	old_budget_deinit(&budget);
	clock_end();
	i_close_fd(&fd);
}

static void test_clock(void)
{
	int fd = budget_file(engine_unit_dir());
	struct old_budget *budget = budget_of(fd, SERVER, 1000, 0);

	/* it's set back by a day */
	clock_begin();
	(void)old_budget_back_off(budget);
	(void)old_budget_take(budget, 1000);
	clock_usecs -= 24 * 3600 * 1000000ULL;
	CU_ASSERT(old_budget_wait_msecs(budget) == 0);
	CU_ASSERT(old_budget_take(budget, 1) == 0);
	old_budget_deinit(&budget);
	clock_end();
	i_close_fd(&fd);
}

static unsigned int warnings;

static void count_warning(const struct failure_context *ctx,
			  const char *format ATTR_UNUSED,
			  va_list args ATTR_UNUSED)
{
	if (ctx->type == LOG_TYPE_WARNING)
		warnings++;
}

static void check_broken(int fd, unsigned int expected_warnings)
{
	failure_callback_t *fatal, *error, *info, *debug;
	struct old_budget *budget;
	int64_t until;

	i_get_failure_handlers(&fatal, &error, &info, &debug);
	i_set_error_handler(count_warning);
	warnings = 0;
	budget = budget_of(fd, SERVER, 1000000, 1000000);
	i_set_error_handler(error);
	UNIT_CHECK(warnings == expected_warnings, "%u warnings", warnings);
	CU_ASSERT(old_budget_take(budget, 1) == 0);
	CU_ASSERT(old_budget_has_today(budget, &until));
	CU_ASSERT(old_budget_wait_msecs(budget) == 0);
	CU_ASSERT(old_budget_back_off(budget) > 0);
	CU_ASSERT(old_budget_wait_msecs(budget) > 0);
	old_budget_succeeded(budget);
	old_budget_deinit(&budget);
	i_close_fd(&fd);
}

static void test_broken(void)
{
	const char *dir = engine_unit_dir();
	const char *path = t_strconcat(dir, "/"OLD_BUDGET_FILE, NULL);
	struct old_budget_map map;
	struct stat st;
	buffer_t *data;
	uint64_t magic;
	int fd;

	memset(&map, 0xff, sizeof(map));
	engine_unit_write(path, &map, sizeof(map));
	check_broken(budget_file(dir), 1);
	engine_unit_write(path, "nonsense", 8);
	check_broken(budget_file(dir), 1);
	engine_unit_write(path, "", 0);
	check_broken(budget_file(dir), 0);
	/* too long */
	data = t_buffer_create(2 * sizeof(map));
	buffer_append_zero(data, 2 * sizeof(map));
	engine_unit_write(path, data->data, data->used);
	check_broken(budget_file(dir), 0);
	CU_ASSERT(stat(path, &st) == 0 && st.st_size == sizeof(map));
	/* the entries alone */
	data = engine_unit_read(path);
	memcpy(&magic, data->data, sizeof(magic));
	memset(&map, 0xff, sizeof(map));
	map.magic = magic;
	engine_unit_write(path, &map, sizeof(map));
	check_broken(budget_file(dir), 0);
	/* it can't be mapped */
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	CU_ASSERT_FATAL(fd != -1);
	check_broken(fd, 1);
}

static void test_full(void)
{
	int fd = budget_file(engine_unit_dir());
	struct old_budget *budget;

	for (unsigned int i = 0; i < OLD_BUDGET_ENTRIES + 10; i++) {
		budget = budget_of(fd, t_strdup_printf("old%u:143", i), 0, 0);
		CU_ASSERT(i >= OLD_BUDGET_ENTRIES || today(budget) == 0);
		(void)old_budget_take(budget, i + 1);
		CU_ASSERT(today(budget) >= i + 1);
		old_budget_deinit(&budget);
	}
	budget = budget_of(fd, "old0:143", 0, 0);
	CU_ASSERT(today(budget) >= 1);
	old_budget_deinit(&budget);
	i_close_fd(&fd);
}

static void test_share(void)
{
	int fd = budget_file(engine_unit_dir());
	struct old_budget *scheduler = budget_of(fd, "other:143", 0, 0);
	struct old_budget *budget = budget_of(fd, SERVER, 1000000, 9000);
	int64_t until;

	clock_begin();
	CU_ASSERT(old_budget_share(budget) == 1);
	old_budget_set_share(scheduler, 3);
	CU_ASSERT(old_budget_share(budget) == 3);
	(void)old_budget_take(budget, 2999);
	CU_ASSERT(old_budget_has_today(budget, &until));
	(void)old_budget_take(budget, 1);
	CU_ASSERT(!old_budget_has_today(budget, &until));
	check_near(draw_10_secs(budget, 1000), 3333333);
	old_budget_set_share(scheduler, 1);
	check_near(draw_10_secs(budget, 1000), 10000000);
	old_budget_deinit(&budget);
	old_budget_deinit(&scheduler);
	clock_end();
	i_close_fd(&fd);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "rate", test_rate },
		{ "processes", test_processes },
		{ "day", test_day },
		{ "back off", test_back_off },
		{ "clock", test_clock },
		{ "broken file", test_broken },
		{ "full table", test_full },
		{ "share", test_share },
		{ NULL, NULL }
	};

	return engine_unit_run("old-budget", tests);
}
