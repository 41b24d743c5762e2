#include "lib.h"
#include "array.h"
#include "time-util.h"
#include "migration-user.h"
#include "user-move.h"
#include "mover-fill.h"

/* Another process may be filling a single mailbox, or cut over. */
#define LOCK_SECS 2
/* as fill.c says */
#define WHAT_FILL "fill"
/* A client waits no longer for another mailbox. */
#define PATIENCE_SECS 5
/* Clients may want now this one, now that one. */
#define INTERRUPT_SECS 60
/* A connection that is lost sooner isn't an old one; so often that doesn't matter. */
#define LASTED_SECS 10
#define MAX_LOST 3
/* before it's known which mailboxes there are */
#define MAX_NAMED 100

struct mover_fill {
	struct mover_boxes *boxes;
	struct mover_fill_callbacks callbacks;
	void *context;
	pool_t pool;

	struct fill_observer observer;
	struct user_move *move;
	bool stopped;
	/* boxes are those that are gone through */
	bool begun;
	/* the last one is the next */
	ARRAY_TYPE(const_string) first;
	/* the filler knows which will come */
	bool together;

	/* whose turn it is; NULL: nobody's. What is seen of it, or of one that is done
	   with it. */
	struct mover_box *box, *seen;
	const char *what;
	bool interrupted;
	/* when its turn began, and when one was interrupted last */
	struct timeval began, interrupted_at;
	uint64_t fetched_bytes;
	/* when progress was told last, and fetched_bytes then; bytes per second
	   since the time before that */
	struct timeval told;
	uint64_t told_bytes, rate;
};

/*
 * What is seen of a mailbox
 */

static void tell_progress(struct mover_fill *fill)
{
	struct timeval now;
	uint64_t msecs;

	i_gettimeofday(&now);
	msecs = llabs(timeval_diff_msecs(&now, &fill->told));
	if (msecs < MOVER_PROGRESS_MSECS)
		return;
	fill->rate = (fill->fetched_bytes - fill->told_bytes) * 1000 / msecs;
	fill->told_bytes = fill->fetched_bytes;
	fill->told = now;
	fill->callbacks.progress(fill->context, fill->seen->vname, fill->what);
}

static void fill_begin(void *context, const char *vname, const char *what,
		       unsigned int messages ATTR_UNUSED,
		       uint64_t bytes ATTR_UNUSED)
{
	struct mover_fill *fill = context;

	fill->seen = mover_boxes_find(fill->boxes, vname);
	if (fill->seen == NULL)
		fill->seen = fill->box;
	fill->what = strcmp(what, WHAT_FILL) == 0 ? WHAT_FILL : "verify";
	/* what is to come is in its state by now */
	if (strcmp(what, WHAT_FILL) == 0) T_BEGIN {
		mover_box_read(fill->boxes, fill->seen);
	} T_END;
	fill->rate = 0;
	T_BEGIN {
		tell_progress(fill);
	} T_END;
	fill->callbacks.look(fill->context);
}

/*
 * Which is next?
 */

static bool is_before(const struct mover_box *box, const struct mover_box *other)
{
	bool inbox = strcmp(box->vname, "INBOX") == 0;
	bool other_inbox = strcmp(other->vname, "INBOX") == 0;

	/* they are served from here already, and are the worker's */
	if (box->mirrored != other->mirrored)
		return other->mirrored;
	if (inbox != other_inbox)
		return inbox;
	return box->bytes - I_MIN(box->done_bytes, box->bytes) <
		other->bytes - I_MIN(other->done_bytes, other->bytes);
}

static bool has_turn(const struct mover_box *box)
{
	return !box->local && !box->tried;
}

/* It stays named until it has its turn. */
static struct mover_box *next_named(struct mover_fill *fill)
{
	const char *const *vnamep;
	struct mover_box *box;

	while (!array_is_empty(&fill->first)) {
		vnamep = array_back(&fill->first);
		box = mover_boxes_find(fill->boxes, *vnamep);
		if (box != NULL && has_turn(box))
			return box;
		array_pop_back(&fill->first);
	}
	return NULL;
}

