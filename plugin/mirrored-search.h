#ifndef MIRRORED_SEARCH_H
#define MIRRORED_SEARCH_H

/*
 * mirrored-search: searches for \Deleted and \Seen in a view that is behind.
 *
 * Flags are looked up in the newest index, but lib-storage first asks the
 * view's header whether any mail has them. When an expunge by others came
 * together with the client's own STORE, and the next command was sent before
 * the sync between the two, that header is too old: UID EXPUNGE would find
 * nothing to do. The worker puts both into the index at once, so this is no
 * rare thing here.
 */

struct mailbox_vfuncs;

void mirrored_search_init(struct mailbox_vfuncs *v);

#endif
