#include "lib.h"
#include "array.h"
#include "imap-seqset.h"
#include "words.h"
#include "worker-request.h"

#include <ctype.h>

/* what an asker may ask for */
#define FILL_FLAGS (FILL_FLAG_VERIFY | FILL_FLAG_FOLLOW_EXPUNGES)
#define CATCHUP_FLAGS (CATCHUP_FLAG_FOLLOW_EXPUNGES | CATCHUP_FLAG_FULL | \
		       CATCHUP_FLAG_BACKGROUND)

/* The words that are left, and what becomes of them. */
struct parser {
	struct words words;
	struct worker_request *request;
};

static int next_uid_validity(struct parser *parser, uint32_t *value_r)
{
	const char *what = "a UIDVALIDITY";
	const char *word;

	if (words_next(&parser->words, what, &word) < 0)
		return -1;
	return str_to_uint32(word, value_r) == 0 && *value_r != 0 ? 0 :
		words_expected(&parser->words, what);
}

static bool is_uid_set(const char *str)
{
	ARRAY_TYPE(seq_range) uids;
	size_t len = strlen(str);

	if (len == 0 || !i_isdigit(str[len - 1]))
		return FALSE;
	t_array_init(&uids, 16);
	return imap_seq_set_nostar_parse(str, &uids) == 0;
}

static int next_uids(struct parser *parser, const char **uids_r)
{
	const char *what = "a set of UIDs";
	const char *word;
	bool valid;

	if (words_next(&parser->words, what, &word) < 0)
		return -1;
	T_BEGIN {
		valid = is_uid_set(word);
	} T_END;
	if (!valid)
		return words_expected(&parser->words, what);
	*uids_r = p_strdup(parser->request->pool, word);
	return 0;
}

static bool is_flag_char(unsigned char chr)
{
	return chr > ' ' && chr != 0x7f && strchr("(){\"", chr) == NULL;
}

/* Flags, each with one space behind it but the last, and then that end. */
static bool is_flags(const char *str, const char *end)
{
	if (strcmp(str, end) == 0)
		return TRUE;
	for (;; str++) {
		if (*str == '\\')
			str++;
		if (!is_flag_char(*str))
			return FALSE;
		while (is_flag_char(*str))
			str++;
		if (*str != ' ')
			return strcmp(str, end) == 0;
	}
}

static int next_flags(struct parser *parser, const char **flags_r)
{
	const char *what = "flags";
	const char *word;

	if (words_next(&parser->words, what, &word) < 0)
		return -1;
	if (!is_flags(word, ""))
		return words_expected(&parser->words, what);
	*flags_r = p_strdup(parser->request->pool, word);
	return 0;
}

static int next_store_args(struct parser *parser, const char **args_r)
{
	const char *what = "FLAGS, +FLAGS or -FLAGS and a list";
	const char *word, *flags;

	if (words_next(&parser->words, what, &word) < 0)
		return -1;
	flags = *word == '+' || *word == '-' ? word + 1 : word;
	if (!str_begins(flags, "FLAGS (") ||
	    !is_flags(flags + strlen("FLAGS ("), ")"))
		return words_expected(&parser->words, what);
	*args_r = p_strdup(parser->request->pool, word);
	return 0;
}

static int parse_store(struct parser *parser, struct mirror_op *op)
{
	if (next_uids(parser, &op->uids) < 0)
		return -1;
	return next_store_args(parser, &op->args);
}

static int parse_expunge(struct parser *parser, struct mirror_op *op)
{
	return next_uids(parser, &op->uids);
}

static int parse_append(struct parser *parser, struct mirror_op *op)
{
	struct worker_request *request = parser->request;

	if (words_uoff(&parser->words, "an offset", &op->offset) < 0 ||
	    words_uoff(&parser->words, "a size", &op->size) < 0 ||
	    words_date(&parser->words, &op->date, &op->tz_offset) < 0 ||
	    next_flags(parser, &op->flags) < 0)
		return -1;
	if (op->size > OFF_T_MAX || op->offset > OFF_T_MAX - op->size)
		return words_expected(&parser->words,
				      "an offset and a size of a file");
	request->needs_file = TRUE;
	request->file_size = I_MAX(request->file_size, op->offset + op->size);
	return 0;
}

static int parse_copy(struct parser *parser, struct mirror_op *op)
{
	if (words_mailbox(&parser->words, &op->source) < 0 ||
	    next_uid_validity(parser, &op->source_uid_validity) < 0)
		return -1;
	return next_uids(parser, &op->uids);
}

static const struct op_word {
	const char *word;
	enum mirror_op_type type;
	int (*parse)(struct parser *parser, struct mirror_op *op);
} op_words[] = {
	{ "store", MIRROR_STORE, parse_store },
	{ "expunge", MIRROR_EXPUNGE, parse_expunge },
	{ "append", MIRROR_APPEND, parse_append },
	{ "copy", MIRROR_COPY, parse_copy },
};

