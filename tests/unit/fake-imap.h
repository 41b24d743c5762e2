#ifndef FAKE_IMAP_H
#define FAKE_IMAP_H

/*
 * fake-imap: a scripted IMAP server in a child process, on 127.0.0.1, for
 * faults and odd orders that no real server shows on demand. The child ends
 * by itself after FAKE_DEADLINE_SECS.
 */

#include <stddef.h>
#include <sys/types.h>

#define FAKE_DEADLINE_SECS 30

enum fake_action {
	FAKE_END = 0,
	/* take the next connection */
	FAKE_ACCEPT,
	/* read a line: "TAG text" with exactly this text; remembers the tag */
	FAKE_EXPECT,
	/* read a line with exactly this text */
	FAKE_EXPECT_RAW,
	/* write the text: $0 is the last tag, $1 the one before, up to $9;
	   $z is a NUL */
	FAKE_SEND,
	/* the same, one byte a packet */
	FAKE_TRICKLE,
	/* write the text count times */
	FAKE_REPEAT,
	/* close the connection */
	FAKE_CLOSE,
	/* wait until the client closes it; what it sends is ignored */
	FAKE_WAIT_CLOSE,
};

struct fake_step {
	enum fake_action action;
	const char *text;
	size_t count;
};

struct fake_imap {
	pid_t pid;
	unsigned short port;
};

/* Returns 0, -1 with errno. */
int fake_imap_start(struct fake_imap *fake, const struct fake_step *steps);
/* Wait for its end. Returns 0 when the script was followed to its end. */
int fake_imap_finish(struct fake_imap *fake);

#endif
