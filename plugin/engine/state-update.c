#include "lib.h"
#include "array.h"
#include "lease.h"
#include "rename-journal.h"
#include "state-update.h"

/* A session may have deleted or renamed the mailbox meanwhile. */
static int
read_state(const char *dir, const char *vname, pool_t pool,
	   struct mailbox_state_file *state_r, const char **error_r)
{
	int ret = mailbox_state_read(dir, vname, pool, state_r, error_r);

	if (ret < 0)
		return -1;
	if (ret > 0 && mailbox_state_authority_is_old(state_r->state))
		return 0;
	*error_r = "The mailbox was deleted, renamed or made local meanwhile";
	return -1;
}

static int
take_tree(const char *dir, unsigned int wait_secs, struct lease **tree_r,
	  const char **error_r)
{
	int ret = lease_tree(dir, wait_secs, tree_r, error_r);

	if (ret == 0)
		*error_r = "Another process is busy with the folders";
	return ret > 0 ? 0 : -1;
}

int state_update(const char *dir, const char *vname, bool tree_held,
		 unsigned int wait_secs, state_change_t *change, void *context,
		 const char **error_r)
{
	struct mailbox_state_file state;
	struct lease *tree = NULL;
	int ret;

	if (!tree_held && take_tree(dir, wait_secs, &tree, error_r) < 0)
		return -1;
	ret = rename_journal_refuse(dir, error_r);
	if (ret == 0)
		ret = read_state(dir, vname, pool_datastack_create(), &state,
				 error_r);
	if (ret == 0)
		ret = change(&state, context, error_r);
	if (ret > 0)
		ret = mailbox_state_write(dir, vname, &state, error_r);
	lease_release(&tree);
	return ret;
}

static int
change_many(const char *dir, const ARRAY_TYPE(const_string) *vnames,
	    state_change_t *change, void *const *contexts, const char **error_r)
{
	ARRAY_TYPE(const_string) changed;
	struct mailbox_state_file *states =
		t_new(struct mailbox_state_file, array_count(vnames));
	const struct mailbox_state_file **list =
		t_new(const struct mailbox_state_file *, array_count(vnames));
	const char *vname;
	unsigned int i = 0;
	int ret = 0;

	t_array_init(&changed, array_count(vnames));
	array_foreach_elem(vnames, vname) {
		if (read_state(dir, vname, pool_datastack_create(), &states[i],
			       error_r) < 0 ||
		    (ret = change(&states[i], contexts[i], error_r)) < 0)
			return -1;
		if (ret > 0) {
			list[array_count(&changed)] = &states[i];
			array_push_back(&changed, &vname);
		}
		i++;
	}
	return mailbox_state_write_each(dir, &changed, list, error_r);
}

int state_update_many(const char *dir, const ARRAY_TYPE(const_string) *vnames,
		      unsigned int wait_secs, state_change_t *change,
		      void *const *contexts, const char **error_r)
{
	struct lease *tree = NULL;
	int ret;

	if (array_is_empty(vnames))
		return 0;
	if (take_tree(dir, wait_secs, &tree, error_r) < 0)
		return -1;
	ret = rename_journal_refuse(dir, error_r);
	if (ret == 0)
		ret = change_many(dir, vnames, change, contexts, error_r);
	lease_release(&tree);
	return ret;
}

int state_switch(const char *dir, const char *vname,
		 const struct mailbox_state_file *before,
		 const struct mailbox_state_file *after, const char **error_r)
{
	const char *error;

	if (mailbox_state_write(dir, vname, after, error_r) == 0)
		return 1;
	if (mailbox_state_write(dir, vname, before, &error) < 0)
		*error_r = t_strdup_printf("%s; %s", *error_r, error);
	return mailbox_state_is(dir, vname, after->state) ? 0 : -1;
}
