#include "lib.h"
#include "str.h"
#include "mover-protocol.h"

#define TOTALS_WORDS 10

static const char *const phase_words[] = {
	[MOVE_PHASE_UNSEEN] = "unseen",
	[MOVE_PHASE_MOVING] = "moving",
	[MOVE_PHASE_LOCAL] = "local",
	[MOVE_PHASE_CLOSED] = "closed",
};

static const char *const failure_words[] = {
	[MOVE_FAILURE_USER] = "user",
	[MOVE_FAILURE_LOGIN] = "login",
	[MOVE_FAILURE_THROTTLED] = "throttled",
	[MOVE_FAILURE_UNREACHABLE] = "unreachable",
	[MOVE_FAILURE_DAILY] = "daily",
	[MOVE_FAILURE_BUSY] = "busy",
};

static bool find_word(const char *const *words, unsigned int count,
		      const char *str, unsigned int *idx_r)
{
	for (unsigned int i = 0; i < count; i++) {
		if (strcmp(words[i], str) == 0) {
			*idx_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

const char *move_phase_to_str(enum move_phase phase)
{
	i_assert((unsigned int)phase < N_ELEMENTS(phase_words));
	return phase_words[phase];
}

bool move_phase_from_str(const char *str, enum move_phase *phase_r)
{
	unsigned int idx;

	if (!find_word(phase_words, N_ELEMENTS(phase_words), str, &idx))
		return FALSE;
	*phase_r = idx;
	return TRUE;
}

const char *move_failure_to_str(enum move_failure failure)
{
	i_assert((unsigned int)failure < N_ELEMENTS(failure_words));
	return failure_words[failure];
}

bool move_failure_from_str(const char *str, enum move_failure *failure_r)
{
	unsigned int idx;

	if (!find_word(failure_words, N_ELEMENTS(failure_words), str, &idx))
		return FALSE;
	*failure_r = idx;
	return TRUE;
}

void move_totals_append(string_t *str, const struct move_totals *totals)
{
	str_printfa(str, "\t%s\t%u\t%u\t%u\t%"PRIu64"\t%"PRIu64"\t%"PRIu64
		    "\t%"PRIu64"\t%u\t%"PRIu64,
		    move_phase_to_str(totals->phase), totals->mailboxes,
		    totals->local, totals->filled, totals->messages,
		    totals->bytes, totals->done_messages, totals->done_bytes,
		    totals->failed, totals->fetched_bytes);
}

bool move_totals_parse(const char *const *words, struct move_totals *totals_r)
{
	i_zero(totals_r);
	return str_array_length(words) >= TOTALS_WORDS &&
		move_phase_from_str(words[0], &totals_r->phase) &&
		str_to_uint(words[1], &totals_r->mailboxes) == 0 &&
		str_to_uint(words[2], &totals_r->local) == 0 &&
		str_to_uint(words[3], &totals_r->filled) == 0 &&
		str_to_uint64(words[4], &totals_r->messages) == 0 &&
		str_to_uint64(words[5], &totals_r->bytes) == 0 &&
		str_to_uint64(words[6], &totals_r->done_messages) == 0 &&
		str_to_uint64(words[7], &totals_r->done_bytes) == 0 &&
		str_to_uint(words[8], &totals_r->failed) == 0 &&
		str_to_uint64(words[9], &totals_r->fetched_bytes) == 0;
}
