#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "time-util.h"
#include "migration-user.h"
#include "body-fetch.h"
#include "digest-file.h"
#include "fill-group.h"
#include "fill-private.h"
#include "local-copy.h"
#include "mailbox-durable.h"
#include "old-inventory.h"
#include "state-update.h"

/* A mailbox with more is worth its own round trips; so many are a batch: when
   that is killed or stopped, each is gone on with by itself. */
#define GROUP_BOX_MESSAGES 500
#define GROUP_MESSAGES 2000
#define GROUP_BYTES (16 * 1024 * 1024)

struct member {
	struct fill_group_box *box;
	struct fill_settings set;
	struct fill fill;
	/* it is left to others */
	bool out;

	/* its answers: what it is; still the same, for the second and third time */
	struct old_mailbox_opening look, second, third;
	struct inventory_fetch *inventory;
	struct body_fetch_settings body_set;
	struct body_fetch *bodies;
};

struct fill_group {
	const struct fill_group_settings *set;
	struct member *members;
	unsigned int count;
	struct timeval start;
};

static void leave_out(struct member *member, const char *reason)
{
	member->out = TRUE;
	e_debug(member->set.muser->user->event,
		"migration: %s is filled by itself: %s", member->set.vname,
		reason);
}

/* Another group may have it. */
static void postpone(struct member *member)
{
	member->out = TRUE;
	member->box->unfit = FALSE;
}

static unsigned int count_in(const struct fill_group *group)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < group->count; i++) {
		if (!group->members[i].out)
			count++;
	}
	return count;
}

/* Returns FALSE when the group can't go on. */
static bool wait_for_answers(struct fill_group *group)
{
	enum mail_error error_code;
	const char *error;

	return old_client_wait(group->set->client, &error_code, &error) == 0;
}

/*
 * What are they?
 */

static bool look_at_all(struct fill_group *group)
{
	struct old_client *client = group->set->client;
	enum mail_error error_code;
	const char *error;

	if (old_mailbox_prepare(client, &error_code, &error) < 0)
		return FALSE;
	for (unsigned int i = 0; i < group->count; i++) {
		old_mailbox_open_send(client, group->members[i].set.old_name,
				      &group->members[i].look);
	}
	return wait_for_answers(group);
}

static void choose(struct fill_group *group)
{
	unsigned int messages = 0;

	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		const struct old_mailbox *mailbox = &member->look.mailbox;

		if (!member->look.ok)
			leave_out(member, "it can't be looked at");
		else if (mailbox->messages > GROUP_BOX_MESSAGES)
			leave_out(member, "it's large");
		else if (messages + mailbox->messages > GROUP_MESSAGES)
			postpone(member);
		else
			messages += mailbox->messages;
	}
}

/* The first one is the one that is asked for, which others don't hold up. */
static bool is_for_first(struct fill_group *group)
{
	if (!group->members[0].out)
		return TRUE;
	for (unsigned int i = 1; i < group->count; i++) {
		if (!group->members[i].out)
			postpone(&group->members[i]);
	}
	return FALSE;
}

static bool take_inventories(struct fill_group *group)
{
	struct old_client *client = group->set->client;
	struct member *member;
	bool ok;

	for (unsigned int i = 0; i < group->count; i++) {
		member = &group->members[i];
		if (member->out || member->look.mailbox.messages == 0)
			continue;
		old_mailbox_open_send(client, member->set.old_name,
				      &member->second);
		member->inventory = old_inventory_send(client,
			member->look.mailbox.uid_next, &member->fill.old);
	}
	ok = wait_for_answers(group);
	for (unsigned int i = 0; i < group->count; i++) {
		member = &group->members[i];
		if (member->inventory == NULL)
			continue;
		if (!old_inventory_end(&member->inventory) ||
		    !member->second.ok ||
		    member->second.mailbox.uid_validity !=
		    member->look.mailbox.uid_validity)
			leave_out(member, "the old server doesn't tell all");
	}
	return ok;
}

/*
 * The copies
 */

static bool is_untouched(const struct mailbox_state_file *state)
{
	return state->state == MAILBOX_STATE_REMOTE &&
		state->uid_validity == 0 &&
		state->copy_is_stale == MAILBOX_COPY_GOOD &&
		*state->without_uids == '\0' && *state->altered_uids == '\0';
}

bool fill_group_fits(struct migration_user *muser, const char *vname)
{
	struct mailbox_state_file state;
	const char *error;
	bool fits;

	T_BEGIN {
		fits = mailbox_state_read(muser->set.dir, vname,
					  pool_datastack_create(), &state,
					  &error) > 0 && is_untouched(&state);
	} T_END;
	return fits;
}

