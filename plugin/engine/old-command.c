/* old-command: commands from their parts to their tagged reply (RFC 3501 2.2,
   literals as in RFC 7888). */

#include "old-client-private.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"

#include <string.h>

/* LITERAL- (RFC 7888): larger ones must be synchronizing. */
#define OLD_LITERAL_MINUS_MAX 4096

/*
 * Building
 */

struct old_command *
old_command_new(struct old_client *client, const char *name)
{
	pool_t pool = pool_alloconly_create("old command", 512);
	struct old_command *cmd = p_new(pool, struct old_command, 1);

	cmd->pool = pool;
	cmd->client = client;
	cmd->text = str_new(pool, 128);
	p_array_init(&cmd->parts, pool, 4);
	if (i_snprintf(cmd->tag, sizeof(cmd->tag), "m%u",
		       ++client->last_tag) < 0)
		i_unreached();
	str_append(cmd->text, name);
	return cmd;
}

void old_command_add(struct old_command *cmd, const char *part)
{
	str_append_c(cmd->text, ' ');
	str_append(cmd->text, part);
}

void old_command_addf(struct old_command *cmd, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	str_append_c(cmd->text, ' ');
	str_vprintfa(cmd->text, fmt, args);
	va_end(args);
}

/* What was added up to now becomes a part. */
static void old_command_end_text(struct old_command *cmd)
{
	struct old_part *part;

	if (str_len(cmd->text) == 0)
		return;
	part = array_append_space(&cmd->parts);
	part->size = str_len(cmd->text);
	part->data = p_memdup(cmd->pool, str_data(cmd->text), part->size);
	str_truncate(cmd->text, 0);
}

static struct old_part *
old_command_add_literal(struct old_command *cmd, uoff_t size)
{
	struct old_part *part;

	str_append_c(cmd->text, ' ');
	old_command_end_text(cmd);
	part = array_append_space(&cmd->parts);
	part->literal = TRUE;
	part->size = size;
	return part;
}

static bool old_string_is_quotable(const char *value)
{
	for (; *value != '\0'; value++) {
		if ((unsigned char)*value < 0x20 ||
		    (unsigned char)*value >= 0x7f)
			return FALSE;
	}
	return TRUE;
}

void old_command_add_string(struct old_command *cmd, const char *value)
{
	struct old_part *part;

	if (!old_string_is_quotable(value)) {
		part = old_command_add_literal(cmd, strlen(value));
		part->data = p_memdup(cmd->pool, value, part->size);
		return;
	}
	str_append(cmd->text, " \"");
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			str_append_c(cmd->text, '\\');
		str_append_c(cmd->text, *value);
	}
	str_append_c(cmd->text, '"');
}

void old_command_add_stream(struct old_command *cmd, struct istream *input,
			    uoff_t size)
{
	old_command_add_literal(cmd, size)->input = input;
	i_stream_ref(input);
}

#undef old_command_set_untagged
void old_command_set_untagged(struct old_command *cmd,
			      old_untagged_callback_t *callback, void *context)
{
	cmd->untagged = callback;
	cmd->untagged_context = context;
}

static void old_command_free(struct old_command *cmd)
{
	struct old_part *part;

	array_foreach_modifiable(&cmd->parts, part)
		i_stream_unref(&part->input);
	pool_unref(&cmd->pool);
}

/*
 * Queueing
 */

static void old_command_flush(struct old_client *client)
{
	timeout_remove(&client->to_flush);
	old_client_enter(client);
	if (client->state == OLD_STATE_DISCONNECTED && !client->failing)
		old_connection_start(client);
	else
		(void)old_output(client);
	(void)old_client_leave(client);
}

void old_command_schedule(struct old_client *client)
{
	if (client->to_flush == NULL) {
		client->to_flush =
			timeout_add_short(0, old_command_flush, client);
	}
}

void old_client_flush(struct old_client *client)
{
	if (client->to_flush != NULL)
		old_command_flush(client);
}

