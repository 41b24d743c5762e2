/* catchup-memory: what the last look has shown, and what is remembered of this
   one. */

#include "catchup-private.h"
#include "migration-user.h"

#include <time.h>

/* in the background: how often all flags are looked at on servers without
   CONDSTORE, and mails tried again that couldn't be delivered */
#define FLAGS_SECS (10 * 60)
/* how far behind the account's file may be */
#define ACCOUNT_SECS 3600

/* What can't be read is made anew. */
void catchup_read_memory(struct catchup *catchup)
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

bool catchup_status_equal(const struct mirror_status *s1,
			  const struct mirror_status *s2)
{
	return s1->uid_validity == s2->uid_validity &&
		s1->uid_next == s2->uid_next &&
		s1->messages == s2->messages && s1->modseq == s2->modseq;
}

bool catchup_has_news(struct catchup *catchup,
		      const struct catchup_seen *seen)
{
	const struct catchup_seen *last = find_last(catchup, seen->vname);

	if ((catchup->flags & (CATCHUP_FLAG_FULL |
			       CATCHUP_FLAG_FOLLOW_EXPUNGES)) != 0 ||
	    last == NULL)
		return TRUE;
	return !catchup_status_equal(&last->status, &seen->status) ||
		(seen->status.modseq == 0 && catchup->look_at_flags);
}

static bool is_settled(struct catchup *catchup, const char *vname)
{
	struct catchup_box *box = catchup_find_box(catchup, vname);

	return box == NULL || (!box->again && !box->unsettled &&
		(box->missing ||
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
		if (last == NULL || !catchup_status_equal(&last->status, &seen->status))
			return FALSE;
	}
	return TRUE;
}

int catchup_remember_look(struct catchup *catchup, uint32_t others_before)
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
void catchup_count_waiting(struct catchup *catchup)
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

int catchup_remember_account(struct catchup *catchup, bool ok,
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
