#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "str.h"
#include "strescape.h"
#include "migration-user.h"
#include "engine/catchup-wait.h"
#include "engine/old-limits.h"
#include "engine/old-settings.h"
#include "move-failure.h"
#include "mover-boxes.h"
#include "mover-fill.h"
#include "mover-link.h"
#include "mover-request.h"
#include "mover-survey.h"
#include "mover.h"

struct migration_mover {
	struct mail_user *user;
	/* NULL: nothing is to be done for him */
	struct migration_user *muser;
	struct mover_boxes boxes;
	/* host:port */
	char *host;
	/* NULL: not asked for, when there's nothing to do */
	struct old_limits *limits;

	struct mover_link *link;
	void (*ended)(void);
	struct timeout *to_ended;
	/* what is under way, as PROGRESS says it; and if that is a FILL */
	char *vname;
	const char *what;
	struct mover_fill *fill;
	bool stopped;
	/* since it began */
	uint64_t fetched_bytes;
};

/* Who asks whether he is killed has no context, and there's one mover in a
   process. */
static struct migration_mover *this_mover;

static bool mover_killed(void)
{
	mover_link_look(this_mover->link);
	return this_mover->stopped;
}

/*
 * What it says
 */

static void
append_totals(struct migration_mover *mover, string_t *line)
{
	struct move_totals totals;

	mover_boxes_totals(&mover->boxes, &totals);
	totals.fetched_bytes = mover->fetched_bytes;
	if (mover->fill != NULL)
		totals.fetched_bytes += mover_fill_fetched_bytes(mover->fill);
	move_totals_append(line, &totals);
}

static void say_done(struct migration_mover *mover)
{
	string_t *line = t_str_new(128);

	str_append(line, mover->stopped ? "STOPPED" : "OK");
	append_totals(mover, line);
	mover_link_say(mover->link, str_c(line));
}

static void say_no(struct migration_mover *mover, enum mail_error error_code,
		   const char *error)
{
	string_t *line = t_str_new(128);
	enum move_failure failure;

	failure = move_failure_find(old_limits_take_failure(mover->limits),
				    error_code);
	str_printfa(line, "NO\t%s\t", move_failure_to_str(failure));
	str_append_tabescaped(line, error);
	mover_link_say(mover->link, str_c(line));
}

static void
say_answer(struct migration_mover *mover, int ret, enum mail_error error_code,
	   const char *error)
{
	if (ret < 0 && !mover->stopped)
		say_no(mover, error_code, error);
	else
		say_done(mover);
}

static void set_doing(struct migration_mover *mover, const char *vname,
		      const char *what)
{
	i_free(mover->vname);
	mover->vname = i_strdup(vname);
	mover->what = what;
}

static void say_progress(struct migration_mover *mover)
{
	string_t *line = t_str_new(256);

	str_append(line, "PROGRESS\t");
	str_append_tabescaped(line, mover->vname);
	str_append_c(line, '\t');
	str_append_tabescaped(line, mover->what);
	append_totals(mover, line);
	mover_link_say(mover->link, str_c(line));
}

static void
mover_progress(void *context, const char *vname, const char *what)
{
	struct migration_mover *mover = context;

	set_doing(mover, vname, what);
	say_progress(mover);
}

static void mover_silent(void *context)
{
	struct migration_mover *mover = context;

	T_BEGIN {
		say_progress(mover);
	} T_END;
}

static void
mover_failed(void *context, const char *vname, const char *reason)
{
	struct migration_mover *mover = context;
	string_t *line = t_str_new(256);

	/* what fails later has another reason */
	(void)old_limits_take_failure(mover->limits);
	str_append(line, "FAILED\t");
	str_append_tabescaped(line, vname);
	str_append_c(line, '\t');
	str_append_tabescaped(line, reason);
	mover_link_say(mover->link, str_c(line));
}

static enum move_phase read_phase(struct migration_mover *mover)
{
	struct move_totals totals;
	enum mail_error error_code;
	const char *error;

	if (mover->muser == NULL || migration_user_is_closed(mover->muser))
		return MOVE_PHASE_CLOSED;
	if (mover_boxes_read(&mover->boxes, &error_code, &error) < 0) {
		e_error(mover->user->event, "migration: %s", error);
		return MOVE_PHASE_UNSEEN;
	}
	mover_boxes_totals(&mover->boxes, &totals);
	return totals.phase;
}

static void say_host(struct migration_mover *mover, enum move_phase phase)
{
	string_t *line = t_str_new(128);

	str_append(line, "HOST\t");
	str_append_tabescaped(line, mover->host);
	str_printfa(line, "\t%s", move_phase_to_str(phase));
	mover_link_say(mover->link, str_c(line));
}

/*
 * What it's asked
 */

static void do_survey(struct migration_mover *mover)
{
	enum mail_error error_code = MAIL_ERROR_NONE;
	const char *error = NULL;
	int ret;

	set_doing(mover, "", "survey");
	ret = mover_survey(&mover->boxes, &error_code, &error);
	say_answer(mover, ret, error_code, error);
}

static void mover_look(void *context)
{
	struct migration_mover *mover = context;

	mover_link_look(mover->link);
}

