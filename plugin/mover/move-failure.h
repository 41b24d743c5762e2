#ifndef MOVE_FAILURE_H
#define MOVE_FAILURE_H

/*
 * move-failure: what an error means for the other users of the same old server
 * (mover-protocol.h).
 */

#include "mail-error.h"
#include "engine/old-limits.h"
#include "mover-protocol.h"

/* Of what failed for the user as a whole: not of a mailbox. failure is what his
   connection knows of it; where that is nothing, as when it was the worker's, the
   error tells. */
enum move_failure
move_failure_find(enum old_failure failure, enum mail_error error_code);

#endif