/* An empty one, with the old one's UIDVALIDITY. */
static int open_copy(struct member *member)
{
	struct fill *fill = &member->fill;
	struct local_copy_status local;

	if (fill_read_state(fill) <= 0 || !is_untouched(&fill->state))
		return -1;
	if (local_copy_open(member->set.muser, member->set.vname, &fill->copy,
			    &fill->error) < 0)
		return -1;
	local_copy_set_deferred(fill->copy);
	local_copy_status(fill->copy, &local);
	if (local.messages > 0 || local.uid_next > 1)
		return -1;
	if (local.uid_validity != fill->mailbox.uid_validity &&
	    local_copy_set_uid_validity(fill->copy, fill->mailbox.uid_validity,
					&fill->error) < 0)
		return -1;
	return 0;
}

/* All that is there is to come. */
static void plan(struct fill *fill)
{
	fill->complete = fill->dated = TRUE;
	delta_compute(&fill->old, &fill->local, 1, TRUE, &fill->delta);
	fill->state.uid_validity = fill->mailbox.uid_validity;
	fill->state.messages = fill->mailbox.messages;
	fill->state.done_messages = 0;
	fill->state.done_bytes = 0;
	fill->state.bytes = fill->delta.fetch_bytes;
	fill->state.error = "";
	fill->state.copy_is_stale = MAILBOX_COPY_UNFINISHED;
	fill_enter_state(fill, MAILBOX_STATE_FILLING);
}

static void open_copies(struct fill_group *group)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		struct fill *fill = &member->fill;

		if (member->out)
			continue;
		fill->mailbox = member->look.mailbox;
		fill->result->old_messages = fill->mailbox.messages;
		fill->result->old_uid_next = fill->mailbox.uid_next;
		fill->result->old_modseq = fill->mailbox.modseq;
		if (open_copy(member) < 0) {
			leave_out(member, "there is something of it here");
			continue;
		}
		plan(fill);
		bytes += fill->delta.fetch_bytes;
		if (fill->delta.fetch_bytes > BODY_PIECE_SIZE)
			leave_out(member, "it's large");
		else if (bytes > GROUP_BYTES)
			postpone(member);
	}
}

/*
 * States
 */

/* First that the copy counts for nothing yet, then what it is. A mailbox of that name
   may be another one by then. */
static int put_state(struct mailbox_state_file *state, void *context,
		     const char **error_r)
{
	const struct fill *fill = context;
	bool same = fill->state.copy_is_stale == MAILBOX_COPY_UNFINISHED ?
		is_untouched(state) :
		state->copy_is_stale == MAILBOX_COPY_UNFINISHED &&
		state->uid_validity == fill->state.uid_validity;

	if (!same) {
		*error_r = "Its state was changed meanwhile";
		return -1;
	}
	*state = fill->state;
	return 1;
}

static int write_states(struct fill_group *group, const char **error_r)
{
	ARRAY_TYPE(const_string) vnames;
	void **contexts = t_new(void *, group->count);
	struct member *member;

	t_array_init(&vnames, group->count);
	for (unsigned int i = 0; i < group->count; i++) {
		member = &group->members[i];
		if (member->out)
			continue;
		contexts[array_count(&vnames)] = &member->fill;
		array_push_back(&vnames, &member->set.vname);
	}
	return state_update_many(group->set->muser->set.dir, &vnames,
				 STATE_UPDATE_LOCK_SECS, put_state, contexts,
				 error_r);
}

/*
 * The bodies
 */

static void third_opened(void *context)
{
	struct member *member = context;

	if (!member->third.ok || member->third.mailbox.uid_validity !=
	    member->look.mailbox.uid_validity)
		body_fetch_refuse(member->bodies, "it isn't the same any more");
	fill_begin_bodies(&member->fill);
}

static void bodies_ended(void *context ATTR_UNUSED)
{
}

static void send_for_bodies(struct member *member, struct old_client *client)
{
	struct fill *fill = &member->fill;

	if (fill_open_digests(fill) < 0) {
		leave_out(member, fill->error);
		return;
	}
	if (array_is_empty(&fill->delta.fetch))
		return;
	fill_get_body_settings(fill, &member->body_set);
	member->body_set.ended = bodies_ended;
	member->third.opened = third_opened;
	member->third.context = member;
	old_mailbox_open_send(client, member->set.old_name, &member->third);
	member->bodies = body_fetch_start(&member->body_set,
					  &fill->delta.fetch);
}

