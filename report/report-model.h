/*
 * report-model: what the logs say about a migration, as the outputs read it
 *
 * A finished, read-only picture. report_intake_model() makes it from all lines
 * read so far; text, JSON and HTML only show it. It stays valid until the next
 * picture is made, or the intake is ended.
 *
 * Units: times are seconds since 1970 in UTC, 0 where there is none; spans are
 * seconds; sizes are bytes.
 * Strings are valid UTF-8 without control characters: what else stood in a log
 * has become U+FFFD. They were chosen by strangers all the same: escape them. A
 * string that isn't known is "", never NULL. Pointers to arrays may be NULL when
 * their count is 0.
 * Arrays come sorted, what needs action first, but for slots and gaps, which are
 * in the order of time.
 *
 * Shares count direct arrivals only: one for each mail and recipient that came
 * from outside to that server. "wanted" is all that isn't marked as spam.
 */
#ifndef REPORT_MODEL_H
#define REPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_side {
	REPORT_OLD,
	REPORT_NEW,
	REPORT_SIDES
};

/* How the time of the switch (of MX) is known. */
enum report_switched_by {
	/* It isn't: nothing came to the new server yet. */
	REPORT_SWITCHED_UNKNOWN,
	/* The first wanted direct arrival at the new server. */
	REPORT_SWITCHED_INFERRED,
	/* --switched */
	REPORT_SWITCHED_GIVEN
};

/* What was seen of something at each side. */
struct report_seen {
	uint64_t count[REPORT_SIDES];
	int64_t first[REPORT_SIDES], last[REPORT_SIDES];
};

/*
 * Arrivals
 */

/* An hour or a day. */
struct report_slot {
	int64_t start;
	uint64_t wanted[REPORT_SIDES], spam[REPORT_SIDES];
	/* Told by the old server to come again later. */
	uint64_t deferred;
	/* Seconds of it in which mail may have come to that side unseen: no
	   milter there, or one that didn't report. 0 arrivals in a slot that
	   is blind say nothing. */
	uint32_t blind[REPORT_SIDES];
};

/* Where a source delivers by now. */
enum report_standing {
	/* Its last wanted mail came to the old server, after the switch. */
	REPORT_STRAGGLER,
	/* Came to the old server since the switch, but has come to the new one
	   after that. */
	REPORT_WAVERING,
	/* Seen at the old server before the switch only, and nowhere since. */
	REPORT_QUIET,
	/* Comes to the new server only, since the switch. */
	REPORT_MOVED,
	/* Nothing from it was wanted. */
	REPORT_ONLY_SPAM,
	REPORT_STANDINGS
};

/* Who connects: what remembers an old MX. */
struct report_client {
	/* "192.0.2.0/24", "2001:db8:1::/48", or "" for no address. */
	const char *network;
	/* The registrable domain of the verified name, "" for none. */
	const char *name_domain;
};

/* A client that sends mail of one sender domain to one of ours. */
struct report_source {
	const struct report_client *client;
	/* Of the envelope sender, in lower case; "" for the null sender. */
	const char *sender_domain;
	enum report_standing standing;
	struct report_seen wanted, spam;
	/* Deferred by the old server, and when last. */
	uint64_t deferred;
	int64_t last_deferred;
	/* When its client last brought a wanted mail of any sender to the new
	   server, for the same domain of ours. After wanted.last[REPORT_OLD]:
	   the client has learnt of the new MX, the sender is just rare. */
	int64_t client_last_new;
	/* Wanted mails that polls found on the old server, whether counted
	   above or not; and the last one there, of these and of the arrivals,
	   wanted and spam. */
	uint64_t late;
	int64_t last_old, last_old_spam;
	/* The last wanted mail to the old server, to ask about; "" if none. */
	const char *example_from, *example_to, *example_id, *example_host;
	const char *example_client, *example_name;
};

