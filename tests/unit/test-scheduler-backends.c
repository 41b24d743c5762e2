/* test-scheduler-backends: how many backends there are, seen by each of them in a
   dict that is a file. */
#include "engine-unit.h"
#include "dict.h"
#include "ioloop.h"
#include "scheduler/scheduler-backends.h"

#include <sys/stat.h>
#include <unistd.h>

struct machine {
	struct scheduler_backends *backends;
	unsigned int machines, changes;
};

static void changed(void *context, unsigned int machines)
{
	struct machine *machine = context;

	machine->machines = machines;
	machine->changes++;
}

static void machine_begin(struct machine *machine, const char *names,
			  const char *uri)
{
	const char *error = "";

	machine->changes = 0;
	UNIT_CHECK(scheduler_backends_init(names, uri, "/nonexistent", changed,
					   machine, &machine->backends,
					   &error) == 0, "%s", error);
}

static void machine_end(struct machine *machine)
{
	scheduler_backends_deinit(&machine->backends);
}

static const char *file_uri(const char *dir)
{
	return t_strdup_printf("file:%s/dict", dir);
}

/* The clock of the first look is the real one. */
static uint64_t begin_msecs(void)
{
	struct timespec ts;

	CU_ASSERT_FATAL(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void test_two(void)
{
	const char *uri = file_uri(engine_unit_dir());
	struct machine a, b;
	uint64_t now = begin_msecs();
	unsigned int i;

	machine_begin(&a, "a b", uri);
	CU_ASSERT(a.machines == 1);
	machine_begin(&b, "b a", uri);
	CU_ASSERT(b.machines == 2);
	for (i = 0; i < 10; i++) {
		now += SCHEDULER_BACKENDS_MSECS;
		scheduler_backends_look(a.backends, now);
		scheduler_backends_look(b.backends, now);
		CU_ASSERT(a.machines == 2 && b.machines == 2);
	}
	CU_ASSERT(a.changes == 2 && b.changes == 1);
	/* b hangs */
	scheduler_backends_look(a.backends, now);
	scheduler_backends_look(a.backends,
				now + SCHEDULER_BACKENDS_GONE_MSECS);
	CU_ASSERT(a.machines == 2);
	now += SCHEDULER_BACKENDS_GONE_MSECS + SCHEDULER_BACKENDS_MSECS;
	scheduler_backends_look(a.backends, now);
	CU_ASSERT(a.machines == 1);
	/* and goes on */
	scheduler_backends_look(b.backends, now);
	scheduler_backends_look(a.backends, now);
	CU_ASSERT(a.machines == 2 && b.machines == 2);
	/* an end is seen at once */
	machine_end(&b);
	scheduler_backends_look(a.backends, now + 1);
	CU_ASSERT(a.machines == 1);
	machine_end(&a);
}

/* Its name is there still, but nobody is. */
static void test_left_behind(void)
{
	const char *uri = file_uri(engine_unit_dir());
	struct machine a, b;
	uint64_t now;

	machine_begin(&b, "b a", uri);
	machine_begin(&a, "a b c", uri);
	CU_ASSERT(a.machines == 2);
	now = begin_msecs() + SCHEDULER_BACKENDS_GONE_MSECS;
	scheduler_backends_look(a.backends, now - SCHEDULER_BACKENDS_MSECS);
	CU_ASSERT(a.machines == 2);
	scheduler_backends_look(a.backends, now + 1000);
	CU_ASSERT(a.machines == 1);
	machine_end(&a);
	machine_end(&b);
}

static unsigned int errors;

static void count_error(const struct failure_context *ctx,
			const char *format ATTR_UNUSED,
			va_list args ATTR_UNUSED)
{
	if (ctx->type == LOG_TYPE_ERROR)
		errors++;
}

/* All that are configured share, as long as it isn't known better. */
static void test_no_dict(void)
{
	const char *path = t_strconcat(engine_unit_dir(), "/folder", NULL);
	const char *uri = file_uri(path);
	failure_callback_t *fatal, *error, *info, *debug;
	struct machine a;
	uint64_t now = begin_msecs();

	i_get_failure_handlers(&fatal, &error, &info, &debug);
	i_set_error_handler(count_error);
	errors = 0;
	/* a file can't be a folder */
	engine_unit_write(path, "", 0);
	machine_begin(&a, "a b c", uri);
	CU_ASSERT(a.machines == 3);
	scheduler_backends_look(a.backends, now + SCHEDULER_BACKENDS_MSECS);
	CU_ASSERT(a.machines == 3);
	CU_ASSERT(unlink(path) == 0 && mkdir(path, 0700) == 0);
	scheduler_backends_look(a.backends, now + 2 * SCHEDULER_BACKENDS_MSECS);
	CU_ASSERT(a.machines == 1);
	machine_end(&a);
	i_set_error_handler(error);
	CU_ASSERT(errors > 0);
}

static void test_settings(void)
{
	struct machine a;
	const char *error = NULL;

	CU_ASSERT(scheduler_backends_init(" ", "file:/nonexistent", "", changed,
					  &a, &a.backends, &error) < 0);
	CU_ASSERT(strstr(error, "migration_backends ") != NULL);
	CU_ASSERT(scheduler_backends_init("a b", "nonsense:x", "", changed, &a,
					  &a.backends, &error) < 0);
	CU_ASSERT(strstr(error, "nonsense") != NULL);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "two", test_two },
		{ "left behind", test_left_behind },
		{ "no dict", test_no_dict },
		{ "settings", test_settings },
		{ NULL, NULL }
	};
	int ret;

	lib_init();
	dict_drivers_register_builtin();
	ret = engine_unit_run_here("scheduler-backends", tests);
	dict_drivers_unregister_builtin();
	lib_deinit();
	return ret;
}
