#ifndef MOVER_REQUEST_H
#define MOVER_REQUEST_H

/*
 * mover-request: a line of the scheduler (mover-protocol.h), parsed.
 */

enum mover_request_type {
	MOVER_SURVEY,
	MOVER_FILL,
	MOVER_CATCHUP,
	/* while one of those is under way, without an answer */
	MOVER_FIRST,
	MOVER_STOP,
};

struct mover_request {
	enum mover_request_type type;
	/* of FILL and FIRST; may be empty */
	ARRAY_TYPE(const_string) vnames;
};

/* Of unescaped words; strings are allocated from the pool. Returns 0, -1 with
   what was expected. */
int mover_request_parse(const char *const *words, pool_t pool,
			struct mover_request *request_r, const char **error_r);

#endif