struct report_domain {
	/* In lower case. */
	const char *name;
	/* Direct arrivals. */
	struct report_seen wanted, spam;
	/* The same since the switch; all of them if that isn't known. */
	uint64_t wanted_since[REPORT_SIDES], spam_since[REPORT_SIDES];
	/* Not counted above. By the side that reported them: relayed by the
	   other server, from our own users, made on the server itself. */
	struct report_seen relayed, submitted, local;
	uint64_t deferred;
	int64_t last_deferred;
	/* Mails that polls found on the old server, of sources of which its
	   milters never told though they watched: they don't see all. */
	uint64_t missed;
	/* Addresses to which wanted mail came directly, in lower case; at most
	   REPORT_MAX_RECIPIENTS. */
	const char *const *recipients;
	size_t recipients_count;
	/* Without holes, from the day before the switch on (or the first
	   arrival, if that's later or the switch isn't known), to the end of
	   what was read, but at most the last REPORT_MAX_DAYS days. Days begin
	   at midnight in report_model.zone. */
	const struct report_slot *hours, *days;
	size_t hours_count, days_count;
	/* Stragglers first, of these the last seen first; see
	   enum report_standing for the order. */
	const struct report_source *const *sources;
	size_t sources_count;
	size_t standings[REPORT_STANDINGS];
};

#define REPORT_MAX_DAYS 400
#define REPORT_MAX_RECIPIENTS 20000

/* Someone who hands in mail by authentication. */
struct report_submitter {
	/* The login name, and whence. */
	const char *auth, *client, *name;
	/* Of his last mail at the old server, else of his last one. */
	const char *from, *domain;
	struct report_seen mails;
	/* Recipients of all mails. */
	uint64_t recipients;
	/* Still uses the old server: must be told. */
	bool tell;
};

/*
 * What shouldn't be
 */

/* A tag that didn't verify was removed; one for each host, client, reason. */
struct report_forgery {
	enum report_side side;
	const char *host, *client, *from, *reason, *value;
	uint64_t count;
	int64_t first, last;
};

/* Mail that went round; one for each host and sender. */
struct report_loop {
	enum report_side side;
	const char *host, *from, *id;
	uint64_t count, refused, rounds_max;
	int64_t first, last;
};

/*
 * Users
 */

enum report_state {
	REPORT_STATE_REMOTE,
	REPORT_STATE_FILLING,
	REPORT_STATE_FILLED,
	REPORT_STATE_MIRRORED,
	REPORT_STATE_LOCAL,
	/* Went on the old server, and here. */
	REPORT_STATE_REMOVED,
	REPORT_STATES
};

struct report_mailbox {
	const char *name;
	enum report_state state;
	/* As far as known: exact once local, else what was fetched. */
	uint64_t messages, bytes;
	/* Failures reported, and the last one that nothing has mended since,
	   else "". */
	uint64_t errors;
	const char *problem;
	/* UIDs that the administrator gave up, else "". */
	const char *without;
	/* When it came into its state, and the last line about it. */
	int64_t since, last;
	/* How long clients waited at its cutover, in milliseconds. */
	uint64_t cutover_ms;
	/* It was compared with the old server's by digests at its cutover. */
	bool verified;
};

/* What catch-up found of a user on the old server, after cutover. */
struct report_catchup {
	/* Looks that saw all of it, and those that failed. */
	uint64_t polls, failed_polls;
	int64_t first_poll, last_poll, last_failed_poll;
	/* Why the last one failed; "" when it didn't. */
	const char *poll_problem;
	/* Late mails that were delivered, and those that were here already. */
	uint64_t late, doubles;
	int64_t last_late;
	/* Seconds from the arrival there to the delivery here. */
	uint64_t delay_median, delay_max;
	/* Late mails that can't be had or delivered now, and why. */
	size_t pending;
	const char *pending_problem;
	/* Messages that went before they were looked at. */
	uint64_t gone;
	int64_t last_gone;
	/* Signs of clients that still work there. */
	uint64_t old_clients;
	int64_t last_old_client;
	/* Its catch-up was ended, 0: not yet; in spite of what spoke against
	   it. */
	int64_t closed;
	bool forced;
	/* What the administrator may want to look at. */
	uint64_t conflicts, refused_expunges, resets, copy_back_failures;
};

struct report_user {
	const char *name;
	/* Those with a problem first, then by state, then by name. */
	const struct report_mailbox *const *mailboxes;
	size_t mailboxes_count;
	size_t states[REPORT_STATES];
	/* Folders that the old server has, as far as told, else 0. */
	uint64_t folders;
	uint64_t messages, bytes, errors;
	/* Mailboxes with a problem now, and a problem of the whole user. */
	size_t problems;
	const char *problem;
	int64_t first, last;
	/* Of mailboxes that are local, when the last one became so. */
	int64_t local_since;
	struct report_catchup catchup;
};

