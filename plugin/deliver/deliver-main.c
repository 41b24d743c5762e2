/* migration-deliver: the executable. It becomes the user for whom it is started
   (user-service.h), lends lib-lda to the plugin, and leaves the rest to it
   (deliver.h). */

#include "lib.h"
#include "service/user-service.h"
#include "deliver-lda.h"
#include "deliver-protocol.h"
#include "deliver.h"

static const struct migration_deliver_class *class;
static struct migration_deliver *deliver;

static int init(struct mail_user *user,
		struct mail_storage_service_user *service_user,
		const void *_class, const char **error_r)
{
	class = _class;
	if (deliver_lda_init(user, service_user, error_r) < 0 ||
	    class->init(user, deliver_lda, &deliver, error_r) < 0)
		return -1;
	return 1;
}

static void start(int fd)
{
	class->start(deliver, fd, user_service_end);
}

static void deinit(void)
{
	if (deliver != NULL)
		class->deinit(&deliver);
}

int main(int argc, char *argv[])
{
	static const struct user_service service = {
		.name = DELIVER_PROTOCOL_NAME,
		.major = DELIVER_PROTOCOL_MAJOR,
		/* plugins for deliveries load into nothing else */
		.binary_name = "lmtp",
		.module = "lmtp",
		.service = "lmtp",
		.set_roots = deliver_lda_set_roots,
		.class_name = MIGRATION_DELIVER_CLASS,
		.as_root = deliver_lda_hooks_init,
		.serve = init,
		.answered = start,
		.die = user_service_end,
		.deinit = deinit,
	};

	return user_service_main(&service, argc, argv);
}
