/* cutover-without: messages that the administrator gives up. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "seq-range-array.h"
#include "migration-user.h"
#include "migration-report.h"
#include "cutover.h"
#include "filler.h"
#include "state-update.h"

struct without {
	pool_t pool;
	const char *uid_set;
};

static const char *
uids_to_str(const ARRAY_TYPE(seq_range) *uids, pool_t pool)
{
	string_t *str = str_new(pool, 64);

	imap_write_seq_range(str, uids);
	return str_c(str);
}

/* Only what can't be had: a slip of the pen would cost a message. */
static int
check_bad(const struct mailbox_state_file *state,
	  const ARRAY_TYPE(seq_range) *uids, const char **error_r)
{
	ARRAY_TYPE(seq_range) bad, good;

	t_array_init(&bad, 8);
	t_array_init(&good, 8);
	if (*state->bad_uids != '\0')
		(void)imap_seq_set_nostar_parse(state->bad_uids, &bad);
	seq_range_array_merge(&good, uids);
	seq_range_array_remove_seq_range(&good, &bad);
	if (array_is_empty(&good))
		return 0;
	*error_r = t_strdup_printf("It isn't known that these can't be had: "
		"UIDs %s (%s)", uids_to_str(&good, pool_datastack_create()),
		array_is_empty(&bad) ? "none is bad" :
		t_strdup_printf("bad UIDs: %s", state->bad_uids));
	return -1;
}

static int
add_without(struct mailbox_state_file *state, void *context,
	    const char **error_r)
{
	struct without *without = context;
	ARRAY_TYPE(seq_range) uids;

	p_array_init(&uids, without->pool, 8);
	if (imap_seq_set_nostar_parse(without->uid_set, &uids) < 0) {
		*error_r = t_strdup_printf("'%s' isn't a set of UIDs such as "
					   "17,20:25", without->uid_set);
		return -1;
	}
	if (check_bad(state, &uids, error_r) < 0)
		return -1;
	if (*state->without_uids != '\0')
		(void)imap_seq_set_nostar_parse(state->without_uids, &uids);
	state->without_uids = uids_to_str(&uids, without->pool);
	/* what the fill left out so far must be looked at again */
	state->modseq = 0;
	return 1;
}

int cutover_without(struct filler *filler, const char *vname,
		    const char *uid_set, const char **error_r)
{
	struct migration_user *muser = filler_user(filler);
	struct without without = {
		.pool = pool_alloconly_create("without", 512),
		.uid_set = uid_set,
	};
	int ret;

	ret = state_update(muser->set.dir, vname, FALSE, STATE_UPDATE_LOCK_SECS,
			   add_without, &without, error_r);
	if (ret == 0)
		migration_report(muser, "without", "mailbox", vname,
				 "uids", uid_set, NULL);
	pool_unref(&without.pool);
	return ret;
}
