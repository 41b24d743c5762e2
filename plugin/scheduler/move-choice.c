#include "lib.h"
#include "array.h"
#include "move-choice.h"

/* one place in so many */
#define SHARE 4
/* one is stopped at most each... */
#define STOP_SECS 10
/* a fill that is stopped for looks has had so long; these are overdue by so
   much; and where there's one place only, they have it for so long */
#define FILL_TURN_SECS 60
#define OVERDUE_SECS 30
#define LOOK_TURN_SECS 20

static struct move_user *
first_of(const struct move_server *server, enum move_place place)
{
	return (struct move_user *)priorityq_peek(server->heaps[place]);
}

/* The look that is due for the longest time. */
static struct move_user *
first_look(const struct move_server *server, const struct move_limits *limits,
	   time_t now)
{
	struct move_user *catchup = first_of(server, MOVE_PLACE_CATCHUPS);
	struct move_user *refresh = limits->daily ? NULL :
		first_of(server, MOVE_PLACE_REFRESHES);
	struct move_user *user = catchup;

	if (user == NULL || (refresh != NULL && refresh->due < user->due))
		user = refresh;
	return user == NULL || user->due > now ? NULL : user;
}

static unsigned int looks_running(const struct move_server *server)
{
	return server->running_works[MOVE_WORK_REFRESH] +
		server->running_works[MOVE_WORK_CATCHUP];
}

static unsigned int urgent_running(const struct move_server *server, time_t now)
{
	struct move_user *user;
	unsigned int count = 0;

	array_foreach_elem(&server->running, user) {
		if (user->run->work == MOVE_WORK_FILL &&
		    move_user_is_urgent(user, now))
			count++;
	}
	return count;
}

/* Somebody's first sight or first copy. */
static bool next_of_others(struct move_server *server,
			   const struct move_limits *limits, time_t now,
			   struct move_user **user_r, enum move_work *work_r)
{
	struct move_user *fill = limits->daily ? NULL :
		first_of(server, MOVE_PLACE_FILLS);
	struct move_user *survey = first_of(server, MOVE_PLACE_SURVEYS);
	unsigned int fills;

	if (fill != NULL && (survey != NULL || limits->surveys_wait) &&
	    !move_user_is_urgent(fill, now)) {
		fills = server->running_works[MOVE_WORK_FILL] -
			urgent_running(server, now);
		if (fills >= limits->limit / SHARE)
			fill = NULL;
	}
	*user_r = fill != NULL ? fill : survey;
	*work_r = fill != NULL ? MOVE_WORK_FILL : MOVE_WORK_SURVEY;
	return *user_r != NULL;
}

/* of the places, those that looks may always have */
static unsigned int looks_share(const struct move_limits *limits)
{
	return limits->limit < 2 ? 0 : I_MAX(limits->limit / SHARE, 1);
}

static bool looks_first(const struct move_server *server,
			const struct move_limits *limits, time_t now)
{
	return !server->last_was_look || now < server->looks_until ||
		looks_running(server) < looks_share(limits);
}

bool move_choice_next(struct move_server *server,
		      const struct move_limits *limits, time_t now,
		      struct move_user **user_r, enum move_work *work_r)
{
	struct move_user *look;
	bool others;

	if (limits->full || array_count(&server->running) >= limits->limit)
		return FALSE;
	look = first_look(server, limits, now);
	others = next_of_others(server, limits, now, user_r, work_r);
	if (look == NULL || (others && !looks_first(server, limits, now)))
		return others;
	*user_r = look;
	*work_r = look->place == MOVE_PLACE_CATCHUPS ? MOVE_WORK_CATCHUP :
		MOVE_WORK_REFRESH;
	return TRUE;
}

/* Of those that are filled for so long: who has most to do, and nobody waits
   for; else, if others may be stopped as well, one of them. */
static struct move_user *
longest_fill(struct move_server *server, unsigned int min_secs,
	     bool urgent_too, time_t now)
{
	struct move_user *user, *longest = NULL;
	uint64_t left, longest_left = 0;

	array_foreach_elem(&server->running, user) {
		if (user->run->work != MOVE_WORK_FILL ||
		    now - user->run->begun < (time_t)min_secs)
			continue;
		left = user->totals.bytes - I_MIN(user->totals.bytes,
						  user->totals.done_bytes);
		if (move_user_is_urgent(user, now)) {
			if (!urgent_too)
				continue;
			left = 0;
		}
		if (longest == NULL || left > longest_left) {
			longest = user;
			longest_left = left;
		}
	}
	return longest;
}

static bool urgent_waits(const struct move_server *server,
			 const struct move_limits *limits, time_t now)
{
	const struct move_user *user = first_of(server, MOVE_PLACE_FILLS);

	return user != NULL && !limits->daily &&
		move_user_is_urgent(user, now);
}

static bool looks_wait(const struct move_server *server,
		       const struct move_limits *limits, time_t now)
{
	const struct move_user *look =
		first_look(server, limits, now - OVERDUE_SECS);

	return look != NULL &&
		looks_running(server) < I_MAX(looks_share(limits), 1);
}

static bool is_stopping(const struct move_server *server)
{
	struct move_user *user;

	array_foreach_elem(&server->running, user) {
		if (user->run->stopping)
			return TRUE;
	}
	return FALSE;
}

struct move_user *
move_choice_stop(struct move_server *server, const struct move_limits *limits,
		 time_t now)
{
	struct move_user *user = NULL;

	if ((!limits->full &&
	     array_count(&server->running) < limits->limit) ||
	    now - server->relieved < STOP_SECS || is_stopping(server))
		return NULL;
	if (urgent_waits(server, limits, now))
		user = longest_fill(server, 0, FALSE, now);
	if (user == NULL && looks_wait(server, limits, now)) {
		user = longest_fill(server, FILL_TURN_SECS, TRUE, now);
		if (user != NULL)
			server->looks_until = now + LOOK_TURN_SECS;
	}
	if (user != NULL)
		server->relieved = now;
	return user;
}
