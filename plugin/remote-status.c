#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-arg.h"
#include "imapc-list.h"
#include "engine/mailbox-state.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-namespace.h"
#include "status-ahead.h"
#include "remote-status.h"

/* How many commands are sent before their answers are waited for. */
#define ASKED_MAX 200

/* One STATUS command. */
struct status_query {
	struct remote_status *rs;
	const char *vname, *old_name;
	uint64_t mark;
	/* there was an untagged answer; and its tagged one was OK */
	bool seen, ok;
	struct mailbox_status status;
};
ARRAY_DEFINE_TYPE(status_query, struct status_query *);

struct remote_status {
	struct migration_user *muser;
	pool_t pool;
	/* those of one burst, the first one's mailbox being asked for now */
	ARRAY_TYPE(status_query) queries;
	unsigned int pending;
	/* what was asked ahead, until its turn comes, and for which items */
	ARRAY_TYPE(status_query) answers;
	enum mailbox_status_items items;
};

static const struct {
	enum mailbox_status_items item;
	const char *name;
	size_t offset;
} fields[] = {
#define FIELD(item, name, member) \
	{ item, name, offsetof(struct mailbox_status, member) }
	FIELD(STATUS_MESSAGES, "MESSAGES", messages),
	FIELD(STATUS_RECENT, "RECENT", recent),
	FIELD(STATUS_UIDNEXT, "UIDNEXT", uidnext),
	FIELD(STATUS_UIDVALIDITY, "UIDVALIDITY", uidvalidity),
	FIELD(STATUS_UNSEEN, "UNSEEN", unseen),
};

static uint32_t *field_of(struct mailbox_status *status, unsigned int i)
{
	return PTR_OFFSET(status, fields[i].offset);
}

static const uint32_t *
const_field_of(const struct mailbox_status *status, unsigned int i)
{
	return CONST_PTR_OFFSET(status, fields[i].offset);
}

static const char *items_string(enum mailbox_status_items items)
{
	string_t *str = t_str_new(64);

	for (unsigned int i = 0; i < N_ELEMENTS(fields); i++) {
		if ((items & fields[i].item) != 0)
			str_printfa(str, " %s", fields[i].name);
	}
	return str_c(str) + 1;
}

/*
 * Answers
 */

static void take_field(struct mailbox_status *status, const char *name,
		       uint32_t value)
{
	for (unsigned int i = 0; i < N_ELEMENTS(fields); i++) {
		if (strcasecmp(name, fields[i].name) == 0)
			*field_of(status, i) = value;
	}
}

static bool
take_fields(struct mailbox_status *status, const struct imap_arg *args)
{
	const char *name, *value;
	uint32_t num;

	for (; !IMAP_ARG_IS_EOL(args); args += 2) {
		if (!imap_arg_get_atom(&args[0], &name) ||
		    !imap_arg_get_atom(&args[1], &value))
			return FALSE;
		/* others may be larger */
		if (str_to_uint32(value, &num) == 0)
			take_field(status, name, num);
	}
	return TRUE;
}

/* INBOX is the only name without case, RFC 3501 section 5.1. A server that has
   another spelling of a name isn't mistaken when it's asked for that alone. */
static bool is_name(const struct status_query *query, const char *old_name)
{
	return array_count(&query->rs->queries) == 1 ||
		strcmp(query->old_name, old_name) == 0 ||
		(strcasecmp(query->old_name, "INBOX") == 0 &&
		 strcasecmp(old_name, "INBOX") == 0);
}

static void remote_status_untagged(const struct imapc_untagged_reply *reply,
				   struct imapc_storage_client *client)
{
	struct migration_user *muser =
		MIGRATION_USER_CONTEXT(client->_storage->storage.user);
	struct remote_status *rs = muser->remote_status;
	struct status_query *query;
	const struct imap_arg *list;
	const char *old_name;

	if (rs->pending == 0 ||
	    !imap_arg_get_astring(&reply->args[0], &old_name) ||
	    !imap_arg_get_list(&reply->args[1], &list))
		return;
	array_foreach_elem(&rs->queries, query) {
		if (!query->seen && is_name(query, old_name)) {
			query->seen = take_fields(&query->status, list);
			return;
		}
	}
}

static void
set_error(struct imapc_storage *storage,
	  const struct imapc_command_reply *reply)
{
	switch (reply->state) {
	case IMAPC_COMMAND_STATE_OK:
		mail_storage_set_error(&storage->storage, MAIL_ERROR_TEMP,
			"The old mail server doesn't answer STATUS");
		break;
	case IMAPC_COMMAND_STATE_NO:
		imapc_copy_error_from_reply(storage, MAIL_ERROR_PARAMS, reply);
		break;
	default:
		mail_storage_set_internal_error(&storage->storage);
		break;
	}
}

static void
query_callback(const struct imapc_command_reply *reply, void *context)
{
	struct status_query *query = context;
	struct remote_status *rs = query->rs;
	struct imapc_storage *storage = remote_storage(rs->muser);

	query->ok = query->seen && reply->state == IMAPC_COMMAND_STATE_OK;
	/* the others are asked again */
	if (!query->ok && query == array_idx_elem(&rs->queries, 0))
		set_error(storage, reply);
	if (--rs->pending == 0)
		imapc_client_stop(storage->client->client);
}

/*
 * Questions
 */

