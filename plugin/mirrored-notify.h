#ifndef MIRRORED_NOTIFY_H
#define MIRRORED_NOTIFY_H

/*
 * mirrored-notify: tells who idles at once what the worker has put into the
 * copy.
 *
 * As lib-storage's own watch on the index' log, which waits half a second for
 * more to come: here one transaction of the worker is all of it. Where inotify
 * can't be had that one is used.
 */

struct mailbox;
struct mailbox_vfuncs;
struct mirrored_notify;

void mirrored_notify_init(struct mailbox_vfuncs *v);
/* The mailbox is closed. */
void mirrored_notify_deinit(struct mirrored_notify **notify);

#endif
