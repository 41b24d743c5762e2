#include "lib.h"
#include "array.h"
#include "migration-user.h"
#include "engine/folder-tree.h"
#include "engine/name-map.h"
#include "engine/old-settings.h"
#include "engine/old-sizes.h"
#include "engine/state-update.h"
#include "mover-boxes.h"
#include "mover-survey.h"

static int
set_size(struct mailbox_state_file *state, void *context,
	 const char **error_r ATTR_UNUSED)
{
	const struct old_size *size = context;
	uint64_t bytes = I_MAX(size->bytes, state->done_bytes);

	/* a fill knows better, and says so itself */
	if ((state->state != MAILBOX_STATE_REMOTE &&
	     state->state != MAILBOX_STATE_FILLING) ||
	    (state->messages == size->messages && state->bytes == bytes))
		return 0;
	state->messages = size->messages;
	state->bytes = bytes;
	return 1;
}

/* It's only a figure: what can't be written is counted at the fill. */
static void store_size(struct mover_boxes *boxes, const char *vname,
		       const struct old_size *size)
{
	struct migration_user *muser = boxes->muser;
	struct old_size copy = *size;
	const char *error;

	if (state_update(muser->set.dir, vname, FALSE, STATE_UPDATE_LOCK_SECS,
			 set_size, &copy, &error) < 0)
		e_error(muser->user->event, "migration: %s: %s", vname, error);
}

static int
ask_sizes(struct mover_boxes *boxes, ARRAY_TYPE(old_size) *sizes,
	  enum mail_error *error_code_r, const char **error_r)
{
	struct old_client_settings set;
	struct old_client *client;
	int ret;

	*error_code_r = MAIL_ERROR_TEMP;
	if (old_settings_read(boxes->muser->ns, &set, error_r) < 0)
		return -1;
	client = old_client_init(&set, boxes->muser->user->event);
	ret = old_sizes_get(client, sizes, error_code_r, error_r);
	old_client_deinit(&client);
	return ret;
}

/* Mailboxes to ask for, and in sizes the same ones as the old server calls them. */
static int
choose_boxes(struct mover_boxes *boxes, ARRAY_TYPE(const_string) *vnames,
	     ARRAY_TYPE(old_size) *sizes, const char **error_r)
{
	const struct mover_box *box;
	struct name_map map;
	struct old_size *size;
	const char *old_name;

	if (folder_tree_name_map(boxes->muser, &map, error_r) <= 0)
		return -1;
	array_foreach(&boxes->boxes, box) {
		if (box->local || box->filled ||
		    (old_name = name_map_to_old(&map, box->vname)) == NULL)
			continue;
		array_push_back(vnames, &box->vname);
		size = array_append_space(sizes);
		size->old_name = old_name;
	}
	return 0;
}

static int
survey_sizes(struct mover_boxes *boxes,
	     enum mail_error *error_code_r, const char **error_r)
{
	ARRAY_TYPE(const_string) vnames;
	ARRAY_TYPE(old_size) sizes;
	const struct old_size *size;

	t_array_init(&vnames, 32);
	t_array_init(&sizes, 32);
	*error_code_r = MAIL_ERROR_TEMP;
	if (choose_boxes(boxes, &vnames, &sizes, error_r) < 0)
		return -1;
	if (array_is_empty(&sizes))
		return 0;
	if (ask_sizes(boxes, &sizes, error_code_r, error_r) < 0)
		return -1;
	array_foreach(&sizes, size) T_BEGIN {
		const char *const *vnamep = array_idx(&vnames,
			array_foreach_idx(&sizes, size));

		if (size->known)
			store_size(boxes, *vnamep, size);
	} T_END;
	return 0;
}

int mover_survey(struct mover_boxes *boxes,
		 enum mail_error *error_code_r, const char **error_r)
{
	if (folder_tree_refresh(boxes->muser, TRUE, error_code_r,
				error_r) < 0 ||
	    mover_boxes_read(boxes, error_code_r, error_r) < 0 ||
	    survey_sizes(boxes, error_code_r, error_r) < 0)
		return -1;
	return mover_boxes_read(boxes, error_code_r, error_r);
}
