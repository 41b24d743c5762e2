#include "lib.h"
#include "str.h"
#include "imap-common.h"
#include "imap-commands.h"
#include "imap-feature.h"
#include "migration-user.h"
#include "remote-folders.h"
#include "imap-capability.h"

/* the imap process' own; the plugin is loaded into others as well */
#pragma weak imap_client_created_hook_set
#pragma weak command_find
#pragma weak command_register
#pragma weak command_unregister
#pragma weak client_read_args
#pragma weak client_send_command_error
#pragma weak client_send_line
#pragma weak client_send_tagline
#pragma weak client_enable
#pragma weak imap_feature_lookup

static const char *const withheld[] = { "CONDSTORE", "QRESYNC", NULL };

static imap_client_created_func_t *next_client_created;
/* that of all clients, before us */
static void (*next_client_init)(struct client *client);
/* of the client that is just made */
static char *full_capability;
static struct command original_enable;

static bool is_withheld_from(struct client *client)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(client->user);
	const char *const *offered;

	if (muser == NULL)
		return FALSE;
	offered = t_strsplit_spaces(str_c(client->capability_string), " ");
	return !str_array_icase_find(offered, withheld[0]);
}

static void withhold(struct client *client)
{
	string_t *capability = client->capability_string;
	const char *const *offered =
		t_strsplit_spaces(str_c(capability), " ");

	str_truncate(capability, 0);
	for (; *offered != NULL; offered++) {
		if (str_array_icase_find(withheld, *offered))
			continue;
		if (str_len(capability) > 0)
			str_append_c(capability, ' ');
		str_append(capability, *offered);
	}
}

static void capability_client_init(struct client *client)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(client->user);
	const char *error = NULL;
	int ret;

	if (muser != NULL) {
		ret = migration_user_is_local(muser, &error);
		if (ret < 0)
			e_error(client->user->event, "migration: %s", error);
		if (ret > 0) {
			str_truncate(client->capability_string, 0);
			str_append(client->capability_string, full_capability);
		}
	}
	next_client_init(client);
}

/* No mailbox can be looked at yet: the namespaces are made after the reply to
   LOGIN, which tells the capabilities. It says less than there may be. */
static void capability_client_created(struct client **_client)
{
	struct client *client = *_client;

	if (next_client_created != NULL)
		next_client_created(_client);
	if (MIGRATION_USER_CONTEXT(client->user) == NULL)
		return;
	i_free(full_capability);
	full_capability = i_strdup(str_c(client->capability_string));
	T_BEGIN {
		withhold(client);
	} T_END;
	next_client_init = client->v.init;
	client->v.init = capability_client_init;
}

static void
enable_offered(struct client *client, const char *name, string_t *reply)
{
	unsigned int feature_idx;

	if (str_array_icase_find(withheld, name) ||
	    !imap_feature_lookup(name, &feature_idx))
		return;
	client_enable(client, feature_idx);
	str_printfa(reply, " %s", t_str_ucase(name));
}

/* ENABLE, RFC 5161: what isn't offered is ignored */
static bool cmd_enable_offered(struct client_command_context *cmd)
{
	const struct imap_arg *args;
	const char *name;
	string_t *reply;

	if (!is_withheld_from(cmd->client))
		return original_enable.func(cmd);
	if (!client_read_args(cmd, 0, 0, &args))
		return FALSE;
	reply = t_str_new(64);
	str_append(reply, "* ENABLED");
	for (; !IMAP_ARG_IS_EOL(args); args++) {
		if (!imap_arg_get_atom(args, &name)) {
			client_send_command_error(cmd, "Invalid arguments.");
			return TRUE;
		}
		enable_offered(cmd->client, name, reply);
	}
	if (strcmp(str_c(reply), "* ENABLED") != 0)
		client_send_line(cmd->client, str_c(reply));
	client_send_tagline(cmd, "OK Enabled.");
	return TRUE;
}

void imap_capability_init(void)
{
	const struct command *enable;

	if (&imap_client_created_hook_set == NULL)
		return;
	next_client_created =
		imap_client_created_hook_set(capability_client_created);
	enable = command_find("ENABLE");
	if (enable == NULL)
		return;
	original_enable = *enable;
	command_unregister("ENABLE");
	command_register("ENABLE", cmd_enable_offered, original_enable.flags);
}

void imap_capability_deinit(void)
{
	if (&imap_client_created_hook_set == NULL)
		return;
	(void)imap_client_created_hook_set(next_client_created);
	i_free(full_capability);
	if (original_enable.func == NULL)
		return;
	command_unregister("ENABLE");
	command_register("ENABLE", original_enable.func,
			 original_enable.flags);
}
