#include "lib.h"
#include "array.h"
#include "imap-arg.h"
#include "old-folders.h"

struct listing {
	pool_t pool;
	struct old_folders *folders;
	ARRAY_TYPE(const_string) foreign_prefixes;

	bool failed;
	enum mail_error error_code;
	const char *error;
};

/* (attributes) separator name */
static bool
parse_list(const struct old_untagged *untagged,
	   const struct imap_arg **attributes_r, char *sep_r,
	   const char **name_r)
{
	const char *sep;

	if (!imap_arg_get_list(&untagged->args[0], attributes_r) ||
	    !imap_arg_get_nstring(&untagged->args[1], &sep) ||
	    !imap_arg_get_astring(&untagged->args[2], name_r))
		return FALSE;
	*sep_r = sep == NULL ? '\0' : sep[0];
	return TRUE;
}

static bool
has_attribute(const struct imap_arg *attributes, const char *attribute)
{
	const char *atom;

	for (; imap_arg_get_atom(attributes, &atom); attributes++) {
		if (strcasecmp(atom, attribute) == 0)
			return TRUE;
	}
	return FALSE;
}

static const char *get_special_use(const struct imap_arg *attributes)
{
	static const char *const uses[] = {
		"\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important",
		"\\Junk", "\\Sent", "\\Trash",
	};

	for (unsigned int i = 0; i < N_ELEMENTS(uses); i++) {
		if (has_attribute(attributes, uses[i]))
			return uses[i];
	}
	return NULL;
}

static bool list_sep(const struct old_untagged *untagged,
		     struct listing *listing)
{
	const struct imap_arg *attributes;
	const char *name;

	return strcmp(untagged->name, "LIST") == 0 &&
		parse_list(untagged, &attributes, &listing->folders->sep,
			   &name);
}

static bool list_folder(const struct old_untagged *untagged,
			struct listing *listing)
{
	const struct imap_arg *attributes;
	struct old_folder *folder;
	const char *name;
	char sep;

	if (strcmp(untagged->name, "LIST") != 0 ||
	    !parse_list(untagged, &attributes, &sep, &name))
		return FALSE;
	folder = array_append_space(&listing->folders->folders);
	folder->name = p_strdup(listing->pool, name);
	folder->selectable = !has_attribute(attributes, "\\NoSelect") &&
		!has_attribute(attributes, "\\NonExistent");
	folder->special_use = get_special_use(attributes);
	return TRUE;
}

static bool list_subscribed(const struct old_untagged *untagged,
			    struct listing *listing)
{
	const struct imap_arg *attributes;
	const char *name;
	char sep;

	if (strcmp(untagged->name, "LSUB") != 0 ||
	    !parse_list(untagged, &attributes, &sep, &name))
		return FALSE;
	/* \NoSelect: only something below it is subscribed */
	if (!has_attribute(attributes, "\\NoSelect")) {
		name = p_strdup(listing->pool, name);
		array_push_back(&listing->folders->subscribed, &name);
	}
	return TRUE;
}

/* NIL or ((prefix separator ...) ...) */
static void
add_foreign_prefixes(const struct imap_arg *arg, struct listing *listing)
{
	const struct imap_arg *namespaces, *namespace;
	const char *prefix;

	if (!imap_arg_get_list(arg, &namespaces))
		return;
	for (; imap_arg_get_list(namespaces, &namespace); namespaces++) {
		if (imap_arg_get_astring(namespace, &prefix) &&
		    *prefix != '\0') {
			prefix = p_strdup(listing->pool, prefix);
			array_push_back(&listing->foreign_prefixes, &prefix);
		}
	}
}

static bool namespaces(const struct old_untagged *untagged,
		       struct listing *listing)
{
	if (strcmp(untagged->name, "NAMESPACE") != 0 ||
	    IMAP_ARG_IS_EOL(&untagged->args[0]))
		return FALSE;
	/* personal, other users', shared */
	for (unsigned int i = 1; i < 3; i++) {
		if (IMAP_ARG_IS_EOL(&untagged->args[i]))
			break;
		add_foreign_prefixes(&untagged->args[i], listing);
	}
	return TRUE;
}

static void listed(const struct old_reply *reply, struct listing *listing)
{
	if (reply->state == OLD_REPLY_OK || listing->failed)
		return;
	listing->failed = TRUE;
	listing->error_code = reply->error_code;
	listing->error = p_strdup(listing->pool, reply->error);
}

static bool is_foreign(const struct listing *listing, const char *name)
{
	const char *prefix;

	array_foreach_elem(&listing->foreign_prefixes, prefix) {
		size_t len = strlen(prefix);

		if (str_begins(name, prefix) ||
		    (strlen(name) == len - 1 && strncmp(name, prefix,
							len - 1) == 0))
			return TRUE;
	}
	return FALSE;
}

static void drop_foreign(struct listing *listing)
{
	struct old_folders *folders = listing->folders;
	const struct old_folder *folder;
	unsigned int i = 0;

	while (i < array_count(&folders->folders)) {
		folder = array_idx(&folders->folders, i);
		if (is_foreign(listing, folder->name)) {
			array_delete(&folders->folders, i, 1);
			folders->foreign++;
		} else {
			i++;
		}
	}
}

static void
send_list(struct listing *listing, struct old_client *client, const char *name,
	  const char *pattern, const char *options,
	  bool (*callback)(const struct old_untagged *, struct listing *))
{
	struct old_command *cmd = old_command_new(client, name);

	old_command_add_string(cmd, "");
	old_command_add_string(cmd, pattern);
	if (options != NULL)
		old_command_add(cmd, options);
	old_command_set_untagged(cmd, *callback, listing);
	old_command_send(&cmd, listed, listing);
}

static void send_all(struct listing *listing, struct old_client *client,
		     const char *prefix)
{
	const char *pattern = t_strconcat(prefix, "*", NULL);
	const char *options = old_client_has(client, "LIST-EXTENDED") &&
		old_client_has(client, "SPECIAL-USE") ?
		"RETURN (SPECIAL-USE)" : NULL;
	struct old_command *cmd;

	if (old_client_has(client, "NAMESPACE")) {
		cmd = old_command_new(client, "NAMESPACE");
		old_command_set_untagged(cmd, namespaces, listing);
		old_command_send(&cmd, listed, listing);
	}
	send_list(listing, client, "LIST", "", NULL, list_sep);
	if (*prefix != '\0')
		send_list(listing, client, "LIST", "INBOX", NULL, list_folder);
	send_list(listing, client, "LIST", pattern, options, list_folder);
	send_list(listing, client, "LSUB", pattern, NULL, list_subscribed);
}

int old_folders_get(struct old_client *client, const char *prefix, pool_t pool,
		    struct old_folders *folders_r,
		    enum mail_error *error_code_r, const char **error_r)
{
	struct listing listing = { .pool = pool, .folders = folders_r };

	i_zero(folders_r);
	p_array_init(&folders_r->folders, pool, 64);
	p_array_init(&folders_r->subscribed, pool, 64);
	p_array_init(&listing.foreign_prefixes, pool, 4);

	/* what to ask depends on what it can */
	if (old_client_connect(client, error_code_r, error_r) < 0)
		return -1;
	send_all(&listing, client, prefix);
	if (old_client_wait(client, error_code_r, error_r) < 0)
		return -1;
	if (listing.failed) {
		*error_code_r = listing.error_code;
		*error_r = listing.error;
		return -1;
	}
	drop_foreign(&listing);
	return 0;
}
