#ifndef OLD_CLIENT_PRIVATE_H
#define OLD_CLIENT_PRIVATE_H

/*
 * old-client-private: what the files of the client to the old server share.
 *
 *   old-client.c      life, the blocking layer, what callers may ask
 *   old-connection.c  socket, TLS, timeouts, disconnect
 *   old-login.c       greeting, capabilities, STARTTLS, authentication
 *   old-command.c     building, queueing, writing and answering of commands
 *   old-input.c       reply lines, literals, who gets them
 *   old-reply.c       text of status replies, and what it means for the user
 *   old-fetch.c       FETCH replies and bodies
 *   old-limit.c       what it may take of the server, and when that wants less
 *   old-quirks.c      which server it is
 *
 * Nothing is torn down while a callback may be on the stack: code that finds
 * the connection unusable calls old_client_fail() and returns; the outermost
 * old_client_leave() disconnects.
 */

#include "lib.h"
#include "array.h"
#include "net.h"
#include "imap-arg.h"
#include "old-fetch.h"

enum old_state {
	OLD_STATE_DISCONNECTED,
	OLD_STATE_CONNECTING,
	OLD_STATE_GREETING,
	OLD_STATE_LOGIN,
	OLD_STATE_READY,
};

enum old_input_state {
	/* at the start of a line */
	OLD_INPUT_TAG,
	/* in "* ...", parsed by imap_parser */
	OLD_INPUT_ARGS,
	/* in a literal that old-fetch streams */
	OLD_INPUT_BODY,
};

struct old_fetch;
struct old_body;

typedef void old_plus_callback_t(struct old_client *client, const char *text);

struct old_part {
	const unsigned char *data;
	uoff_t size;
	/* instead of data */
	struct istream *input;
	bool literal;
	/* {size} was written */
	bool announced;
};

struct old_command {
	pool_t pool;
	struct old_client *client;
	char tag[16];

	string_t *text;
	ARRAY(struct old_part) parts;
	unsigned int next_part;

	old_reply_callback_t *callback;
	void *context;
	old_untagged_callback_t *untagged;
	void *untagged_context;
	/* AUTHENTICATE: called for each "+" */
	old_plus_callback_t *plus;
	/* a FETCH of old-fetch.c */
	struct old_fetch *fetch;

	/* part of the login: sent before it is complete */
	bool login:1;
	/* has the password: not for the wire log */
	bool secret:1;
	/* answered while parts of it are still to be written */
	bool answered:1;
};
ARRAY_DEFINE_TYPE(old_command, struct old_command *);

struct old_client {
	pool_t pool;
	struct event *event;
	struct old_client_settings set;
	struct ssl_iostream_context *ssl_ctx;

	enum old_state state;
	int fd;
	struct ip_addr *ips;
	unsigned int ips_count, ip_idx;
	struct io *io;
	/* the streams without rawlog, to put TLS between */
	struct istream *raw_input, *input;
	struct ostream *raw_output, *output;
	struct ssl_iostream *ssl_iostream;
	struct imap_parser *parser;
	/* connect timeout, later that of the commands */
	struct timeout *to;
	/* writes the queue at the end of this turn */
	struct timeout *to_flush;

	/* for old-limits: is it connected in their eyes, and what its end means
	   for others */
	enum old_claim claim;
	bool counted, leaving;
	/* its last failure was our own doing */
	bool held_back;
	/* up to here the input was counted */
	uoff_t limited_offset;
	enum old_failure failure;
	/* when it asks for a slot again, or reads on */
	struct timeout *to_slot, *to_pause;

	/* input */
	enum old_input_state input_state;
	/* up to here the line's lists and words were counted */
	uoff_t scanned_offset;
	bool scanned_line;
	unsigned int lists, words;
	/* the FETCH reply that is being read */
	struct old_body *body;
	old_fetch_callback_t *fetch_callback;
	void *fetch_context;

	/* output: not sent yet; sent, unanswered, the oldest first */
	ARRAY_TYPE(old_command) queue, sent;
	unsigned int last_tag;
	buffer_t *out;
	/* the command that is only partly in out, waiting for "+" or with
	   bytes of a stream to come */
	struct old_command *writing;
	struct istream *out_stream;
	bool wait_plus;

	/* login */
	char *greeting, *capabilities, *enabled;
	bool have_capabilities, logged_in, starting_tls, sasl_started;
	struct dsasl_client *sasl;
	const struct old_server *server;

	old_untagged_callback_t *untagged;
	void *untagged_context;

