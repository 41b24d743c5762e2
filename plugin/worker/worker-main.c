/* migration-worker: the executable. It becomes the user for whom it is started
   (user-service.h) and leaves the rest to the plugin (worker.h). */

#include "lib.h"
#include "ioloop.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "service/user-service.h"
#include "worker-protocol.h"
#include "worker.h"

#include <fcntl.h>

#define SLOTS_FILE "migration-slots"
/* A reload makes the service's socket anew, which takes a moment: whoever is
   sent away must find it. */
#define RELOAD_MSECS 1000

static int slots_fd = -1;
static const struct migration_worker_class *class;
static struct migration_worker *worker;
static struct timeout *to_reload;

/* The file belongs to all workers. */
static void open_slots(void)
{
	const struct master_service_settings *set =
		master_service_settings_get(master_service);
	const char *path = t_strconcat(set->base_dir, "/"SLOTS_FILE, NULL);

	slots_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (slots_fd == -1)
		i_error("migration: open(%s) failed: %m", path);
}

static int work(struct mail_user *user,
		struct mail_storage_service_user *service_user ATTR_UNUSED,
		const void *_class, const char **error_r)
{
	const struct migration_worker_settings set = {
		.slots_fd = slots_fd,
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
	i_close_fd(&slots_fd);
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
		.as_root = open_slots,
		.serve = work,
		.die = die,
		.deinit = deinit,
	};

	return user_service_main(&service, argc, argv);
}
