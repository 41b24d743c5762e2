#ifndef OLD_CLIENT_H
#define OLD_CLIENT_H

/*
 * old-client: one IMAP connection to the old server (RFC 3501, RFC 9051).
 *
 * Callback driven: commands are queued, written together in one segment, and
 * many may be in flight. Untagged replies and tagged replies come in the
 * server's order. old_client_connect() and old_client_wait() are the thin
 * blocking layer, with an inner ioloop of their own; without them the client
 * lives in whatever ioloop is current (old_client_switch_ioloop moves it).
 *
 * Lazy: the first command connects and logs in. A lost connection gives every
 * command that isn't answered yet OLD_REPLY_LOST, exactly once, and nothing is
 * tried again; the next command connects anew, with no mailbox selected.
 *
 * Memory: bodies are streamed (old-fetch.h). Any other literal is at most
 * OLD_MAX_LITERAL bytes, a reply line at most max_line with at most
 * OLD_MAX_LISTS lists and OLD_MAX_WORDS words; a server that exceeds them is
 * disconnected.
 *
 * Inside a callback more commands may be sent, but not old_client_connect(),
 * old_client_wait() or old_client_deinit(). Strings and args that a callback
 * gets are valid until it returns.
 */

#include "net.h"
#include "mail-error.h"
#include "iostream-ssl.h"
#include "old-limits.h"

struct event;
struct istream;
struct imap_arg;
struct old_client;
struct old_command;

#define OLD_MAX_LITERAL (1024 * 1024)
#define OLD_MAX_LISTS 10000
#define OLD_MAX_WORDS 200000

enum old_ssl_mode {
	OLD_SSL_NONE,
	OLD_SSL_IMAPS,
	OLD_SSL_STARTTLS,
};

struct old_client_settings {
	/* name or address; names are resolved blocking */
	const char *host;
	in_port_t port;

	enum old_ssl_mode ssl_mode;
	/* check certificate and host name */
	bool ssl_verify;
	struct ssl_iostream_settings ssl_set;

	/* the user whose mail it is */
	const char *user;
	/* who logs in for them; NULL or "": the user */
	const char *master_user;
	const char *password;
	/* SASL mechanisms to try in this order, separated by spaces: PLAIN,
	   LOGIN, OAUTHBEARER, XOAUTH2. NULL or "": the LOGIN command, or PLAIN
	   where LOGINDISABLED or a master user asks for it. */
	const char *sasl_mechanisms;

	unsigned int connect_timeout_msecs;
	/* The server may be silent for so long while commands are pending. */
	unsigned int cmd_timeout_msecs;

	/* NULL or "": no log of the wire */
	const char *rawlog_dir;
	/* path prefix of temporary files, for bodies that must be spooled */
	const char *temp_path_prefix;
	/* longest line of a reply without its literals, 0: 1 MB */
	size_t max_line;

	/* of the old server, NULL for none. Must stay. */
	struct old_limits *limits;
};

enum old_reply_state {
	OLD_REPLY_OK,
	OLD_REPLY_NO,
	OLD_REPLY_BAD,
	/* The connection failed or was lost. It isn't known whether the server
	   has done the command. */
	OLD_REPLY_LOST,
};

/* The tagged reply, never NULL strings. */
struct old_reply {
	enum old_reply_state state;
	/* [CODE value], CODE in upper case, "" when there is none */
	const char *code, *code_value;
	/* the server's text behind the code */
	const char *text;
	/* not OK: what it means for the user, and one plain sentence */
	enum mail_error error_code;
	const char *error;
};
typedef void old_reply_callback_t(const struct old_reply *reply, void *context);

/* An untagged reply other than FETCH. */
struct old_untagged {
	/* in upper case: LIST, STATUS, EXISTS, VANISHED, OK, NO, BYE... */
	const char *name;
	/* "* 12 EXISTS": 12; else 0 */
	uint32_t num;
	/* what follows the name, ends with IMAP_ARG_EOL */
	const struct imap_arg *args;
	/* of OK, NO, BAD, BYE as in struct old_reply; else "" */
	const char *code, *code_value, *text;
};
/* Returns TRUE when it was for this one, FALSE to let the next one see it. */
typedef bool old_untagged_callback_t(const struct old_untagged *untagged,
				     void *context);

enum old_quirks {
	/* EXAMINE doesn't keep UIDVALIDITY (Courier): use SELECT */
	OLD_QUIRK_NO_EXAMINE = 0x01,
	/* SELECT doesn't tell UIDNEXT (Courier): ask with STATUS */
	OLD_QUIRK_NO_UIDNEXT = 0x02,
	/* folders are labels: a mail is in many of them (Gmail) */
	OLD_QUIRK_LABELS = 0x04,
};

struct old_client_counters {
	uint64_t bytes_in, bytes_out;
	/* commands sent; bursts: times that something was written to an idle
	   connection, i.e. round trips */
	unsigned int commands, bursts;
};

/* The settings are copied. */
struct old_client *
old_client_init(const struct old_client_settings *set, struct event *parent);
/* Disconnects (commands get OLD_REPLY_LOST) and frees. */
void old_client_deinit(struct old_client **client);

/* Connect and log in, if that isn't so already. Returns 0; -1 with an error. */
int old_client_connect(struct old_client *client,
		       enum mail_error *error_code_r, const char **error_r);
