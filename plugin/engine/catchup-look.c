#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "hash.h"
#include "str.h"
#include "strescape.h"
#include "imap-arg.h"
#include "migration-dir.h"
#include "catchup-look.h"

#define LOOK_FOLDER "catchup"
/* no mailbox's key begins with a '.' */
#define LOOK_NAME ".look"
#define LOOK_MAGIC "migration-look 1"
/* 100,000 mailboxes with long names */
#define LOOK_MAX_SIZE (64 * 1024 * 1024)

struct look {
	struct old_client *client;
	pool_t pool;
	HASH_TABLE(const char *, struct catchup_seen *) boxes;
	ARRAY_TYPE(const_string) *others;

	bool failed;
	enum mail_error error_code;
	const char *error;
};

static const struct {
	const char *name;
	size_t offset;
} look_numbers[] = {
	{ "MESSAGES", offsetof(struct mirror_status, messages) },
	{ "UIDNEXT", offsetof(struct mirror_status, uid_next) },
	{ "UIDVALIDITY", offsetof(struct mirror_status, uid_validity) },
};

/*
 * Asking
 */

static struct catchup_seen *look_find(struct look *look, const char *old_name)
{
	if (strcasecmp(old_name, "INBOX") == 0)
		old_name = "INBOX";
	return hash_table_lookup(look->boxes, old_name);
}

static void
parse_number(const char *key, const char *value, struct mirror_status *status)
{
	if (strcasecmp(key, "HIGHESTMODSEQ") == 0) {
		if (str_to_uint64(value, &status->modseq) < 0)
			status->modseq = 0;
		return;
	}
	for (unsigned int i = 0; i < N_ELEMENTS(look_numbers); i++) {
		uint32_t *number = PTR_OFFSET(status, look_numbers[i].offset);

		if (strcasecmp(key, look_numbers[i].name) == 0 &&
		    str_to_uint32(value, number) < 0)
			*number = 0;
	}
}

/* STATUS name (MESSAGES n ...) */
static void look_status(struct look *look, const struct imap_arg *args)
{
	const struct imap_arg *items;
	const char *name, *key, *value;
	struct catchup_seen *box;

	if (!imap_arg_get_astring(&args[0], &name) ||
	    !imap_arg_get_list(&args[1], &items) ||
	    (box = look_find(look, name)) == NULL)
		return;
	for (; imap_arg_get_atom(&items[0], &key) &&
	       imap_arg_get_atom(&items[1], &value); items += 2)
		parse_number(key, value, &box->status);
}

static bool is_selectable(const struct imap_arg *attributes)
{
	const char *atom;

	for (; imap_arg_get_atom(attributes, &atom); attributes++) {
		if (strcasecmp(atom, "\\NoSelect") == 0 ||
		    strcasecmp(atom, "\\NonExistent") == 0)
			return FALSE;
	}
	return TRUE;
}

/* LIST (attributes) separator name */
static void look_folder(struct look *look, const struct imap_arg *args)
{
	const struct imap_arg *attributes;
	const char *name;

	if (!imap_arg_get_list(&args[0], &attributes) ||
	    IMAP_ARG_IS_EOL(&args[1]) ||
	    !imap_arg_get_astring(&args[2], &name) ||
	    !is_selectable(attributes) || look_find(look, name) != NULL)
		return;
	name = p_strdup(look->pool, name);
	array_push_back(look->others, &name);
}

static bool
look_untagged(const struct old_untagged *untagged, struct look *look)
{
	if (strcmp(untagged->name, "STATUS") == 0)
		look_status(look, untagged->args);
	else if (strcmp(untagged->name, "LIST") == 0)
		look_folder(look, untagged->args);
	else
		return FALSE;
	return TRUE;
}

static void look_listed(const struct old_reply *reply, struct look *look)
{
	if (reply->state == OLD_REPLY_OK || look->failed)
		return;
	look->failed = TRUE;
	look->error_code = reply->error_code;
	look->error = p_strdup(look->pool, reply->error);
}

/* NO: it isn't there. */
static void
look_status_done(const struct old_reply *reply, struct look *look)
{
	if (reply->state != OLD_REPLY_NO)
		look_listed(reply, look);
}

static const char *look_items(struct look *look)
{
	return old_client_has(look->client, "CONDSTORE") ?
		"(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)" :
		"(MESSAGES UIDNEXT UIDVALIDITY)";
}

static void
send_list(struct look *look, const char *pattern, const char *options)
{
	struct old_command *cmd = old_command_new(look->client, "LIST");

	old_command_add_string(cmd, "");
	old_command_add_string(cmd, pattern);
	if (options != NULL)
		old_command_add(cmd, options);
	old_command_set_untagged(cmd, look_untagged, look);
	old_command_send(&cmd, look_listed, look);
}

static void send_status(struct look *look, const char *old_name)
{
	struct old_command *cmd = old_command_new(look->client, "STATUS");

	old_command_add_string(cmd, old_name);
	old_command_add(cmd, look_items(look));
	old_command_set_untagged(cmd, look_untagged, look);
	old_command_send(&cmd, look_status_done, look);
}

/* Without a selected mailbox that is an error, and no harm. */
static void look_unselected(const struct old_reply *reply ATTR_UNUSED,
			    struct look *look ATTR_UNUSED)
{
}

