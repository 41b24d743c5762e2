/* close-conditions: what must hold before a migration is closed. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "migration-user.h"
#include "catchup-account.h"
#include "close.h"
#include "copy-back.h"
#include "folder-tree.h"
#include "local-folders.h"
#include "mailbox-state.h"
#include "rename-journal.h"

#include <time.h>

/* mailboxes that a sentence names */
#define MAX_NAMED 5

struct conditions {
	struct migration_user *muser;
	pool_t pool;
	ARRAY_TYPE(const_string) *reasons;
	time_t now;
	/* unix seconds of the last cutover */
	time_t cutover;
};

/* Mailboxes of which the same is to be said. */
struct mailbox_list_text {
	string_t *names;
	unsigned int count;
};

static void add_reason(struct conditions *cond, const char *fmt, ...)
	ATTR_FORMAT(2, 3);
static void add_reason(struct conditions *cond, const char *fmt, ...)
{
	const char *reason;
	va_list args;

	va_start(args, fmt);
	reason = p_strdup_vprintf(cond->pool, fmt, args);
	va_end(args);
	array_push_back(cond->reasons, &reason);
}

static void list_add(struct mailbox_list_text *list, const char *name)
{
	if (list->names == NULL)
		list->names = t_str_new(128);
	if (list->count < MAX_NAMED)
		str_printfa(list->names, "%s%s", list->count == 0 ? "" : ", ",
			    name);
	else if (list->count == MAX_NAMED)
		str_append(list->names, "...");
	list->count++;
}

static void
add_list(struct conditions *cond, const struct mailbox_list_text *list,
	 const char *what)
{
	if (list->count > 0)
		add_reason(cond, "%u mailbox%s %s: %s", list->count,
			   list->count == 1 ? "" : "es", what,
			   str_c(list->names));
}

/* "5 days", "3 hours"... */
static const char *duration(time_t secs)
{
	static const struct {
		const char *name;
		unsigned int secs;
	} units[] = {
		{ "day", 24 * 3600 }, { "hour", 3600 }, { "minute", 60 },
		{ "second", 1 },
	};
	unsigned int i = 0;
	time_t count;

	while (i < N_ELEMENTS(units) - 1 && secs < 2 * (time_t)units[i].secs)
		i++;
	count = secs / units[i].secs;
	return t_strdup_printf("%"PRIdTIME_T" %s%s", count, units[i].name,
			       count == 1 ? "" : "s");
}

static bool is_recent(struct conditions *cond, time_t when)
{
	return when != 0 &&
		cond->now - when < (time_t)cond->muser->set.quiet_period;
}

/*
 * Mailboxes
 */

struct mailbox_checks {
	struct mailbox_list_text old, unknown, bad, uncopied;
};

static void
check_copied_back(struct conditions *cond, const char *vname,
		  struct mailbox_checks *checks)
{
	const char *error;
	int ret;

	if (!cond->muser->set.copy_back)
		return;
	ret = copy_back_wanted(cond->muser, vname, &error);
	if (ret > 0)
		list_add(&checks->uncopied, vname);
	else if (ret < 0)
		list_add(&checks->uncopied,
			 t_strdup_printf("%s (%s)", vname, error));
}

static void
check_mailbox(struct conditions *cond, const char *vname,
	      struct mailbox_checks *checks)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	ret = mailbox_state_read(cond->muser->set.dir, vname,
				 pool_datastack_create(), &state, &error);
	if (ret < 0) {
		list_add(&checks->unknown,
			 t_strdup_printf("%s (%s)", vname, error));
	} else if (ret > 0 && mailbox_state_authority_is_old(state.state)) {
		list_add(&checks->old, t_strdup_printf("%s (%s)", vname,
			 mailbox_state_to_str(state.state)));
	} else if (ret > 0 && state.state == MAILBOX_STATE_LOCAL) {
		cond->cutover = I_MAX(cond->cutover, state.since);
		if (*state.bad_uids != '\0')
			list_add(&checks->bad, vname);
		check_copied_back(cond, vname, checks);
	}
}

static int
get_mailboxes(struct conditions *cond, pool_t pool,
	      ARRAY_TYPE(const_string) *vnames_r, const char **error_r)
{
	ARRAY_TYPE(local_folder) folders;
	ARRAY_TYPE(const_string) keys;
	const struct local_folder *folder;
	enum mail_error error_code;
	const char *key;

	if (local_folders_get(cond->muser, pool, &folders, &error_code,
			      error_r) < 0)
		return -1;
	p_array_init(&keys, pool, array_count(&folders) + 1);
	p_array_init(vnames_r, pool, array_count(&folders) + 1);
	array_foreach(&folders, folder) {
		key = p_strdup(pool, mailbox_state_key(folder->vname));
		array_push_back(&keys, &key);
		array_push_back(vnames_r, &folder->vname);
	}
	return mailbox_state_find_others(cond->muser->set.dir, &keys, pool,
					 vnames_r, error_r);
}

static void check_mailboxes(struct conditions *cond)
{
	struct mailbox_checks checks;
	ARRAY_TYPE(const_string) vnames;
	const char *vname, *error;
	pool_t pool = pool_alloconly_create("close", 4096);

	i_zero(&checks);
	if (!folder_tree_exists(cond->muser))
		add_reason(cond, "the old server's folders were never "
			   "looked at");
	if (get_mailboxes(cond, pool, &vnames, &error) < 0)
		add_reason(cond, "the mailboxes can't be listed: %s", error);
	else array_foreach_elem(&vnames, vname)
		check_mailbox(cond, vname, &checks);
	add_list(cond, &checks.old, "not local");
	add_list(cond, &checks.unknown, "in a state that isn't known");
	add_list(cond, &checks.bad, "with messages that can't be had");
	add_list(cond, &checks.uncopied, "not copied back");
	pool_unref(&pool);
	if (rename_journal_exists(cond->muser->set.dir))
		add_reason(cond, "a RENAME isn't ended yet");
}

/*
 * Quiet
 */

static void
check_since(struct conditions *cond, time_t when, const char *what)
{
	if (is_recent(cond, when))
		add_reason(cond, "%s %s ago; the quiet period is %s", what,
			   duration(I_MAX(cond->now - when, 0)),
			   duration(cond->muser->set.quiet_period));
}

static void check_account(struct conditions *cond)
{
	struct catchup_account account;
	const char *error;

	if (catchup_account_read(cond->muser->set.dir, pool_datastack_create(),
				 &account, &error) < 0) {
		add_reason(cond, "it isn't known when mail came late: %s",
			   error);
		return;
	}
	if (account.waiting > 0)
		add_reason(cond, "%u late mails couldn't be delivered yet",
			   account.waiting);
	check_since(cond, account.late, "wanted mail arrived late");
	check_since(cond, account.old_client,
		    "a client still used the old server");
}

void close_check_conditions(struct migration_user *muser, pool_t pool,
			    ARRAY_TYPE(const_string) *reasons)
{
	struct conditions cond = {
		.muser = muser,
		.pool = pool,
		.reasons = reasons,
		.now = time(NULL),
	};

	check_mailboxes(&cond);
	check_since(&cond, cond.cutover, "a mailbox was cut over");
	check_account(&cond);
}