	/* inner ioloop of the blocking layer */
	struct ioloop *ioloop;
	unsigned int depth;
	bool failing, login_refused, burst_open;
	unsigned int lost_count;
	enum mail_error error_code;
	char *error;

	/* of the streams that are gone */
	uint64_t closed_in, closed_out;
	struct old_client_counters counters;
};

/* old-client.c */
void old_client_enter(struct old_client *client);
/* May disconnect. Returns TRUE when the client still has its connection. */
bool old_client_leave(struct old_client *client);
/* The connection can't be used any more. Always returns -1. */
int old_client_fail(struct old_client *client, enum mail_error code,
		    const char *fmt, ...) ATTR_FORMAT(3, 4);
/* Ends old_client_connect() and old_client_wait() when they are done. */
void old_client_check_stop(struct old_client *client);

/* old-connection.c */
void old_connection_start(struct old_client *client);
/* The limits let it. */
void old_connection_begin(struct old_client *client);
/* Reading, in the current ioloop, or not. */
void old_connection_set_reading(struct old_client *client, bool reading);
/* Handle what can be read now. */
void old_connection_input(struct old_client *client);
/* -1: old_client_fail() was called */
int old_connection_start_tls(struct old_client *client);
void old_connection_close(struct old_client *client);
void old_connection_switch_ioloop(struct old_client *client);
/* Set or remove the timeout, as commands are pending or not. */
void old_connection_update_timeout(struct old_client *client);

/* old-login.c */
int old_login_greeting(struct old_client *client,
		       const struct old_untagged *untagged);
/* STARTTLS was accepted and its reply line consumed. */
int old_login_tls(struct old_client *client);
void old_login_set_capabilities(struct old_client *client, const char *caps);

/* old-command.c */
void old_command_send_login(struct old_command *cmd,
			    old_reply_callback_t *callback, void *context);
#define old_command_send_login(cmd, callback, context) \
	old_command_send_login(cmd, OLD_REPLY_CALLBACK(callback, context), \
			       context)
int old_output(struct old_client *client);
void old_output_plus(struct old_client *client, const char *text);
/* A raw line during AUTHENTICATE. */
void old_output_line(struct old_client *client, const char *line);
int old_command_tagged(struct old_client *client, const char *tag,
		       const char *line);
void old_command_abort_all(struct old_client *client);
void old_command_schedule(struct old_client *client);

/* old-input.c */
/* Handle what is buffered and can be read. */
int old_input(struct old_client *client);

/* old-reply.c */
/* Split "[CODE value] text" (data stack). */
void old_reply_split(const char *text, const char **code_r,
		     const char **value_r, const char **text_r);
/* Fill error_code and error of a reply that isn't OK. */
void old_reply_classify(struct old_reply *reply);
/* The server's text in one line of printable UTF-8, cut to a sane length. */
const char *old_reply_clean(const char *text);

/* old-fetch.c */
/* A literal begins in this line: is it a body? Takes it over if so. */
bool old_fetch_literal(struct old_client *client, const struct imap_arg *args,
		       uoff_t size);
/* Is this literal size the body that was taken over? */
bool old_fetch_literal_done(struct old_client *client,
			    const struct imap_arg *args);
/* 1: the literal is consumed, 0: more input is needed, -1: failed */
int old_fetch_more(struct old_client *client);
/* The line is complete. */
int old_fetch_line(struct old_client *client, uint32_t seq,
		   const struct imap_arg *list);
/* The connection is gone: ends a body. */
void old_fetch_abort(struct old_client *client, const char *error);

/* old-limit.c */
/* Calls old_connection_begin(), or waits for a slot, or fails. */
void old_limit_connect(struct old_client *client);
/* The connection is gone, or isn't wanted any more. */
void old_limit_disconnected(struct old_client *client);
/* Something was read. Returns FALSE when nothing more is to be read now: it pauses,
   or it has failed. */
bool old_limit_read(struct old_client *client);
/* NO, or not greeted with OK: does the server want less? Then the connection may
   be given up. */
void old_limit_refused(struct old_client *client, const char *code,
		       const char *text);
/* It ends the session. */
void old_limit_bye(struct old_client *client, const char *code,
		   const char *text);
void old_limit_switch_ioloop(struct old_client *client);

/* old-quirks.c */
struct old_server {
	const char *name;
	/* found in the greeting or, behind "cap:", a capability */
	const char *mark;
	enum old_quirks quirks;
};
const struct old_server *
old_quirks_find(const char *greeting, const struct old_client *client);

#endif