static struct remote_status *remote_status_init(struct migration_user *muser)
{
	struct remote_status *rs = i_new(struct remote_status, 1);

	rs->muser = muser;
	rs->pool = pool_alloconly_create("remote status", 4096);
	i_array_init(&rs->queries, 8);
	i_array_init(&rs->answers, 8);
	imapc_storage_client_register_untagged(remote_storage(muser)->client,
					       "STATUS",
					       remote_status_untagged);
	return rs;
}

void remote_status_deinit(struct remote_status **_rs)
{
	struct remote_status *rs = *_rs;

	if (rs == NULL)
		return;
	*_rs = NULL;
	array_free(&rs->queries);
	array_free(&rs->answers);
	pool_unref(&rs->pool);
	i_free(rs);
}

static void
add_query(struct remote_status *rs, const char *vname, uint64_t mark)
{
	struct status_query *query = p_new(rs->pool, struct status_query, 1);
	struct imapc_mailbox_list *list = remote_list(rs->muser);

	query->rs = rs;
	query->vname = p_strdup(rs->pool, vname);
	query->old_name = p_strdup(rs->pool,
		imapc_list_storage_to_remote_name(list,
			mailbox_list_get_storage_name(&list->list, vname)));
	query->mark = mark;
	array_push_back(&rs->queries, &query);
}

static bool is_at_old_server(struct migration_user *muser, const char *vname)
{
	struct mailbox_state_file state;
	const char *error;

	return mail_namespace_find(muser->user->namespaces, vname) ==
		muser->ns &&
		mailbox_state_read(muser->set.dir, vname,
				   pool_datastack_create(), &state,
				   &error) > 0 &&
		mailbox_state_authority_is_old(state.state) &&
		state.state != MAILBOX_STATE_MIRRORED;
}

static void add_next(struct remote_status *rs, const char *vname)
{
	ARRAY_TYPE(status_ahead) next;
	const struct status_ahead *ahead;

	t_array_init(&next, 16);
	status_ahead_get(rs->muser, vname, ASKED_MAX - 1,
			 pool_datastack_create(), &next);
	array_foreach(&next, ahead) T_BEGIN {
		if (is_at_old_server(rs->muser, ahead->vname))
			add_query(rs, ahead->vname, ahead->mark);
	} T_END;
}

static void ask(struct remote_status *rs, enum mailbox_status_items items)
{
	struct imapc_client *client =
		remote_storage(rs->muser)->client->client;
	struct status_query *query;
	struct imapc_command *cmd;

	rs->pending = array_count(&rs->queries);
	array_foreach_elem(&rs->queries, query) {
		cmd = imapc_client_cmd(client, query_callback, query);
		imapc_command_set_flags(cmd, IMAPC_COMMAND_FLAG_RETRIABLE);
		imapc_command_sendf(cmd, "STATUS %s (%1s)", query->old_name,
				    items_string(items));
	}
	while (rs->pending > 0)
		imapc_client_run(client);
}

/* Answered ahead for this very command. What was for others before it is past. */
static struct status_query *
take_answer(struct remote_status *rs, const char *vname, uint64_t mark,
	    enum mailbox_status_items items)
{
	struct status_query *query;
	unsigned int i;

	if (mark == 0 || !HAS_ALL_BITS(rs->items, items))
		return NULL;
	for (i = 0; i < array_count(&rs->answers); i++) {
		query = array_idx_elem(&rs->answers, i);
		if (query->mark == mark && strcmp(query->vname, vname) == 0) {
			array_delete(&rs->answers, 0, i + 1);
			return query;
		}
	}
	return NULL;
}

/* Asks for this mailbox, and for what comes next unless that is there. */
static struct status_query *
ask_burst(struct remote_status *rs, const char *vname, uint64_t mark,
	  enum mailbox_status_items items, bool alone)
{
	struct status_query *query;

	if (!alone) {
		array_clear(&rs->answers);
		p_clear(rs->pool);
		rs->items = items;
	}
	array_clear(&rs->queries);
	add_query(rs, vname, mark);
	if (!alone) T_BEGIN {
		add_next(rs, vname);
	} T_END;
	ask(rs, items);
	query = array_idx_elem(&rs->queries, 0);
	array_pop_front(&rs->queries);
	array_append_array(&rs->answers, &rs->queries);
	return query;
}

static void
copy_answer(const struct status_query *query, enum mailbox_status_items items,
	    struct mailbox_status *status_r)
{
	for (unsigned int i = 0; i < N_ELEMENTS(fields); i++) {
		if ((items & fields[i].item) != 0) {
			*field_of(status_r, i) =
				*const_field_of(&query->status, i);
		}
	}
}

int remote_status_get(struct redirected_mailbox *rbox,
		      enum mailbox_status_items items,
		      struct mailbox_status *status_r)
{
	struct migration_user *muser = rbox->muser;
	const char *vname = rbox->mbox->box.vname;
	uint64_t mark = status_ahead_mark(muser);
	struct status_query *query;

	if (items == 0)
		return 0;
	if (muser->remote_status == NULL)
		muser->remote_status = remote_status_init(muser);
	query = take_answer(muser->remote_status, vname, mark, items);
	if (query == NULL || !query->ok) {
		query = ask_burst(muser->remote_status, vname, mark, items,
				  query != NULL);
	}
	if (!query->ok)
		return -1;
	copy_answer(query, items, status_r);
	return 0;
}
