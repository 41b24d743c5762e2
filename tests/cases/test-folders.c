/*
 * test-folders: folders of any name, through the new server: what LIST shows can
 * be selected and is the old server's of that name; changes are made on both or
 * on neither; what changes on the old server directly is picked up.
 */
#include "case.h"
#include "mutf7.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 2000

/* In UTF-8, levels separated by '.'; what the old server refuses is left out. */
static const char *const names[] = {
	"Entw\xc3\xbcrfe", "\xd0\x9f\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0",
	"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "\xf0\x9f\x93\xac post",
	"100%", "a%20b", "star*", "~tilde", "~", "R&D", "&", "end ", "  two",
	"quote\"d", "back\\slash", "br(ack)ets", "{3}", "Sl/ash", "trash", "Trash ",
	"one.two.three.four.five", "#hash", "comma,semi;colon", "INBOXES",
	"$HOME", "-dash", "[x]",
};

static unsigned int made;

/* The name as a server says it, in modified UTF-7. */
static char *encode(const char *utf8)
{
	char *name = mutf7_encode(utf8);

	UNIT_CHECK(name != NULL, "%s isn't UTF-8", utf8);
	return name;
}

static enum imap_status
run_on(struct imap_client *client, const char *command, const char *name)
{
	unsigned int tag = imap_start(client);

	imap_text(client, "%s ", command);
	imap_mailbox(client, name);
	imap_end(client);
	return imap_wait(client, tag);
}

/* A folder with one message that has the folder's name for its subject. */
static void make_odd(struct imap_client *client, const char *utf8)
{
	char *name = encode(utf8), *data;
	size_t size;

	if (name != NULL && run_on(client, "CREATE", name) == IMAP_OK) {
		data = case_message(name, 200, &size);
		UNIT_CHECK(imap_append(client, name, NULL, NULL, data, size,
				       NULL) == IMAP_OK, "%s: %s", name,
			   imap_error(client));
		free(data);
		made++;
	} else
		printf("\n    (the old server refuses %s) ", utf8);
	free(name);
}

struct folders {
	char **names;
	unsigned int count;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that can be selected, sorted. */
static struct folders list(struct imap_client *client, const char *command)
{
	struct folders folders = { NULL, 0 };
	const struct imap_response *resp;
	const struct imap_arg *arg;
	bool selectable;

	imap_clear(client);
	UNIT_CHECK(imap_run(client, "%s", command) == IMAP_OK, "%s: %s",
		   command, imap_error(client));
	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if ((strcmp(resp->name, "LIST") != 0 &&
		     strcmp(resp->name, "LSUB") != 0) || resp->args == NULL)
			continue;
		selectable = true;
		for (arg = resp->args->child; arg != NULL; arg = arg->next) {
			if (imap_arg_is(arg, "\\Noselect") ||
			    imap_arg_is(arg, "\\NonExistent"))
				selectable = false;
		}
		if (!selectable || resp->args->next == NULL ||
		    (arg = resp->args->next->next) == NULL)
			continue;
		folders.names = realloc(folders.names, (folders.count + 1) *
					sizeof(*folders.names));
		if (folders.names == NULL)
			abort();
		folders.names[folders.count++] = strdup(arg->data);
	}
	imap_clear(client);
	if (folders.count > 0)
		qsort(folders.names, folders.count, sizeof(*folders.names),
		      compare_names);
	return folders;
}

static void folders_free(struct folders *folders)
{
	for (unsigned int i = 0; i < folders->count; i++)
		free(folders->names[i]);
	free(folders->names);
	memset(folders, 0, sizeof(*folders));
}

static bool has(const struct folders *folders, const char *name)
{
	return folders->count > 0 &&
		bsearch(&name, folders->names, folders->count,
			sizeof(*folders->names), compare_names) != NULL;
}

static bool same_list(const struct folders *a, const struct folders *b,
		      const char *what)
{
	bool ok = a->count == b->count;

	for (unsigned int i = 0; i < a->count; i++) {
		if (!has(b, a->names[i])) {
			printf("\n    %s: new lacks '%s'", what, a->names[i]);
			ok = false;
		}
	}
	for (unsigned int i = 0; i < b->count; i++) {
		if (!has(a, b->names[i])) {
			printf("\n    %s: old lacks '%s'", what, b->names[i]);
			ok = false;
		}
	}
	return UNIT_CHECK(ok, "%s: %u folders on the old server, %u here", what,
			  a->count, b->count);
}

