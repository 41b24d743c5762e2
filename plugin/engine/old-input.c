/* old-input: what the server sends, line by line. Status replies are read as
   text, because servers put anything into them; all else by imap_parser. */

#include "old-client-private.h"
#include "istream.h"
#include "str.h"
#include "imap-parser.h"

#include <string.h>

/* Longest name of an untagged reply that is looked for. */
#define OLD_NAME_MAX 20

static const char *const status_names[] = {
	"OK", "NO", "BAD", "BYE", "PREAUTH", "CAPABILITY", NULL
};
static const struct imap_arg no_args = { .type = IMAP_ARG_EOL };

static void
old_input_untagged(struct old_client *client, const struct old_untagged *untagged)
{
	struct old_command *head = array_count(&client->sent) == 0 ? NULL :
		array_idx_elem(&client->sent, 0);

	if (head != NULL && head->untagged != NULL &&
	    head->untagged(untagged, head->untagged_context))
		return;
	if (client->untagged != NULL)
		(void)client->untagged(untagged, client->untagged_context);
}

/* "OK [code value] text" behind "* " */
static int old_input_status(struct old_client *client, const char *line)
{
	const char *space = strchr(line, ' ');
	struct old_untagged untagged;

	i_zero(&untagged);
	untagged.args = &no_args;
	untagged.name = t_str_ucase(space == NULL ? line :
				    t_strdup_until(line, space));
	if (space == NULL)
		space = "";
	else
		space++;

	if (strcmp(untagged.name, "CAPABILITY") == 0) {
		old_login_set_capabilities(client, space);
		return 1;
	}
	old_reply_split(space, &untagged.code, &untagged.code_value,
			&untagged.text);
	if (strcmp(untagged.code, "CAPABILITY") == 0)
		old_login_set_capabilities(client, untagged.code_value);
	if (client->state == OLD_STATE_GREETING)
		return old_login_greeting(client, &untagged) < 0 ? -1 : 1;

	old_input_untagged(client, &untagged);
	if (strcmp(untagged.name, "BYE") == 0) {
		old_limit_bye(client, untagged.code, untagged.text);
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server ended the session: %s",
			old_reply_clean(untagged.text));
	}
	return 1;
}

static int old_input_tagged(struct old_client *client, const char *line)
{
	const char *space = strchr(line, ' ');

	if (space == NULL) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent a line that isn't IMAP: %s",
			old_reply_clean(line));
	}
	if (old_command_tagged(client, t_strdup_until(line, space),
			       space + 1) < 0)
		return -1;
	if (client->starting_tls)
		return old_login_tls(client) < 0 ? -1 : 1;
	return 1;
}

/* Is it "* OK ..." or the like? 1 yes, 0 no, -1 more input is needed */
static int old_input_is_status(const unsigned char *data, size_t size)
{
	size_t i;

	for (i = 2; i < size && i < OLD_NAME_MAX; i++) {
		if (data[i] == ' ' || data[i] == '\r' || data[i] == '\n') {
			return str_array_icase_find(status_names,
				t_strndup(data + 2, i - 2)) ? 1 : 0;
		}
	}
	return i == OLD_NAME_MAX ? 0 : -1;
}

/* The start of a line: 1 it was handled or goes on as args, 0 more input is
   needed, -1 failed. */
static int old_input_tag(struct old_client *client)
{
	const unsigned char *data;
	const char *line;
	size_t size;
	int ret;

	data = i_stream_get_data(client->input, &size);
	if (size < 2)
		return 0;
	if (memcmp(data, "* ", 2) == 0) {
		if ((ret = old_input_is_status(data, size)) < 0)
			return 0;
		if (ret == 0) {
			i_stream_skip(client->input, 2);
			client->input_state = OLD_INPUT_ARGS;
			client->scanned_offset = client->input->v_offset;
			client->scanned_line = FALSE;
			client->lists = client->words = 0;
			return 1;
		}
	}
	line = i_stream_next_line(client->input);
	if (line == NULL)
		return 0;
	if (client->state == OLD_STATE_GREETING && !str_begins(line, "* ")) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server doesn't greet as an IMAP server: %s",
			old_reply_clean(line));
	}
	line = t_strdup(line);
	if (*line == '+') {
		old_output_plus(client, line[1] == ' ' ? line + 2 : line + 1);
		return client->failing ? -1 : 1;
	}
	if (str_begins(line, "* "))
		return old_input_status(client, line + 2);
	return old_input_tagged(client, line);
}

static void
old_input_enabled(struct old_client *client, const struct imap_arg *args)
{
	string_t *str = t_str_new(64);
	const char *name;

	if (client->enabled != NULL)
		str_append(str, client->enabled);
	for (; imap_arg_get_atom(args, &name); args++)
		str_printfa(str, " %s", name);
	i_free(client->enabled);
	client->enabled = i_strdup(str_c(str));
}

