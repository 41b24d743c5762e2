#include "catchup-private.h"
#include "crc32.h"
#include "migration-user.h"
#include "copy-back.h"
#include "digest-file.h"
#include "folder-tree.h"
#include "late-twins.h"
#include "lease.h"
#include "mailbox-state.h"
#include "old-settings.h"

#include <time.h>

/* in the background: how often all flags are looked at on servers without
   CONDSTORE, and mails tried again that couldn't be delivered */
#define FLAGS_SECS (10 * 60)
/* how far behind the account's file may be */
#define ACCOUNT_SECS 3600
/* of an account in which messages are moved all the time */
#define MAX_LOOKS 4

const char *catchup_dir(const struct catchup *catchup)
{
	return catchup->muser->set.dir;
}

/* The first one counts: the others may be for want of the connection. */
int catchup_fail(struct catchup *catchup, enum mail_error error_code,
		 const char *error)
{
	if (catchup->error == NULL) {
		catchup->error = p_strdup(catchup->pool, error);
		catchup->first_error_code = error_code;
	}
	return -1;
}

/*
 * Which mailboxes?
 */

/* One that came from the old server, and is this server's by now. */
static bool is_ours(struct catchup *catchup, const char *vname,
		    const struct mailbox_state_file *state)
{
	const char *dir = catchup_dir(catchup);

	return !mailbox_state_authority_is_old(state->state) &&
		(baseline_exists(dir, vname) ||
		 (state->state == MAILBOX_STATE_LOCAL &&
		  digest_file_exists(dir, vname)));
}

