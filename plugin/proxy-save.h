#ifndef PROXY_SAVE_H
#define PROXY_SAVE_H

/*
 * proxy-save: APPEND and COPY into a redirected mailbox.
 *
 * What a transaction saves is on the old server before it is committed: when a
 * later message of a MULTIAPPEND fails, those before it stay there.
 */

struct mailbox_vfuncs;

/* Override what is ours. */
void proxy_save_init(struct mailbox_vfuncs *v);

#endif