static struct mover_box *next_box(struct mover_fill *fill)
{
	struct mover_box *box, *next = next_named(fill);

	if (next != NULL)
		return next;
	array_foreach_modifiable(&fill->boxes->boxes, box) {
		if (has_turn(box) && (next == NULL || is_before(box, next)))
			next = box;
	}
	return next;
}

/*
 * One that can't wait
 */

static bool is_ago(const struct timeval *when, unsigned int secs)
{
	struct timeval now;

	i_gettimeofday(&now);
	return llabs(timeval_diff_msecs(&now, when)) >= secs * 1000LL;
}

static void interrupt(struct mover_fill *fill)
{
	fill->interrupted = TRUE;
	i_gettimeofday(&fill->interrupted_at);
	user_move_interrupt(fill->move);
}

static bool is_slow(const struct mover_fill *fill)
{
	const struct mover_box *box = fill->seen;
	uint64_t left = box->bytes - I_MIN(box->done_bytes, box->bytes);

	return !fill->interrupted && fill->rate > 0 &&
		left / fill->rate > PATIENCE_SECS &&
		is_ago(&fill->interrupted_at, INTERRUPT_SECS);
}

static void fill_progress(void *context, uint64_t bytes)
{
	struct mover_fill *fill = context;

	if (strcmp(fill->what, WHAT_FILL) == 0) {
		fill->seen->done_messages++;
		fill->seen->done_bytes += bytes;
		fill->fetched_bytes += bytes;
	}
	T_BEGIN {
		tell_progress(fill);
	} T_END;
	fill->callbacks.look(fill->context);
	if (!array_is_empty(&fill->first) && is_slow(fill) &&
	    next_named(fill) != NULL)
		interrupt(fill);
}

/*
 * Its turn
 */

static void tell_failed(struct mover_fill *fill, const char *reason)
{
	fill->box->failed = TRUE;
	fill->callbacks.failed(fill->context, fill->box->vname, reason);
}

/* Servers close connections that are old; one that closes each soon isn't asked for
   them one after the other. */
static bool may_lose(struct mover_fill *fill)
{
	return is_ago(&fill->began, LASTED_SECS) ||
		fill->box->lost++ < MAX_LOST;
}

/* Returns 0 when the others may have their turn, -1 when it can't go on. */
static int box_failed(struct mover_fill *fill, uint32_t done_before,
		      enum mail_error *error_code_r, const char **error_r)
{
	bool lost = *error_code_r == MAIL_ERROR_UNAVAILABLE;
	const char *reason = *error_r;

	if (fill->stopped)
		return 0;
	if (fill->interrupted) {
		fill->box->tried = FALSE;
		return 0;
	}
	if (user_move_reconnect(fill->move, error_code_r, error_r) < 0)
		return fill->stopped ? 0 : -1;
	mover_box_read(fill->boxes, fill->box);
	if (lost && fill->box->done_messages > done_before && may_lose(fill))
		fill->box->tried = FALSE;
	else
		tell_failed(fill, reason);
	return 0;
}

static void box_done(struct mover_fill *fill,
		     const struct user_move_result *result)
{
	if (result->fill.bad > 0) {
		tell_failed(fill, t_strdup_printf(
			"%u messages can't be had", result->fill.bad));
	} else if (result->cutover_error != NULL && !fill->stopped) {
		tell_failed(fill, result->cutover_error);
	} else {
		fill->box->failed = FALSE;
	}
}

static int fill_box(struct mover_fill *fill, struct mover_box *box,
		    enum mail_error *error_code_r, const char **error_r)
{
	uint32_t done_before = box->done_messages;
	struct user_move_result result;
	int ret;

	fill->box = fill->seen = box;
	fill->what = WHAT_FILL;
	fill->interrupted = FALSE;
	i_gettimeofday(&fill->began);
	box->tried = TRUE;
	ret = user_move_mailbox(fill->move, box->vname, &result, error_code_r,
				error_r);
	if (ret < 0)
		ret = box_failed(fill, done_before, error_code_r, error_r);
	else
		box_done(fill, &result);
	mover_box_read(fill->boxes, box);
	fill->box = NULL;
	return ret;
}

