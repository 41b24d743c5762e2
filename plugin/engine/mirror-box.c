#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "time-util.h"
#include "migration-user.h"
#include "local-copy.h"
#include "mailbox-state.h"
#include "old-client.h"
#include "mirror-private.h"

/* A connection that was idle for longer may be dead without our knowing. */
#define IDLE_SECS 30
/* copies that stay open, with their digests in memory */
#define MAX_OPEN 8

uint32_t mirror_box_uid_next(const struct mirror_box *box)
{
	struct local_copy_status status;

	local_copy_status(box->kept.copy, &status);
	return status.uid_next;
}

/* What isn't written goes with the next refresh, from the last checkpoint on. */
static void box_close(struct mirror *mirror, struct mirror_box *box)
{
	const char *error;

	if (fill_checkpoint(mirror->muser, box->vname, &box->kept, &error) < 0)
		e_error(mirror->muser->user->event, "migration: %s: %s",
			box->vname, error);
	fill_kept_close(&box->kept);
	if (mirror->selected == box)
		mirror->selected = NULL;
}

static void box_free(struct mirror *mirror, unsigned int idx)
{
	struct mirror_box *box = array_idx_elem(&mirror->boxes, idx);

	box_close(mirror, box);
	array_delete(&mirror->boxes, idx, 1);
	i_free(box->vname);
	i_free(box->old_name);
	i_free(box);
}

void mirror_boxes_close(struct mirror *mirror)
{
	while (array_count(&mirror->boxes) > 0)
		box_free(mirror, array_count(&mirror->boxes) - 1);
}

static struct mirror_box *
box_find(struct mirror *mirror, const char *vname, unsigned int *idx_r)
{
	struct mirror_box *const *boxes;
	unsigned int count;

	boxes = array_get(&mirror->boxes, &count);
	for (unsigned int i = 0; i < count; i++) {
		if (strcmp(boxes[i]->vname, vname) == 0) {
			*idx_r = i;
			return boxes[i];
		}
	}
	return NULL;
}

void mirror_box_used(struct mirror *mirror, struct mirror_box *box)
{
	unsigned int idx;

	if (box_find(mirror, box->vname, &idx) == box) {
		array_delete(&mirror->boxes, idx, 1);
		array_push_back(&mirror->boxes, &box);
	}
}

static struct mirror_box *
box_open(struct mirror *mirror, const char *vname, const char *old_name)
{
	struct mirror_box *box;
	unsigned int idx;

	box = box_find(mirror, vname, &idx);
	if (box != NULL) {
		mirror_box_used(mirror, box);
		return box;
	}
	if (array_count(&mirror->boxes) >= MAX_OPEN)
		box_free(mirror, 0);
	box = i_new(struct mirror_box, 1);
	box->vname = i_strdup(vname);
	box->old_name = i_strdup(old_name);
	box->behind = TRUE;
	array_push_back(&mirror->boxes, &box);
	return box;
}

static void box_forget(struct mirror *mirror, const char *vname)
{
	unsigned int idx;

	if (box_find(mirror, vname, &idx) != NULL)
		box_free(mirror, idx);
}

enum mirror_answer
mirror_box_state(struct mirror *mirror, const char *vname,
		 struct mirror_error *error_r)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	ret = mailbox_state_read(mirror->muser->set.dir, vname,
				 pool_datastack_create(), &state, &error);
	if (ret < 0) {
		error_r->code = MAIL_ERROR_TEMP;
		error_r->text = error;
		return MIRROR_FAILED;
	}
	if (ret == 0)
		return MIRROR_GONE;
	if (state.state == MAILBOX_STATE_LOCAL)
		return MIRROR_LOCAL;
	return state.state == MAILBOX_STATE_MIRRORED ?
		MIRROR_DONE : MIRROR_GONE;
}

enum mirror_answer
mirror_box_get(struct mirror *mirror, const char *vname,
	       struct mirror_box **box_r, struct mirror_error *error_r)
{
	enum mirror_answer answer = mirror_box_state(mirror, vname, error_r);
	const char *old_name;

	*box_r = NULL;
	if (answer != MIRROR_DONE) {
		box_forget(mirror, vname);
		return answer;
	}
	old_name = name_map_to_old(&mirror->map, vname);
	if (old_name == NULL)
		return MIRROR_GONE;
	*box_r = box_open(mirror, vname, old_name);
	return MIRROR_DONE;
}

void mirror_measure(struct mirror *mirror, const struct timeval *start)
{
	struct timeval now;
	unsigned int msecs;

	i_gettimeofday(&now);
	msecs = timeval_diff_msecs(&now, start);
	mirror->rtt_msecs = mirror->rtt_msecs == 0 ? msecs :
		(3 * mirror->rtt_msecs + msecs) / 4;
}

enum mirror_answer
mirror_box_refresh(struct mirror *mirror, struct mirror_box *box,
		   enum fill_flags flags, struct fill_result *result_r,
		   struct mirror_error *error_r)
{
	const struct fill_settings set = {
		.muser = mirror->muser,
		.client = mirror->client,
		.observer = mirror->observer,
		.vname = box->vname,
		.old_name = box->old_name,
		.flags = flags | FILL_FLAG_MIRRORED,
		.kept = &box->kept,
	};
	struct mirror_error error;
	enum mirror_answer answer;

	i_zero(result_r);
	mirror->selected = NULL;
	if (fill_mailbox(&set, result_r, &error_r->code, &error_r->text) < 0) {
		/* it may have ended to be a mirror */
		answer = mirror_box_state(mirror, box->vname, &error);
		if (answer == MIRROR_GONE || answer == MIRROR_LOCAL)
			box_close(mirror, box);
		return answer == MIRROR_DONE ? MIRROR_FAILED : answer;
	}
	if (result_r->local)
		box_close(mirror, box);
	if (box->kept.copy == NULL)
		return mirror_box_state(mirror, box->vname, error_r) ==
			MIRROR_LOCAL ? MIRROR_LOCAL : MIRROR_GONE;
	mirror->selected = box;
	mirror->selected_losses = old_client_losses(mirror->client);
	mirror->answered = ioloop_time;
	box->known_uid = box->kept.mailbox.uid_next;
	box->behind = FALSE;
	return MIRROR_DONE;
}

static bool is_selected(struct mirror *mirror, struct mirror_box *box)
{
	return mirror->selected == box &&
		old_client_is_connected(mirror->client) &&
		mirror->selected_losses == old_client_losses(mirror->client);
}

enum mirror_answer
mirror_box_select(struct mirror *mirror, struct mirror_box *box,
		  struct mirror_error *error_r)
{
	struct fill_result result;

	if (is_selected(mirror, box) && !box->behind &&
	    (ioloop_time - mirror->answered <= IDLE_SECS ||
	     mirror_box_noop(mirror, box, error_r) == 0))
		return MIRROR_DONE;
	return mirror_box_refresh(mirror, box, 0, &result, error_r);
}

int mirror_box_noop(struct mirror *mirror, struct mirror_box *box,
		    struct mirror_error *error_r)
{
	struct old_command *cmd = old_command_new(mirror->client, "NOOP");
	uint32_t uid_next = mirror_box_uid_next(box);
	struct timeval start;

	i_gettimeofday(&start);
	if (old_command_run(&cmd, &error_r->code, &error_r->text) < 0)
		return -1;
	mirror_measure(mirror, &start);
	mirror->answered = ioloop_time;
	box->known_uid = I_MAX(box->known_uid, uid_next);
	return 0;
}
