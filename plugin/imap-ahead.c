#include "lib.h"
#include "array.h"
#include "str.h"
#include "istream.h"
#include "imap-utf7.h"
#include "imap-common.h"
#include "imap-commands.h"
#include "mailbox-list-private.h"
#include "imap-ahead.h"

/* the imap process' own */
#pragma weak imap_clients

static const char *skip_word(const char **p)
{
	const char *word = *p, *end = strchr(word, ' ');

	if (end == NULL || end == word)
		return NULL;
	*p = end + 1;
	return t_strdup_until(word, end);
}

/* With an escape it would be a name that hardly anybody has. */
static const char *skip_name(const char **p)
{
	const char *end, *name;

	if (**p != '"')
		return strpbrk(*p, "\"\\{") == NULL ? skip_word(p) : NULL;
	end = strchr(*p + 1, '"');
	if (end == NULL || end[1] != ' ')
		return NULL;
	name = t_strdup_until(*p + 1, end);
	*p = end + 2;
	return strchr(name, '\\') == NULL ? name : NULL;
}

/* A line without its CR LF: TRUE when it is such a STATUS command. */
static bool parse_line(const char *line, const char **vname_r)
{
	const char *p = line, *word, *name;
	string_t *vname;
	size_t len;

	if (skip_word(&p) == NULL || (word = skip_word(&p)) == NULL ||
	    strcasecmp(word, "STATUS") != 0 ||
	    (name = skip_name(&p)) == NULL)
		return FALSE;
	len = strlen(p);
	if (*p != '(' || p[len - 1] != ')' || strchr(p, '{') != NULL)
		return FALSE;
	vname = t_str_new(64);
	if (strcasecmp(name, "INBOX") == 0)
		name = "INBOX";
	if (imap_utf7_to_utf8(name, vname) < 0)
		return FALSE;
	*vname_r = str_c(vname);
	return TRUE;
}

static bool executes_status(const struct client *client)
{
	const struct client_command_context *cmd;

	for (cmd = client->command_queue; cmd != NULL; cmd = cmd->next) {
		if (cmd->name != NULL && strcasecmp(cmd->name, "STATUS") == 0)
			return client->handling_input;
	}
	return FALSE;
}

static struct client *find_client(struct mail_user *user)
{
	struct client *client;

	if (&imap_clients == NULL)
		return NULL;
	for (client = imap_clients; client != NULL; client = client->next) {
		/* else its line is behind us already */
		if (client->user == user && client->input_skip_line &&
		    executes_status(client))
			return client;
	}
	return NULL;
}

static const unsigned char *
find_line_end(const unsigned char *data, const unsigned char *end)
{
	return memchr(data, '\n', end - data);
}

static uint64_t line_mark(const struct client *client,
			  const unsigned char *data, const unsigned char *lf)
{
	return client->input->v_offset + (lf - data) + 1;
}

uint64_t imap_ahead_mark(struct mail_user *user)
{
	const struct client *client = find_client(user);
	const unsigned char *data, *lf;
	size_t size;

	if (client == NULL)
		return 0;
	data = i_stream_get_data(client->input, &size);
	lf = find_line_end(data, data + size);
	return lf == NULL ? 0 : line_mark(client, data, lf);
}

/* Returns FALSE when it isn't such a command. */
static bool add_line(const unsigned char *line, const unsigned char *lf,
		     uint64_t mark, pool_t pool,
		     ARRAY_TYPE(status_ahead) *next)
{
	struct status_ahead *ahead;
	const char *vname;

	if (lf > line && lf[-1] == '\r')
		lf--;
	if (memchr(line, '\0', lf - line) != NULL ||
	    !parse_line(t_strdup_until(line, lf), &vname))
		return FALSE;
	ahead = array_append_space(next);
	ahead->vname = p_strdup(pool, vname);
	ahead->mark = mark;
	return TRUE;
}

void imap_ahead_get(struct mail_user *user, unsigned int max, pool_t pool,
		    ARRAY_TYPE(status_ahead) *next)
{
	struct client *client = find_client(user);
	const unsigned char *data, *line, *lf, *end;
	bool more = TRUE;
	size_t size;

	if (client == NULL)
		return;
	/* what has come meanwhile; the buffer has its limit */
	while (i_stream_read(client->input) > 0) ;
	data = i_stream_get_data(client->input, &size);
	end = data + size;
	lf = find_line_end(data, end);
	while (more && lf != NULL && max-- > 0) {
		line = lf + 1;
		lf = find_line_end(line, end);
		more = lf != NULL &&
			add_line(line, lf, line_mark(client, data, lf), pool,
				 next);
	}
}