static int add_seen(struct catchup *catchup, const char *vname)
{
	struct mailbox_state_file state;
	struct catchup_seen *seen;
	const char *error, *old_name;

	if (mailbox_state_read(catchup_dir(catchup), vname,
			       pool_datastack_create(), &state, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	if (!is_ours(catchup, vname, &state) ||
	    (old_name = name_map_to_old(&catchup->map, vname)) == NULL)
		return 0;
	seen = array_append_space(&catchup->seen);
	seen->vname = vname;
	seen->old_name = p_strdup(catchup->pool, old_name);
	return 0;
}

/* all: the names of all mailboxes that have a state. */
static int
find_mailboxes(struct catchup *catchup, ARRAY_TYPE(const_string) *all)
{
	ARRAY_TYPE(const_string) none;
	const char *vname, *error;
	int ret = 0;

	t_array_init(&none, 1);
	p_array_init(&catchup->seen, catchup->pool, 16);
	if (mailbox_state_find_others(catchup_dir(catchup), &none,
				      catchup->pool, all, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	array_foreach_elem(all, vname) T_BEGIN {
		if (add_seen(catchup, vname) < 0)
			ret = -1;
	} T_END;
	return ret;
}

static const struct catchup_seen *
find_last(struct catchup *catchup, const char *vname)
{
	const struct catchup_seen *seen;

	array_foreach(&catchup->last.boxes, seen) {
		if (strcmp(seen->vname, vname) == 0)
			return seen;
	}
	return NULL;
}

static bool
status_equal(const struct mirror_status *s1, const struct mirror_status *s2)
{
	return s1->uid_validity == s2->uid_validity &&
		s1->uid_next == s2->uid_next &&
		s1->messages == s2->messages && s1->modseq == s2->modseq;
}

static bool has_news(struct catchup *catchup, const struct catchup_seen *seen)
{
	const struct catchup_seen *last = find_last(catchup, seen->vname);

	if ((catchup->flags & (CATCHUP_FLAG_FULL |
			       CATCHUP_FLAG_FOLLOW_EXPUNGES)) != 0 ||
	    last == NULL)
		return TRUE;
	return !status_equal(&last->status, &seen->status) ||
		(seen->status.modseq == 0 && catchup->look_at_flags);
}

/*
 * The look
 */

static bool
has_name(const ARRAY_TYPE(const_string) *names, const char *wanted)
{
	const char *name;

	array_foreach_elem(names, name) {
		if (strcmp(name, wanted) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Folders that came into being there: they are the old server's, as any that
   isn't local. Those of others aren't moved, and are there in each look. */
static int
look_for_folders(struct catchup *catchup,
		 const ARRAY_TYPE(const_string) *others,
		 const ARRAY_TYPE(const_string) *all)
{
	const char *old_name, *vname, *error;
	uint32_t sum = 0;

	array_foreach_elem(others, old_name) T_BEGIN {
		vname = name_map_from_old(&catchup->map, old_name);
		if (vname != NULL && !has_name(all, vname))
			sum ^= crc32_str(old_name);
	} T_END;
	if (sum == catchup->last.others)
		return 0;
	if (folder_tree_refresh(catchup->muser, TRUE, &catchup->error_code,
				&error) < 0)
		return catchup_fail(catchup, catchup->error_code, error);
	catchup->last.others = sum;
	return 0;
}

static int
look(struct catchup *catchup, const ARRAY_TYPE(const_string) *all)
{
	ARRAY_TYPE(const_string) others;
	const char *prefix, *error;

	prefix = *catchup->map.old_prefix == '\0' ? "" :
		t_strdup_printf("%s%c", catchup->map.old_prefix,
				catchup->map.old_sep);
	if (catchup_look(catchup->client, prefix, catchup->pool,
			 &catchup->seen, &others, &catchup->error_code,
			 &error) < 0)
		return catchup_fail(catchup, catchup->error_code, error);
	return look_for_folders(catchup, &others, all);
}

/*
 * Mailboxes
 */

static struct catchup_box *find_box(struct catchup *catchup, const char *vname)
{
	struct catchup_box *box;

	array_foreach_elem(&catchup->boxes, box) {
		if (strcmp(box->vname, vname) == 0)
			return box;
	}
	return NULL;
}

static void
box_init(struct catchup *catchup, struct catchup_box *box,
	 const struct catchup_seen *seen)
{
	i_zero(box);
	box->vname = seen->vname;
	box->old_name = seen->old_name;
	box->status = seen->status;
	box->deleted = mailbox_state_is(catchup_dir(catchup), seen->vname,
					MAILBOX_STATE_DELETED);
}

/* One that has changed since it was opened is opened again. */
static void
add_box(struct catchup *catchup, const struct catchup_seen *seen)
{
	struct catchup_box *box = find_box(catchup, seen->vname);

	if (box == NULL) {
		box = p_new(catchup->pool, struct catchup_box, 1);
		array_push_back(&catchup->boxes, &box);
	} else if (box->again || status_equal(&box->status, &seen->status)) {
		return;
	} else {
		if (catchup->selected == box)
			catchup->selected = NULL;
		catchup_box_close(box);
	}
	box_init(catchup, box, seen);
}

static void add_boxes(struct catchup *catchup)
{
	const struct catchup_seen *seen;

	array_foreach(&catchup->seen, seen) {
		if (has_news(catchup, seen))
			add_box(catchup, seen);
	}
}

/* Of a server that is away none is asked any more: each would wait for it. */
static int for_each(struct catchup *catchup,
		    int (*step)(struct catchup *, struct catchup_box *))
{
	struct catchup_box *box;
	bool away = FALSE;
	int ret = 0;

	array_foreach_elem(&catchup->boxes, box) {
		if (box->again || box->missing)
			continue;
		if (!away) T_BEGIN {
			box->again = step(catchup, box) < 0;
		} T_END;
		if (away || box->again) {
			box->again = TRUE;
			away = !old_client_is_connected(catchup->client);
			ret = -1;
		}
	}
	return ret;
}

static int open_box(struct catchup *catchup, struct catchup_box *box)
{
	int ret;

	if (box->opened)
		return 0;
	ret = catchup_box_open(catchup, box);
	box->missing = ret == 0;
	if (ret > 0 && array_not_empty(&box->gone))
		catchup->look_again = TRUE;
	return ret <= 0 ? ret : catchup_merge_flags(catchup, box);
}

/* To be opened again by the next one: nothing of them is recorded. */
static void leave_all(struct catchup *catchup)
{
	struct catchup_box *box;

	array_foreach_elem(&catchup->boxes, box)
		box->again = TRUE;
}

/* What is gone from any must be known before what is new in another is taken for a
   new mail. As a client that moves a message copies it first, a look behind the one
   that shows it gone shows its copy. */
static int open_boxes(struct catchup *catchup,
		      const ARRAY_TYPE(const_string) *all)
{
	int ret = 0;

	for (unsigned int i = 0; i < MAX_LOOKS; i++) {
		catchup->look_again = FALSE;
		add_boxes(catchup);
		if (for_each(catchup, open_box) < 0)
			ret = -1;
		if (!catchup->look_again)
			break;
		if (look(catchup, all) < 0) {
			leave_all(catchup);
			return -1;
		}
	}
	return ret;
}

static int record_box(struct catchup *catchup, struct catchup_box *box)
{
	if (catchup_box_record(catchup, box) < 0)
		return -1;
	if (box->expunged > 0 || box->flags > 0 || box->saved > 0 ||
	    box->moved > 0)
		catchup->account.old_client = time(NULL);
	catchup_report_old_client(catchup, box);
	if (box->missed > 0)
		catchup_report_count(catchup, "late_gone", box, box->missed);
	return 0;
}

static int do_boxes(struct catchup *catchup,
		    const ARRAY_TYPE(const_string) *all)
{
	static int (*const steps[])(struct catchup *, struct catchup_box *) = {
		catchup_late, catchup_merge_expunges, record_box,
	};
	int ret = open_boxes(catchup, all);

	catchup->result->changed = array_count(&catchup->boxes);
	for (unsigned int i = 0; i < N_ELEMENTS(steps); i++) {
		if (for_each(catchup, steps[i]) < 0)
			ret = -1;
	}
	return ret;
}

/*
 * Copying back
 */

static int
copy_back(struct catchup *catchup, const struct catchup_seen *seen)
{
	struct copy_back_result result;
	struct baseline baseline;
	const char *dir = catchup_dir(catchup), *error;
	int ret;

	if ((ret = copy_back_wanted(catchup->muser, seen->vname,
				    &error)) <= 0)
		return ret == 0 ? 0 :
			catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	i_zero(&result);
	baseline_init(&baseline, catchup->keywords);
	catchup->error_code = MAIL_ERROR_TEMP;
	ret = baseline_read(dir, seen->vname, &baseline, &error);
	if (ret > 0) {
		ret = copy_back_mailbox(catchup->muser, catchup->client,
			seen->vname, seen->old_name, &baseline, &result,
			&catchup->error_code, &error);
		if (baseline_write(dir, seen->vname, &baseline, &error) < 0)
			ret = -1;
	}
	baseline_deinit(&baseline);
	catchup->result->copied += result.copied;
	catchup->result->copied_flags += result.flags;
	return ret < 0 ? catchup_fail(catchup, catchup->error_code, error) : 0;
}

static int copy_all_back(struct catchup *catchup)
{
	const struct catchup_seen *seen;
	int ret = 0;

	if (!catchup->muser->set.copy_back)
		return 0;
	array_foreach(&catchup->seen, seen) T_BEGIN {
		if (mailbox_state_is(catchup_dir(catchup), seen->vname,
				     MAILBOX_STATE_LOCAL) &&
		    copy_back(catchup, seen) < 0)
			ret = -1;
	} T_END;
	return ret;
}

/*
 * What is remembered
 */

static bool is_settled(struct catchup *catchup, const char *vname)
{
	struct catchup_box *box = find_box(catchup, vname);

	return box == NULL || (!box->again && (box->missing ||
		(box->opened && array_is_empty(&box->baseline.waiting))));
}

/* Returns TRUE when it is as the last one. */
static bool is_as_before(struct catchup *catchup,
			 const ARRAY_TYPE(catchup_seen) *settled)
{
	const struct catchup_seen *seen, *last;

	if (array_count(settled) != array_count(&catchup->last.boxes) ||
	    catchup->look_at_flags)
		return FALSE;
	array_foreach(settled, seen) {
		last = find_last(catchup, seen->vname);
		if (last == NULL || !status_equal(&last->status, &seen->status))
			return FALSE;
	}
	return TRUE;
}

static int remember_look(struct catchup *catchup, uint32_t others_before)
{
	ARRAY_TYPE(catchup_seen) settled;
	const struct catchup_seen *seen;
	const char *error;

	p_array_init(&settled, catchup->pool, array_count(&catchup->seen));
	array_foreach(&catchup->seen, seen) {
		if (is_settled(catchup, seen->vname))
			array_push_back(&settled, seen);
	}
	if (is_as_before(catchup, &settled) &&
	    others_before == catchup->last.others)
		return 0;
	catchup->last.boxes = settled;
	if (catchup->look_at_flags)
		catchup->last.flags = time(NULL);
	if (catchup_look_write(catchup_dir(catchup), &catchup->last,
			       &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
}

static bool accounts_equal(const struct catchup_account *a1,
			   const struct catchup_account *a2)
{
	return a1->looked / ACCOUNT_SECS == a2->looked / ACCOUNT_SECS &&
		a1->failed == a2->failed && a1->late == a2->late &&
		a1->old_client == a2->old_client &&
		a1->waiting == a2->waiting &&
		strcmp(a1->reason, a2->reason) == 0;
}

/* Mailboxes without news have none. */
static void count_waiting(struct catchup *catchup)
{
	struct catchup_box *box;

	catchup->account.waiting = 0;
	array_foreach_elem(&catchup->boxes, box) {
		if (!box->missing && box->opened)
			catchup->account.waiting +=
				seq_range_count(&box->baseline.waiting);
	}
	catchup->result->waiting = catchup->account.waiting;
}

static int remember_account(struct catchup *catchup, bool ok,
			    const struct catchup_account *before)
{
	struct catchup_account *account = &catchup->account;
	const char *error;

	if (ok) {
		account->looked = time(NULL);
		account->failed = 0;
		account->reason = "";
	} else {
		account->failed = time(NULL);
		account->reason = catchup->error;
	}
	if (accounts_equal(account, before))
		return 0;
	if (catchup_account_write(catchup_dir(catchup), account, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	return 0;
}

/*
 * The account
 */

static int catch_up(struct catchup *catchup,
		    const ARRAY_TYPE(const_string) *all)
{
	uint32_t others = catchup->last.others;
	int ret;

	if (look(catchup, all) < 0)
		return -1;
	ret = do_boxes(catchup, all);
	count_waiting(catchup);
	if (copy_all_back(catchup) < 0)
		ret = -1;
	return remember_look(catchup, others) < 0 ? -1 : ret;
}

static int connect_client(struct catchup *catchup)
{
	struct old_client_settings set;
	const char *error;

	if (catchup->client != NULL)
		return 0;
	if (old_settings_read(catchup->muser->ns, &set, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	catchup->client = old_client_init(&set, catchup->muser->user->event);
	catchup->client_is_ours = TRUE;
	return 0;
}

/* What can't be read is made anew. */
static void read_memory(struct catchup *catchup)
{
	struct event *event = catchup->muser->user->event;
	const char *error;

	if (catchup_account_read(catchup_dir(catchup), catchup->pool,
				 &catchup->account, &error) < 0)
		e_error(event, "migration: %s", error);
	if (catchup_look_read(catchup_dir(catchup), catchup->pool,
			      &catchup->last, &error) < 0)
		e_error(event, "migration: %s", error);
	catchup->look_at_flags =
		(catchup->flags & CATCHUP_FLAG_BACKGROUND) == 0 ||
		time(NULL) - catchup->last.flags >= FLAGS_SECS;
}

static int catchup_account(struct catchup *catchup)
{
	ARRAY_TYPE(const_string) all;
	struct catchup_account before;
	int ret;

	p_array_init(&all, catchup->pool, 64);
	ret = find_mailboxes(catchup, &all);
	if (ret == 0 && array_is_empty(&catchup->seen))
		return 0;
	read_memory(catchup);
	before = catchup->account;
	catchup->result->mailboxes = array_count(&catchup->seen);
	if (connect_client(catchup) < 0 || catch_up(catchup, &all) < 0)
		ret = -1;
	if (remember_account(catchup, ret == 0, &before) < 0)
		ret = -1;
	catchup->found = catchup->result->late + catchup->result->doubles;
	catchup_report_poll(catchup, ret == 0);
	return ret;
}

/* Returns 1; 0 when there's nothing to do; -1. */
static int catchup_prepare(struct catchup *catchup)
{
	const char *error;
	int ret;

	ret = lease_catchup(catchup_dir(catchup), 0, &catchup->lease, &error);
	catchup->result->busy = ret == 0;
	/* it may have been closed meanwhile */
	if (ret > 0 && migration_user_is_closed(catchup->muser))
		ret = 0;
	if (ret > 0)
		ret = folder_tree_name_map(catchup->muser, &catchup->map,
					   &error);
	return ret >= 0 ? ret :
		catchup_fail(catchup, MAIL_ERROR_TEMP, error);
}

static void catchup_end(struct catchup *catchup)
{
	struct catchup_box *box;

	array_foreach_elem(&catchup->boxes, box)
		catchup_box_close(box);
	if (catchup->deliver != NULL)
		late_deliver_deinit(&catchup->deliver);
	late_twins_close(&catchup->twins);
	if (catchup->index != NULL)
		arrival_index_close(&catchup->index);
	if (catchup->client_is_ours)
		old_client_deinit(&catchup->client);
	lease_release(&catchup->lease);
	inventory_keywords_deinit(&catchup->keywords);
	pool_unref(&catchup->pool);
}

int catchup_run(struct migration_user *muser, struct old_client *client,
		enum catchup_flags flags, struct catchup_result *result_r,
		enum mail_error *error_code_r, const char **error_r)
{
	struct catchup catchup = {
		.muser = muser,
		.client = client,
		.flags = flags,
		.result = result_r,
		.pool = pool_alloconly_create("migration catchup", 4096),
		.keywords = inventory_keywords_init(),
	};
	int ret;

	i_zero(result_r);
	p_array_init(&catchup.boxes, catchup.pool, 16);
	ret = catchup_prepare(&catchup);
	if (ret > 0)
		ret = catchup_account(&catchup);
	if (ret < 0) {
		*error_code_r = catchup.first_error_code;
		*error_r = t_strdup(catchup.error);
	}
	catchup_end(&catchup);
	return ret;
}
