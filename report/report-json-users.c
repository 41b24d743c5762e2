/* report-json-users: users and their mailboxes. */
#include "report-json-private.h"

static struct json_object *make_mailbox(struct json_write *json,
					const struct report_mailbox *mailbox)
{
	struct json_object *object = json_object_new_object();

	json_add_string(json, object, "name", mailbox->name);
	json_add_string(json, object, "state",
			report_state_name(mailbox->state));
	json_add_time(json, object, "since", mailbox->since);
	json_add_time(json, object, "last", mailbox->last);
	json_add_count(json, object, "messages", mailbox->messages);
	json_add_count(json, object, "bytes", mailbox->bytes);
	json_add_count(json, object, "errors", mailbox->errors);
	json_add_string(json, object, "problem", mailbox->problem);
	json_add_string(json, object, "without", mailbox->without);
	json_add_count(json, object, "cutover_ms", mailbox->cutover_ms);
	json_add_bool(json, object, "verified", mailbox->verified);
	return object;
}

static struct json_object *make_states(struct json_write *json,
				       const struct report_user *user)
{
	struct json_object *object = json_object_new_object();
	int state;

	for (state = 0; state < REPORT_STATES; state++)
		json_add_count(json, object, report_state_name(state),
			       user->states[state]);
	return object;
}

static void add_polls(struct json_write *json, struct json_object *object,
		      const struct report_catchup *catchup)
{
	json_add_count(json, object, "polls", catchup->polls);
	json_add_count(json, object, "failed_polls", catchup->failed_polls);
	json_add_time(json, object, "first_poll", catchup->first_poll);
	json_add_time(json, object, "last_poll", catchup->last_poll);
	json_add_time(json, object, "last_failed_poll",
		      catchup->last_failed_poll);
	json_add_string(json, object, "poll_problem", catchup->poll_problem);
}

static struct json_object *make_catchup(struct json_write *json,
					const struct report_catchup *catchup)
{
	struct json_object *object = json_object_new_object();

	add_polls(json, object, catchup);
	json_add_count(json, object, "late", catchup->late);
	json_add_count(json, object, "doubles", catchup->doubles);
	json_add_time(json, object, "last_late", catchup->last_late);
	json_add_count(json, object, "delay_median_s", catchup->delay_median);
	json_add_count(json, object, "delay_max_s", catchup->delay_max);
	json_add_count(json, object, "pending", catchup->pending);
	json_add_string(json, object, "pending_problem",
			catchup->pending_problem);
	json_add_count(json, object, "gone", catchup->gone);
	json_add_time(json, object, "last_gone", catchup->last_gone);
	json_add_count(json, object, "old_clients", catchup->old_clients);
	json_add_time(json, object, "last_old_client",
		      catchup->last_old_client);
	json_add_time(json, object, "closed", catchup->closed);
	json_add_bool(json, object, "forced", catchup->forced);
	json_add_count(json, object, "conflicts", catchup->conflicts);
	json_add_count(json, object, "refused_expunges",
		       catchup->refused_expunges);
	json_add_count(json, object, "resets", catchup->resets);
	json_add_count(json, object, "copy_back_failures",
		       catchup->copy_back_failures);
	return object;
}

static void put_user(struct json_write *json, const struct report_user *user)
{
	struct json_object *object = json_object_new_object();
	size_t i;

	json_add_string(json, object, "name", user->name);
	json_add_count(json, object, "folders", user->folders);
	json_add_count(json, object, "messages", user->messages);
	json_add_count(json, object, "bytes", user->bytes);
	json_add_count(json, object, "errors", user->errors);
	json_add_count(json, object, "problems", user->problems);
	json_add_string(json, object, "problem", user->problem);
	json_add_time(json, object, "first", user->first);
	json_add_time(json, object, "last", user->last);
	json_add_time(json, object, "local_since", user->local_since);
	json_add(json, object, "catchup", make_catchup(json, &user->catchup));
	json_add(json, object, "states", make_states(json, user));

	json_write_object(json, NULL);
	json_write_members(json, object);
	json_write_array(json, "mailboxes");
	for (i = 0; i < user->mailboxes_count; i++)
		json_write_value(json, NULL,
				 make_mailbox(json, user->mailboxes[i]));
	json_write_close(json);
	json_write_close(json);
}

void report_json_users(struct json_write *json,
		       const struct report_model *model)
{
	size_t i;

	json_write_array(json, "users");
	for (i = 0; i < model->users_count; i++)
		put_user(json, model->users[i]);
	json_write_close(json);
}
