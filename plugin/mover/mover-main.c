/* migration-mover: the executable. It becomes the user for whom it is started
   (user-service.h) and leaves the rest to the plugin (mover.h). */

#include "lib.h"
#include "service/limit-files.h"
#include "service/user-service.h"
#include "mover-protocol.h"
#include "mover.h"

static const struct migration_mover_class *class;
static struct migration_mover *mover;
static struct limit_files files = LIMIT_FILES_INIT;

static void open_files(void)
{
	limit_files_open(&files);
}

static int init(struct mail_user *user,
		struct mail_storage_service_user *service_user ATTR_UNUSED,
		const void *_class, const char **error_r)
{
	class = _class;
	return class->init(user, files.budget_fd, files.slots_fd, &mover,
			   error_r) < 0 ? -1 : 1;
}

static void start(int fd)
{
	class->start(mover, fd, user_service_end);
}

static void deinit(void)
{
	if (mover != NULL)
		class->deinit(&mover);
	limit_files_close(&files);
}

int main(int argc, char *argv[])
{
	static const struct user_service service = {
		.name = MOVER_PROTOCOL_NAME,
		.major = MOVER_PROTOCOL_MAJOR,
		.binary_name = MOVER_PROTOCOL_NAME,
		.module = "mail",
		.service = MOVER_PROTOCOL_NAME,
		.class_name = MIGRATION_MOVER_CLASS,
		.as_root = open_files,
		.serve = init,
		.answered = start,
		.die = user_service_end,
		.deinit = deinit,
	};

	return user_service_main(&service, argc, argv);
}
