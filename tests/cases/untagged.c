#include "untagged.h"

#include <stdio.h>
#include <string.h>

/* EXPUNGE takes one away, FETCH speaks of one. */
static const char *const of_mailbox[] = { "RECENT", "FLAGS", NULL };
static const char *const of_command[] = {
	"SEARCH", "STATUS", "LIST", "CAPABILITY", "BYE", NULL
};
static const char *const codes[] = { "PERMANENTFLAGS ", "COPYUID ", NULL };

void untagged_begin(struct untagged *untagged, struct imap_client *client)
{
	untagged->exists = imap_exists(client);
	untagged->odd[0] = '\0';
	imap_clear(client);
}

static bool is_one_of(const char *const *names, const char *name)
{
	while (*names != NULL && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

static bool code_is_known(const char *code)
{
	for (unsigned int i = 0; codes[i] != NULL && code != NULL; i++) {
		if (strncmp(code, codes[i], strlen(codes[i])) == 0)
			return true;
	}
	return code == NULL;
}

static bool
makes_sense(struct untagged *untagged, const struct imap_response *resp)
{
	bool is_there = resp->number >= 1 && resp->number <= untagged->exists;

	if (strcmp(resp->name, "EXISTS") == 0) {
		if (resp->number < untagged->exists)
			return false;
		untagged->exists = resp->number;
		return true;
	}
	if (strcmp(resp->name, "EXPUNGE") == 0) {
		untagged->exists -= is_there ? 1 : 0;
		return is_there;
	}
	if (strcmp(resp->name, "FETCH") == 0)
		return is_there;
	if (strcmp(resp->name, "OK") == 0)
		return code_is_known(resp->code);
	return is_one_of(of_mailbox, resp->name) ||
		is_one_of(of_command, resp->name);
}

bool untagged_follow(struct untagged *untagged, struct imap_client *client)
{
	const struct imap_response *resp;

	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (makes_sense(untagged, resp) || untagged->odd[0] != '\0')
			continue;
		snprintf(untagged->odd, sizeof(untagged->odd),
			 "odd answer with %u messages: %.150s",
			 untagged->exists, resp->raw);
	}
	return untagged->odd[0] == '\0';
}
