#include "lib.h"
#include "array.h"
#include "words.h"
#include "mover-request.h"

static const struct {
	const char *word;
	enum mover_request_type type;
	unsigned int min_mailboxes, max_mailboxes;
} requests[] = {
	{ "SURVEY", MOVER_SURVEY, 0, 0 },
	{ "FILL", MOVER_FILL, 0, UINT_MAX },
	{ "CATCHUP", MOVER_CATCHUP, 0, 0 },
	{ "FIRST", MOVER_FIRST, 1, 1 },
	{ "STOP", MOVER_STOP, 0, 0 },
};

/* Names come from anybody (scheduler-protocol.h): one that can't be a mailbox' is
   left out, and all others are heard. */
static int parse_mailboxes(struct words *words, unsigned int min,
			   unsigned int max, ARRAY_TYPE(const_string) *vnames)
{
	unsigned int count = str_array_length(words->words);
	const char *vname;

	if (count < min)
		return words_expected(words, "a mailbox name");
	for (unsigned int i = 0; i < I_MIN(count, max); i++) {
		if (words_mailbox(words, &vname) == 0)
			array_push_back(vnames, &vname);
	}
	return words_end(words);
}

static int
parse_request(struct words *words, struct mover_request *request_r)
{
	const char *word;

	if (words_next(words, "a request", &word) < 0)
		return -1;
	for (unsigned int i = 0; i < N_ELEMENTS(requests); i++) {
		if (strcmp(requests[i].word, word) == 0) {
			request_r->type = requests[i].type;
			return parse_mailboxes(words,
				requests[i].min_mailboxes,
				requests[i].max_mailboxes, &request_r->vnames);
		}
	}
	return words_expected(words, "a request");
}

int mover_request_parse(const char *const *words, pool_t pool,
			struct mover_request *request_r, const char **error_r)
{
	struct words left = { .words = words, .pool = pool };

	i_zero(request_r);
	p_array_init(&request_r->vnames, pool, 4);
	if (parse_request(&left, request_r) == 0)
		return 0;
	*error_r = t_strdup_printf("Expected %s", left.error);
	return -1;
}