#undef old_command_send
void old_command_send(struct old_command **_cmd,
		      old_reply_callback_t *callback, void *context)
{
	struct old_command *cmd = *_cmd;

	*_cmd = NULL;
	old_command_end_text(cmd);
	cmd->callback = callback;
	cmd->context = context;
	array_push_back(&cmd->client->queue, &cmd);
	old_command_schedule(cmd->client);
}

#undef old_command_send_login
void old_command_send_login(struct old_command *cmd,
			    old_reply_callback_t *callback, void *context)
{
	old_command_end_text(cmd);
	cmd->callback = callback;
	cmd->context = context;
	cmd->login = TRUE;
	array_push_front(&cmd->client->queue, &cmd);
	(void)old_output(cmd->client);
}

#undef old_client_send
void old_client_send(struct old_client *client,
		     old_reply_callback_t *callback, void *context,
		     const char *fmt, ...)
{
	struct old_command *cmd;
	va_list args;

	va_start(args, fmt);
	cmd = old_command_new(client, "");
	str_vprintfa(cmd->text, fmt, args);
	va_end(args);
	old_command_send(&cmd, callback, context);
}

struct old_command_run {
	bool ok;
	enum mail_error error_code;
	char *error;
};

static void
old_command_run_reply(const struct old_reply *reply, void *context)
{
	struct old_command_run *run = context;

	run->ok = reply->state == OLD_REPLY_OK;
	run->error_code = reply->error_code;
	run->error = i_strdup(reply->error);
}

int old_command_run(struct old_command **_cmd,
		    enum mail_error *error_code_r, const char **error_r)
{
	struct old_client *client = (*_cmd)->client;
	struct old_command_run run;

	i_zero(&run);
	old_command_send(_cmd, old_command_run_reply, &run);
	(void)old_client_wait(client, error_code_r, error_r);
	*error_code_r = run.error_code;
	*error_r = t_strdup(run.error);
	i_free(run.error);
	return run.ok ? 0 : -1;
}

/*
 * Writing
 */

static bool old_literal_waits(const struct old_client *client, uoff_t size)
{
	if (old_client_has(client, "LITERAL+"))
		return FALSE;
	return size > OLD_LITERAL_MINUS_MAX ||
		!old_client_has(client, "LITERAL-");
}

static bool old_output_next_command(struct old_client *client)
{
	struct old_command *cmd;

	if (array_count(&client->queue) == 0)
		return FALSE;
	cmd = array_idx_elem(&client->queue, 0);
	if (client->state != OLD_STATE_READY &&
	    !(client->state == OLD_STATE_LOGIN && cmd->login))
		return FALSE;

	array_pop_front(&client->queue);
	array_push_back(&client->sent, &cmd);
	client->writing = cmd;
	client->counters.commands++;
	str_printfa(client->out, "%s ", cmd->tag);
	return TRUE;
}

static void old_output_literal(struct old_client *client, struct old_part *part)
{
	if (!part->announced) {
		bool waits = old_literal_waits(client, part->size);

		part->announced = TRUE;
		client->wait_plus = waits;
		str_printfa(client->out, "{%"PRIuUOFF_T"%s}\r\n", part->size,
			    waits ? "" : "+");
		return;
	}
	client->writing->next_part++;
	if (part->input == NULL)
		buffer_append(client->out, part->data, part->size);
	else
		client->out_stream = i_stream_create_limit(part->input,
							   part->size);
}

static void old_output_part(struct old_client *client)
{
	struct old_command *cmd = client->writing;
	struct old_part *part;

	if (cmd->next_part == array_count(&cmd->parts)) {
		buffer_append(client->out, "\r\n", 2);
		client->writing = NULL;
		if (cmd->answered)
			old_command_free(cmd);
		return;
	}
	part = array_idx_modifiable(&cmd->parts, cmd->next_part);
	if (part->literal)
		old_output_literal(client, part);
	else {
		buffer_append(client->out, part->data, part->size);
		cmd->next_part++;
	}
}

static void old_output_fill(struct old_client *client)
{
	while (!client->wait_plus && client->out_stream == NULL) {
		if (client->writing == NULL && !old_output_next_command(client))
			break;
		old_output_part(client);
	}
}