/* Small ones are filled together, but for one that a client waits for. */
static void expect_boxes(struct mover_fill *fill, bool together)
{
	ARRAY_TYPE(const_string) vnames;
	const struct mover_box *box;

	if (fill->together == together)
		return;
	fill->together = together;
	t_array_init(&vnames, array_count(&fill->boxes->boxes) + 1);
	array_foreach(&fill->boxes->boxes, box) {
		if (together && has_turn(box) && !box->mirrored)
			array_push_back(&vnames, &box->vname);
	}
	user_move_expect(fill->move, &vnames);
}

static int fill_boxes(struct mover_fill *fill,
		      enum mail_error *error_code_r, const char **error_r)
{
	struct mover_box *box;
	const char *error = NULL;
	int ret = 0;

	fill->callbacks.look(fill->context);
	while (ret == 0 && !fill->stopped && (box = next_box(fill)) != NULL) {
		T_BEGIN {
			expect_boxes(fill, next_named(fill) != box);
			ret = fill_box(fill, box, error_code_r, error_r);
			if (ret < 0)
				error = p_strdup(fill->pool, *error_r);
		} T_END;
		fill->callbacks.look(fill->context);
	}
	*error_r = error;
	if (ret < 0 || fill->stopped)
		return ret;
	return user_move_finish(fill->move, error_code_r, error_r);
}

int mover_fill_run(struct mover_fill *fill,
		   enum mail_error *error_code_r, const char **error_r)
{
	const struct user_move_settings set = {
		.lock_secs = LOCK_SECS,
		.observer = &fill->observer,
		.killed = fill->callbacks.killed,
	};
	int ret;

	if (user_move_init(fill->boxes->muser, &set, &fill->move, error_code_r,
			   error_r) < 0)
		return -1;
	ret = mover_boxes_read(fill->boxes, error_code_r, error_r);
	fill->together = FALSE;
	if (ret == 0) {
		fill->begun = TRUE;
		ret = fill_boxes(fill, error_code_r, error_r);
	}
	user_move_deinit(&fill->move);
	fill->begun = FALSE;
	mover_boxes_update(fill->boxes);
	return ret;
}

/*
 * Its life
 */

struct mover_fill *
mover_fill_init(struct mover_boxes *boxes,
		const struct mover_fill_callbacks *callbacks, void *context)
{
	pool_t pool = pool_alloconly_create("mover fill", 1024);
	struct mover_fill *fill = p_new(pool, struct mover_fill, 1);

	fill->pool = pool;
	fill->boxes = boxes;
	fill->callbacks = *callbacks;
	fill->context = context;
	fill->observer.begin = fill_begin;
	fill->observer.progress = fill_progress;
	fill->observer.context = fill;
	p_array_init(&fill->first, pool, 4);
	return fill;
}

void mover_fill_deinit(struct mover_fill **_fill)
{
	struct mover_fill *fill = *_fill;

	*_fill = NULL;
	pool_unref(&fill->pool);
}

static void forget_named(struct mover_fill *fill, const char *vname)
{
	const char *const *vnamep;

	array_foreach(&fill->first, vnamep) {
		if (strcmp(*vnamep, vname) == 0) {
			array_delete(&fill->first,
				     array_foreach_idx(&fill->first, vnamep),
				     1);
			break;
		}
	}
}

void mover_fill_first(struct mover_fill *fill, const char *vname)
{
	const struct mover_box *box;

	if (!fill->begun) {
		if (array_count(&fill->first) == MAX_NAMED)
			return;
		vname = p_strdup(fill->pool, vname);
	} else {
		box = mover_boxes_find(fill->boxes, vname);
		if (box == NULL || !has_turn(box))
			return;
		vname = box->vname;
		forget_named(fill, vname);
	}
	array_push_back(&fill->first, &vname);
}

void mover_fill_stop(struct mover_fill *fill)
{
	fill->stopped = TRUE;
	if (fill->move != NULL)
		user_move_stop(fill->move);
}

uint64_t mover_fill_fetched_bytes(const struct mover_fill *fill)
{
	return fill->fetched_bytes;
}
