#include "lib.h"
#include "imap-resp-code.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-namespace.h"
#include "remote-socket.h"
#include "remote-burst.h"

void remote_burst_begin(struct remote_burst *burst,
			struct redirected_mailbox *rbox)
{
	i_zero(burst);
	burst->rbox = rbox;
	/* lib-imap-client doesn't */
	remote_sockets_set_nodelay(rbox->mbox->storage->set->imapc_port);
}

static void
set_reply_error(struct redirected_mailbox *rbox,
		const struct imapc_command_reply *reply)
{
	enum mail_error error_code = MAIL_ERROR_NOTPOSSIBLE;
	const char *error = reply->text_without_resp;

	switch (reply->state) {
	case IMAPC_COMMAND_STATE_NO:
		(void)imapc_resp_text_code_parse(reply->resp_text_key,
						 &error_code);
		if (error_code == MAIL_ERROR_TEMP)
			error_code = remote_unavailable(rbox->muser);
		break;
	case IMAPC_COMMAND_STATE_BAD:
		error_code = remote_unavailable(rbox->muser);
		error = t_strconcat("The old mail server said BAD: ",
				    error, NULL);
		break;
	default:
		error_code = remote_unavailable(rbox->muser);
		error = "The connection to the old mail server was lost, "
			"try again";
		break;
	}
	mail_storage_set_error(rbox->mbox->box.storage, error_code, error);
}

static void
burst_callback(const struct imapc_command_reply *reply, void *context)
{
	struct remote_burst *burst = context;
	struct imapc_storage *storage = burst->rbox->mbox->storage;

	i_assert(burst->pending > 0);
	if (reply->state != IMAPC_COMMAND_STATE_OK && !burst->failed) {
		burst->failed = TRUE;
		set_reply_error(burst->rbox, reply);
	}
	if (--burst->pending == 0)
		imapc_client_stop(storage->client->client);
}

void remote_burst_add(struct remote_burst *burst, const char *command)
{
	struct imapc_command *cmd;

	burst->pending++;
	cmd = imapc_client_mailbox_cmd(burst->rbox->mbox->client_box,
				       burst_callback, burst);
	imapc_command_send(cmd, command);
}

int remote_burst_wait(struct remote_burst *burst)
{
	while (burst->pending > 0)
		imapc_mailbox_run(burst->rbox->mbox);
	return burst->failed ? -1 : 0;
}

int remote_burst_run(struct redirected_mailbox *rbox, const char *command)
{
	struct remote_burst burst;

	remote_burst_begin(&burst, rbox);
	remote_burst_add(&burst, command);
	return remote_burst_wait(&burst);
}
