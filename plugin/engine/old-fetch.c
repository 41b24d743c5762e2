/* old-fetch: FETCH replies (RFC 3501 7.4.2, MODSEQ: RFC 7162) and their
   bodies. */

#include "old-client-private.h"
#include "istream.h"
#include "istream-sized.h"
#include "ostream.h"
#include "iostream-temp.h"
#include "str.h"
#include "imap-date.h"
#include "imap-util.h"

#include <string.h>

#define OLD_SPOOL_READ_SIZE (64 * 1024)

struct old_fetch {
	enum old_fetch_fields fields;
	const struct old_fetch_handler *handler;
	old_reply_callback_t *callback;
	void *context;
	/* item() has failed: nothing more is told */
	bool failed;
};

/* The literal of a FETCH reply that isn't read into memory. */
struct old_body {
	/* NULL: it is skipped */
	struct old_fetch *fetch;
	/* its place in the reply's list */
	unsigned int idx;
	/* where the literal begins and ends in client->input */
	uoff_t start, end;
	/* BODY[]<offset> */
	uint64_t offset;
	/* given to the handler, until body_end */
	struct istream *stream;
	/* it came before what was asked for */
	struct ostream *spool;
};

/*
 * Items
 */

static bool old_name_is_body(const char *name)
{
	return strncasecmp(name, "BODY[", 5) == 0 ||
		strncasecmp(name, "BINARY[", 7) == 0 ||
		strcasecmp(name, "RFC822") == 0 ||
		strcasecmp(name, "RFC822.HEADER") == 0 ||
		strcasecmp(name, "RFC822.TEXT") == 0;
}

static void
old_item_flags(struct old_fetch_item *item, const struct imap_arg *value)
{
	ARRAY_TYPE(const_string) keywords;
	const struct imap_arg *list;
	const char *name;

	if (!imap_arg_get_list(value, &list))
		return;
	t_array_init(&keywords, 8);
	for (; !IMAP_ARG_IS_EOL(list); list++) {
		if (!imap_arg_get_atom(list, &name))
			continue;
		if (*name == '\\')
			item->flags |= imap_parse_system_flag(name);
		else {
			name = t_strdup(name);
			array_push_back(&keywords, &name);
		}
	}
	array_append_zero(&keywords);
	item->keywords = array_front(&keywords);
	item->fields |= OLD_FETCH_FLAGS;
}

static void
old_item_date(struct old_fetch_item *item, const struct imap_arg *value)
{
	const char *str;

	if (imap_arg_get_astring(value, &str) &&
	    imap_parse_datetime(str, &item->date, &item->tz_offset))
		item->fields |= OLD_FETCH_DATE;
}

static bool old_arg_get_uint64(const struct imap_arg *arg, uint64_t *num_r)
{
	const char *str;

	return imap_arg_get_astring(arg, &str) && str_to_uint64(str, num_r) == 0;
}

static void
old_item_modseq(struct old_fetch_item *item, const struct imap_arg *value)
{
	const struct imap_arg *list;

	if (imap_arg_get_list(value, &list) &&
	    old_arg_get_uint64(list, &item->modseq))
		item->fields |= OLD_FETCH_MODSEQ;
}

static void
old_item_uid(struct old_fetch_item *item, const struct imap_arg *value)
{
	const char *str;

	if (imap_arg_get_atom(value, &str) &&
	    str_to_uint32(str, &item->uid) == 0 && item->uid > 0)
		item->fields |= OLD_FETCH_UID;
}

static void
old_item_body(struct old_fetch_item *item, const char *name,
	      const struct imap_arg *value)
{
	const char *partial = strchr(name, '<');
	uoff_t size;

	if (value->type == IMAP_ARG_NIL) {
		item->fields |= OLD_FETCH_BODY_NIL;
		return;
	}
	if (imap_arg_get_literal_size(value, &size))
		item->body_size = size;
	else if (IMAP_ARG_IS_ASTRING(value))
		item->body_size = value->str_len;
	else
		return;
	if (partial != NULL &&
	    str_parse_uint64(partial + 1, &item->body_offset, NULL) < 0)
		item->body_offset = 0;
	item->fields |= OLD_FETCH_BODY;
}

