/* catchup-boxes: the mailboxes with news, step by step. */

#include "catchup-private.h"
#include "migration-user.h"
#include "mailbox-state.h"

#include <time.h>

/* of an account in which messages are moved all the time */
#define MAX_LOOKS 4

struct catchup_box *catchup_find_box(struct catchup *catchup,
				     const char *vname)
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
	box->own = catchup_is_own(catchup, seen->vname);
}

/* One that has changed since it was opened is opened again. */
static void
add_box(struct catchup *catchup, const struct catchup_seen *seen)
{
	struct catchup_box *box = catchup_find_box(catchup, seen->vname);

	if (box == NULL) {
		box = p_new(catchup->pool, struct catchup_box, 1);
		array_push_back(&catchup->boxes, &box);
	} else if (box->again || catchup_status_equal(&box->status, &seen->status)) {
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
		if (catchup_has_news(catchup, seen))
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
		if (catchup_look_at(catchup, all) < 0) {
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

/* A mail that wasn't had or wasn't given: it may be one that is gone elsewhere. */
static bool has_unknown(struct catchup *catchup)
{
	struct catchup_box *box;

	array_foreach_elem(&catchup->boxes, box) {
		if (box->again || (box->opened &&
				   array_not_empty(&box->baseline.waiting)))
			return TRUE;
	}
	return FALSE;
}

/* What may have been moved isn't taken for expunged: the next look has it again. */
static int keep_gone(struct catchup *catchup, struct catchup_box *box)
{
	if (array_not_empty(&box->gone) && has_unknown(catchup)) {
		array_clear(&box->gone);
		box->unsettled = TRUE;
	}
	return 0;
}

int catchup_boxes(struct catchup *catchup,
		  const ARRAY_TYPE(const_string) *all)
{
	static int (*const steps[])(struct catchup *, struct catchup_box *) = {
		catchup_late, keep_gone, catchup_merge_expunges, record_box,
	};
	int ret = open_boxes(catchup, all);

	catchup->result->changed = array_count(&catchup->boxes);
	for (unsigned int i = 0; i < N_ELEMENTS(steps); i++) {
		if (for_each(catchup, steps[i]) < 0)
			ret = -1;
	}
	return ret;
}
