#include "lib.h"
#include "array.h"
#include "mailbox-list-private.h"
#include "migration-user.h"
#include "remote-namespace.h"
#include "worker-client.h"
#include "engine/local-folders.h"
#include "engine/mailbox-state.h"
#include "worker-pause.h"

static bool is_mirrored(struct migration_user *muser, const char *vname)
{
	return mailbox_state_is(muser->set.dir, vname, MAILBOX_STATE_MIRRORED);
}

/* Those that can't be told are found out by who changes them. */
static bool is_any_mirrored(struct migration_user *muser, const char *vname)
{
	const char sep[] = { mail_namespace_get_sep(muser->ns), '\0' };
	const char *below = t_strconcat(vname, sep, NULL);
	pool_t pool = pool_alloconly_create("migration folders", 4096);
	ARRAY_TYPE(local_folder) folders;
	const struct local_folder *folder;
	enum mail_error error_code;
	const char *error;
	bool found = is_mirrored(muser, vname);

	p_array_init(&folders, pool, 64);
	if (!found && local_folders_get(muser, pool, &folders, &error_code,
					&error) == 0) {
		array_foreach(&folders, folder) {
			found = found ||
				(str_begins(folder->vname, below) &&
				 is_mirrored(muser, folder->vname));
		}
	}
	pool_unref(&pool);
	return found;
}

int worker_pause(struct migration_user *muser, struct mailbox *box)
{
	static const char *const words[] = { "PAUSE", NULL };
	struct worker_reply reply;

	if (!is_any_mirrored(muser, box->vname))
		return 0;
	worker_client_ask(worker_client_get(muser), words, -1, 0, &reply);
	if (reply.answer == WORKER_OK)
		return 1;
	/* where none can be had, none has a copy open */
	if (reply.answer == WORKER_LOST && !reply.sent)
		return 0;
	mail_storage_set_error(box->storage, reply.error_code, reply.error);
	return -1;
}

void worker_resume(struct migration_user *muser, int paused)
{
	static const char *const words[] = { "RESUME", NULL };

	if (paused > 0)
		worker_client_tell(worker_client_get(muser), words);
}