static void
do_fill(struct migration_mover *mover, const ARRAY_TYPE(const_string) *vnames)
{
	static const struct mover_fill_callbacks callbacks = {
		.look = mover_look,
		.progress = mover_progress,
		.failed = mover_failed,
		.killed = mover_killed,
	};
	enum mail_error error_code = MAIL_ERROR_NONE;
	const char *error = NULL;
	const char *const *names;
	unsigned int count;
	int ret;

	set_doing(mover, "", "fill");
	mover->fill = mover_fill_init(&mover->boxes, &callbacks, mover);
	names = array_get(vnames, &count);
	while (count > 0)
		mover_fill_first(mover->fill, names[--count]);
	ret = mover_fill_run(mover->fill, &error_code, &error);
	say_answer(mover, ret, error_code, error);
	mover->fetched_bytes += mover_fill_fetched_bytes(mover->fill);
	mover_fill_deinit(&mover->fill);
}

static int
catch_up(struct migration_mover *mover,
	 enum mail_error *error_code_r, const char **error_r)
{
	struct catchup_result result;

	if (catchup_wait_run(mover->muser, NULL, CATCHUP_FLAG_BACKGROUND,
			     mover_killed, &result, error_code_r,
			     error_r) < 0)
		return -1;
	return mover_boxes_read(&mover->boxes, error_code_r, error_r);
}

static void do_catchup(struct migration_mover *mover)
{
	enum mail_error error_code = MAIL_ERROR_NONE;
	const char *error = NULL;
	int ret;

	set_doing(mover, "", "catchup");
	ret = catch_up(mover, &error_code, &error);
	say_answer(mover, ret, error_code, error);
}

static void
mover_request(void *context, const struct mover_request *request)
{
	struct migration_mover *mover = context;

	mover->stopped = FALSE;
	(void)old_limits_take_failure(mover->limits);
	switch (request->type) {
	case MOVER_SURVEY:
		do_survey(mover);
		break;
	case MOVER_FILL:
		do_fill(mover, &request->vnames);
		break;
	case MOVER_CATCHUP:
		do_catchup(mover);
		break;
	case MOVER_FIRST:
	case MOVER_STOP:
		i_unreached();
	}
}

static void mover_first(void *context, const char *vname)
{
	struct migration_mover *mover = context;

	if (mover->fill != NULL)
		mover_fill_first(mover->fill, vname);
}

static void mover_stop(void *context)
{
	struct migration_mover *mover = context;

	mover->stopped = TRUE;
	if (mover->fill != NULL)
		mover_fill_stop(mover->fill);
}

static void mover_ended(void *context)
{
	struct migration_mover *mover = context;

	mover->ended();
}

/*
 * Its life
 */

static int read_host(struct migration_mover *mover, const char **error_r)
{
	struct mail_namespace *ns =
		mail_namespace_find_inbox(mover->user->namespaces);
	struct old_client_settings set;

	if (old_settings_read(ns, &set, error_r) < 0) {
		/* then it doesn't matter */
		mover->host = i_strdup("");
		return mover->muser == NULL ? 0 : -1;
	}
	mover->host = i_strdup_printf("%s:%u", t_str_lcase(set.host),
				      set.port);
	mover->limits = set.limits;
	return 0;
}

static void migration_mover_deinit(struct migration_mover **_mover)
{
	struct migration_mover *mover = *_mover;

	*_mover = NULL;
	this_mover = NULL;
	timeout_remove(&mover->to_ended);
	mover_link_deinit(&mover->link);
	mover_boxes_deinit(&mover->boxes);
	i_free(mover->vname);
	i_free(mover->host);
	i_free(mover);
}

static int
migration_mover_init(struct mail_user *user, int budget_fd, int slots_fd,
		     struct migration_mover **mover_r, const char **error_r)
{
	struct migration_mover *mover = i_new(struct migration_mover, 1);

	old_limits_set_files(budget_fd, slots_fd);
	mover->user = user;
	mover->muser = MIGRATION_USER_CONTEXT(user);
	mover_boxes_init(&mover->boxes, mover->muser);
	if (read_host(mover, error_r) < 0) {
		migration_mover_deinit(&mover);
		return -1;
	}
	this_mover = mover;
	*mover_r = mover;
	return 0;
}

static void end_now(struct migration_mover *mover)
{
	timeout_remove(&mover->to_ended);
	mover->ended();
}

static void
migration_mover_start(struct migration_mover *mover, int fd,
		      void (*ended)(void))
{
	static const struct mover_link_callbacks callbacks = {
		.request = mover_request,
		.first = mover_first,
		.stop = mover_stop,
		.silent = mover_silent,
		.ended = mover_ended,
	};
	enum move_phase phase = read_phase(mover);

	mover->ended = ended;
	mover->link = mover_link_init(fd, &callbacks, mover);
	say_host(mover, phase);
	if (phase == MOVE_PHASE_CLOSED)
		mover->to_ended = timeout_add_short(0, end_now, mover);
}

const struct migration_mover_class migration_mover_class = {
	.init = migration_mover_init,
	.start = migration_mover_start,
	.deinit = migration_mover_deinit,
};