/* Which field is it? 0 for those that nobody needs. */
static enum old_fetch_fields
old_item_add(struct old_fetch_item *item, const char *name,
	     const struct imap_arg *value)
{
	if (strcasecmp(name, "UID") == 0) {
		old_item_uid(item, value);
		return OLD_FETCH_UID;
	} else if (strcasecmp(name, "FLAGS") == 0) {
		old_item_flags(item, value);
		return OLD_FETCH_FLAGS;
	} else if (strcasecmp(name, "INTERNALDATE") == 0) {
		old_item_date(item, value);
		return OLD_FETCH_DATE;
	} else if (strcasecmp(name, "RFC822.SIZE") == 0) {
		if (old_arg_get_uint64(value, &item->size))
			item->fields |= OLD_FETCH_SIZE;
		return OLD_FETCH_SIZE;
	} else if (strcasecmp(name, "MODSEQ") == 0) {
		old_item_modseq(item, value);
		return OLD_FETCH_MODSEQ;
	} else if (old_name_is_body(name)) {
		old_item_body(item, name, value);
		return OLD_FETCH_BODY;
	}
	return 0;
}

/* Returns the fields that were there, parsable or not. */
static enum old_fetch_fields
old_item_parse(struct old_fetch_item *item, uint32_t seq,
	       const struct imap_arg *list)
{
	enum old_fetch_fields seen = 0;
	const char *name;

	i_zero(item);
	item->seq = seq;
	for (; !IMAP_ARG_IS_EOL(list) && !IMAP_ARG_IS_EOL(&list[1]); list += 2) {
		if (imap_arg_get_atom(list, &name))
			seen |= old_item_add(item, name, &list[1]);
	}
	return seen;
}

/*
 * Bodies
 */

/* The fetch that replies belong to: the oldest one in flight. */
static struct old_fetch *old_fetch_find(struct old_client *client)
{
	struct old_command *cmd;

	array_foreach_elem(&client->sent, cmd) {
		if (cmd->fetch != NULL)
			return cmd->fetch;
	}
	return NULL;
}

static bool
old_fetch_wants_body(const struct old_fetch *fetch)
{
	return fetch != NULL && !fetch->failed &&
		(fetch->fields & OLD_FETCH_BODY) != 0;
}

/* The stream of the next size bytes of input: one that ends early has an
   error, so that no reader takes it for a whole message. */
static struct istream *old_body_stream(struct istream *input, uoff_t size)
{
	struct istream *limited = i_stream_create_limit(input, size);
	struct istream *stream = i_stream_create_sized(limited, size);

	i_stream_unref(&limited);
	i_stream_set_name(stream, "(mail from the old server)");
	return stream;
}

static void old_body_end(struct old_body *body, const char *error)
{
	i_stream_unref(&body->stream);
	body->fetch->handler->body_end(body->fetch->context, error);
}

static void
old_body_begin(struct old_client *client, struct old_body *body,
	       const struct old_fetch_item *item)
{
	body->stream = old_body_stream(client->input, body->end - body->start);
	if (body->fetch->handler->body_begin(body->fetch->context, item,
					     body->stream) < 0)
		old_body_end(body, "given up");
}

/* "12 FETCH (... BODY[] {n}": the list, and which element n is. */
static bool
old_fetch_find_literal(const struct imap_arg *args, uint32_t *seq_r,
		       const struct imap_arg **list_r, unsigned int *idx_r)
{
	unsigned int count;
	const char *str;

	if (!imap_arg_get_atom(args, &str) || str_to_uint32(str, seq_r) < 0 ||
	    !imap_arg_atom_equals(&args[1], "FETCH") ||
	    !imap_arg_get_list_full(&args[2], list_r, &count) || count < 2)
		return FALSE;
	*idx_r = count - 1;
	return ((*list_r)[count - 1].type == IMAP_ARG_LITERAL_SIZE ||
		(*list_r)[count - 1].type == IMAP_ARG_LITERAL_SIZE_NONSYNC);
}

