#include "test-trouble-lab.h"
#include "case-mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct between *trouble_between;

static unsigned short port_of(const char *hostport)
{
	return (unsigned short)strtoul(strrchr(hostport, ':') + 1, NULL, 10);
}

bool trouble_start(const char *settings)
{
	FILE *file = fopen(case_get("NEW_EXTRA_CONF"), "w");
	unsigned short port = port_of(case_get("OLD_IMAP"));

	if (!UNIT_CHECK(file != NULL, "the new server's settings"))
		return false;
	fprintf(file, "imapc_cmd_timeout = 3 s\n%s", settings);
	fclose(file);
	trouble_between = between_start(port);
	return UNIT_CHECK(trouble_between != NULL, "no thread between") &&
		case_server("new", "restart", NULL) &&
		case_shell("sed -i 's/imapc_port=%u/imapc_port=%u/' "
			   "'%s/new/users'", port,
			   between_port(trouble_between), case_get("DIR"));
}

void trouble_end(void)
{
	between_stop(&trouble_between);
	if (!case_no_crash() &&
	    case_shell("grep -E 'Panic|Fatal|backtrace' '%s' || :",
		       case_get("NEW_LOG")))
		printf("%s", case_output());
}

bool trouble_tell(const char *command)
{
	return case_shell("'%s' --tell '%s' %s", case_get("DELAY_PROXY"),
			  case_get("OLD_PROXY_CONTROL"), command);
}

void trouble_down(void)
{
	(void)trouble_tell("refuse");
	(void)trouble_tell("cut");
}

void trouble_up(void)
{
	(void)trouble_tell("go");
}

struct password {
	unsigned int user;
	const char *password;
};

static bool password_is_known(void *context)
{
	const struct password *password = context;

	(void)case_doveadm("user -f imapc_password %s 2>&1",
			   case_user(password->user));
	return strncmp(case_output(), password->password,
		       strlen(password->password)) == 0;
}

bool trouble_password(unsigned int user, const char *password)
{
	struct password wanted = { .user = user, .password = password };

	/* the file is looked at once in a second */
	return case_shell("sed -i '/^%s:/s/imapc_password=[^ ]*/"
			  "imapc_password=%s/' '%s/new/users'",
			  case_user(user), password, case_get("DIR")) &&
		UNIT_CHECK(wait_until(password_is_known, &wanted,
				      TROUBLE_RECOVERY_MS),
			   "password: still %s", case_output());
}

uint32_t trouble_old_count(unsigned int user, const char *folder)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	struct imap_box box = { .exists = UINT32_MAX };

	if (client != NULL)
		UNIT_CHECK(imap_examine(client, folder, &box) == IMAP_OK,
			   "old server: %s: %s", folder, imap_error(client));
	imap_logout(&client);
	return box.exists;
}

const char *trouble_old_flags(unsigned int user, uint32_t uid)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	const struct imap_response *resp;
	const char *flags = "";
	struct imap_fetch fetch;
	struct imap_box box;

	if (client != NULL &&
	    imap_examine(client, "INBOX", &box) == IMAP_OK &&
	    imap_run(client, "UID FETCH %u FLAGS", uid) == IMAP_OK) {
		resp = imap_find(imap_untagged(client), "FETCH");
		if (resp != NULL && imap_parse_fetch(resp, &fetch))
			flags = case_mail_flags(fetch.flags);
	}
	imap_logout(&client);
	return flags;
}

uint32_t trouble_old_copies(unsigned int user, const char *folder,
			    const char *id)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	const struct imap_response *resp;
	const struct imap_arg *arg;
	struct imap_box box;
	uint32_t count = 0;

	if (client != NULL &&
	    imap_examine(client, folder, &box) == IMAP_OK &&
	    imap_run(client, "SEARCH HEADER Message-ID \"<%s>\"",
		     id) == IMAP_OK) {
		resp = imap_find(imap_untagged(client), "SEARCH");
		for (arg = resp == NULL ? NULL : resp->args; arg != NULL;
		     arg = arg->next)
			count++;
	}
	imap_logout(&client);
	return count;
}

bool trouble_seed(unsigned int user, const char *folder, unsigned int count,
		  size_t size)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	bool ok = client != NULL;

	if (ok && strcmp(folder, "INBOX") != 0)
		(void)imap_run(client, "CREATE %s", folder);
	for (unsigned int i = 0; ok && i < count; i++) {
		char id[64], *data;
		size_t length;

		snprintf(id, sizeof(id), "%s-%u@example.org", folder, i);
		data = case_message(id, size, &length);
		ok = UNIT_CHECK(imap_append(client, folder, NULL, NULL, data,
					    length, NULL) == IMAP_OK,
				"seed: %s", imap_error(client));
		free(data);
	}
	imap_logout(&client);
	return ok;
}

struct imap_client *trouble_select(unsigned int user, const char *folder,
				   struct imap_box *box_r)
{
	struct imap_client *client = case_imap("NEW_IMAP", user);

	if (client == NULL)
		return NULL;
	if (UNIT_CHECK(imap_select(client, folder, box_r) == IMAP_OK,
		       "SELECT %s: %s", folder, imap_error(client)))
		return client;
	imap_free(&client);
	return NULL;
}

struct recovery {
	struct imap_client **client;
	unsigned int user;
	const char *folder, *error;
	struct imap_box box;
};

static bool select_again(void *context)
{
	struct recovery *recovery = context;
	struct imap_client **client = recovery->client;
	const char *error = "";

	if (*client != NULL && imap_is_lost(*client))
		imap_free(client);
	if (*client == NULL &&
	    imap_open(case_get("NEW_IMAP"), case_user(recovery->user),
		      case_get("PASSWORD"), CASE_TIMEOUT_MS, client,
		      &error) < 0)
		return false;
	return imap_select(*client, recovery->folder, &recovery->box) ==
		IMAP_OK;
}

bool trouble_recovers(struct imap_client **client, unsigned int user,
		      const char *folder, uint32_t exists)
{
	struct recovery recovery = {
		.client = client, .user = user, .folder = folder,
	};
	struct imap_client *before = *client;

	if (!UNIT_CHECK(wait_until(select_again, &recovery,
				   TROUBLE_RECOVERY_MS), "%s: not again: %s",
			folder, *client == NULL ? "no login" :
			imap_error(*client)))
		return false;
	if (before != NULL && *client != before)
		printf("    (in a new session) ");
	return UNIT_CHECK(recovery.box.exists == exists,
			  "%s: %u messages, not %u", folder,
			  recovery.box.exists, exists);
}

bool trouble_is_no(struct imap_client *client, const char *code,
		   const char *what)
{
	const struct imap_reply *reply = imap_reply(client);

	return UNIT_CHECK(reply->status == IMAP_NO, "%s: status %d: %s", what,
			  reply->status, imap_error(client)) &&
		UNIT_CHECK(code == NULL || (reply->code != NULL &&
			   strcasecmp(reply->code, code) == 0),
			   "%s: [%s] instead of [%s]: %s", what,
			   reply->code == NULL ? "" : reply->code,
			   code == NULL ? "" : code, reply->text) &&
		UNIT_CHECK(reply->text != NULL && strlen(reply->text) > 10 &&
			   strcasestr(reply->text, "Internal error") == NULL,
			   "%s: no plain reason: %s", what, reply->text);
}
