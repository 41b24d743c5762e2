#include "lib.h"
#include "imap-common.h"
#include "imap-commands.h"
#include "imap-session.h"

#pragma weak imap_clients
#pragma weak client_disconnect_with_error

#define BYE_REASON "Mailbox was just moved to this server, log in again"

static bool is_being_answered(const struct client *client)
{
	const struct client_command_context *cmd;

	for (cmd = client->command_queue; cmd != NULL; cmd = cmd->next) {
		if (cmd->name == NULL || strcmp(cmd->name, "IDLE") != 0)
			return TRUE;
	}
	return client->handling_input || client->output_cmd_lock != NULL;
}

bool imap_session_bye(struct mailbox *box)
{
	struct client *client, *next;
	bool all = TRUE;

	if (&imap_clients == NULL)
		return TRUE;
	for (client = imap_clients; client != NULL; client = next) {
		next = client->next;
		if (client->mailbox != box || client->disconnected)
			continue;
		if (is_being_answered(client))
			all = FALSE;
		else
			client_disconnect_with_error(client, BYE_REASON);
	}
	return all;
}
