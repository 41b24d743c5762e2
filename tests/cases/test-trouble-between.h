#ifndef TEST_TROUBLE_BETWEEN_H
#define TEST_TROUBLE_BETWEEN_H

/*
 * test-trouble-between: stands between the new server and the old one, counts
 * what is asked and does harm at an exact point.
 *
 * A thread that listens on 127.0.0.1 and hands bytes on. It knows where IMAP
 * commands begin and end (RFC 3501 2.2, literals of the client too), and no
 * more. One rule at a time; it's over when it was applied `times` times.
 */

#include <stdbool.h>
#include <stdint.h>

struct between;

enum between_action {
	/* answer "TAG text" in the old server's place; it never sees it. The
	   rest of a command with literals is swallowed too. */
	BETWEEN_ANSWER,
	/* end the connection instead of handing the command on */
	BETWEEN_CUT_BEFORE,
	/* hand it on, and end the connection when its answer comes */
	BETWEEN_CUT_ANSWER,
	/* hand it on, then only `bytes` more of the old server's, then end */
	BETWEEN_CUT_AFTER,
	/* the same, but then be silent, with the connection open */
	BETWEEN_HANG_AFTER,
	/* hand it on and put the text before the old server's next bytes */
	BETWEEN_INSERT,
	/* hand the line on, then take `bytes` a second of the client's */
	BETWEEN_SLOW,
	/* hand the line on, then take nothing more of the client's */
	BETWEEN_DEAF,
};

struct between_rule {
	/* the command's first line has this, regardless of case */
	const char *command;
	enum between_action action;
	const char *text;
	uint64_t bytes;
	/* 0: every time */
	unsigned int times;
};

/* What may go wrong with one command: rules without it, and their names. */
#define HARMS 5
extern const struct between_rule harms[HARMS];
extern const char *const harm_names[HARMS];

struct between_counts {
	unsigned int connections, commands;
	/* turns of the talk: commands sent after something was received */
	unsigned int round_trips;
	/* how often the rule was applied */
	unsigned int applied;
};

/* server_port: the old server's IMAP. NULL with errno. */
struct between *between_start(unsigned short server_port);
void between_stop(struct between **between);
unsigned short between_port(const struct between *between);

/* NULL: no rule any more, and what hangs goes on. The strings must last. */
void between_set(struct between *between, const struct between_rule *rule);
/* Ends all connections. */
void between_cut(struct between *between);
void between_counts(struct between *between, struct between_counts *counts_r);
/* Commands whose first line has this word, since the last reset. */
unsigned int between_count(struct between *between, const char *word);
void between_reset(struct between *between);

#endif