/*
 * Watching
 */

struct report_span {
	int64_t from, to;
};

enum report_gap_reason {
	/* It said that it stops, and began again later, or never. */
	REPORT_GAP_STOPPED,
	/* It began again without having said that it stops. */
	REPORT_GAP_KILLED,
	/* It ran before and after, but heartbeats are missing. */
	REPORT_GAP_LOST,
	/* No heartbeat since. */
	REPORT_GAP_SILENT
};

struct report_gap {
	int64_t from, to;
	enum report_gap_reason reason;
	/* Heartbeats that are missing, where their numbers tell. */
	uint64_t missing;
	/* Lasts until the end of what was read. */
	bool open;
};

/* A milter that reports. */
struct report_watcher {
	enum report_side side;
	const char *host, *version, *mode, *domains;
	/* The first and the last line that shows that it watched: none of a
	   failure. 0 when there's none. */
	int64_t first, last;
	uint64_t heartbeats, starts, stops, reloads, bad_reloads;
	/* Sum of what is missing, and of the time blind. */
	uint64_t missing, blind_s;
	/* Arrivals that its heartbeats counted and no line told. */
	uint64_t arrivals_lost;
	int64_t last_lost;
	uint64_t failures;
	const char *failure;
	int64_t last_failure;
	/* At most the REPORT_MAX_GAPS longest. */
	const struct report_gap *gaps;
	size_t gaps_count;
	/* Of all its gaps. */
	size_t gaps_total;
	/* Blind at the end of what was read. */
	bool blind_now;
};

#define REPORT_MAX_GAPS 100

/*
 * The verdict: may the old server be cancelled? See report-verdict.h.
 */

enum report_answer {
	REPORT_SAFE,
	/* Something is known that speaks against it. */
	REPORT_NOT_YET,
	/* Nothing is known that does, but not enough is known. */
	REPORT_UNKNOWN
};

/* What must hold. The order is that of the findings. */
enum report_condition {
	/* Mail goes to the new server, and has done so for the quiet period. */
	REPORT_COND_SWITCHED,
	/* Nothing wanted came to the old server in the quiet period. */
	REPORT_COND_QUIET,
	/* Who came there last, and nowhere since, has been silent for longer
	   than is usual. */
	REPORT_COND_STRAGGLERS,
	/* Every mailbox of every account is local and verified. */
	REPORT_COND_LOCAL,
	/* All late mail was delivered. */
	REPORT_COND_FETCHED,
	/* Nobody works or sends mail there. */
	REPORT_COND_CLIENTS,
	/* The old server was watched for the quiet period. */
	REPORT_COND_WATCHED,
	/* Each account was looked at, as late as needed. */
	REPORT_COND_POLLED,
	/* All that was logged could be read, and is recent. */
	REPORT_COND_LOGS,
	REPORT_CONDITIONS
};

/* Why it's not safe. */
struct report_finding {
	enum report_condition condition;
	/* REPORT_NOT_YET or REPORT_UNKNOWN */
	enum report_answer answer;
	/* The account, the host or the sender that it's about, else "". */
	const char *who;
	/* A sentence without its end. */
	const char *text;
};

/* Who came to the old server last. */
struct report_straggler {
	const struct report_source *source;
	/* His last sign there, a mail or one that was deferred. */
	int64_t last;
	/* Seconds between two of his mails, on average. */
	uint64_t interval_s;
	/* When he'll have been silent for long enough. */
	int64_t until;
	/* It's one of the known ones, which don't count. */
	bool known;
	/* No cache of DNS explains it: it came too late for that. */
	bool lasting;
};

struct report_verdict {
	const char *domain;
	enum report_answer answer;
	/* What speaks against it: REPORT_NOT_YET first, then by condition. */
	const struct report_finding *findings;
	size_t findings_count;
	/* By how many each condition is broken. */
	size_t broken[REPORT_CONDITIONS];