static int old_output_lost(struct old_client *client)
{
	return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			       "Lost the old server: %s",
			       o_stream_get_error(client->output));
}

/* Past the wire log with the password: nothing else is in the buffer while
   its command isn't answered. */
static struct ostream *old_output_of_buffer(struct old_client *client)
{
	struct old_command *cmd = client->writing;

	if (cmd == NULL && array_count(&client->sent) > 0)
		cmd = array_idx_elem(&client->sent, 0);
	return cmd != NULL && cmd->secret ? client->raw_output :
		client->output;
}

/* 1: all is written, 0: wait, -1: failed */
static int old_output_buffer(struct old_client *client)
{
	ssize_t ret;

	if (!client->burst_open) {
		client->burst_open = TRUE;
		client->counters.bursts++;
	}
	/* TLS corks the socket, and uncorking turns this off */
	(void)net_set_tcp_nodelay(client->fd, TRUE);
	ret = o_stream_send(old_output_of_buffer(client), client->out->data,
			    client->out->used);
	if (ret < 0)
		return old_output_lost(client);
	buffer_delete(client->out, 0, ret);
	if (client->out->used == 0)
		return 1;
	o_stream_set_flush_pending(client->output, TRUE);
	return 0;
}

static int old_output_stream(struct old_client *client)
{
	struct istream *input = client->out_stream;
	const struct old_part *part;

	switch (o_stream_send_istream(client->output, input)) {
	case OSTREAM_SEND_ISTREAM_RESULT_FINISHED:
		/* the part's size was promised to the server */
		part = array_idx(&client->writing->parts,
				 client->writing->next_part - 1);
		if (input->v_offset != part->size) {
			return old_client_fail(client, MAIL_ERROR_TEMP,
				"The data to send is shorter than it was");
		}
		i_stream_unref(&client->out_stream);
		return 1;
	case OSTREAM_SEND_ISTREAM_RESULT_WAIT_OUTPUT:
		o_stream_set_flush_pending(client->output, TRUE);
		return 0;
	case OSTREAM_SEND_ISTREAM_RESULT_WAIT_INPUT:
		return old_client_fail(client, MAIL_ERROR_TEMP,
			"The data to send isn't here yet");
	case OSTREAM_SEND_ISTREAM_RESULT_ERROR_INPUT:
		return old_client_fail(client, MAIL_ERROR_TEMP,
			"The data to send can't be read: %s",
			i_stream_get_error(input));
	case OSTREAM_SEND_ISTREAM_RESULT_ERROR_OUTPUT:
		break;
	}
	return old_output_lost(client);
}

int old_output(struct old_client *client)
{
	int ret = 1;

	if (client->output == NULL)
		return 1;
	while (ret > 0 && !client->failing) {
		old_output_fill(client);
		if (client->out->used > 0)
			ret = old_output_buffer(client);
		else if (client->out_stream != NULL)
			ret = old_output_stream(client);
		else
			break;
	}
	return client->failing ? -1 : ret;
}

void old_output_line(struct old_client *client, const char *line)
{
	str_printfa(client->out, "%s\r\n", line);
	(void)old_output(client);
}

void old_output_plus(struct old_client *client, const char *text)
{
	struct old_command *head;

	if (client->wait_plus) {
		client->wait_plus = FALSE;
		(void)old_output(client);
		return;
	}
	head = array_count(&client->sent) == 0 ? NULL :
		array_idx_elem(&client->sent, 0);
	if (head != NULL && head->plus != NULL)
		head->plus(client, text);
	else {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server asks for more without a reason");
	}
}

/*
 * Answering
 */

static struct old_command *
old_command_take(struct old_client *client, const char *tag)
{
	struct old_command *cmd;
	unsigned int i;

	for (i = 0; i < array_count(&client->sent); i++) {
		cmd = array_idx_elem(&client->sent, i);
		if (strcmp(cmd->tag, tag) == 0) {
			array_delete(&client->sent, i, 1);
			return cmd;
		}
	}
	return NULL;
}