/* Disconnect; commands get OLD_REPLY_LOST with this reason. */
void old_client_disconnect(struct old_client *client, const char *reason);
/* Until all commands are answered, those sent meanwhile by callbacks
   included. Returns 0 when the connection stands (each command's callback has
   told how it went); -1 with an error when it was lost. */
int old_client_wait(struct old_client *client,
		    enum mail_error *error_code_r, const char **error_r);
/* How long the server may be silent from now on, instead of cmd_timeout_msecs.
   Returns what it was. Not while commands are in flight. */
unsigned int old_client_set_patience(struct old_client *client,
				     unsigned int msecs);
/* For whom it works from now on, OLD_CLAIM_LOOK at first. Returns what it was. */
enum old_claim old_client_set_claim(struct old_client *client,
				    enum old_claim claim);
/* Was its last failure our own doing: the server is left alone, or all that may be
   read today has been (old-limits.h)? It says nothing of the server. */
bool old_client_held_back(const struct old_client *client);
/* Move to current_ioloop. */
void old_client_switch_ioloop(struct old_client *client);

/* A command is built from parts and then sent. The name is written verbatim,
   e.g. "UID COPY". Each part is preceded by a space.
   old_command_add: verbatim. old_command_add_string: quoted, or a literal
   where quotes can't do (LITERAL+ when the server has it; else it waits for
   the server's go-ahead). Mailbox names go this way, in mUTF-7. */
struct old_command *old_command_new(struct old_client *client,
				    const char *name);
void old_command_add(struct old_command *cmd, const char *part);
void old_command_addf(struct old_command *cmd, const char *fmt, ...)
	ATTR_FORMAT(2, 3);
void old_command_add_string(struct old_command *cmd, const char *value);
/* A literal of exactly size bytes from a stream that doesn't block (file or
   memory), read as it is sent. References the stream. */
void old_command_add_stream(struct old_command *cmd, struct istream *input,
			    uoff_t size);
#define OLD_UNTAGGED_CALLBACK(callback, context) \
	(1 ? (old_untagged_callback_t *)(callback) : \
	 CALLBACK_TYPECHECK(callback, bool (*)( \
		const struct old_untagged *, typeof(context))))
/* Untagged replies that come while this is the oldest command in flight are
   shown to this one first. */
void old_command_set_untagged(struct old_command *cmd,
			      old_untagged_callback_t *callback, void *context);
#define old_command_set_untagged(cmd, callback, context) \
	old_command_set_untagged(cmd, \
		OLD_UNTAGGED_CALLBACK(callback, context), context)
/* Written at the end of this turn of the ioloop or with old_client_flush().
   The callback is called exactly once, never from within this function. */
void old_command_send(struct old_command **cmd,
		      old_reply_callback_t *callback, void *context);
#define OLD_REPLY_CALLBACK(callback, context) \
	(1 ? (old_reply_callback_t *)(callback) : \
	 CALLBACK_TYPECHECK(callback, void (*)( \
		const struct old_reply *, typeof(context))))
#define old_command_send(cmd, callback, context) \
	old_command_send(cmd, OLD_REPLY_CALLBACK(callback, context), context)

/* The same in one go for a command without strings. */
void old_client_send(struct old_client *client,
		     old_reply_callback_t *callback, void *context,
		     const char *fmt, ...) ATTR_FORMAT(4, 5);
#define old_client_send(client, callback, context, ...) \
	old_client_send(client, OLD_REPLY_CALLBACK(callback, context), \
			context, __VA_ARGS__)
void old_client_flush(struct old_client *client);
/* Send one command, wait for it and for all before it. Returns 0 when it was
   OK; -1 with an error. Its untagged replies go where they would else. */
int old_command_run(struct old_command **cmd,
		    enum mail_error *error_code_r, const char **error_r);

/* What no command's handler took: changes that the server tells by itself. */
void old_client_set_untagged(struct old_client *client,
			     old_untagged_callback_t *callback, void *context);
#define old_client_set_untagged(client, callback, context) \
	old_client_set_untagged(client, \
		OLD_UNTAGGED_CALLBACK(callback, context), context)

/* After login. Names as in RFCs, any case. QRESYNC implies CONDSTORE. */
bool old_client_has(const struct old_client *client, const char *capability);
/* Did the server say ENABLED to it (RFC 5161)? */
bool old_client_enabled(const struct old_client *client, const char *extension);
enum old_quirks old_client_quirks(const struct old_client *client);
/* "dovecot", "cyrus", "courier", "gmail", "exchange"..., "" when unknown */
const char *old_client_server(const struct old_client *client);
/* Was the last failure the server's NO to the login (wrong password, expired,
   forbidden), as opposed to a server that can't be used right now? */
bool old_client_login_refused(const struct old_client *client);
/* How often its connection was lost: as long as that stays the same, so does
   the selected mailbox. */
unsigned int old_client_losses(const struct old_client *client);
bool old_client_is_connected(const struct old_client *client);
unsigned int old_client_pending(const struct old_client *client);
const struct old_client_counters *
old_client_counters(struct old_client *client);

/* "NO text" to a login, for clients of ours: a response code of RFC 5530, and the
   text without it in *reason_r. In the data stack. */
const char *old_login_refusal(const char *text, const char **reason_r);

#endif