static void end_bodies(struct member *member)
{
	struct fill *fill = &member->fill;

	if (member->bodies != NULL &&
	    body_fetch_end(&member->bodies, &fill->error) < 0)
		leave_out(member, fill->error);
	else if (!member->out && !array_is_empty(&fill->bad))
		leave_out(member, "a message doesn't come");
	else if (!member->out && fill_raise_uid_next(fill) < 0)
		leave_out(member, fill->error);
}

/* The states are written while the old server works; what it sends isn't looked at
   before. */
static bool fetch_bodies(struct fill_group *group, const char **error_r)
{
	struct old_client *client = group->set->client;
	bool ok;

	for (unsigned int i = 0; i < group->count; i++) {
		if (!group->members[i].out)
			send_for_bodies(&group->members[i], client);
	}
	old_client_flush(client);
	if ((ok = write_states(group, error_r) == 0))
		ok = wait_for_answers(group);
	else
		old_client_disconnect(client, "a state can't be written");
	for (unsigned int i = 0; i < group->count; i++)
		end_bodies(&group->members[i]);
	return ok;
}

static int make_durable(struct fill_group *group, const char **error_r)
{
	ARRAY(struct mailbox *) boxes;
	struct mailbox *box;

	t_array_init(&boxes, group->count);
	for (unsigned int i = 0; i < group->count; i++) {
		if (group->members[i].out)
			continue;
		box = local_copy_box(group->members[i].fill.copy);
		array_push_back(&boxes, &box);
	}
	/* digests and states are of the migration dir's file system */
	return mailboxes_durable(array_front(&boxes), array_count(&boxes),
				 group->set->muser->set.dir, error_r);
}

/*
 * The end
 */

static void verify_member(struct member *member)
{
	struct fill *fill = &member->fill;

	if (fill_verify_new(fill) < 0)
		leave_out(member, fill->error);
	else if (!array_is_empty(&fill->mismatched))
		leave_out(member, "its copy is damaged");
	else if (fill_conclude(fill) < 0)
		leave_out(member, fill->error);
	else {
		fill->state.durable_uid = fill->state.verified_uid;
		fill->state.copy_is_stale = MAILBOX_COPY_GOOD;
	}
}

static void give_results(struct fill_group *group)
{
	struct timeval now;
	unsigned int usecs;

	i_gettimeofday(&now);
	usecs = timeval_diff_usecs(&now, &group->start) / count_in(group);
	for (unsigned int i = 0; i < group->count; i++) {
		if (group->members[i].out)
			continue;
		group->members[i].box->done = TRUE;
		group->members[i].box->result.usecs = usecs;
	}
}

static int copy_all(struct fill_group *group, const char **error_r)
{
	*error_r = "the connection was lost";
	if (!fetch_bodies(group, error_r) || count_in(group) == 0 ||
	    make_durable(group, error_r) < 0)
		return -1;
	for (unsigned int i = 0; i < group->count; i++) {
		if (!group->members[i].out)
			verify_member(&group->members[i]);
	}
	return write_states(group, error_r);
}

static void group_run(struct fill_group *group)
{
	const char *error;

	if (!look_at_all(group))
		return;
	choose(group);
	/* one alone is better off by itself */
	if (!is_for_first(group) || count_in(group) < 2 ||
	    !take_inventories(group))
		return;
	open_copies(group);
	if (count_in(group) < 2)
		return;
	if (copy_all(group, &error) < 0) {
		e_info(group->set->muser->user->event, "migration: %u mailboxes "
		       "are filled one by one: %s", group->count, error);
	} else if (count_in(group) > 0) {
		give_results(group);
	}
}

static void member_init(struct fill_group *group, struct member *member,
			struct fill_group_box *box)
{
	member->box = box;
	box->unfit = TRUE;
	i_zero(&box->result);
	member->set.muser = group->set->muser;
	member->set.client = group->set->client;
	member->set.observer = group->set->observer;
	member->set.vname = box->vname;
	member->set.old_name = box->old_name;
	member->set.flags = group->set->flags;
	member->fill.set = &member->set;
	member->fill.result = &box->result;
	fill_init(&member->fill);
}

void fill_group(const struct fill_group_settings *set,
		struct fill_group_box *boxes, unsigned int count)
{
	struct fill_group group = { .set = set, .count = count };

	i_gettimeofday(&group.start);
	group.members = i_new(struct member, count);
	for (unsigned int i = 0; i < count; i++)
		member_init(&group, &group.members[i], &boxes[i]);
	T_BEGIN {
		group_run(&group);
	} T_END;
	/* what opening one changed for the user is put back in turn */
	for (unsigned int i = count; i > 0; i--)
		fill_deinit(&group.members[i - 1].fill);
	i_free(group.members);
}
