#include "case-mirror.h"
#include "case-folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 3
#define MAX_WORKERS 64
/* Nobody shows special use of others' folders; UIDNEXT is looked at by UIDs. */
#define IGNORED (SNAPSHOT_IGNORE_UIDNEXT | SNAPSHOT_IGNORE_SPECIAL_USE)

bool case_pair_open(struct case_pair *pair, unsigned int user)
{
	pair->old = case_imap("OLD_IMAP_DIRECT", user);
	pair->new = case_imap("NEW_IMAP", user);
	return pair->old != NULL && pair->new != NULL;
}

void case_pair_close(struct case_pair *pair)
{
	imap_logout(&pair->old);
	imap_logout(&pair->new);
}

bool case_pair_same(struct case_pair *pair, const char *mailbox, uint32_t uid,
		    const char *flags, const char *what)
{
	struct case_mail old, new;
	char text[200];

	snprintf(text, sizeof(text), "%s, UID %u of %s (old and new server)",
		 what, uid, mailbox);
	case_mail_look(pair->old, mailbox, uid, &old);
	case_mail_look(pair->new, mailbox, uid, &new);
	return case_mail_same(&old, &new, text) &&
		UNIT_CHECK(flags == NULL || strcmp(old.flags, flags) == 0,
			   "%s: flags are (%s), not (%s)", text, old.flags,
			   flags == NULL ? "" : flags);
}

bool case_pair_gone(struct case_pair *pair, const char *mailbox, uint32_t uid,
		    const char *what)
{
	struct case_mail old, new;

	case_mail_look(pair->old, mailbox, uid, &old);
	case_mail_look(pair->new, mailbox, uid, &new);
	return UNIT_CHECK(old.uid == 0 && new.uid == 0, "%s, UID %u of %s: "
			  "still on the %s server", what, uid, mailbox,
			  old.uid == 0 ? "new" : "old");
}

const char *case_mirror_name(const char *name)
{
	static char names[NAMES][100];
	static unsigned int next;
	const char *prefix = lab_get(case_lab, "OLD_PREFIX");

	next = (next + 1) % NAMES;
	snprintf(names[next], sizeof(names[next]), "%s%s",
		 strcmp(name, "INBOX") == 0 ? "" : prefix, name);
	return names[next];
}

bool case_mirror_make(unsigned int user, const char *name,
		      unsigned int messages)
{
	unsigned int failed = CU_get_number_of_failures();

	folder_make("OLD_IMAP_DIRECT", user, case_mirror_name(name), messages);
	return CU_get_number_of_failures() == failed;
}

bool case_mirror_fill(unsigned int user, const char *const *mailboxes)
{
	if (!case_migration("fill -u %s", case_user(user)))
		return false;
	for (; *mailboxes != NULL; mailboxes++)
		case_is_state(user, case_mirror_name(*mailboxes), "mirrored");
	return true;
}

bool case_mirror_is_equal(unsigned int user, bool pop3)
{
	struct snapshot *old = case_snapshot("OLD", user, pop3);
	struct snapshot *new = case_snapshot("NEW", user, pop3);
	struct snapshot_diff diff;
	bool equal = old != NULL && new != NULL &&
		snapshot_compare(old, new, IGNORED, NULL, &diff);

	snapshot_free(&old);
	snapshot_free(&new);
	return equal;
}

struct settle {
	unsigned int user;
	bool pop3;
};

static bool is_settled(void *context)
{
	const struct settle *settle = context;

	return case_mirror_is_equal(settle->user, settle->pop3);
}

bool case_mirror_settles(unsigned int user, bool pop3, const char *what)
{
	struct settle settle = { .user = user, .pop3 = pop3 };
	struct snapshot *old, *new;

	if (wait_until(is_settled, &settle, CASE_MIRROR_PATIENCE_MS))
		return UNIT_CHECK(true, "%s", what);
	old = case_snapshot("OLD", user, pop3);
	new = case_snapshot("NEW", user, pop3);
	return case_same(&old, &new, IGNORED, what);
}

/* Names of processes are cut to 15 characters. */
unsigned int case_mirror_workers(pid_t *pids, unsigned int max)
{
	struct process_result result;
	unsigned int count = 0;
	char *line, *next;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"ps -o pid=,comm= --sid $(cut -d' ' -f1 %s/sessions/new) | "
		"grep ' migration-worke'", case_get("DIR"));
	for (line = result.output; *line != '\0' && count < max; line = next) {
		pids[count++] = (pid_t)strtol(line, &next, 10);
		next += strcspn(next, "\n");
		next += *next == '\n';
	}
	process_result_free(&result);
	return count;
}

unsigned int case_mirror_kill_workers(void)
{
	pid_t pids[MAX_WORKERS];
	unsigned int i, killed = 0;
	unsigned int count = case_mirror_workers(pids, MAX_WORKERS);

	for (i = 0; i < count; i++) {
		if (kill(pids[i], SIGKILL) == 0)
			killed++;
	}
	return killed;
}
