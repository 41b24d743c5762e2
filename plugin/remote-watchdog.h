#ifndef REMOTE_WATCHDOG_H
#define REMOTE_WATCHDOG_H

/*
 * remote-watchdog: ends the wait for an old server that hangs.
 *
 * In the place of lib-imap-client's own timeout of commands, which panics when
 * the only command isn't wholly sent yet: an APPEND that waits for the "+", or
 * for room in the socket. While imapc_client_run() waits and neither a byte
 * comes from the old server nor is one acknowledged by it for imapc_cmd_timeout,
 * its connections are made anew; their commands fail as disconnected. A slow
 * transfer isn't cut as long as it moves.
 *
 * As it knows when imapc_client_run() begins it also sees to it that what was
 * sent before is on its way (remote_sockets_set_nodelay()).
 *
 * Outside of imapc_client_run() nothing is watched.
 */

struct imapc_client;
struct remote_watchdog;

/* Before the client has sent a command. Keeps a reference to it. */
struct remote_watchdog *remote_watchdog_init(struct imapc_client *client);
/* After the client's last command. *dog may be NULL. */
void remote_watchdog_deinit(struct remote_watchdog **dog);

/* How long the old server may be silent. */
unsigned int remote_watchdog_patience(const struct remote_watchdog *dog);

#endif
