#include "lib.h"
#include "ioloop.h"
#include "mirrored-mailbox.h"
#include "mirrored-notify.h"

/* the log may be written in two pieces */
#define GATHER_MSECS 10

#define MIRRORED_REQUIRE(obj) \
	((struct mirrored_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, mirrored_mailbox_module))

struct mirrored_notify {
	struct mailbox *box;
	char *path;
	struct io *io;
	struct timeout *to_gather, *to_look;
};

static void tell(struct mirrored_notify *notify)
{
	struct mailbox *box = notify->box;

	timeout_remove(&notify->to_gather);
	if (box->notify_callback != NULL)
		box->notify_callback(box, box->notify_context);
}

static void changed(struct mirrored_notify *notify);

static bool watch(struct mirrored_notify *notify)
{
	return io_add_notify(notify->path, changed, notify, &notify->io) ==
		IO_NOTIFY_ADDED;
}

/* A log that was rotated is another file by that name. */
static void changed(struct mirrored_notify *notify)
{
	io_remove(&notify->io);
	(void)watch(notify);
	if (notify->to_gather == NULL)
		notify->to_gather = timeout_add_short(GATHER_MSECS, tell,
						      notify);
}

/* Once in a while, as lib-storage does: inotify doesn't tell all. */
static void look(struct mirrored_notify *notify)
{
	changed(notify);
}

void mirrored_notify_deinit(struct mirrored_notify **_notify)
{
	struct mirrored_notify *notify = *_notify;

	if (notify == NULL)
		return;
	*_notify = NULL;
	io_remove(&notify->io);
	timeout_remove(&notify->to_gather);
	timeout_remove(&notify->to_look);
	i_free(notify->path);
	i_free(notify);
}

static struct mirrored_notify *notify_start(struct mailbox *box)
{
	unsigned int look_msecs =
		box->storage->set->mailbox_idle_check_interval * 1000;
	struct mirrored_notify *notify;
	const char *dir;

	if (mailbox_get_path_to(box, MAILBOX_LIST_PATH_TYPE_INDEX, &dir) <= 0)
		return NULL;
	notify = i_new(struct mirrored_notify, 1);
	notify->box = box;
	notify->path = i_strdup_printf("%s/"MAIL_INDEX_PREFIX".log", dir);
	if (!watch(notify)) {
		mirrored_notify_deinit(&notify);
		return NULL;
	}
	/* timeout_add() wants a constant */
	if (look_msecs > 0)
		notify->to_look = timeout_add_short(look_msecs, look, notify);
	return notify;
}

static void mirrored_notify_changes(struct mailbox *box)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);

	mirrored_notify_deinit(&mbox->notify);
	if (box->notify_callback != NULL && !mbox->local)
		mbox->notify = notify_start(box);
	if (mbox->notify == NULL)
		mbox->module_ctx.super.notify_changes(box);
}

void mirrored_notify_init(struct mailbox_vfuncs *v)
{
	v->notify_changes = mirrored_notify_changes;
}
