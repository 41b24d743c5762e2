/*
 * snapshot-list: the folders of an account, under comparable names
 */
#include "snapshot-take.h"
#include "mutf7.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_FLAGS 256

/* Levels separated by "/", which is escaped inside of them. */
static char *comparable_name(const struct take *take, const char *server_name,
			     char separator)
{
	size_t prefix = strlen(take->prefix), size;
	char *utf8, *name;
	const char *p;
	FILE *out;

	if (strcasecmp(server_name, "INBOX") == 0)
		return strdup("INBOX");
	if (prefix > 0 && strncmp(server_name, take->prefix, prefix) == 0 &&
	    server_name[prefix] != '\0')
		server_name += prefix;
	utf8 = mutf7_decode(server_name);
	out = open_memstream(&name, &size);
	if (out == NULL)
		abort();
	for (p = utf8 == NULL ? server_name : utf8; *p != '\0'; p++) {
		if (*p == separator)
			fputc('/', out);
		else if (*p == '/' || *p == '\\')
			fprintf(out, "\\x%02x", (unsigned int)*p);
		else
			fputc(*p, out);
	}
	fclose(out);
	free(utf8);
	return name;
}

void take_find_prefix(struct take *take)
{
	const struct imap_response *resp;
	const struct imap_arg *arg;

	take->prefix = strdup("");
	if (!imap_has(take->client, "NAMESPACE") ||
	    imap_run(take->client, "NAMESPACE") != IMAP_OK)
		return;
	resp = imap_find(imap_untagged(take->client), "NAMESPACE");
	arg = resp == NULL ? NULL : resp->args;
	arg = arg == NULL || arg->child == NULL ? NULL : arg->child->child;
	if (arg != NULL && arg->type == IMAP_ARG_STRING) {
		free(take->prefix);
		take->prefix = strdup(arg->data);
	}
	imap_clear(take->client);
}

/* Finds or adds the folder of a LIST or LSUB answer; NULL for nonsense. */
static struct snapshot_folder *
named_folder(struct take *take, const struct imap_response *resp)
{
	const struct imap_arg *sep, *name;
	struct snapshot_folder *folder;
	char *comparable;
	size_t count = take->snapshot->count;

	sep = resp->args == NULL ? NULL : resp->args->next;
	name = sep == NULL ? NULL : sep->next;
	if (name == NULL || name->type == IMAP_ARG_LIST)
		return NULL;
	comparable = comparable_name(take, name->data,
				     sep->type == IMAP_ARG_STRING ?
				     sep->data[0] : '\0');
	folder = (struct snapshot_folder *)
		snapshot_find(take->snapshot, comparable);
	if (folder == NULL) {
		folder = snapshot_add_folder(take->snapshot, comparable);
		take->server_names = realloc(take->server_names, (count + 1) *
					     sizeof(*take->server_names));
		if (take->server_names == NULL)
			abort();
		take->server_names[count] = strdup(name->data);
	}
	free(comparable);
	return folder;
}

static int cmp_str(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *
take_join_flags(struct snapshot *snapshot, const struct imap_arg *arg,
		bool (*wanted)(const char *flag))
{
	const char *flags[MAX_FLAGS], *joined;
	size_t i, count = 0, size;
	char *text;
	FILE *out;

	for (; arg != NULL && count < MAX_FLAGS; arg = arg->next) {
		if (arg->type == IMAP_ARG_ATOM && wanted(arg->data))
			flags[count++] = arg->data;
	}
	qsort(flags, count, sizeof(*flags), cmp_str);
	out = open_memstream(&text, &size);
	if (out == NULL)
		abort();
	for (i = 0; i < count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : " ", flags[i]);
	fclose(out);
	joined = snapshot_intern(snapshot, text);
	free(text);
	return joined;
}

static bool is_special_use(const char *flag)
{
	static const char *const uses[] = {
		"\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk",
		"\\Sent", "\\Trash", "\\Important"
	};
	size_t i;

	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if (strcasecmp(flag, uses[i]) == 0)
			return true;
	}
	return false;
}

static bool has_flag(const struct imap_arg *arg, const char *flag)
{
	for (; arg != NULL; arg = arg->next) {
		if (imap_arg_is(arg, flag))
			return true;
	}
	return false;
}

int take_list_folders(struct take *take)
{
	const struct imap_response *resp;
	struct snapshot_folder *folder;
	bool extended;

	extended = imap_has(take->client, "SPECIAL-USE") &&
		imap_has(take->client, "LIST-EXTENDED");
	if (imap_run(take->client, "LIST \"\" \"*\"%s", extended ?
		     " RETURN (SPECIAL-USE)" : "") != IMAP_OK)
		return -1;
	for (resp = imap_find(imap_untagged(take->client), "LIST");
	     resp != NULL; resp = imap_find(resp->next, "LIST")) {
		folder = named_folder(take, resp);
		if (folder == NULL)
			continue;
		folder->listed = true;
		folder->selectable =
			!has_flag(resp->args->child, "\\Noselect") &&
			!has_flag(resp->args->child, "\\NonExistent");
		folder->special_use = take_join_flags(take->snapshot,
						      resp->args->child,
						      is_special_use);
	}
	imap_clear(take->client);
	return 0;
}

int take_list_subscriptions(struct take *take)
{
	const struct imap_response *resp;
	struct snapshot_folder *folder;

	if (imap_run(take->client, "LSUB \"\" \"*\"") != IMAP_OK)
		return -1;
	for (resp = imap_find(imap_untagged(take->client), "LSUB");
	     resp != NULL; resp = imap_find(resp->next, "LSUB")) {
		/* a parent that isn't subscribed itself */
		if (resp->args != NULL &&
		    has_flag(resp->args->child, "\\Noselect"))
			continue;
		folder = named_folder(take, resp);
		if (folder != NULL)
			folder->subscribed = true;
	}
	imap_clear(take->client);
	return 0;
}