bool old_fetch_literal(struct old_client *client, const struct imap_arg *args,
		       uoff_t size)
{
	struct old_fetch *fetch = old_fetch_find(client);
	enum old_fetch_fields asked, seen;
	const struct imap_arg *list;
	struct old_fetch_item item;
	struct old_body *body;
	unsigned int idx;
	const char *name;
	uint32_t seq;

	if (client->body != NULL ||
	    !old_fetch_find_literal(args, &seq, &list, &idx) ||
	    !imap_arg_get_atom(&list[idx - 1], &name) ||
	    !old_name_is_body(name))
		return FALSE;

	client->body = body = i_new(struct old_body, 1);
	body->idx = idx;
	body->start = client->input->v_offset;
	body->end = body->start + size;
	if (body->end < body->start) {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent an impossible literal");
		return FALSE;
	}
	seen = old_item_parse(&item, seq, list);
	body->offset = item.body_offset;
	if (!old_fetch_wants_body(fetch))
		return TRUE;

	body->fetch = fetch;
	asked = (fetch->fields & ~OLD_FETCH_BODY) | OLD_FETCH_UID;
	if ((seen & asked) == asked)
		old_body_begin(client, body, &item);
	else {
		body->spool = iostream_temp_create(client->set.temp_path_prefix,
						   0);
	}
	return TRUE;
}

bool old_fetch_literal_done(struct old_client *client,
			    const struct imap_arg *args)
{
	const struct imap_arg *list;
	unsigned int idx;
	uint32_t seq;

	return client->body != NULL &&
		old_fetch_find_literal(args, &seq, &list, &idx) &&
		idx == client->body->idx;
}

/* Pass on what has come; ends the stream when the handler is done with it. */
static void old_body_stream_more(struct old_client *client,
				 struct old_body *body)
{
	struct istream *stream = body->stream;
	uoff_t size = body->end - body->start;

	if (body->fetch->handler->body_more(body->fetch->context) < 0)
		old_body_end(body, "given up");
	else if (stream->v_offset == size)
		old_body_end(body, NULL);
	else if (client->input->v_offset +
		 i_stream_get_data_size(client->input) >= body->end)
		old_body_end(body, "not read to its end");
}

static void old_body_skip(struct old_client *client, struct old_body *body)
{
	const unsigned char *data;
	size_t size;

	data = i_stream_get_data(client->input, &size);
	size = I_MIN(size, body->end - client->input->v_offset);
	if (body->spool != NULL)
		o_stream_nsend(body->spool, data, size);
	i_stream_skip(client->input, size);
}

int old_fetch_more(struct old_client *client)
{
	struct old_body *body = client->body;

	if (body->stream != NULL)
		old_body_stream_more(client, body);
	if (client->failing)
		return -1;
	if (body->stream != NULL)
		return 0;
	old_body_skip(client, body);
	return client->input->v_offset == body->end ? 1 : 0;
}

/* Give a body that is here completely. */
static void
old_body_give(struct old_fetch *fetch, const struct old_fetch_item *item,
	      struct istream *input)
{
	struct old_body body = { .fetch = fetch, .stream = input };

	i_stream_ref(input);
	if (fetch->handler->body_begin(fetch->context, item, input) < 0 ||
	    fetch->handler->body_more(fetch->context) < 0)
		old_body_end(&body, "given up");
	else if (input->stream_errno != 0)
		old_body_end(&body, t_strdup(i_stream_get_error(input)));
	else if (input->v_offset != item->body_size)
		old_body_end(&body, "not read to its end");
	else
		old_body_end(&body, NULL);
}

static void
old_body_give_spool(struct old_client *client, struct old_body *body,
		    const struct old_fetch_item *item)
{
	struct istream *input, *stream;

	input = iostream_temp_finish(&body->spool, OLD_SPOOL_READ_SIZE);
	stream = old_body_stream(input, item->body_size);
	i_stream_unref(&input);
	old_body_give(body->fetch, item, stream);
	i_stream_unref(&stream);
	e_debug(client->event, "UID %u: body came before what was asked for",
		item->uid);
}

/* A body that came as a quoted string, or as a literal that isn't the first. */
static void
old_body_give_string(struct old_fetch *fetch, const struct old_fetch_item *item,
		     const struct imap_arg *list)
{
	struct istream *input;
	const char *name, *value;

	for (; !IMAP_ARG_IS_EOL(list) && !IMAP_ARG_IS_EOL(&list[1]); list += 2) {
		if (imap_arg_get_atom(list, &name) && old_name_is_body(name) &&
		    imap_arg_get_astring(&list[1], &value)) {
			input = i_stream_create_from_data(value,
							  item->body_size);
			old_body_give(fetch, item, input);
			i_stream_unref(&input);
			return;
		}
	}
}

