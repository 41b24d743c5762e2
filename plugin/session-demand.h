#ifndef SESSION_DEMAND_H
#define SESSION_DEMAND_H

/*
 * session-demand: tells the service that moves all users which user and which
 * mailbox a client is waiting for (WANT in scheduler/scheduler-protocol.h).
 *
 * Sessions of imap and pop3 only. It's a hint: nothing is waited for, nothing
 * that fails is told but at debug, and without a service nothing happens. The
 * same is said at most each 10 seconds.
 */

struct migration_user;
struct session_demand;

/* He has logged in; his namespaces are made. */
void session_demand_init(struct migration_user *muser);
void session_demand_deinit(struct session_demand **demand);

/* He has opened a mailbox that is proxied to the old server. */
void session_demand_mailbox(struct migration_user *muser, const char *vname);

#endif
