#include "lib.h"
#include "copy-pairs.h"
#include "digest-file.h"
#include "lease.h"
#include "mailbox-state.h"
#include "own-expunges.h"
#include "seen-queue.h"
#include "mailbox-files.h"

#include <time.h>

int mailbox_files_move(const char *dir, const char *from, const char *to,
		       const struct mailbox_state_file *state,
		       const char **error_r)
{
	/* digests without a state would look like a state that was lost */
	if (mailbox_state_write(dir, to, state, error_r) < 0 ||
	    digest_file_rename(dir, from, to, error_r) < 0 ||
	    own_expunges_rename(dir, from, to, error_r) < 0 ||
	    copy_pairs_remove(dir, to, error_r) < 0 ||
	    seen_queue_rename(dir, from, to, error_r) < 0)
		return -1;
	return lease_rename(dir, from, to, error_r);
}

/* All but the state, which goes last: see mailbox_state_read(). */
static int
remove_others(const char *dir, const char *vname, const char **error_r)
{
	if (digest_file_remove(dir, vname, error_r) < 0 ||
	    own_expunges_remove(dir, vname, SIZE_MAX, error_r) < 0 ||
	    copy_pairs_remove(dir, vname, error_r) < 0)
		return -1;
	return seen_queue_remove(dir, vname, SIZE_MAX, error_r);
}

int mailbox_files_remove(const char *dir, const char *vname,
			 const char **error_r)
{
	if (remove_others(dir, vname, error_r) < 0)
		return -1;
	return mailbox_state_remove(dir, vname, error_r);
}

int mailbox_files_forget(const char *dir, const char *vname,
			 const struct mailbox_state_file *state,
			 const char **error_r)
{
	const struct mailbox_state_file deleted = {
		.state = MAILBOX_STATE_DELETED,
		.since = time(NULL),
	};

	if (mailbox_state_authority_is_old(state->state))
		return mailbox_files_remove(dir, vname, error_r);
	if (remove_others(dir, vname, error_r) < 0)
		return -1;
	return mailbox_state_write(dir, vname, &deleted, error_r);
}