static void same_folder(struct imap_client *old, struct imap_client *new,
			const char *name)
{
	struct imap_box there, here;

	if (!UNIT_CHECK(imap_select(new, name, &here) == IMAP_OK,
			"SELECT '%s' as LISTed: %s", name, imap_error(new)) ||
	    !UNIT_CHECK(imap_select(old, name, &there) == IMAP_OK,
			"old: SELECT '%s': %s", name, imap_error(old)))
		return;
	UNIT_CHECK(here.uidvalidity == there.uidvalidity &&
		   here.exists == there.exists,
		   "'%s' is another: UIDVALIDITY %u/%u, %u/%u messages", name,
		   there.uidvalidity, here.uidvalidity, there.exists,
		   here.exists);
	if (here.exists == 0 || strcmp(name, "INBOX") == 0)
		return;
	imap_clear(new);
	UNIT_CHECK(imap_run(new, "FETCH 1 ENVELOPE") == IMAP_OK, "%s: %s",
		   name, imap_error(new));
}

/* What both list, and what is in it. */
static void same_tree(unsigned int user, const char *what, bool each)
{
	struct imap_client *old = case_imap("OLD_IMAP_DIRECT", user);
	struct imap_client *new = case_imap("NEW_IMAP", user);
	struct folders there = { NULL, 0 }, here = { NULL, 0 };

	if (old != NULL && new != NULL) {
		uint64_t begin;

		there = list(old, "LIST \"\" *");
		begin = now_ms();
		here = list(new, "LIST \"\" *");
		printf("\n    %s: %u folders in %u ms ", what, here.count,
		       (unsigned int)(now_ms() - begin));
		same_list(&there, &here, what);
		for (unsigned int i = 0; each && i < here.count; i++)
			same_folder(old, new, here.names[i]);
	}
	folders_free(&there);
	folders_free(&here);
	imap_logout(&old);
	imap_logout(&new);
}

static void test_names(void)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);

	if (client == NULL)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make_odd(client, names[i]);
	imap_logout(&client);
	UNIT_CHECK(made >= 15, "only %u of the names could be made", made);
	same_tree(0, "names", true);
}

/* Does the old server (or the new one) list it? */
static bool lists(const char *server, const char *command, const char *name)
{
	struct imap_client *client = case_imap(server, 0);
	struct folders folders = { NULL, 0 };
	bool found = false;

	if (client != NULL) {
		folders = list(client, command);
		found = has(&folders, name);
	}
	folders_free(&folders);
	imap_logout(&client);
	return found;
}

static void both_list(const char *command, const char *name, bool wanted)
{
	UNIT_CHECK(lists("OLD_IMAP_DIRECT", command, name) == wanted,
		   "old: %s %s %s", command, wanted ? "hasn't" : "still has",
		   name);
	UNIT_CHECK(lists("NEW_IMAP", command, name) == wanted,
		   "new: %s %s %s", command, wanted ? "hasn't" : "still has",
		   name);
}

#define LIST_ALL "LIST \"\" *"
#define LSUB_ALL "LSUB \"\" *"

static void test_changes(void)
{
	struct imap_client *client = case_imap("NEW_IMAP", 0);
	char *data;
	size_t size;

	if (client == NULL)
		return;
	UNIT_CHECK(run_on(client, "CREATE", "Here") == IMAP_OK &&
		   run_on(client, "CREATE", "Here.Below") == IMAP_OK &&
		   run_on(client, "SUBSCRIBE", "Here.Below") == IMAP_OK,
		   "CREATE: %s", imap_error(client));
	both_list(LIST_ALL, "Here", true);
	both_list(LIST_ALL, "Here.Below", true);
	both_list(LSUB_ALL, "Here.Below", true);
	data = case_message("Here.Below", 100, &size);
	UNIT_CHECK(imap_append(client, "Here.Below", NULL, NULL, data, size,
			       NULL) == IMAP_OK, "APPEND: %s",
		   imap_error(client));
	free(data);
	UNIT_CHECK(imap_run(client, "RENAME Here There") == IMAP_OK,
		   "RENAME: %s", imap_error(client));
	both_list(LIST_ALL, "Here.Below", false);
	both_list(LIST_ALL, "There.Below", true);
	UNIT_CHECK(run_on(client, "UNSUBSCRIBE", "Here.Below") == IMAP_OK,
		   "UNSUBSCRIBE: %s", imap_error(client));
	both_list(LSUB_ALL, "Here.Below", false);
	same_tree(0, "after RENAME", true);
	UNIT_CHECK(run_on(client, "DELETE", "There.Below") == IMAP_OK &&
		   run_on(client, "DELETE", "There") == IMAP_OK,
		   "DELETE: %s", imap_error(client));
	both_list(LIST_ALL, "There", false);
	both_list(LIST_ALL, "There.Below", false);
	imap_logout(&client);
}

