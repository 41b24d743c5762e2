#ifndef MOVER_PROTOCOL_H
#define MOVER_PROTOCOL_H

/*
 * mover-protocol: what the scheduler says to a migration-mover, the process that
 * moves one user on.
 *
 * It is started by connecting to the service socket <base_dir>/migration-mover,
 * which only root may (mode 0600), as service/user-service.h says. On the same
 * connection the mover then says, before it has asked the old server anything and
 * before anything more may be said to it,
 *
 *   HOST<TAB>host:port<TAB>phase<LF>
 *       the user's old server, in lower case, and how far the user is:
 *       unseen    nobody has looked at his folders yet
 *       moving    the old server is in charge of some mailboxes
 *       local     of none
 *       closed    nothing is to be done any more: also for users whose
 *                 migration is off, who may have no host. The mover ends by
 *                 itself.
 *
 * Lines in both directions end in LF; words are separated by TAB and escaped as
 * str_tabescape() does. Then one request at a time:
 *
 *   SURVEY
 *       Make the folder tree and ask the old server for sizes; fetch nothing.
 *   FILL <mailbox>...
 *       Fill or refresh all mailboxes that aren't local, those that are named
 *       first, then INBOX, then the small ones, and cut over as
 *       migration_cutover says. Meanwhile the scheduler may say
 *           FIRST <mailbox>     take that one next
 *           STOP                end as soon as nothing is lost by it
 *       which have no answer of their own. The end of the connection is STOP. Names
 *       that no mailbox has do nothing.
 *   CATCHUP
 *       Look for late mail.
 *
 * answered by any number of
 *   PROGRESS <mailbox> <what> <totals>     at most each 500 ms, at least each
 *                                          minute; the mailbox may be empty
 *   FAILED <mailbox> <reason>              this one; it goes on with the next
 * and then one of
 *   OK <totals>
 *   STOPPED <totals>
 *   NO <failure> <reason>
 * where totals are of all mailboxes of the user:
 *   <phase> <mailboxes> <local> <filled> <messages> <bytes> <done_messages>
 *   <done_bytes> <failed> <fetched_bytes>
 *       mailboxes local by now; filled or mirrored; messages and bytes as counted
 *       at the last look; what of them is here; mailboxes that failed; bytes that
 *       came over the wire since the mover began.
 */

#define MOVER_PROTOCOL_NAME "migration-mover"
#define MOVER_PROTOCOL_MAJOR 1
#define MOVER_PROTOCOL_MINOR 0
#define MOVER_SERVICE_SOCKET "migration-mover"
#define MOVER_MAX_LINE (64 * 1024)
#define MOVER_PROGRESS_MSECS 500

enum move_phase {
	MOVE_PHASE_UNSEEN,
	MOVE_PHASE_MOVING,
	MOVE_PHASE_LOCAL,
	MOVE_PHASE_CLOSED,
};

/* What a failure means for the others that want the same old server. */
enum move_failure {
	/* of this user alone: disk, a mailbox; tried again later */
	MOVE_FAILURE_USER,
	/* the old server refuses his login: tried again seldom */
	MOVE_FAILURE_LOGIN,
	/* the old server wants less of us (engine/old-throttle.h): back off */
	MOVE_FAILURE_THROTTLED,
	/* the old server can't be reached: back off */
	MOVE_FAILURE_UNREACHABLE,
	/* migration_old_daily is used up */
	MOVE_FAILURE_DAILY,
	/* another process is filling him */
	MOVE_FAILURE_BUSY,
};

struct move_totals {
	enum move_phase phase;
	unsigned int mailboxes, local, filled;
	uint64_t messages, bytes, done_messages, done_bytes;
	unsigned int failed;
	uint64_t fetched_bytes;
};

/* Enums as words and back. from_str: FALSE for an unknown word. */
const char *move_phase_to_str(enum move_phase phase);
bool move_phase_from_str(const char *str, enum move_phase *phase_r);
const char *move_failure_to_str(enum move_failure failure);
bool move_failure_from_str(const char *str, enum move_failure *failure_r);

/* Totals as words of a line, with a TAB before each; and back from unescaped
   words, which may be followed by others: FALSE when they aren't totals. */
void move_totals_append(string_t *str, const struct move_totals *totals);
bool move_totals_parse(const char *const *words, struct move_totals *totals_r);

#endif
