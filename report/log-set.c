#include "log-set.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum member_state {
	/* Nothing of it was read yet. */
	MEMBER_ASLEEP,
	/* Its record waits to be handed out. */
	MEMBER_READY,
	/* Nothing more comes now. */
	MEMBER_EMPTY
};

struct member {
	struct log_input *input;
	enum member_state state;
	/* Its successor is in the set. */
	bool succeeded;
	/* And its successor's: nobody writes to it any more. */
	bool done;
	struct log_record record;
};

struct log_set {
	const struct log_settings *settings;
	struct member *members;
	size_t count;
	/* Whose record was handed out last, and up to when its next ones are
	   before those of all others. */
	size_t current;
	int64_t limit;
	/* There is a current one. */
	bool running;
};

/* Rotated logs are many, and all of them are held open. */
static void allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

struct log_set *log_set_init(const struct log_settings *settings)
{
	struct log_set *set = memory_new(sizeof(*set));

	allow_many_files();
	set->settings = settings;
	return set;
}

void log_set_deinit(struct log_set **_set)
{
	struct log_set *set = *_set;
	size_t i;

	if (set == NULL)
		return;
	*_set = NULL;
	for (i = 0; i < set->count; i++)
		log_input_deinit(&set->members[i].input);
	free(set->members);
	free(set);
}

static void add(struct log_set *set, struct log_input *input)
{
	struct member *member;

	set->members = memory_resize(set->members, set->count + 1,
				     sizeof(*set->members));
	member = &set->members[set->count++];
	memset(member, 0, sizeof(*member));
	member->input = input;
}

int log_set_add_file(struct log_set *set, const char *path, const char *zone,
		     int year, const char **error_r)
{
	struct log_input *input = log_file_init(path, zone, year,
						set->settings);

	if (input == NULL) {
		*error_r = strerror(errno);
		return -1;
	}
	add(set, input);
	return 0;
}

int log_set_add_journal(struct log_set *set, const char *folder, int64_t since,
			const char **error_r)
{
	struct log_input *input = log_journal_init(folder, since,
						   set->settings, error_r);

	if (input == NULL)
		return -1;
	add(set, input);
	return 0;
}

/* Those of that log that were rotated before. */
static void end_predecessors(struct log_set *set, const char *name)
{
	struct member *member;
	size_t i;

	for (i = 0; i < set->count; i++) {
		member = &set->members[i];
		if (!member->succeeded || member->state != MEMBER_EMPTY ||
		    strcmp(member->input->seen.name, name) != 0)
			continue;
		member->done = true;
		log_input_finish(member->input);
	}
}

/* Reads its next record. The set may grow. */
static void advance(struct log_set *set, size_t i)
{
	struct member *member = &set->members[i];
	struct log_input *successor;

	if (log_input_next(member->input, &member->record) > 0) {
		member->state = MEMBER_READY;
		return;
	}
	member->state = MEMBER_EMPTY;
	if (member->succeeded)
		return;
	successor = log_input_successor(member->input);
	if (successor != NULL) {
		end_predecessors(set, successor->seen.name);
		set->members[i].succeeded = true;
		add(set, successor);
	}
}

static bool is_waiting(const struct member *member, int64_t *time_r)
{
	if (member->state == MEMBER_ASLEEP)
		*time_r = member->input->begins;
	else if (member->state == MEMBER_READY)
		*time_r = member->record.time;
	else
		return false;
	return true;
}

/* Makes the earliest one the current one; false when none waits. */
static bool choose(struct log_set *set)
{
	int64_t time, best = 0;
	bool found = false;
	size_t i;

	set->limit = INT64_MAX;
	for (i = 0; i < set->count; i++) {
		if (!is_waiting(&set->members[i], &time))
			continue;
		if (!found || time < best) {
			if (found)
				set->limit = best;
			best = time;
			set->current = i;
			found = true;
		} else if (time < set->limit) {
			set->limit = time;
		}
	}
	return found;
}

/* All of them may have something new. */
static void look_again(struct log_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (set->members[i].state == MEMBER_EMPTY &&
		    !set->members[i].done)
			advance(set, i);
	}
}

bool log_set_next(struct log_set *set, struct log_record *record_r)
{
	struct member *member;

	if (set->running)
		advance(set, set->current);
	else
		look_again(set);
	for (;;) {
		member = &set->members[set->current];
		if (!set->running || member->state != MEMBER_READY ||
		    member->record.time > set->limit) {
			set->running = choose(set);
			if (!set->running)
				return false;
			member = &set->members[set->current];
		}
		if (member->state == MEMBER_READY) {
			*record_r = member->record;
			return true;
		}
		advance(set, set->current);
	}
}

size_t log_set_count(const struct log_set *set)
{
	return set->count;
}

struct log_input *log_set_input(const struct log_set *set, size_t i)
{
	return set->members[i].input;
}
