#include "lib.h"
#include "array.h"
#include "str.h"
#include "migration-user.h"
#include "migration-closed.h"
#include "migration-report.h"
#include "catchup-wait.h"
#include "close.h"
#include "folder-tree.h"
#include "lease.h"
#include "mailbox-state.h"

#include <time.h>

/* who fills, cuts over or changes folders is waited for */
#define LEASE_SECS 60

ARRAY_DEFINE_TYPE(lease, struct lease *);

struct close_leases {
	struct lease *catchup, *deliver, *fill, *tree;
};

static void
add_reason(pool_t pool, ARRAY_TYPE(const_string) *reasons, const char *what,
	   const char *error)
{
	const char *reason = p_strconcat(pool, what, ": ", error, NULL);

	array_push_back(reasons, &reason);
}

/* Folders that are new there, then mail. */
static void
look(struct migration_user *muser, bool (*killed)(void), pool_t pool,
     ARRAY_TYPE(const_string) *reasons)
{
	struct catchup_result result;
	enum mail_error error_code;
	const char *error;

	if (folder_tree_refresh(muser, TRUE, &error_code, &error) < 0)
		add_reason(pool, reasons, "the old server's folders can't be "
			   "looked at", error);
	else if (catchup_wait_run(muser, NULL, 0, killed, &result, &error_code,
				  &error) < 0)
		add_reason(pool, reasons, "the old server can't be looked at",
			   error);
	else if (result.failed > 0)
		add_reason(pool, reasons, "late mails that can't be had or "
			   "delivered now", dec2str(result.failed));
}

/*
 * Nobody else is at it
 */

static void leases_release(struct close_leases *leases)
{
	lease_release(&leases->tree);
	lease_release(&leases->fill);
	lease_release(&leases->deliver);
	lease_release(&leases->catchup);
}

static int leases_take(struct migration_user *muser,
		       struct close_leases *leases_r, const char **error_r)
{
	const char *dir = muser->set.dir;
	int ret;

	i_zero(leases_r);
	ret = lease_catchup(dir, LEASE_SECS, &leases_r->catchup, error_r);
	if (ret > 0)
		ret = lease_deliver(dir, LEASE_SECS, &leases_r->deliver,
				    error_r);
	if (ret > 0)
		ret = lease_fill(dir, LEASE_SECS, &leases_r->fill, error_r);
	if (ret > 0)
		ret = lease_tree(dir, LEASE_SECS, &leases_r->tree, error_r);
	if (ret > 0)
		return 0;
	if (ret == 0)
		*error_r = "Another process is busy with this user's mailboxes";
	leases_release(leases_r);
	return -1;
}

/*
 * Sessions that still use the old server
 */

static void give_back(ARRAY_TYPE(lease) *drained)
{
	struct lease *lease;

	array_foreach_elem(drained, lease)
		lease_release(&lease);
}

static int
drain(const char *dir, const char *vname, ARRAY_TYPE(lease) *drained,
      const char **error_r)
{
	struct mailbox_state_file state;
	struct lease *lease;
	int ret;

	/* one that can't be read is refused to everybody */
	if (mailbox_state_read(dir, vname, pool_datastack_create(), &state,
			       error_r) <= 0 ||
	    !mailbox_state_authority_is_old(state.state))
		return 0;
	ret = lease_exclude(dir, vname, LEASE_SECS, &lease, error_r);
	if (ret > 0)
		array_push_back(drained, &lease);
	else if (ret == 0)
		*error_r = t_strdup_printf("A session doesn't give up %s",
					   vname);
	return ret > 0 ? 0 : -1;
}

/* What they would write from now on, nobody would ever see here. */
static int
drain_all(const char *dir, pool_t pool, ARRAY_TYPE(lease) *drained,
	  const char **error_r)
{
	ARRAY_TYPE(const_string) none, vnames;
	const char *vname;

	p_array_init(&none, pool, 1);
	p_array_init(&vnames, pool, 32);
	if (mailbox_state_find_others(dir, &none, pool, &vnames, error_r) < 0)
		return -1;
	array_foreach_elem(&vnames, vname) {
		if (drain(dir, vname, drained, error_r) < 0)
			return -1;
	}
	return 0;
}

/*
 * The step
 */

static const char *reasons_text(const ARRAY_TYPE(const_string) *reasons)
{
	string_t *str = t_str_new(256);
	const char *reason;

	array_foreach_elem(reasons, reason)
		str_printfa(str, "%s%s", str_len(str) == 0 ? "" : "; ", reason);
	return str_c(str);
}

static int
write_closed(struct migration_user *muser, bool forced,
	     const ARRAY_TYPE(const_string) *reasons, const char **error_r)
{
	const struct migration_closed closed = {
		.when = time(NULL),
		.forced = forced,
	};

	if (migration_closed_write(muser->set.dir, &closed, error_r) < 0)
		return -1;
	migration_report(muser, "closed", "forced", forced ? "yes" : "no",
			 "reasons", reasons_text(reasons), NULL);
	return 1;
}

int close_migration(struct migration_user *muser,
		    const struct close_settings *set, pool_t pool,
		    ARRAY_TYPE(const_string) *reasons,
		    enum mail_error *error_code_r, const char **error_r)
{
	struct close_leases leases;
	ARRAY_TYPE(lease) drained;
	int ret = 0;

	*error_code_r = MAIL_ERROR_TEMP;
	look(muser, set->killed, pool, reasons);
	if (leases_take(muser, &leases, error_r) < 0)
		return -1;
	close_check_conditions(muser, pool, reasons);
	p_array_init(&drained, pool, 8);
	if (array_is_empty(reasons))
		ret = write_closed(muser, FALSE, reasons, error_r);
	else if (set->force)
		ret = drain_all(muser->set.dir, pool, &drained, error_r) < 0 ?
			-1 : write_closed(muser, TRUE, reasons, error_r);
	else
		migration_report(muser, "close_refused", "reasons",
				 reasons_text(reasons), NULL);
	give_back(&drained);
	leases_release(&leases);
	return ret;
}