/* STATUS of the mailbox that is selected tells what this connection was told of it
   (Dovecot), and not what came since. */
static void send_unselect(struct look *look)
{
	old_client_send(look->client, look_unselected, look, "%s",
			old_client_has(look->client, "UNSELECT") ?
			"UNSELECT" : "NOOP");
}

static void
send_all(struct look *look, const char *prefix,
	 const ARRAY_TYPE(catchup_seen) *boxes)
{
	const char *pattern = t_strconcat(prefix, "*", NULL);
	const char *options = t_strdup_printf("RETURN (STATUS %s)",
					      look_items(look));
	const struct catchup_seen *box;

	if (old_client_has(look->client, "LIST-STATUS")) {
		if (*prefix != '\0')
			send_list(look, "INBOX", options);
		send_list(look, pattern, options);
		return;
	}
	send_list(look, pattern, NULL);
	array_foreach(boxes, box)
		send_status(look, box->old_name);
}

int catchup_look(struct old_client *client, const char *prefix, pool_t pool,
		 ARRAY_TYPE(catchup_seen) *boxes,
		 ARRAY_TYPE(const_string) *others_r,
		 enum mail_error *error_code_r, const char **error_r)
{
	struct look look = {
		.client = client,
		.pool = pool,
		.others = others_r,
	};
	struct catchup_seen *box;
	bool used = old_client_is_connected(client);
	int ret;

	p_array_init(others_r, pool, 8);
	if (old_client_connect(client, error_code_r, error_r) < 0)
		return -1;
	hash_table_create(&look.boxes, default_pool, 0, str_hash, strcmp);
	array_foreach_modifiable(boxes, box) {
		i_zero(&box->status);
		hash_table_update(look.boxes, box->old_name, box);
	}
	if (used)
		send_unselect(&look);
	send_all(&look, prefix, boxes);
	ret = old_client_wait(client, error_code_r, error_r);
	if (ret == 0 && look.failed) {
		*error_code_r = look.error_code;
		*error_r = look.error;
		ret = -1;
	}
	hash_table_destroy(&look.boxes);
	return ret;
}

/*
 * Remembering
 */

/* name TAB old name TAB UIDVALIDITY TAB UIDNEXT TAB MESSAGES TAB MODSEQ */
static bool
parse_seen(const char *line, pool_t pool, ARRAY_TYPE(catchup_seen) *boxes)
{
	const char *const *args = t_strsplit_tabescaped(line);
	struct catchup_seen *box;

	if (str_array_length(args) != 6)
		return FALSE;
	box = array_append_space(boxes);
	box->vname = p_strdup(pool, args[0]);
	box->old_name = p_strdup(pool, args[1]);
	return str_to_uint32(args[2], &box->status.uid_validity) == 0 &&
		str_to_uint32(args[3], &box->status.uid_next) == 0 &&
		str_to_uint32(args[4], &box->status.messages) == 0 &&
		str_to_uint64(args[5], &box->status.modseq) == 0;
}

static bool
parse(const char *const *lines, pool_t pool, struct catchup_last *last)
{
	if (str_array_length(lines) < 4 || strcmp(lines[0], LOOK_MAGIC) != 0 ||
	    !str_begins(lines[1], "others=") ||
	    str_to_uint32(lines[1] + 7, &last->others) < 0 ||
	    !str_begins(lines[2], "flags=") ||
	    str_to_time(lines[2] + 6, &last->flags) < 0)
		return FALSE;
	for (lines += 3; *lines != NULL && strcmp(*lines, "end") != 0;
	     lines++) {
		bool ok;

		T_BEGIN {
			ok = parse_seen(*lines, pool, &last->boxes);
		} T_END;
		if (!ok)
			return FALSE;
	}
	return *lines != NULL;
}

int catchup_look_read(const char *dir, pool_t pool,
		      struct catchup_last *last_r, const char **error_r)
{
	buffer_t *data = buffer_create_dynamic(default_pool, 4096);
	int ret;

	i_zero(last_r);
	p_array_init(&last_r->boxes, pool, 16);
	ret = migration_dir_read(dir, LOOK_FOLDER, LOOK_NAME, LOOK_MAX_SIZE,
				 data, error_r);
	if (ret > 0 && !parse(t_strsplit(str_c(data), "\n"), pool, last_r)) {
		/* all mailboxes are opened then */
		array_clear(&last_r->boxes);
		last_r->others = 0;
		last_r->flags = 0;
		ret = 0;
	}
	buffer_free(&data);
	return ret;
}

int catchup_look_write(const char *dir, const struct catchup_last *last,
		       const char **error_r)
{
	string_t *str = t_str_new(1024);
	const struct catchup_seen *box;

	str_printfa(str, LOOK_MAGIC"\nothers=%u\nflags=%"PRIdTIME_T"\n",
		    last->others, last->flags);
	array_foreach(&last->boxes, box) {
		str_append_tabescaped(str, box->vname);
		str_append_c(str, '\t');
		str_append_tabescaped(str, box->old_name);
		str_printfa(str, "\t%u\t%u\t%u\t%"PRIu64"\n",
			    box->status.uid_validity, box->status.uid_next,
			    box->status.messages, box->status.modseq);
	}
	str_append(str, "end\n");
	return migration_dir_replace(dir, LOOK_FOLDER, LOOK_NAME,
				     str_data(str), str_len(str), error_r);
}
