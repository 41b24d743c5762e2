#include "case-folder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum imap_status
run(struct imap_client *client, const char *command)
{
	enum imap_status status = imap_run(client, "%s", command);

	if (status != IMAP_OK)
		printf("\n    %s: %s", command, imap_error(client));
	return status;
}

enum imap_status
folder_run(const char *server, unsigned int user, const char *fmt, ...)
{
	struct imap_client *client = case_imap(server, user);
	enum imap_status status = IMAP_LOST;
	char command[300];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (client != NULL)
		status = run(client, command);
	imap_logout(&client);
	return status;
}

static void
append(struct imap_client *client, const char *name, const char *id)
{
	size_t size;
	char *data = case_message(id, 2000, &size);

	UNIT_CHECK(imap_append(client, name, NULL, NULL, data, size, NULL) ==
		   IMAP_OK, "APPEND to %s: %s", name, imap_error(client));
	free(data);
}

void folder_append(const char *server, unsigned int user, const char *name,
		   const char *id)
{
	struct imap_client *client = case_imap(server, user);

	if (client != NULL)
		append(client, name, id);
	imap_logout(&client);
}

void folder_make(const char *server, unsigned int user, const char *name,
		 unsigned int messages)
{
	struct imap_client *client = case_imap(server, user);
	char id[100];

	if (client == NULL)
		return;
	UNIT_CHECK(imap_run(client, "CREATE %s", name) == IMAP_OK,
		   "CREATE %s: %s", name, imap_error(client));
	for (unsigned int i = 0; i < messages; i++) {
		snprintf(id, sizeof(id), "%s-%u@case.example", name, i);
		append(client, name, id);
	}
	imap_logout(&client);
}

uint32_t folder_count(const char *server, unsigned int user, const char *name)
{
	struct imap_client *client = case_imap(server, user);
	struct imap_box box = { .exists = UINT32_MAX };

	if (client != NULL && imap_examine(client, name, &box) != IMAP_OK)
		box.exists = UINT32_MAX;
	imap_logout(&client);
	return box.exists;
}

bool folder_listed(const char *server, unsigned int user, const char *name)
{
	struct imap_client *client = case_imap(server, user);
	bool found = false;

	if (client != NULL && UNIT_CHECK(imap_run(client, "LIST \"\" \"%s\"",
						  name) == IMAP_OK, "LIST: %s",
					 imap_error(client)))
		found = imap_find(imap_untagged(client), "LIST") != NULL;
	imap_logout(&client);
	return found;
}

void folder_expunge(const char *server, unsigned int user, const char *name,
		    const char *set)
{
	struct imap_client *client = case_imap(server, user);
	struct imap_box box;

	if (client == NULL)
		return;
	UNIT_CHECK(imap_select(client, name, &box) == IMAP_OK &&
		   imap_run(client, "STORE %s +FLAGS.SILENT (\\Deleted)",
			    set) == IMAP_OK &&
		   imap_run(client, "EXPUNGE") == IMAP_OK, "EXPUNGE in %s: %s",
		   name, imap_error(client));
	imap_logout(&client);
}

const char *folder_flags(const char *server, unsigned int user,
			 const char *name, unsigned int seq)
{
	struct imap_client *client = case_imap(server, user);
	const struct imap_response *resp;
	const struct imap_arg *arg;
	static char flags[300];
	struct imap_box box;

	flags[0] = '\0';
	if (client == NULL || imap_examine(client, name, &box) != IMAP_OK)
		return flags;
	imap_clear(client);
	(void)imap_run(client, "FETCH %u (FLAGS)", seq);
	resp = imap_find(imap_untagged(client), "FETCH");
	arg = resp == NULL || resp->args == NULL ? NULL : resp->args->child;
	while (arg != NULL && !imap_arg_is(arg, "FLAGS"))
		arg = arg->next;
	for (arg = arg == NULL || arg->next == NULL ? NULL : arg->next->child;
	     arg != NULL; arg = arg->next)
		snprintf(flags + strlen(flags), sizeof(flags) - strlen(flags),
			 "%s ", arg->data);
	imap_logout(&client);
	return flags;
}

const char *folder_file(unsigned int user, const char *folder, const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s/migration/%s/%s",
		 case_get("NEW_HOME"), case_user(user), folder, name);
	return path;
}

pid_t folder_start_slow(const char *call, unsigned int ms, const char *fmt, ...)
{
	char words[300], command[1500], output[300];
	const char *const argv[] = { "sh", "-c", command, NULL };
	va_list args;
	pid_t pid;

	va_start(args, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	snprintf(command, sizeof(command), "%s %s",
		 case_faulty("slow %s %u", call, ms), words);
	snprintf(output, sizeof(output), "%s/slow", case_get("DIR"));
	pid = process_start(argv, output);
	UNIT_CHECK(pid > 0, "%s can't be started", command);
	return pid;
}
