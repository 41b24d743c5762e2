#include "lib.h"
#include "array.h"
#include "migration-user.h"
#include "engine/cutover.h"
#include "engine/old-client.h"
#include "move-worker.h"
#include "user-move.h"

struct user_move {
	struct migration_user *muser;
	struct user_move_settings set;
	pool_t pool;
	/* NULL while the mailboxes are the worker's */
	struct filler *filler;
	/* in filler_run() */
	bool filling;
	bool stopped;

	/* those that are to have their turn */
	ARRAY_TYPE(const_string) expected;
	/* of the mailboxes that had their turn */
	ARRAY_TYPE(const_string) filled, unfilled;
};

static int
make_filler(struct user_move *move, enum mail_error *error_code_r,
	    const char **error_r)
{
	if (move->filler != NULL)
		return 0;
	if (filler_init(move->muser, move->set.lock_secs, move->set.observer,
			&move->filler, error_code_r, error_r) < 0)
		return -1;
	filler_expect(move->filler, &move->expected, move->set.flags);
	return 0;
}

int user_move_init(struct migration_user *muser,
		   const struct user_move_settings *set,
		   struct user_move **move_r,
		   enum mail_error *error_code_r, const char **error_r)
{
	pool_t pool = pool_alloconly_create("user move", 1024);
	struct user_move *move = p_new(pool, struct user_move, 1);

	move->pool = pool;
	move->muser = muser;
	move->set = *set;
	p_array_init(&move->expected, pool, 16);
	p_array_init(&move->filled, pool, 16);
	p_array_init(&move->unfilled, pool, 16);
	if (make_filler(move, error_code_r, error_r) < 0) {
		user_move_deinit(&move);
		return -1;
	}
	*move_r = move;
	return 0;
}

void user_move_deinit(struct user_move **_move)
{
	struct user_move *move = *_move;
	pool_t pool = move->pool;

	*_move = NULL;
	filler_deinit(&move->filler);
	pool_unref(&pool);
}

void user_move_expect(struct user_move *move,
		      const ARRAY_TYPE(const_string) *vnames)
{
	const char *vname;

	array_clear(&move->expected);
	array_foreach_elem(vnames, vname) {
		vname = p_strdup(move->pool, vname);
		array_push_back(&move->expected, &vname);
	}
	if (move->filler != NULL)
		filler_expect(move->filler, &move->expected, move->set.flags);
}

static int
cut_over(struct user_move *move, const ARRAY_TYPE(const_string) *vnames,
	 enum mail_error *error_code_r, const char **error_r)
{
	ARRAY_TYPE(cutover_result) results;

	t_array_init(&results, array_count(vnames));
	return move_worker_cutover(move->muser, &move->filler, vnames,
				   move->set.killed, &results, error_code_r,
				   error_r);
}

static void
forget(ARRAY_TYPE(const_string) *vnames, const char *vname)
{
	const char *const *vnamep;

	array_foreach(vnames, vnamep) {
		if (strcmp(*vnamep, vname) == 0) {
			array_delete(vnames, array_foreach_idx(vnames, vnamep),
				     1);
			break;
		}
	}
}

/* It may have had a turn before. */
static void remember(struct user_move *move, const char *vname,
		     ARRAY_TYPE(const_string) *vnames)
{
	forget(&move->filled, vname);
	forget(&move->unfilled, vname);
	vname = p_strdup(move->pool, vname);
	array_push_back(vnames, &vname);
}

static void filled(struct user_move *move, const char *vname,
		   struct user_move_result *result_r)
{
	ARRAY_TYPE(const_string) single;

	remember(move, vname, &move->filled);
	if (move->muser->set.cutover != MIGRATION_CUTOVER_MAILBOX)
		return;
	t_array_init(&single, 1);
	array_push_back(&single, &vname);
	result_r->cut_over = cut_over(move, &single,
				      &result_r->cutover_error_code,
				      &result_r->cutover_error) == 0;
}

static int
fill(struct user_move *move, const char *vname, struct fill_result *result_r,
     enum mail_error *error_code_r, const char **error_r)
{
	int ret;

	if (make_filler(move, error_code_r, error_r) < 0)
		return -1;
	move->filling = TRUE;
	if (move->stopped)
		filler_stop(move->filler);
	ret = filler_run(move->filler, vname, move->set.flags, result_r,
			 error_code_r, error_r);
	move->filling = FALSE;
	if (!move->stopped)
		filler_go_on(move->filler);
	return ret;
}

/* The mailboxes that are mirrored are the worker's: but for what is told of those that
   have just become so. */
static bool
is_workers(struct user_move *move, const char *vname)
{
	return move_worker_has(move->muser, vname) &&
		(move->filler == NULL ||
		 !filler_has_result(move->filler, vname));
}

/* The worker wants what the filler has. */
static int
fill_or_ask(struct user_move *move, const char *vname,
	    struct fill_result *result_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	if (!is_workers(move, vname))
		return fill(move, vname, result_r, error_code_r, error_r);
	filler_deinit(&move->filler);
	return move_worker_fill(move->muser, vname, move->set.flags,
				move->set.observer, move->set.killed, result_r,
				error_code_r, error_r);
}

int user_move_mailbox(struct user_move *move, const char *vname,
		      struct user_move_result *result_r,
		      enum mail_error *error_code_r, const char **error_r)
{
	struct fill_result *result = &result_r->fill;

	i_zero(result_r);
	if (fill_or_ask(move, vname, result, error_code_r, error_r) < 0) {
		remember(move, vname, &move->unfilled);
		return -1;
	}
	if (!result->filled && !result->local)
		remember(move, vname, &move->unfilled);
	else if (!result->local && (move->set.flags & FILL_FLAG_VERIFY) == 0)
		filled(move, vname, result_r);
	return 0;
}

int user_move_finish(struct user_move *move,
		     enum mail_error *error_code_r, const char **error_r)
{
	if (move->muser->set.cutover != MIGRATION_CUTOVER_USER ||
	    move->set.partial || move->stopped ||
	    !array_is_empty(&move->unfilled) || array_is_empty(&move->filled))
		return 0;
	return cut_over(move, &move->filled, error_code_r, error_r);
}

void user_move_stop(struct user_move *move)
{
	move->stopped = TRUE;
	user_move_interrupt(move);
}

void user_move_interrupt(struct user_move *move)
{
	if (move->filling)
		filler_stop(move->filler);
}

int user_move_reconnect(struct user_move *move,
			enum mail_error *error_code_r, const char **error_r)
{
	if (make_filler(move, error_code_r, error_r) < 0)
		return -1;
	return old_client_connect(filler_client(move->filler), error_code_r,
				  error_r);
}
