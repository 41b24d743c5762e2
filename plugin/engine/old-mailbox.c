#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "imap-arg.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "old-mailbox.h"

/* what isn't a number is 0, and is asked for or refused later */
static uint64_t number(const char *value, uint64_t max)
{
	uint64_t num;

	return str_to_uint64(value, &num) == 0 && num <= max ? num : 0;
}

/* "(\\Answered \\Seen \\*)" */
static void
parse_permanent_flags(const char *value, struct old_mailbox *mailbox)
{
	const char *const *flags =
		t_strsplit_spaces(t_str_replace(t_str_replace(value, '(', ' '),
						')', ' '), " ");

	mailbox->permanent_flags = 0;
	mailbox->new_keywords = FALSE;
	for (; *flags != NULL; flags++) {
		if (strcmp(*flags, "\\*") == 0)
			mailbox->new_keywords = TRUE;
		else if ((*flags)[0] == '\\')
			mailbox->permanent_flags |=
				imap_parse_system_flag(*flags);
	}
}

static void parse_code(const struct old_untagged *untagged,
		       struct old_mailbox *mailbox)
{
	const char *value = untagged->code_value;

	if (strcmp(untagged->code, "UIDVALIDITY") == 0)
		mailbox->uid_validity = number(value, UINT32_MAX);
	else if (strcmp(untagged->code, "UIDNEXT") == 0)
		mailbox->uid_next = number(value, UINT32_MAX);
	else if (strcmp(untagged->code, "HIGHESTMODSEQ") == 0)
		mailbox->modseq = number(value, INT64_MAX);
	else if (strcmp(untagged->code, "PERMANENTFLAGS") == 0)
		parse_permanent_flags(value, mailbox);
	else if (strcmp(untagged->code, "NOMODSEQ") == 0)
		mailbox->modseq = 0;
}

static bool
open_untagged(const struct old_untagged *untagged, struct old_mailbox *mailbox)
{
	if (strcmp(untagged->name, "EXISTS") == 0)
		mailbox->messages = untagged->num;
	else if (strcmp(untagged->name, "OK") == 0)
		parse_code(untagged, mailbox);
	return TRUE;
}

/* STATUS name (UIDNEXT n) */
static bool
status_untagged(const struct old_untagged *untagged,
		struct old_mailbox *mailbox)
{
	const struct imap_arg *items;
	const char *key, *value;

	if (strcmp(untagged->name, "STATUS") != 0 ||
	    IMAP_ARG_IS_EOL(&untagged->args[0]) ||
	    !imap_arg_get_list(&untagged->args[1], &items))
		return FALSE;
	for (; imap_arg_get_atom(&items[0], &key) &&
	       imap_arg_get_atom(&items[1], &value); items += 2) {
		if (strcasecmp(key, "UIDNEXT") == 0)
			mailbox->uid_next = number(value, UINT32_MAX);
		else if (strcasecmp(key, "UIDVALIDITY") == 0)
			mailbox->uid_validity = number(value, UINT32_MAX);
	}
	return TRUE;
}

static int
ask_status(struct old_client *client, const char *old_name,
	   struct old_mailbox *mailbox, enum mail_error *error_code_r,
	   const char **error_r)
{
	struct old_command *cmd = old_command_new(client, "STATUS");

	old_command_add_string(cmd, old_name);
	old_command_add(cmd, "(UIDVALIDITY UIDNEXT)");
	old_command_set_untagged(cmd, status_untagged, mailbox);
	return old_command_run(&cmd, error_code_r, error_r);
}

static void enabled(const struct old_reply *reply ATTR_UNUSED,
		    void *context ATTR_UNUSED)
{
	/* old_client_enabled() tells; without it there is no VANISHED */
}

int old_mailbox_prepare(struct old_client *client,
			enum mail_error *error_code_r, const char **error_r)
{
	if (old_client_connect(client, error_code_r, error_r) < 0)
		return -1;
	if (old_client_has(client, "QRESYNC") &&
	    !old_client_enabled(client, "QRESYNC"))
		old_client_send(client, enabled, NULL, "ENABLE QRESYNC");
	return 0;
}

static struct old_command *
open_command(struct old_client *client, const char *old_name, bool write,
	     struct old_mailbox *mailbox)
{
	struct old_command *cmd;