	/* How long nothing may come, and what that is made of. */
	uint64_t quiet_s, quiet_asked_s, retry_s, ttl_s, clocks_s;
	/* The last such time up to which all was watched; 0: there's none. */
	int64_t begins, ends;
	/* The last wanted mail at the old server, 0 for none; since when it
	   was watched without a hole and none came. */
	int64_t last_wanted, none_since;
	/* At most that many late mails come in the next 30 days, with a
	   certainty of 95 % (none in T days: 3/T a day); 0: nothing can be
	   said. */
	double late_bound;
	/* When it may be safe if nothing else happens, 0: can't be told. */
	int64_t earliest;
	/* Seconds of the period in which milters didn't watch, and polls of
	   all accounts did not either. */
	uint64_t blind_s, unwatched_s;
	/* What milters didn't see; they aren't relied on then. */
	uint64_t missed;
	const struct report_span *unwatched;
	size_t unwatched_count;
	bool spam_counts;

	const struct report_straggler *stragglers;
	size_t stragglers_count;
	/* Sources seen at the old server before the switch, and nowhere since;
	   those that haven't been silent for long enough. */
	size_t unseen_since, unseen_waiting;
	/* Addresses that get mail, and aren't those of an account. */
	size_t strange_recipients;
	/* Of the domain; of these, closed. Accounts that left no line aren't
	   known of, unless a list was given. */
	size_t accounts, accounts_closed;
	bool accounts_listed;
	/* Of these accounts. */
	uint64_t late, doubles, conflicts, refused_expunges, resets,
		copy_back_failures;
	size_t given_up;
};

/*
 * What was read
 */

struct report_input {
	const char *name;
	uint64_t lines, bytes, report_lines;
	/* The first and last report line. */
	int64_t first, last;
	/* Why it couldn't be read, or not to its end, else "". */
	const char *error;
};

struct report_reading {
	/* Of all inputs. */
	uint64_t lines, bytes, report_lines;
	/* The token isn't where a message begins: somebody's forgery. */
	uint64_t suspicious;
	/* Report lines that break the grammar or lack what they need; whose
	   time can't be read or lies in the future; of events that aren't
	   known; told twice and counted once. */
	uint64_t broken, undated, unknown, doubles;
	/* When the last of the broken ones was written. */
	int64_t last_broken;
	const struct report_input *inputs;
	size_t inputs_count;
};

struct report_model {
	/* When this was made. */
	int64_t now;
	/* The first and the last report line. */
	int64_t first, last;
	int64_t switched;
	enum report_switched_by switched_by;
	/* Name of the time zone in which days begin and times are shown; it's
	   the process' own (TZ), so localtime_r() gives it. */
	const char *zone;
	/* --domain, else "". */
	const char *domain_chosen;

	/* Seconds for which a side wasn't watched, between the switch (or the
	   first line) and the end. false: no milter reports from there. */
	uint64_t blind_s[REPORT_SIDES];
	bool watched[REPORT_SIDES];
	/* When they weren't, in the order of time, from ever to the end of
	   time; they don't overlap. */
	const struct report_span *blind[REPORT_SIDES];
	size_t blind_count[REPORT_SIDES];

	/* By how much the old server's clock is ahead of the new one's, or
	   behind it if negative, as far as late mails show; 0: they don't. */
	int64_t clock_ahead;
	/* The largest TTL of MX and A records that was told. */
	uint64_t ttl_s;

	const struct report_domain *const *domains;
	size_t domains_count;
	const struct report_submitter *const *submitters;
	size_t submitters_count;
	const struct report_forgery *const *forgeries;
	size_t forgeries_count;
	const struct report_loop *const *loops;
	size_t loops_count;
	const struct report_user *const *users;
	size_t users_count;
	const struct report_watcher *const *watchers;
	size_t watchers_count;
	/* One for each domain that has a name, or for the chosen one. */
	const struct report_verdict *const *verdicts;
	size_t verdicts_count;
	struct report_reading reading;
};

/* Their names in all outputs, as "old", "straggler", "filled", "silent". */
const char *report_side_name(enum report_side side);
const char *report_switched_by_name(enum report_switched_by by);
const char *report_standing_name(enum report_standing standing);
const char *report_state_name(enum report_state state);
const char *report_gap_reason_name(enum report_gap_reason reason);
/* "safe", "not yet", "unknown"; "quiet" */
const char *report_answer_name(enum report_answer answer);
const char *report_condition_name(enum report_condition condition);

#endif
