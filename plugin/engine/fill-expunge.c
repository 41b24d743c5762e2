/* fill-expunge: what of the copy may go because the old server hasn't got it
   (I4). */

#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "migration-report.h"
#include "fill-private.h"
#include "local-copy.h"
#include "own-expunges.h"

/* So many messages go at once, and most of what is here: it looks like a fault
   or a wipe, unless the users of this server did it. */
#define MASS_EXPUNGE_MESSAGES 100

/* These are emptied all the time, also by the old server itself. */
static bool is_emptied_often(struct fill *fill)
{
	const struct mailbox *box = local_copy_box(fill->copy);
	const char *use = box->set == NULL ? "" : box->set->special_use;

	return strcmp(use, "\\Trash") == 0 || strcmp(use, "\\Junk") == 0;
}

/* Messages that went and that nobody here asked for. */
static int count_lost(struct fill *fill, unsigned int *count_r)
{
	ARRAY_TYPE(seq_range) lost, own;
	int ret;

	i_array_init(&lost, 64);
	i_array_init(&own, 64);
	ret = own_expunges_get(fill_dir(fill), fill->set->vname,
			       fill->mailbox.uid_validity, &own,
			       &fill->own_expunges_size, &fill->error);
	seq_range_array_merge(&lost, &fill->delta.expunged);
	seq_range_array_remove_seq_range(&lost, &own);
	*count_r = seq_range_count(&lost);
	array_free(&own);
	array_free(&lost);
	return ret < 0 ? fill_local_error(fill) : 0;
}

int fill_check_expunges(struct fill *fill)
{
	struct local_copy_status local;
	unsigned int lost;

	if (seq_range_count(&fill->delta.expunged) <= MASS_EXPUNGE_MESSAGES)
		return 0;
	if (count_lost(fill, &lost) < 0)
		return -1;
	local_copy_status(fill->copy, &local);
	if (lost <= MASS_EXPUNGE_MESSAGES || lost <= local.messages / 2 ||
	    is_emptied_often(fill))
		return 0;
	if ((fill->set->flags & FILL_FLAG_FOLLOW_EXPUNGES) != 0) {
		migration_report(fill->set->muser, "expunges_followed",
				 "mailbox", fill->set->vname,
				 "expunged", dec2str(lost),
				 "messages", dec2str(local.messages), NULL);
		return 0;
	}
	fill->error = t_strdup_printf("The old server hasn't got %u of the %u "
		"messages any more that are here: if they were meant to go, "
		"doveadm migration fill --follow-expunges", lost,
		local.messages);
	fill->error_code = MAIL_ERROR_EXISTS;
	return -1;
}

/* What the administrator gave up isn't to be here either: it may be damaged. */
void fill_expunge_without(struct fill *fill)
{
	const struct inventory_item *item;

	array_foreach(&fill->local.items, item) {
		if (seq_range_exists(&fill->without, item->uid))
			seq_range_array_add(&fill->delta.expunged, item->uid);
	}
}

void fill_forget_own_expunges(struct fill *fill)
{
	const char *error;

	if (fill->own_expunges_size > 0 &&
	    own_expunges_remove(fill_dir(fill), fill->set->vname,
				fill->own_expunges_size, &error) < 0)
		e_error(fill->set->muser->user->event, "migration: %s", error);
}