static bool old_reply_state_parse(const char *word, enum old_reply_state *state_r)
{
	if (strcasecmp(word, "OK") == 0)
		*state_r = OLD_REPLY_OK;
	else if (strcasecmp(word, "NO") == 0)
		*state_r = OLD_REPLY_NO;
	else if (strcasecmp(word, "BAD") == 0)
		*state_r = OLD_REPLY_BAD;
	else
		return FALSE;
	return TRUE;
}

static void
old_command_answer(struct old_command *cmd, const struct old_reply *reply)
{
	struct old_client *client = cmd->client;

	if (array_count(&client->sent) == 0)
		client->burst_open = FALSE;
	if (cmd == client->writing && client->wait_plus) {
		/* the literal was refused, nothing of it is sent */
		client->wait_plus = FALSE;
		client->writing = NULL;
		old_command_schedule(client);
	} else if (cmd == client->writing) {
		cmd->answered = TRUE;
	}
	if (cmd->callback != NULL)
		cmd->callback(reply, cmd->context);
	if (!cmd->answered)
		old_command_free(cmd);
}

/* Whose [LIMIT] is about what is to be written: the number of flags, the length of
   a name. */
static bool old_command_writes(const struct old_command *cmd)
{
	static const char *const names[] = {
		"APPEND ", "COPY ", "CREATE ", "MOVE ", "RENAME ", "STORE ",
		"SUBSCRIBE ", "UID COPY ", "UID MOVE ", "UID STORE ",
	};
	const struct old_part *part = array_front(&cmd->parts);
	const char *text = t_strndup(part->data, part->size);

	for (unsigned int i = 0; i < N_ELEMENTS(names); i++) {
		if (strncasecmp(text, names[i], strlen(names[i])) == 0)
			return TRUE;
	}
	return FALSE;
}

static void
old_command_refused(struct old_command *cmd, struct old_reply *reply)
{
	old_reply_classify(reply);
	old_limit_refused(cmd->client, old_command_writes(cmd) ? "" :
			  reply->code, reply->text);
}

int old_command_tagged(struct old_client *client, const char *tag,
		       const char *line)
{
	struct old_command *cmd;
	struct old_reply reply;
	const char *space = strchr(line, ' ');
	const char *word = space == NULL ? line : t_strdup_until(line, space);

	i_zero(&reply);
	if (!old_reply_state_parse(word, &reply.state) ||
	    (cmd = old_command_take(client, tag)) == NULL) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent a reply that isn't IMAP or "
			"answers nothing");
	}
	old_reply_split(space == NULL ? "" : space + 1,
			&reply.code, &reply.code_value, &reply.text);
	reply.error = "";
	if (reply.state != OLD_REPLY_OK)
		old_command_refused(cmd, &reply);
	else if (strcmp(reply.code, "CAPABILITY") == 0)
		old_login_set_capabilities(client, reply.code_value);
	if (reply.state == OLD_REPLY_OK)
		old_limits_succeeded(client->set.limits);
	old_command_answer(cmd, &reply);
	return client->failing ? -1 : 0;
}

void old_command_abort_all(struct old_client *client)
{
	ARRAY_TYPE(old_command) lost;
	struct old_command *cmd;
	const struct old_reply reply = {
		.state = OLD_REPLY_LOST,
		.code = "", .code_value = "",
		.text = t_strdup(client->error),
		.error_code = client->error_code,
		.error = t_strdup(client->error),
	};

	if (client->writing != NULL && client->writing->answered)
		old_command_free(client->writing);
	client->writing = NULL;
	client->burst_open = FALSE;

	i_array_init(&lost, 16);
	array_append_array(&lost, &client->sent);
	array_append_array(&lost, &client->queue);
	array_clear(&client->sent);
	array_clear(&client->queue);
	array_foreach_elem(&lost, cmd) {
		if (cmd->callback != NULL)
			cmd->callback(&reply, cmd->context);
		old_command_free(cmd);
	}
	array_free(&lost);
}
