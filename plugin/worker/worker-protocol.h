#ifndef WORKER_PROTOCOL_H
#define WORKER_PROTOCOL_H

/*
 * worker-protocol: what is said between a user's processes and his
 * migration-worker.
 *
 * The worker listens on <migration_dir>/worker (mode 0600): only the user's own
 * processes can connect. It is started by connecting to the service socket
 * <base_dir>/migration-worker and saying
 *
 *   VERSION<TAB>migration-worker<TAB>1<TAB>0<LF>
 *   USER<TAB>name<LF>
 *
 * which is answered by OK<LF> when the user's socket listens (also when another
 * worker has it already), or NO<TAB>reason<LF>.
 *
 * Lines in both directions end in LF; their words are separated by TAB and
 * escaped as str_tabescape() does. On the user's socket each side first says
 * its VERSION line; the worker adds FRESHNESS<TAB>msecs: how long an asker
 * should wait for FRESH at most. Then one request at a time, each answered by
 * one line:
 *
 *   FRESH <mailbox> <max_age_msecs>
 *       OK              the copy has what the old server had max_age ago
 *       LOCAL, GONE     as below
 *       NO ...          it can't be told: the copy is served as it is
 *   WATCH <mailbox>, UNWATCH <mailbox>
 *       A client has it selected: its changes are wanted within a second. Ends
 *       with the connection. OK
 *   WRITE <mailbox> <uidvalidity> <op>...
 *       store <uids> <args>
 *       expunge <uids>
 *       append <offset> <size> <date> <tz_offset> <flags>
 *       copy <mailbox> <uidvalidity> <uids>
 *       With append the file goes along with the first byte of the line
 *       (SCM_RIGHTS). See mirror.h for what the words mean.
 *       OK <log_seq> <log_offset> <log_length> <saved uid>...
 *       LOCAL           it is local by now: nothing was done, do it yourself
 *       GONE            it isn't mirrored any more: open it again
 *       NO <mail_error> <sentence>
 *   FILL <mailbox> <fill_flags>
 *       PROGRESS <what> <messages> <bytes>: so much is to be done,
 *       PROGRESS <bytes>: one message more, PROGRESS: it goes on; then
 *       OK <the numbers of struct fill_result, in its order>, LOCAL, GONE or NO
 *   CUTOVER <mailbox>...
 *       PROGRESS as above, then OK and <mailbox> <was_local> <messages> <usecs>
 *       for each; or NO
 *   CATCHUP <max_age_msecs> <catchup_flags>
 *       Look for late mail on the old server, unless that was done since
 *       max_age ago. Who is connected afterwards keeps the worker looking.
 *       OK and the numbers of struct catchup_result, in its order; OK alone
 *       when there was no need to; or NO
 *   PAUSE
 *       OK when no copy is open any more; nothing is written until RESUME or
 *       the end of the connection, at most a minute later.
 *   RESUME
 *       OK
 *   END
 *       The migration of this user is closed. OK; what was asked for before is
 *       done, all connections are ended, and so is the worker.
 *
 * Who waits for the answer to anything but FRESH hears PROGRESS each 5 seconds:
 * as long as it comes, nobody needs to give up. What was asked for by who has
 * closed the connection meanwhile isn't begun any more.
 *
 * A request that isn't understood is answered by NO and the connection closed.
 */

#include "mail-error.h"

#define WORKER_PROTOCOL_NAME "migration-worker"
#define WORKER_PROTOCOL_MAJOR 1
#define WORKER_PROTOCOL_MINOR 0
/* of the service, in base_dir */
#define WORKER_SERVICE_SOCKET "migration-worker"
/* of the user, in migration_dir */
#define WORKER_USER_SOCKET "worker"
/* longest line; WRITE with so many words is more than one transaction */
#define WORKER_MAX_LINE (4 * 1024 * 1024)

/* enum mail_error as a word and back; unknown words are MAIL_ERROR_TEMP. */
const char *worker_error_to_str(enum mail_error error_code);
enum mail_error worker_error_from_str(const char *str);

#endif
