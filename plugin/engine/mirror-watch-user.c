/* mirror-watch-user: the watch of a user, by his settings. */

#include "lib.h"
#include "migration-user.h"
#include "folder-tree.h"
#include "old-settings.h"
#include "mirror-watch-private.h"

/* The old server may be silent for so long, if imapc_cmd_timeout isn't less:
   nobody waits for what this connection does. */
#define WATCH_CMD_TIMEOUT_MSECS (30 * 1000)
#define WATCH_SELECTED_MSECS 1000
/* Less than a second with the round trip: who wants to know what was so a
   second ago is answered at once. */
#define WATCH_HEARTBEAT_MSECS 800
#define WATCH_PATIENCE_MSECS 5000

static bool watch_name_map(void *context, struct name_map *map_r)
{
	struct migration_user *muser = context;
	const char *error;
	int ret;

	ret = folder_tree_name_map(muser, map_r, &error);
	if (ret < 0)
		e_error(muser->user->event, "migration: %s", error);
	return ret > 0;
}

int mirror_watch_init(struct migration_user *muser,
		      const struct mirror_watch_callbacks *callbacks,
		      void *context, struct mirror_watch **watch_r,
		      const char **error_r)
{
	const struct watch_settings set = {
		.event_parent = muser->user->event,
		.selected_msecs = WATCH_SELECTED_MSECS,
		.all_msecs = I_MAX(muser->set.mirror_interval, 1) * 1000,
		.heartbeat_msecs = WATCH_HEARTBEAT_MSECS,
		.patience_msecs = WATCH_PATIENCE_MSECS,
		.name_map = watch_name_map,
		.context = muser,
	};
	struct old_client_settings client_set;

	if (old_settings_read(muser->ns, &client_set, error_r) < 0)
		return -1;
	client_set.cmd_timeout_msecs = client_set.cmd_timeout_msecs == 0 ?
		WATCH_CMD_TIMEOUT_MSECS :
		I_MIN(client_set.cmd_timeout_msecs, WATCH_CMD_TIMEOUT_MSECS);
	*watch_r = watch_create(&client_set, &set, callbacks, context);
	return 0;
}