static void test_refused(void)
{
	static const char *const commands[] = {
		"CREATE Trash", "DELETE Missing", "RENAME Missing Other",
		"RENAME Sent Trash", "DELETE INBOX", "CREATE INBOX",
		"SUBSCRIBE Missing",
	};
	struct imap_client *client = case_imap("NEW_IMAP", 0);
	struct folders before, after;

	if (client == NULL)
		return;
	before = list(client, LIST_ALL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		UNIT_CHECK(imap_run(client, "%s", commands[i]) == IMAP_NO,
			   "%s: %s", commands[i], imap_error(client));
	after = list(client, LIST_ALL);
	same_list(&before, &after, "after what was refused");
	folders_free(&before);
	folders_free(&after);
	imap_logout(&client);
	same_tree(0, "after what was refused", false);
}

struct picked_up {
	const char *name;
	bool wanted;
};

static bool is_picked_up(void *context)
{
	const struct picked_up *picked = context;

	return lists("NEW_IMAP", LIST_ALL, picked->name) == picked->wanted;
}

static void wait_for(const char *name, bool wanted)
{
	struct picked_up picked = { name, wanted };

	UNIT_CHECK(wait_until(is_picked_up, &picked, CASE_TIMEOUT_MS),
		   "%s isn't %s", name, wanted ? "seen" : "gone");
}

static void test_old_changes(void)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);

	if (client == NULL)
		return;
	UNIT_CHECK(run_on(client, "CREATE", "Fresh") == IMAP_OK &&
		   run_on(client, "CREATE", "Passing") == IMAP_OK, "%s",
		   imap_error(client));
	wait_for("Fresh", true);
	wait_for("Passing", true);
	UNIT_CHECK(imap_run(client, "RENAME Fresh Stale") == IMAP_OK &&
		   run_on(client, "DELETE", "Passing") == IMAP_OK, "%s",
		   imap_error(client));
	wait_for("Stale", true);
	wait_for("Fresh", false);
	wait_for("Passing", false);
	imap_logout(&client);
	same_tree(0, "after changes there", true);
}

static void test_many(void)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 1);
	unsigned int last = 0;

	if (client == NULL)
		return;
	for (unsigned int i = 0; i < MANY; i++)
		last = imap_send(client, "CREATE Many.%u.%u", i / 100, i % 100);
	UNIT_CHECK(imap_wait(client, last) == IMAP_OK, "CREATE: %s",
		   imap_error(client));
	imap_logout(&client);
	same_tree(1, "first LIST of many", false);
	same_tree(1, "second LIST of many", false);
}

/*
 * STATUS of several at once, which the old server is asked for together
 */

/* The STATUS answers, as they came, sorted. */
static struct folders statuses(struct imap_client *client)
{
	struct folders answers = { NULL, 0 };
	const struct imap_response *resp;

	for (resp = imap_find(imap_untagged(client), "STATUS"); resp != NULL;
	     resp = imap_find(resp->next, "STATUS")) {
		answers.names = realloc(answers.names, (answers.count + 1) *
					sizeof(*answers.names));
		if (answers.names == NULL)
			abort();
		answers.names[answers.count++] = strdup(resp->raw);
	}
	imap_clear(client);
	if (answers.count > 0)
		qsort(answers.names, answers.count, sizeof(*answers.names),
		      compare_names);
	return answers;
}

#define STATUS_ITEMS "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"

/* A command each, all sent before the first is answered. */
static struct folders ask_each(struct imap_client *client,
			       const struct folders *folders)
{
	unsigned int tag = 0;

	imap_clear(client);
	for (unsigned int i = 0; i < folders->count; i++) {
		tag = imap_start(client);
		imap_text(client, "STATUS ");
		imap_mailbox(client, folders->names[i]);
		imap_text(client, " " STATUS_ITEMS);
		imap_end(client);
	}
	UNIT_CHECK(imap_wait(client, tag) == IMAP_OK, "STATUS: %s",
		   imap_error(client));
	return statuses(client);
}

static struct folders ask_by_list(struct imap_client *client)
{
	imap_clear(client);
	UNIT_CHECK(imap_run(client, "LIST \"\" \"*\" RETURN (STATUS "
			    STATUS_ITEMS ")") == IMAP_OK, "LIST-STATUS: %s",
		   imap_error(client));
	return statuses(client);
}

static void same_answers(struct folders *old, struct folders *new,
			 const char *what)
{
	CU_ASSERT_NOT_EQUAL(old->count, 0);
	(void)same_list(old, new, what);
	folders_free(old);
	folders_free(new);
}

/* What a client writes between two STATUS, and what others write before it sends
   the second. */