	i_zero(mailbox);
	/* where the server doesn't say, all can be changed (RFC 3501 7.1) */
	mailbox->permanent_flags = MAIL_FLAGS_NONRECENT;
	mailbox->new_keywords = TRUE;
	cmd = old_command_new(client,
		write ||
		(old_client_quirks(client) & OLD_QUIRK_NO_EXAMINE) != 0 ?
		"SELECT" : "EXAMINE");
	old_command_add_string(cmd, old_name);
	if (old_client_has(client, "CONDSTORE"))
		old_command_add(cmd, "(CONDSTORE)");
	old_command_set_untagged(cmd, open_untagged, mailbox);
	return cmd;
}

static bool is_known(const struct old_mailbox *mailbox)
{
	return mailbox->uid_next != 0 && mailbox->uid_validity != 0;
}

int old_mailbox_open(struct old_client *client, const char *old_name,
		     bool write, struct old_mailbox *mailbox_r,
		     enum mail_error *error_code_r, const char **error_r)
{
	struct old_command *cmd;

	if (old_mailbox_prepare(client, error_code_r, error_r) < 0)
		return -1;
	cmd = open_command(client, old_name, write, mailbox_r);
	if (old_command_run(&cmd, error_code_r, error_r) < 0)
		return -1;

	if (!is_known(mailbox_r) &&
	    ask_status(client, old_name, mailbox_r, error_code_r, error_r) < 0)
		return -1;
	if (!is_known(mailbox_r)) {
		*error_code_r = MAIL_ERROR_TEMP;
		*error_r = "The old server doesn't tell UIDVALIDITY and UIDNEXT";
		return -1;
	}
	mailbox_r->qresync = old_client_enabled(client, "QRESYNC");
	return 0;
}

static void
opening_answered(const struct old_reply *reply,
		 struct old_mailbox_opening *opening)
{
	opening->ok = reply->state == OLD_REPLY_OK &&
		is_known(&opening->mailbox);
	if (opening->opened != NULL)
		opening->opened(opening->context);
}

void old_mailbox_open_send(struct old_client *client, const char *old_name,
			   struct old_mailbox_opening *opening)
{
	struct old_command *cmd =
		open_command(client, old_name, FALSE, &opening->mailbox);

	opening->ok = FALSE;
	old_command_send(&cmd, opening_answered, opening);
}

struct uid_search {
	ARRAY_TYPE(seq_range) *uids;
	bool broken;
};

/* ESEARCH (TAG "x") UID ALL set */
static void parse_esearch(const struct imap_arg *args, struct uid_search *search)
{
	const char *key, *set;

	for (; !IMAP_ARG_IS_EOL(args); args++) {
		if (!imap_arg_get_atom(args, &key) ||
		    strcasecmp(key, "ALL") != 0)
			continue;
		if (!imap_arg_get_atom(&args[1], &set) ||
		    imap_seq_set_nostar_parse(set, search->uids) < 0)
			search->broken = TRUE;
		return;
	}
}

static void parse_search(const struct imap_arg *args, struct uid_search *search)
{
	const char *atom;
	uint32_t uid;

	for (; imap_arg_get_atom(args, &atom); args++) {
		if (str_to_uint32(atom, &uid) < 0 || uid == 0)
			search->broken = TRUE;
		else
			seq_range_array_add(search->uids, uid);
	}
}

static bool
search_untagged(const struct old_untagged *untagged, struct uid_search *search)
{
	if (strcmp(untagged->name, "ESEARCH") == 0)
		parse_esearch(untagged->args, search);
	else if (strcmp(untagged->name, "SEARCH") == 0)
		parse_search(untagged->args, search);
	else
		return FALSE;
	return TRUE;
}

int old_mailbox_uids(struct old_client *client,
		     ARRAY_TYPE(seq_range) *uids_r,
		     enum mail_error *error_code_r, const char **error_r)
{
	struct uid_search search = { .uids = uids_r };
	struct old_command *cmd = old_command_new(client, "UID SEARCH");

	if (old_client_has(client, "ESEARCH"))
		old_command_add(cmd, "RETURN (ALL)");
	old_command_add(cmd, "ALL");
	old_command_set_untagged(cmd, search_untagged, &search);
	if (old_command_run(&cmd, error_code_r, error_r) < 0)
		return -1;
	if (search.broken) {
		*error_code_r = MAIL_ERROR_TEMP;
		*error_r = "The old server's answer to UID SEARCH isn't valid";
		return -1;
	}
	return 0;
}
