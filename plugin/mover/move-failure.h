#ifndef MOVE_FAILURE_H
#define MOVE_FAILURE_H

/*
 * move-failure: what an error means for the other users of the same old server
 * (mover-protocol.h).
 */

#include "mail-error.h"
#include "mover-protocol.h"

/* Of what failed for the user as a whole: not of a mailbox. */
enum move_failure move_failure_find(enum mail_error error_code);

#endif