static void status_is_of_now(struct imap_client *old, struct imap_client *new)
{
	const struct imap_response *resp;
	size_t size;
	char *data = case_message("now@case.example", 300, &size);
	unsigned int tag, i = 0;
	char first[200] = "";

	(void)imap_send(new, "CREATE StatusA");
	(void)imap_wait(new, imap_send(new, "CREATE StatusB"));
	imap_clear(new);
	(void)imap_send(new, "STATUS StatusA (MESSAGES)");
	(void)imap_send(new, "STATUS StatusB (MESSAGES)");
	(void)imap_append_send(new, "StatusB", NULL, NULL, data, size);
	tag = imap_send(new, "STATUS StatusB (MESSAGES)");
	UNIT_CHECK(imap_wait(new, tag) == IMAP_OK, "STATUS: %s",
		   imap_error(new));
	for (resp = imap_find(imap_untagged(new), "STATUS"); resp != NULL;
	     resp = imap_find(resp->next, "STATUS")) {
		if (++i == 2)
			snprintf(first, sizeof(first), "%s", resp->raw);
		if (i == 3)
			UNIT_CHECK(strcmp(first, resp->raw) != 0, "%s", first);
	}
	CU_ASSERT_EQUAL(i, 3);

	imap_clear(new);
	CU_ASSERT_EQUAL(imap_append(old, "StatusB", NULL, NULL, data, size,
				    NULL),
			IMAP_OK);
	tag = imap_send(new, "STATUS StatusB (MESSAGES)");
	CU_ASSERT_EQUAL(imap_wait(new, tag), IMAP_OK);
	resp = imap_find(imap_untagged(new), "STATUS");
	CU_ASSERT(resp != NULL && strcmp(first, resp->raw) != 0);
	(void)imap_send(new, "DELETE StatusA");
	(void)imap_wait(new, imap_send(new, "DELETE StatusB"));
	free(data);
}

static void test_status(void)
{
	struct imap_client *old = case_imap("OLD_IMAP_DIRECT", 0);
	struct imap_client *new = case_imap("NEW_IMAP", 0);
	struct folders folders, theirs, ours;

	if (old != NULL && new != NULL) {
		folders = list(old, "LIST \"\" *");
		theirs = ask_each(old, &folders);
		ours = ask_each(new, &folders);
		same_answers(&theirs, &ours, "STATUS");
		theirs = ask_by_list(old);
		ours = ask_by_list(new);
		same_answers(&theirs, &ours, "LIST-STATUS");
		folders_free(&folders);
		status_is_of_now(old, new);
	}
	imap_logout(&old);
	imap_logout(&new);
}

/* Here it's known still, and its messages are asked for along with SELECT. */
static void test_gone(void)
{
	struct imap_client *old = case_imap("OLD_IMAP_DIRECT", 0);
	struct imap_client *new = case_imap("NEW_IMAP", 0);
	struct imap_box box;

	if (old != NULL && new != NULL) {
		CU_ASSERT_EQUAL(run_on(new, "CREATE", "Gone"), IMAP_OK);
		CU_ASSERT_EQUAL(run_on(new, "SELECT", "Gone"), IMAP_OK);
		CU_ASSERT_EQUAL(run_on(old, "DELETE", "Gone"), IMAP_OK);
		CU_ASSERT_EQUAL(run_on(new, "SELECT", "INBOX"), IMAP_OK);
		CU_ASSERT_EQUAL(run_on(new, "SELECT", "Gone"), IMAP_NO);
		UNIT_CHECK(imap_select(new, "INBOX", &box) == IMAP_OK &&
			   box.exists > 0, "SELECT: %s", imap_error(new));
	}
	imap_logout(&old);
	imap_logout(&new);
}

static void test_prefix(void)
{
	static const char *const args[] = {
		"--old", "courier", "--users", "1", "--messages", "40",
		"--folders", "6", "--names", "plain", NULL
	};
	struct snapshot *old, *new;

	if (case_lab_up(args, CASE_MANUAL) != 0)
		return;
	/* the picture's names have no prefix, and '/' between levels */
	old = case_snapshot("OLD", 0, false);
	new = case_snapshot("NEW", 0, false);
	case_same(&old, &new, SNAPSHOT_IGNORE_UIDNEXT |
		  SNAPSHOT_IGNORE_SPECIAL_USE, "INBOX. here, / there");
	case_no_crash();
	case_lab_down(&case_lab);
}

static void test_end(void)
{
	case_no_crash();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "names", test_names },
		{ "STATUS of many", test_status },
		{ "changes", test_changes },
		{ "refused changes", test_refused },
		{ "changes on the old server", test_old_changes },
		{ "2,000 folders", test_many },
		{ "a mailbox that is gone", test_gone },
		{ "no crash", test_end },
		{ "another prefix and separator", test_prefix },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "2", "--messages", "20", "--folders", "3", NULL
	};
	const struct case_program program = {
		.name = "test-folders",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL
			"plugin {\n  migration_tree_interval = 1 s\n}\n",
	};

	return case_main(&program);
}
