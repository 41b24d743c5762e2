#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "migration-user.h"
#include "folder-tree.h"
#include "mailbox-state.h"
#include "mirror-watch.h"
#include "old-client.h"
#include "old-settings.h"
#include "mirror-private.h"

/* The old server may be silent for so long while writes of a user wait. */
#define PATIENCE_MSECS (30 * 1000)
/* How far the copies on disk may be behind. */
#define CHECKPOINT_SECS 30

static int
mirror_prepare(struct mirror *mirror, const char **error_r)
{
	struct old_client_settings set;
	int ret;

	ret = folder_tree_name_map(mirror->muser, &mirror->map, error_r);
	if (ret == 0)
		*error_r = "The user's folders were never asked for";
	if (ret <= 0 || old_settings_read(mirror->muser->ns, &set, error_r) < 0)
		return -1;
	if (set.cmd_timeout_msecs == 0 || set.cmd_timeout_msecs > PATIENCE_MSECS)
		set.cmd_timeout_msecs = PATIENCE_MSECS;
	mirror->client = old_client_init(&set, mirror->muser->user->event);
	return 0;
}

int mirror_init(struct migration_user *muser, struct mirror **mirror_r,
		const char **error_r)
{
	struct mirror *mirror = i_new(struct mirror, 1);

	mirror->muser = muser;
	mirror->observer = &fill_no_observer;
	mirror->keywords = inventory_keywords_init();
	i_array_init(&mirror->boxes, 8);
	if (mirror_prepare(mirror, error_r) < 0) {
		mirror_deinit(&mirror);
		return -1;
	}
	*mirror_r = mirror;
	return 0;
}

void mirror_deinit(struct mirror **_mirror)
{
	struct mirror *mirror = *_mirror;

	if (mirror == NULL)
		return;
	*_mirror = NULL;
	mirror_boxes_close(mirror);
	array_free(&mirror->boxes);
	if (mirror->client != NULL)
		old_client_deinit(&mirror->client);
	inventory_keywords_deinit(&mirror->keywords);
	i_free(mirror);
}

void mirror_set_observer(struct mirror *mirror,
			 const struct fill_observer *observer)
{
	mirror->observer = observer != NULL ? observer : &fill_no_observer;
}

static void checkpoint_when_due(struct mirror *mirror, struct mirror_box *box)
{
	const char *error;

	if (ioloop_time - box->checkpoint < CHECKPOINT_SECS)
		return;
	box->checkpoint = ioloop_time;
	if (fill_checkpoint(mirror->muser, box->vname, &box->kept, &error) < 0)
		e_error(mirror->muser->user->event, "migration: %s: %s",
			box->vname, error);
}

enum mirror_answer
mirror_fill(struct mirror *mirror, const char *vname, enum fill_flags flags,
	    struct fill_result *result_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	struct mirror_error error = { MAIL_ERROR_TEMP, "" };
	struct mirror_box *box;
	enum mirror_answer answer;

	i_zero(result_r);
	answer = mirror_box_get(mirror, vname, &box, &error);
	if (answer == MIRROR_DONE)
		answer = mirror_box_refresh(mirror, box, flags, result_r,
					    &error);
	if (answer == MIRROR_DONE) {
		mirror_seen_replay(mirror, box);
		checkpoint_when_due(mirror, box);
	}
	*error_code_r = error.code;
	*error_r = error.text;
	return answer;
}

enum mirror_answer
mirror_refresh(struct mirror *mirror, const char *vname, bool *changed_r,
	       enum mail_error *error_code_r, const char **error_r)
{
	struct fill_result result;
	enum mirror_answer answer;

	answer = mirror_fill(mirror, vname, 0, &result, error_code_r, error_r);
	*changed_r = result.fetched > 0 || result.changed > 0 ||
		result.expunged > 0;
	return answer;
}

/* Of a mailbox that isn't open: what was written last. */
static bool
state_knows(struct mirror *mirror, const char *vname,
	    const struct mirror_status *status)
{
	struct mailbox_state_file state;
	const char *error;

	return mailbox_state_read(mirror->muser->set.dir, vname,
				  pool_datastack_create(), &state,
				  &error) > 0 &&
		(state.state != MAILBOX_STATE_MIRRORED ||
		 (status->modseq != 0 && status->modseq == state.modseq &&
		  status->uid_validity == state.uid_validity &&
		  status->messages == state.messages));
}

static bool
box_knows(struct mirror_box *box, const struct mirror_status *status)
{
	struct local_copy_status local;

	local_copy_status(box->kept.copy, &local);
	return !box->behind && status->modseq != 0 &&
		status->modseq <= box->kept.modseq &&
		status->uid_validity == box->kept.uid_validity &&
		status->uid_next == local.uid_next &&
		status->messages == local.messages;
}

bool mirror_knows(struct mirror *mirror, const char *vname,
		  const struct mirror_status *status)
{
	struct mirror_box *box;

	if (mirror_seen_waits(mirror, vname, status->uid_validity))
		return FALSE;
	array_foreach_elem(&mirror->boxes, box) {
		if (strcmp(box->vname, vname) == 0 && box->kept.copy != NULL)
			return box_knows(box, status);
	}
	return state_knows(mirror, vname, status);
}

int mirror_catchup(struct mirror *mirror, enum catchup_flags flags,
		   struct catchup_result *result_r,
		   enum mail_error *error_code_r, const char **error_r)
{
	mirror->selected = NULL;
	return catchup_run(mirror->muser, mirror->client, flags, result_r,
			   error_code_r, error_r);
}

void mirror_release(struct mirror *mirror)
{
	mirror_boxes_close(mirror);
}

void mirror_set_claim(struct mirror *mirror, enum old_claim claim)
{
	(void)old_client_set_claim(mirror->client, claim);
}

void mirror_disconnect(struct mirror *mirror)
{
	mirror->selected = NULL;
	old_client_disconnect(mirror->client, "it isn't needed for now");
}

unsigned int mirror_rtt_msecs(const struct mirror *mirror)
{
	return mirror->rtt_msecs;
}

bool mirror_is_held_back(const struct mirror *mirror)
{
	return old_client_held_back(mirror->client);
}

bool mirror_is_connected(const struct mirror *mirror)
{
	return old_client_is_connected(mirror->client);
}
