/* migration-worker: the executable. It becomes the user for whom it is started
   (user-service.h) and leaves the rest to the plugin (worker.h). */

#include "lib.h"
#include "ioloop.h"
#include "master-service.h"
#include "service/limit-files.h"
#include "service/user-service.h"
#include "worker-protocol.h"
#include "worker.h"

/* A reload makes the service's socket anew, which takes a moment: whoever is
   sent away must find it. */
#define RELOAD_MSECS 1000

static struct limit_files files = LIMIT_FILES_INIT;
static const struct migration_worker_class *class;
static struct migration_worker *worker;
static struct timeout *to_reload;

static void open_files(void)
{
	limit_files_open(&files);
}

static int work(struct mail_user *user,
		struct mail_storage_service_user *service_user ATTR_UNUSED,
		const void *_class, const char **error_r)
{
	const struct migration_worker_settings set = {
		.budget_fd = files.budget_fd,
		.slots_fd = files.slots_fd,
		.idle_secs = master_service_get_idle_kill_secs(master_service),
	};

	class = _class;
	return class->init(user, &set, user_service_end, &worker, error_r);
}

static void reload(void *context ATTR_UNUSED)
{
	timeout_remove(&to_reload);
	class->end(worker);
}

static void die(void)
{
	if (worker != NULL)
		to_reload = timeout_add(RELOAD_MSECS, reload, NULL);
	else
		user_service_end();
}

static void deinit(void)
{
	timeout_remove(&to_reload);
	if (worker != NULL)
		class->deinit(&worker);
	limit_files_close(&files);
}

int main(int argc, char *argv[])
{
	static const struct user_service service = {
		.name = WORKER_PROTOCOL_NAME,
		.major = WORKER_PROTOCOL_MAJOR,
		.binary_name = WORKER_PROTOCOL_NAME,
		.module = "mail",
		.service = WORKER_PROTOCOL_NAME,
		.class_name = MIGRATION_WORKER_CLASS,
		.as_root = open_files,
		.serve = work,
		.die = die,
		.deinit = deinit,
	};

	return user_service_main(&service, argc, argv);
}