static void old_body_free(struct old_client *client)
{
	struct old_body *body = client->body;

	client->body = NULL;
	if (body == NULL)
		return;
	i_assert(body->stream == NULL);
	o_stream_destroy(&body->spool);
	i_free(body);
}

void old_fetch_abort(struct old_client *client, const char *error)
{
	if (client->body != NULL && client->body->stream != NULL)
		old_body_end(client->body, error);
	old_body_free(client);
}

int old_fetch_line(struct old_client *client, uint32_t seq,
		   const struct imap_arg *list)
{
	struct old_body *body = client->body;
	struct old_fetch *fetch = old_fetch_find(client);
	struct old_fetch_item item;

	(void)old_item_parse(&item, seq, list);
	if (body != NULL) {
		/* the first of several bodies is the one */
		item.body_size = body->end - body->start;
		item.body_offset = body->offset;
	}
	if (fetch == NULL || (item.fields & OLD_FETCH_UID) == 0) {
		if (client->fetch_callback != NULL)
			client->fetch_callback(&item, client->fetch_context);
	} else if (!fetch->failed) {
		if (body != NULL && body->spool != NULL)
			old_body_give_spool(client, body, &item);
		else if (body == NULL && old_fetch_wants_body(fetch) &&
			 (item.fields & OLD_FETCH_BODY) != 0)
			old_body_give_string(fetch, &item, list);
		if (fetch->handler->item(fetch->context, &item) < 0)
			fetch->failed = TRUE;
	}
	old_body_free(client);
	return client->failing ? -1 : 0;
}

/*
 * Asking
 */

static const char *old_fetch_items(const struct old_fetch_request *req)
{
	string_t *str = t_str_new(128);

	str_append(str, "(UID");
	if ((req->fields & OLD_FETCH_FLAGS) != 0)
		str_append(str, " FLAGS");
	if ((req->fields & OLD_FETCH_DATE) != 0)
		str_append(str, " INTERNALDATE");
	if ((req->fields & OLD_FETCH_SIZE) != 0)
		str_append(str, " RFC822.SIZE");
	if ((req->fields & OLD_FETCH_MODSEQ) != 0)
		str_append(str, " MODSEQ");
	if ((req->fields & OLD_FETCH_BODY) != 0) {
		str_printfa(str, " BODY.PEEK[%s]",
			    req->section == NULL ? "" : req->section);
		if (req->length > 0) {
			str_printfa(str, "<%"PRIu64".%"PRIu64">",
				    req->offset, req->length);
		}
	}
	str_append_c(str, ')');
	return str_c(str);
}

static void old_fetch_reply(const struct old_reply *reply, void *context)
{
	struct old_fetch *fetch = context;

	fetch->callback(reply, fetch->context);
}

#undef old_fetch_send
void old_fetch_send(struct old_client *client,
		    const struct old_fetch_request *req,
		    const struct old_fetch_handler *handler,
		    old_reply_callback_t *callback, void *context)
{
	struct old_command *cmd = old_command_new(client, "UID FETCH");
	struct old_fetch *fetch = p_new(cmd->pool, struct old_fetch, 1);

	fetch->fields = req->fields;
	fetch->handler = handler;
	fetch->callback = callback;
	fetch->context = context;
	cmd->fetch = fetch;

	old_command_add(cmd, req->uids);
	T_BEGIN {
		old_command_add(cmd, old_fetch_items(req));
	} T_END;
	if (req->changed_since > 0) {
		old_command_addf(cmd, "(CHANGEDSINCE %"PRIu64"%s)",
				 req->changed_since,
				 req->vanished ? " VANISHED" : "");
	}
	cmd->untagged = handler->untagged;
	cmd->untagged_context = context;
	old_command_send(&cmd, old_fetch_reply, (void *)fetch);
}

#undef old_client_set_fetch
void old_client_set_fetch(struct old_client *client,
			  old_fetch_callback_t *callback, void *context)
{
	client->fetch_callback = callback;
	client->fetch_context = context;
}