static int parse_op(struct parser *parser)
{
	const char *word = *parser->words.words++;

	for (unsigned int i = 0; i < N_ELEMENTS(op_words); i++) {
		struct mirror_op op = { .type = op_words[i].type };

		if (strcmp(word, op_words[i].word) != 0)
			continue;
		if (op_words[i].parse(parser, &op) < 0)
			return -1;
		array_push_back(&parser->request->write.ops, &op);
		return 0;
	}
	return words_expected(&parser->words,
			      "store, expunge, append or copy");
}

static int parse_write(struct parser *parser)
{
	struct worker_request *request = parser->request;

	if (words_mailbox(&parser->words, &request->vname) < 0 ||
	    next_uid_validity(parser, &request->write.uid_validity) < 0)
		return -1;
	p_array_init(&request->write.ops, request->pool, 4);
	p_array_init(&request->write.saved_uids, request->pool, 4);
	do {
		if (*parser->words.words == NULL)
			return words_expected(&parser->words,
					      "something to write");
		if (parse_op(parser) < 0)
			return -1;
	} while (*parser->words.words != NULL);
	return 0;
}

static int parse_mailbox(struct parser *parser)
{
	return words_mailbox(&parser->words, &parser->request->vname);
}

static int parse_max_age(struct parser *parser)
{
	const char *what = "milliseconds";
	const char *word;

	if (words_next(&parser->words, what, &word) < 0)
		return -1;
	return str_to_uint(word, &parser->request->max_age_msecs) == 0 ? 0 :
		words_expected(&parser->words, what);
}

static int parse_fresh(struct parser *parser)
{
	return parse_mailbox(parser) < 0 ? -1 : parse_max_age(parser);
}

static int parse_flags(struct parser *parser, const char *what,
		       unsigned int known, unsigned int *flags_r)
{
	const char *word;

	if (words_next(&parser->words, what, &word) < 0)
		return -1;
	if (str_to_uint(word, flags_r) < 0 || (*flags_r & ~known) != 0)
		return words_expected(&parser->words, what);
	return 0;
}

static int parse_fill(struct parser *parser)
{
	unsigned int flags;

	if (parse_mailbox(parser) < 0 ||
	    parse_flags(parser, "flags of a fill", FILL_FLAGS, &flags) < 0)
		return -1;
	parser->request->fill_flags = flags;
	return 0;
}

static int parse_catchup(struct parser *parser)
{
	unsigned int flags;

	if (parse_max_age(parser) < 0 ||
	    parse_flags(parser, "flags of a catch-up", CATCHUP_FLAGS,
			&flags) < 0)
		return -1;
	parser->request->catchup_flags = flags;
	return 0;
}

static int parse_cutover(struct parser *parser)
{
	struct worker_request *request = parser->request;
	const char *vname;

	p_array_init(&request->vnames, request->pool, 16);
	do {
		if (words_mailbox(&parser->words, &vname) < 0)
			return -1;
		array_push_back(&request->vnames, &vname);
	} while (*parser->words.words != NULL);
	return 0;
}

static int parse_nothing(struct parser *parser ATTR_UNUSED)
{
	return 0;
}

static const struct request_word {
	const char *word;
	enum worker_request_type type;
	int (*parse)(struct parser *parser);
} request_words[] = {
	{ "FRESH", WORKER_FRESH, parse_fresh },
	{ "WATCH", WORKER_WATCH, parse_mailbox },
	{ "UNWATCH", WORKER_UNWATCH, parse_mailbox },
	{ "WRITE", WORKER_WRITE, parse_write },
	{ "FILL", WORKER_FILL, parse_fill },
	{ "CUTOVER", WORKER_CUTOVER, parse_cutover },
	{ "CATCHUP", WORKER_CATCHUP, parse_catchup },
	{ "PAUSE", WORKER_PAUSE, parse_nothing },
	{ "RESUME", WORKER_RESUME, parse_nothing },
	{ "END", WORKER_END, parse_nothing },
};

static int parse_request(struct parser *parser)
{
	const char *word;

	if (words_next(&parser->words, "a request", &word) < 0)
		return -1;
	for (unsigned int i = 0; i < N_ELEMENTS(request_words); i++) {
		if (strcmp(word, request_words[i].word) != 0)
			continue;
		parser->request->type = request_words[i].type;
		if (request_words[i].parse(parser) < 0)
			return -1;
		return words_end(&parser->words);
	}
	return words_expected(&parser->words, "a request");
}

int worker_request_parse(const char *const *words,
			 struct worker_request **request_r,
			 const char **error_r)
{
	pool_t pool = pool_alloconly_create("worker request", 1024);
	struct worker_request *request =
		p_new(pool, struct worker_request, 1);
	struct parser parser = {
		.words = { .words = words, .pool = pool },
		.request = request,
	};

	request->pool = pool;
	request->write.fd = -1;
	if (parse_request(&parser) < 0) {
		*error_r = t_strdup_printf("Expected %s", parser.words.error);
		worker_request_free(&request);
		return -1;
	}
	*request_r = request;
	return 0;
}

void worker_request_free(struct worker_request **_request)
{
	struct worker_request *request = *_request;

	*_request = NULL;
	i_close_fd(&request->write.fd);
	pool_unref(&request->pool);
}
