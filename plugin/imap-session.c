#include "lib.h"
#include "ioloop.h"
#include "imap-common.h"
#include "imap-commands.h"
#include "migration-user.h"
#include "mirrored-mailbox.h"
#include "redirected-mailbox.h"
#include "imap-session.h"

#pragma weak command_hook_register
#pragma weak command_hook_unregister
#pragma weak imap_clients
#pragma weak client_disconnect_with_error

#define BYE_REASON "Mailbox was just moved to this server, log in again"
#define BYE_BACK "Mailbox was just moved back, log in again"

static bool is_being_answered(const struct client *client)
{
	const struct client_command_context *cmd;

	for (cmd = client->command_queue; cmd != NULL; cmd = cmd->next) {
		if (cmd->name == NULL || strcasecmp(cmd->name, "IDLE") != 0)
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
			client_disconnect_with_error(client,
				REDIRECTED_MAILBOX(box) != NULL ?
				BYE_REASON : BYE_BACK);
	}
	return all;
}

void imap_session_bye_now(struct mail_user *user)
{
	struct client *client, *next;

	/* a client's end is a timeout of the current ioloop: in imapc's own it
	   would free what is being used below */
	if (&imap_clients == NULL || current_ioloop != io_loop_get_root())
		return;
	for (client = imap_clients; client != NULL; client = next) {
		next = client->next;
		/* nor in the middle of an answer */
		if (client->user == user && !client->disconnected &&
		    client->output_cmd_lock == NULL)
			client_disconnect_with_error(client, BYE_REASON);
	}
}

/* A client that asks for news gets the old server's, for one round trip.
   Between its other commands it hears of them as they come. */
static void before_command(struct client_command_context *cmd)
{
	struct mailbox *box = cmd->client->mailbox;

	if (box == NULL || cmd->name == NULL ||
	    (strcasecmp(cmd->name, "NOOP") != 0 &&
	     strcasecmp(cmd->name, "CHECK") != 0) ||
	    MIGRATION_USER_CONTEXT(cmd->client->user) == NULL)
		return;
	if (REDIRECTED_MAILBOX(box) != NULL)
		REDIRECTED_MAILBOX(box)->want_noop = TRUE;
	if (MIRRORED_MAILBOX(box) != NULL)
		mirrored_mailbox_want_fresh(MIRRORED_MAILBOX(box));
}

/* SELECT may have been the one; and a worker that was lost has forgotten. */
static void after_command(struct client_command_context *cmd)
{
	struct mailbox *box = cmd->client->mailbox;

	if (box != NULL && MIGRATION_USER_CONTEXT(cmd->client->user) != NULL &&
	    MIRRORED_MAILBOX(box) != NULL) T_BEGIN {
		mirrored_mailbox_watch(MIRRORED_MAILBOX(box));
	} T_END;
}

void imap_session_init(void)
{
	if (command_hook_register != NULL)
		command_hook_register(before_command, after_command);
}

void imap_session_deinit(void)
{
	if (command_hook_unregister != NULL)
		command_hook_unregister(before_command, after_command);
}
