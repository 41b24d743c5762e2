#ifndef VERIFY_AHEAD_H
#define VERIFY_AHEAD_H

/*
 * verify-ahead: files of messages come from the disk anew while others of them
 * are compared.
 *
 * What was written a moment ago would be read from the page cache, and dropping it
 * file by file means to wait for the disk file by file. A thread drops those of
 * the next messages and has the kernel read them again; it does system calls on
 * paths that it was given, and nothing else.
 *
 * Stores with a file for each message: sdbox and Maildir.
 */

#include "seq-range-array.h"

struct mailbox;
struct verify_ahead;

/* For these messages, in ascending order; NULL when the store isn't one of those.
   uids must last. */
struct verify_ahead *
verify_ahead_init(struct mailbox *box, const ARRAY_TYPE(seq_range) *uids);
/* Before the message is opened: until its file isn't the cached one any more. */
void verify_ahead_wait(struct verify_ahead *ahead, uint32_t uid);
void verify_ahead_deinit(struct verify_ahead **ahead);

#endif
