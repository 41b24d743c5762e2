#ifndef SCHEDULER_PROTOCOL_H
#define SCHEDULER_PROTOCOL_H

/*
 * scheduler-protocol: what others say to `service migration`, the scheduler.
 *
 * Lines end in LF; words are separated by TAB and escaped as str_tabescape()
 * does. On both sockets who connects first says VERSION<TAB>name<TAB>1<TAB>0.
 *
 * <base_dir>/migration-demand (mode 0666), by sessions of users, without any
 * answer; more than one line may come on a connection:
 *
 *   WANT <user> <mailbox>
 *       A client of that user has just opened it, and the old server is still in
 *       charge; an empty mailbox: he has just logged in. It's only a hint: it
 *       changes an order, and users and mailboxes that there aren't do nothing.
 *
 * <base_dir>/migration (mode 0600), by doveadm:
 *
 *   PAUSE, RESUME
 *       Nothing new is begun, and what is under way ends at the next safe point;
 *       kept over restarts. OK or NO <reason>
 *   PRIORITIZE <user>
 *       Before all others. OK, or NO <reason>
 *   RETRY [<user>]
 *       Forget why it failed: him, or all. OK, or NO <reason>
 *   STATUS
 *       The lines below, then OK.
 *   WATCH
 *       STATUS, and again each second until the end of the connection.
 * Each is answered NO as well when the service isn't wanted (migration_service).
 *
 *   KEYS in STATUS, each line <what> <key>=<value>...; unknown ones are to be
 *   ignored. Times are unix seconds, sizes bytes, rates bytes per second:
 *     total    paused= users= unseen= moving= local= closed= failed= running=
 *              messages= done_messages= bytes= done_bytes= rate= seconds_left=
 *              (empty: not known yet) since= catchup_oldest= (the oldest look
 *              for late mail, 0: none is due)
 *     server   host= connections= limit= state=ok|backoff|daily until= reason=
 *              today= daily= rate= (connections: users who are moved just now, limit:
 *              how many may be; an empty host isn't known yet)
 *              connections: users who are moved now, limit: at most so many by
 *              now; host is empty for those whose old server isn't known yet
 *     running  user= host= doing=survey|fill|catchup mailbox= what= messages=
 *              done_messages= bytes= done_bytes= rate= since=
 *     failed   user= failure= reason= since= retry=     at most 100 of them
 */

#define SCHEDULER_DEMAND_SOCKET "migration-demand"
#define SCHEDULER_CONTROL_SOCKET "migration"
#define SCHEDULER_DEMAND_NAME "migration-demand"
#define SCHEDULER_CONTROL_NAME "migration-control"
#define SCHEDULER_PROTOCOL_MAJOR 1
#define SCHEDULER_PROTOCOL_MINOR 0
#define SCHEDULER_MAX_LINE 8192

#endif
