/* old-quirks: which server it is, by its greeting and capabilities, and what
   is known to be odd about it. */

#include "old-client-private.h"

#include <string.h>

/* The first that matches. Capabilities come first: they are harder to hide. */
static const struct old_server old_servers[] = {
	{ "gmail", "cap:X-GM-EXT-1", OLD_QUIRK_LABELS },
	{ "courier", "Courier-IMAP",
	  OLD_QUIRK_NO_EXAMINE | OLD_QUIRK_NO_UIDNEXT },
	{ "dovecot", "Dovecot", 0 },
	{ "cyrus", "Cyrus", 0 },
	{ "exchange", "Microsoft Exchange", 0 },
	{ "zimbra", "Zimbra", 0 },
	{ "stalwart", "Stalwart", 0 },
	{ "uw", "IMAP4rev1 200", 0 },
};
static const struct old_server old_server_unknown = { "", "", 0 };

static bool
old_server_matches(const struct old_server *server, const char *greeting,
		   const struct old_client *client)
{
	const char *cap;

	if (str_begins(server->mark, "cap:")) {
		cap = server->mark + strlen("cap:");
		return old_client_has(client, cap);
	}
	return strcasestr(greeting, server->mark) != NULL;
}

const struct old_server *
old_quirks_find(const char *greeting, const struct old_client *client)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(old_servers); i++) {
		if (old_server_matches(&old_servers[i], greeting, client))
			return &old_servers[i];
	}
	return &old_server_unknown;
}
