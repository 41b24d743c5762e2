#include "lib.h"
#include "ioloop.h"
#include "time-util.h"
#include "mail-storage-service.h"
#include "user-list.h"

#define SLICE_USECS (20 * 1000)

struct user_list {
	struct mail_storage_service_ctx *service;
	const struct user_list_callbacks *callbacks;
	void *context;
	struct timeout *to;
	bool begun;
};

/* Returns 1 when there are more, 0 at the end, -1 when that can't be told. */
static int list_slice(struct user_list *list)
{
	uint64_t end = i_microseconds() + SLICE_USECS;
	const char *name;
	int ret = 1;

	if (!list->begun) {
		list->begun = TRUE;
		mail_storage_service_all_init_mask(list->service, "");
	}
	while (ret > 0 && i_microseconds() < end) T_BEGIN {
		ret = mail_storage_service_all_next(list->service, &name);
		if (ret > 0)
			list->callbacks->user(list->context, name);
	} T_END;
	return ret;
}

static void list_timeout(struct user_list *list)
{
	int ret = list_slice(list);

	if (ret > 0)
		return;
	list->begun = FALSE;
	timeout_remove(&list->to);
	list->callbacks->ended(list->context, ret == 0);
}

struct user_list *
user_list_init(struct mail_storage_service_ctx *service,
	       const struct user_list_callbacks *callbacks, void *context)
{
	struct user_list *list = i_new(struct user_list, 1);

	list->service = service;
	list->callbacks = callbacks;
	list->context = context;
	list->to = timeout_add_short(0, list_timeout, list);
	return list;
}

/* What is left of an iteration goes with the service. */
void user_list_deinit(struct user_list **_list)
{
	struct user_list *list = *_list;

	*_list = NULL;
	timeout_remove(&list->to);
	i_free(list);
}
