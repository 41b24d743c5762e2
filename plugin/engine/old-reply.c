/* old-reply: status replies (RFC 3501 7.1, RFC 5530): their parts, and what
   they mean for the user. */

#include "old-client-private.h"
#include "str.h"
#include "str-sanitize.h"

#include <string.h>

/* Longest text of the server that goes into a sentence. */
#define OLD_TEXT_MAX 200

struct old_meaning {
	const char *mark;
	enum mail_error code;
	/* NULL: the server's own text says it best */
	const char *sentence;
};

static const struct old_meaning code_meanings[] = {
	{ "UNAVAILABLE", MAIL_ERROR_UNAVAILABLE, NULL },
	{ "INUSE", MAIL_ERROR_INUSE,
	  "The mailbox is in use on the old server, try again" },
	{ "AUTHENTICATIONFAILED", MAIL_ERROR_PERM,
	  "The old server refuses this user name or password" },
	{ "AUTHORIZATIONFAILED", MAIL_ERROR_PERM,
	  "The old server doesn't let this login act for the user" },
	{ "EXPIRED", MAIL_ERROR_PERM,
	  "The password has expired on the old server" },
	{ "PRIVACYREQUIRED", MAIL_ERROR_PERM,
	  "The old server wants an encrypted connection" },
	{ "CONTACTADMIN", MAIL_ERROR_PERM, NULL },
	{ "NOPERM", MAIL_ERROR_PERM, "No permission on the old server" },
	{ "OVERQUOTA", MAIL_ERROR_NOQUOTA,
	  "The quota on the old server is full" },
	{ "LIMIT", MAIL_ERROR_LIMIT, NULL },
	{ "TOOBIG", MAIL_ERROR_LIMIT, NULL },
	{ "THROTTLED", MAIL_ERROR_LIMIT, NULL },
	{ "NONEXISTENT", MAIL_ERROR_NOTFOUND,
	  "It doesn't exist on the old server" },
	{ "TRYCREATE", MAIL_ERROR_NOTFOUND,
	  "It doesn't exist on the old server" },
	{ "ALREADYEXISTS", MAIL_ERROR_EXISTS,
	  "It exists on the old server already" },
	{ "EXPUNGEISSUED", MAIL_ERROR_EXPUNGED, NULL },
	{ "CANNOT", MAIL_ERROR_NOTPOSSIBLE, NULL },
	{ "UNKNOWN-CTE", MAIL_ERROR_CONVERSION, NULL },
	{ "SERVERBUG", MAIL_ERROR_TEMP, NULL },
	{ "CORRUPTION", MAIL_ERROR_TEMP, NULL },
	{ "CLIENTBUG", MAIL_ERROR_PARAMS, NULL },
};

/* Servers that give no code. */
static const struct old_meaning text_meanings[] = {
	{ "throttle", MAIL_ERROR_LIMIT, NULL },
	{ "too many", MAIL_ERROR_LIMIT, NULL },
	{ "quota", MAIL_ERROR_NOQUOTA, NULL },
	{ "does not exist", MAIL_ERROR_NOTFOUND, NULL },
	{ "doesn't exist", MAIL_ERROR_NOTFOUND, NULL },
	{ "nonexistent", MAIL_ERROR_NOTFOUND, NULL },
	{ "no such", MAIL_ERROR_NOTFOUND, NULL },
	{ "already exists", MAIL_ERROR_EXISTS, NULL },
	{ "permission", MAIL_ERROR_PERM, NULL },
	{ "not connected", MAIL_ERROR_UNAVAILABLE, NULL },
	{ "temporar", MAIL_ERROR_UNAVAILABLE, NULL },
	{ "try again", MAIL_ERROR_UNAVAILABLE, NULL },
};

static const struct old_meaning other_meaning = {
	"", MAIL_ERROR_NOTPOSSIBLE, NULL
};
static const struct old_meaning bandwidth_meaning = {
	"", MAIL_ERROR_LIMIT, NULL
};
static const struct old_meaning bad_meaning = {
	"", MAIL_ERROR_PARAMS, NULL
};

/* The ']' that ends the code: not one in a quoted string. */
static const char *old_code_end(const char *p)
{
	bool quoted = FALSE;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && quoted && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == ']' && !quoted)
			return p;
	}
	return NULL;
}

void old_reply_split(const char *text, const char **code_r,
		     const char **value_r, const char **text_r)
{
	const char *end, *inside, *space;

	*code_r = *value_r = "";
	*text_r = text;
	if (*text != '[' || (end = old_code_end(text + 1)) == NULL)
		return;

	inside = t_strdup_until(text + 1, end);
	space = strchr(inside, ' ');
	if (space == NULL)
		*code_r = t_str_ucase(inside);
	else {
		*code_r = t_str_ucase(t_strdup_until(inside, space));
		*value_r = space + 1;
	}
	for (text = end + 1; *text == ' '; text++) ;
	*text_r = text;
}

const char *old_reply_clean(const char *text)
{
	return str_sanitize_utf8(text, OLD_TEXT_MAX);
}

static const struct old_meaning *old_meaning_find(const struct old_reply *reply)
{
	unsigned int i;

	/* Gmail says OVERQUOTA */
	if (reply->state == OLD_REPLY_NO &&
	    strcasestr(reply->text, "bandwidth limit") != NULL)
		return &bandwidth_meaning;
	for (i = 0; i < N_ELEMENTS(code_meanings); i++) {
		if (strcmp(code_meanings[i].mark, reply->code) == 0)
			return &code_meanings[i];
	}
	if (reply->state == OLD_REPLY_BAD)
		return &bad_meaning;
	for (i = 0; i < N_ELEMENTS(text_meanings); i++) {
		if (strcasestr(reply->text, text_meanings[i].mark) != NULL)
			return &text_meanings[i];
	}
	return &other_meaning;
}

void old_reply_classify(struct old_reply *reply)
{
	const struct old_meaning *meaning = old_meaning_find(reply);

	reply->error_code = meaning->code;
	if (meaning->sentence != NULL)
		reply->error = meaning->sentence;
	else if (*reply->text == '\0')
		reply->error = "The old server refuses it and doesn't say why";
	else {
		reply->error = t_strdup_printf("The old server says: %s",
					       old_reply_clean(reply->text));
	}
}

/* Those that tell a client to try again, or the user to do something. */
static const char *const login_codes[] = {
	"UNAVAILABLE", "INUSE", "LIMIT", "THROTTLED", "OVERQUOTA",
	"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED",
	"PRIVACYREQUIRED", "CONTACTADMIN", NULL
};

const char *old_login_refusal(const char *text, const char **reason_r)
{
	struct old_reply reply = { .state = OLD_REPLY_NO };

	old_reply_split(text, &reply.code, &reply.code_value, &reply.text);
	*reason_r = old_reply_clean(reply.text);
	if (str_array_find(login_codes, reply.code))
		return reply.code;
	old_reply_classify(&reply);
	switch (reply.error_code) {
	case MAIL_ERROR_UNAVAILABLE:
	case MAIL_ERROR_TEMP:
		return "UNAVAILABLE";
	case MAIL_ERROR_LIMIT:
		return "LIMIT";
	default:
		return "AUTHENTICATIONFAILED";
	}
}
