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
struct redirected_mailbox;

/* Override what is ours. */
void proxy_sync_init(struct mailbox_vfuncs *v);
/* Something was changed in this mailbox: let its other open objects see it,
   and this one too where it doesn't see it by itself. */
void proxy_sync_want(struct redirected_mailbox *rbox, bool itself);

#endif
