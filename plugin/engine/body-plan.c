#include "lib.h"
#include "array.h"
#include "str.h"
#include "seq-range-array.h"
#include "body-plan.h"

/* From one command to the next it is a round trip. */
#define REQUEST_MAX_MESSAGES 5000
#define REQUEST_MAX_BYTES (32 * 1024 * 1024)
/* RFC 9051: a number is below 2^63, RFC 3501: below 2^32; stay with what fits
   a signed 32 bit number */
#define PIECE_TO_END 0x7fffffff

struct planner {
	const struct inventory_item *items;
	unsigned int count;
	const ARRAY_TYPE(seq_range) *wanted;
	pool_t pool;
	ARRAY_TYPE(body_request) *requests;
};

static bool is_wanted(const struct planner *planner, unsigned int idx)
{
	return seq_range_exists(planner->wanted, planner->items[idx].uid);
}

/* Runs of wanted messages with no unwanted one between them: holes don't
   matter, nothing is there. */
static const char *
write_set(const struct planner *planner, unsigned int first, unsigned int end)
{
	string_t *set = t_str_new(128);
	unsigned int i = first, run;

	while (i < end) {
		if (!is_wanted(planner, i)) {
			i++;
			continue;
		}
		for (run = i; i < end && is_wanted(planner, i); i++) ;
		if (str_len(set) > 0)
			str_append_c(set, ',');
		str_printfa(set, "%u", planner->items[run].uid);
		if (i - run > 1)
			str_printfa(set, ":%u", planner->items[i - 1].uid);
	}
	return p_strdup(planner->pool, str_c(set));
}

static struct body_request *
add_request(struct planner *planner, unsigned int first, unsigned int end)
{
	struct body_request *request = array_append_space(planner->requests);

	request->first = first;
	request->end = end;
	request->uid_set = write_set(planner, first, end);
	return request;
}

static void
add_pieces(struct planner *planner, unsigned int idx, uint64_t piece_size)
{
	struct body_request *request;
	uint64_t offset;

	for (offset = 0; offset < planner->items[idx].size;
	     offset += piece_size) {
		request = add_request(planner, idx, idx + 1);
		request->offset = offset;
		request->length = piece_size;
	}
	request = add_request(planner, idx, idx + 1);
	request->offset = offset;
	request->length = PIECE_TO_END;
	request->last_piece = TRUE;
}

/* the small messages since the last request */
struct pending {
	unsigned int first, messages;
	uint64_t bytes;
};

static void
flush(struct planner *planner, struct pending *pending, unsigned int end)
{
	if (pending->messages > 0)
		add_request(planner, pending->first, end);
	i_zero(pending);
}

static void
add_small(struct planner *planner, struct pending *pending, unsigned int idx)
{
	if (pending->messages == REQUEST_MAX_MESSAGES ||
	    pending->bytes >= REQUEST_MAX_BYTES)
		flush(planner, pending, idx);
	if (pending->messages++ == 0)
		pending->first = idx;
	pending->bytes += planner->items[idx].size;
}

void body_plan(const struct inventory *old, const ARRAY_TYPE(seq_range) *wanted,
	       uint64_t piece_size, pool_t pool,
	       ARRAY_TYPE(body_request) *requests_r)
{
	struct planner planner = {
		.wanted = wanted, .pool = pool, .requests = requests_r,
	};
	struct pending pending = { .messages = 0 };

	p_array_init(requests_r, pool, 16);
	planner.items = array_get(&old->items, &planner.count);
	for (unsigned int i = 0; i < planner.count; i++) T_BEGIN {
		if (!is_wanted(&planner, i))
			;
		else if (planner.items[i].size <= piece_size)
			add_small(&planner, &pending, i);
		else {
			flush(&planner, &pending, i);
			add_pieces(&planner, i, piece_size);
		}
	} T_END;
	flush(&planner, &pending, planner.count);
}