static int
old_input_line(struct old_client *client, const struct imap_arg *args)
{
	struct old_untagged untagged;
	const struct imap_arg *list;
	const char *name;

	i_zero(&untagged);
	untagged.code = untagged.code_value = untagged.text = "";
	if (!imap_arg_get_atom(args, &name))
		name = "";
	else if (str_to_uint32(name, &untagged.num) == 0 &&
		 !imap_arg_get_atom(++args, &name))
		name = "";
	if (*name == '\0') {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent a reply without a name");
	}
	args++;
	untagged.name = t_str_ucase(name);
	untagged.args = args;
	if (strcmp(untagged.name, "FETCH") == 0 &&
	    imap_arg_get_list(args, &list))
		return old_fetch_line(client, untagged.num, list);
	if (strcmp(untagged.name, "ENABLED") == 0)
		old_input_enabled(client, args);
	old_input_untagged(client, &untagged);
	return client->failing ? -1 : 0;
}

/* imap_parser takes some hundred bytes for each list or word, however short:
   count them first. */
static int old_input_count(struct old_client *client)
{
	const unsigned char *data;
	size_t size, i;

	if (client->scanned_line)
		return 0;
	data = i_stream_get_data(client->input, &size);
	i = I_MAX(client->scanned_offset, client->input->v_offset) -
		client->input->v_offset;
	for (; i < size && data[i] != '\n'; i++) {
		if (data[i] == '(')
			client->lists++;
		else if (data[i] == ' ')
			client->words++;
	}
	client->scanned_line = i < size;
	client->scanned_offset = client->input->v_offset + i;
	if (client->lists > OLD_MAX_LISTS || client->words > OLD_MAX_WORDS) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent a reply with too many words");
	}
	return 0;
}

/* A literal begins here. */
static int old_input_literal(struct old_client *client,
			     const struct imap_arg *args, uoff_t size)
{
	client->scanned_line = FALSE;
	if (old_fetch_literal(client, args, size)) {
		client->input_state = OLD_INPUT_BODY;
		return 1;
	}
	if (client->failing)
		return -1;
	if (size > OLD_MAX_LITERAL) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent a literal that is too long");
	}
	client->scanned_offset = client->input->v_offset + size;
	imap_parser_read_last_literal(client->parser);
	return 1;
}

static int old_input_end_of_line(struct old_client *client)
{
	const unsigned char *data;
	size_t size;

	data = i_stream_get_data(client->input, &size);
	if (size > 1 && data[0] == '\r' && data[1] == '\n')
		i_stream_skip(client->input, 2);
	else if (size > 0 && data[0] == '\n')
		i_stream_skip(client->input, 1);
	else {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent a reply that doesn't end");
	}
	return 0;
}

static int old_input_args(struct old_client *client)
{
	const struct imap_arg *args;
	uoff_t size;
	int ret;

	if (old_input_count(client) < 0)
		return -1;
	ret = imap_parser_read_args(client->parser, 0,
				    IMAP_PARSE_FLAG_LITERAL_SIZE |
				    IMAP_PARSE_FLAG_ATOM_ALLCHARS |
				    IMAP_PARSE_FLAG_LITERAL8, &args);
	if (ret == -2)
		return 0;
	if (ret < 0) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent a reply that isn't IMAP: %s",
			imap_parser_get_error(client->parser, NULL));
	}
	if (ret > 0 && imap_parser_get_literal_size(client->parser, &size) &&
	    !old_fetch_literal_done(client, args))
		return old_input_literal(client, args, size);

	if (old_input_end_of_line(client) < 0)
		return -1;
	client->input_state = OLD_INPUT_TAG;
	ret = ret == 0 ? 0 : old_input_line(client, args);
	imap_parser_reset(client->parser);
	return ret < 0 ? -1 : 1;
}

static int old_input_body(struct old_client *client)
{
	int ret = old_fetch_more(client);

	if (ret > 0) {
		client->input_state = OLD_INPUT_ARGS;
		client->scanned_offset = client->input->v_offset;
	}
	return ret;
}

static int old_input_step(struct old_client *client)
{
	switch (client->input_state) {
	case OLD_INPUT_TAG:
		return old_input_tag(client);
	case OLD_INPUT_ARGS:
		return old_input_args(client);
	case OLD_INPUT_BODY:
		return old_input_body(client);
	}
	i_unreached();
}

int old_input(struct old_client *client)
{
	int ret = 1;

	while (ret > 0 && !client->failing) {
		T_BEGIN {
			ret = old_input_step(client);
		} T_END;
	}
	return client->failing ? -1 : ret;
}
