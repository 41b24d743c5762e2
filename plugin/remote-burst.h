#ifndef REMOTE_BURST_H
#define REMOTE_BURST_H

/*
 * remote-burst: commands to the old server on a mailbox's own connection, sent
 * together and waited for together.
 *
 * None is sent twice: a command whose connection was lost has failed.
 */

struct redirected_mailbox;

struct remote_burst {
	struct redirected_mailbox *rbox;
	unsigned int pending;
	bool failed;
};

void remote_burst_begin(struct remote_burst *burst,
			struct redirected_mailbox *rbox);
void remote_burst_add(struct remote_burst *burst, const char *command);
/* Returns 0 when all were answered OK, -1 with the storage's error set to the
   first failure's. */
int remote_burst_wait(struct remote_burst *burst);
/* One command. */
int remote_burst_run(struct redirected_mailbox *rbox, const char *command);

#endif
