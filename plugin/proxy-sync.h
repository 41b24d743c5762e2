#ifndef PROXY_SYNC_H
#define PROXY_SYNC_H

/*
 * proxy-sync: seeing what is new on the old server, in time.
 *
 * A mail saved through another connection is asked for before the mailbox is
 * synced, so that EXISTS comes before the tagged reply. A lost connection is
 * made again by the next sync; until then the mailbox refuses and nobody is
 * disconnected.
 */

struct mailbox_vfuncs;
struct migration_user;
struct redirected_mailbox;

/* Override what is ours. */
void proxy_sync_init(struct mailbox_vfuncs *v);
/* Something was changed in this mailbox: let all open objects of it see that but
   this one (or NULL), which sees it by itself. */
void proxy_sync_want(struct migration_user *muser, const char *vname,
		     struct redirected_mailbox *but);

#endif
