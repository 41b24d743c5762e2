#include "lib.h"
#include "array.h"
#include "migration-user.h"
#include "engine/folder-tree.h"
#include "engine/local-folders.h"
#include "engine/mailbox-state.h"
#include "mover-boxes.h"

void mover_boxes_init(struct mover_boxes *boxes, struct migration_user *muser)
{
	i_zero(boxes);
	boxes->muser = muser;
	boxes->pool = pool_alloconly_create("mover boxes", 4096);
	p_array_init(&boxes->boxes, boxes->pool, 32);
}

void mover_boxes_deinit(struct mover_boxes *boxes)
{
	pool_unref(&boxes->pool);
}

static void
take_state(struct mover_box *box, const struct mailbox_state_file *state)
{
	box->local = !mailbox_state_authority_is_old(state->state);
	box->mirrored = state->state == MAILBOX_STATE_MIRRORED;
	box->filled = box->mirrored || state->state == MAILBOX_STATE_FILLED;
	box->done_messages = state->done_messages;
	box->done_bytes = state->done_bytes;
	/* what isn't wanted any more isn't missing */
	box->messages = box->local ? state->done_messages : state->messages;
	box->bytes = box->local ? state->done_bytes : state->bytes;
}

void mover_box_read(struct mover_boxes *boxes, struct mover_box *box)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	ret = mailbox_state_read(boxes->muser->set.dir, box->vname,
				 pool_datastack_create(), &state, &error);
	if (ret > 0)
		take_state(box, &state);
	else if (ret == 0)
		box->local = TRUE; /* it never was the old server's */
	else
		box->failed = TRUE;
}

int mover_boxes_read(struct mover_boxes *boxes, enum mail_error *error_code_r,
		     const char **error_r)
{
	ARRAY_TYPE(local_folder) folders;
	const struct local_folder *folder;
	struct mover_box *box;

	p_clear(boxes->pool);
	p_array_init(&boxes->boxes, boxes->pool, 32);
	boxes->seen = folder_tree_exists(boxes->muser);
	if (!boxes->seen)
		return 0;
	if (local_folders_get(boxes->muser, boxes->pool, &folders,
			      error_code_r, error_r) < 0)
		return -1;
	array_foreach(&folders, folder) {
		if (!folder->selectable)
			continue;
		box = array_append_space(&boxes->boxes);
		box->vname = folder->vname;
		T_BEGIN {
			mover_box_read(boxes, box);
		} T_END;
	}
	return 0;
}

void mover_boxes_update(struct mover_boxes *boxes)
{
	struct mover_box *box;

	array_foreach_modifiable(&boxes->boxes, box) T_BEGIN {
		mover_box_read(boxes, box);
	} T_END;
}

struct mover_box *
mover_boxes_find(struct mover_boxes *boxes, const char *vname)
{
	struct mover_box *box;

	array_foreach_modifiable(&boxes->boxes, box) {
		if (strcmp(box->vname, vname) == 0)
			return box;
	}
	return NULL;
}

static void add_box(struct move_totals *totals, const struct mover_box *box)
{
	totals->mailboxes++;
	totals->local += box->local ? 1 : 0;
	totals->filled += box->filled ? 1 : 0;
	totals->failed += box->failed ? 1 : 0;
	totals->messages += I_MAX(box->messages, box->done_messages);
	totals->bytes += I_MAX(box->bytes, box->done_bytes);
	totals->done_messages += box->done_messages;
	totals->done_bytes += box->done_bytes;
}

void mover_boxes_totals(const struct mover_boxes *boxes,
			struct move_totals *totals_r)
{
	const struct mover_box *box;

	i_zero(totals_r);
	array_foreach(&boxes->boxes, box)
		add_box(totals_r, box);
	if (migration_user_is_closed(boxes->muser))
		totals_r->phase = MOVE_PHASE_CLOSED;
	else if (!boxes->seen)
		totals_r->phase = MOVE_PHASE_UNSEEN;
	else if (totals_r->local == totals_r->mailboxes)
		totals_r->phase = MOVE_PHASE_LOCAL;
	else
		totals_r->phase = MOVE_PHASE_MOVING;
}
