#include "imap-parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define POOL_BLOCK 4000

struct pool_block {
	struct pool_block *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct parser {
	char *pos, *end;
	struct imap_response *resp;
	const char *error;
};

static void *pool_get(struct imap_response *resp, size_t size)
{
	struct pool_block *block = resp->pool;
	size_t block_size;
	void *mem;

	size = (size + 15) & ~(size_t)15;
	if (block == NULL || block->size - block->used < size) {
		block_size = size > POOL_BLOCK ? size : POOL_BLOCK;
		block = malloc(sizeof(*block) + block_size);
		if (block == NULL)
			abort();
		block->next = resp->pool;
		block->used = 0;
		block->size = block_size;
		resp->pool = block;
	}
	mem = block->data + block->used;
	block->used += size;
	return memset(mem, 0, size);
}

static const char *
pool_copy(struct imap_response *resp, const char *data, size_t size)
{
	char *copy = pool_get(resp, size + 1);

	memcpy(copy, data, size);
	return copy;
}

void imap_response_free(struct imap_response **_resp)
{
	struct imap_response *resp = *_resp;
	struct pool_block *block, *next;

	*_resp = NULL;
	if (resp == NULL)
		return;
	for (block = resp->pool; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(resp->raw);
	free(resp);
}

bool imap_parse_number(const char *str, uint64_t max, uint64_t *number_r)
{
	uint64_t number = 0;
	const char *p;

	if (*str == '\0')
		return false;
	for (p = str; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		if (number > (max - (uint64_t)(*p - '0')) / 10)
			return false;
		number = number * 10 + (uint64_t)(*p - '0');
	}
	*number_r = number;
	return true;
}

bool imap_arg_is(const struct imap_arg *arg, const char *atom)
{
	return arg != NULL && arg->type == IMAP_ARG_ATOM &&
		strcasecmp(arg->data, atom) == 0;
}

/* Whether the token that ends before p names a body section. */
static bool token_is_body(const char *line, const char *p)
{
	const char *start, *end = p;

	while (end > line && end[-1] == ' ')
		end--;
	if (end > line && end[-1] == '>') {
		while (end > line && end[-1] != ']')
			end--;
	}
	if (end == line)
		return false;
	if (end[-1] == ']') {
		for (start = end; start > line && start[-1] != '['; start--) ;
		start--;
		return (start - line >= 4 &&
			strncasecmp(start - 4, "BODY", 4) == 0) ||
			(start - line >= 6 &&
			 strncasecmp(start - 6, "BINARY", 6) == 0);
	}
	return end - line >= 6 && strncasecmp(end - 6, "RFC822", 6) == 0;
}

bool imap_line_literal(const char *line, size_t size, uint64_t *size_r,
		       bool *body_r)
{
	const char *end = line + size, *open;
	char number[24];
	size_t len;

	if (size < 3 || end[-1] != '}')
		return false;
	for (open = end - 2; open > line && *open != '{'; open--) {
		if ((size_t)(end - open) > sizeof(number))
			return false;
	}
	if (*open != '{')
		return false;
	len = (size_t)(end - 1 - (open + 1));
	if (len > 0 && open[len] == '+')
		len--;
	if (len >= sizeof(number))
		return false;
	memcpy(number, open + 1, len);
	number[len] = '\0';
	if (!imap_parse_number(number, UINT64_MAX / 2, size_r))
		return false;
	if (open > line && open[-1] == '~')
		open--;
	*body_r = token_is_body(line, open);
	return true;
}

static struct imap_arg *
new_arg(struct parser *p, enum imap_arg_type type)
{
	struct imap_arg *arg = pool_get(p->resp, sizeof(*arg));

	arg->type = type;
	return arg;
}

static struct imap_arg *parse_quoted(struct parser *p)
{
	struct imap_arg *arg = new_arg(p, IMAP_ARG_STRING);
	char *from, *to, *copy;

	for (from = p->pos + 1; from < p->end && *from != '"'; from++) {
		if (*from == '\\')
			from++;
	}
	if (from >= p->end) {
		p->error = "quoted string without an end";
		return NULL;
	}
	copy = to = pool_get(p->resp, (size_t)(from - p->pos));
	for (from = p->pos + 1; *from != '"'; from++) {
		if (*from == '\\')
			from++;
		*to++ = *from;
	}
	p->pos = from + 1;
	arg->data = copy;
	arg->size = (size_t)(to - copy);
	return arg;
}

static struct imap_arg *parse_literal(struct parser *p)
{
	struct imap_arg *arg = new_arg(p, IMAP_ARG_STRING);
	uint64_t size;
	bool body;
	char *cr;

	cr = memchr(p->pos, '\r', (size_t)(p->end - p->pos));
	if (cr == NULL ||
	    !imap_line_literal(p->pos, (size_t)(cr - p->pos), &size, &body) ||
	    (size_t)(p->end - cr) < 3 ||
	    size > (uint64_t)(p->end - cr) - 3) {
		p->error = "broken literal";
		return NULL;
	}
	arg->data = cr + 2;
	arg->size = (size_t)size;
	p->pos = cr + 2 + size + 1;
	return arg;
}

/* An atom, or anything else without a space or parenthesis outside of a body
   section's brackets. */
static struct imap_arg *parse_atom(struct parser *p)
{
	struct imap_arg *arg = new_arg(p, IMAP_ARG_ATOM);
	char *start = p->pos;
	bool section = false, may_section;

	may_section = (p->end - start > 5 && strncasecmp(start, "BODY", 4) == 0)
		|| (p->end - start > 7 && strncasecmp(start, "BINARY", 6) == 0);
	for (; p->pos < p->end; p->pos++) {
		if (may_section && *p->pos == '[')
			section = true;
		else if (section && *p->pos == ']')
			section = false;
		else if (!section && (*p->pos == ' ' || *p->pos == '(' ||
				      *p->pos == ')'))
			break;
	}
	arg->data = pool_copy(p->resp, start, (size_t)(p->pos - start));
	arg->size = (size_t)(p->pos - start);
	if (strcasecmp(arg->data, "NIL") == 0)
		arg->type = IMAP_ARG_NIL;
	return arg;
}

static struct imap_arg *parse_args(struct parser *p, unsigned int depth);

static struct imap_arg *parse_one(struct parser *p, unsigned int depth)
{
	struct imap_arg *arg;

	switch (*p->pos) {
	case '(':
		if (depth >= IMAP_MAX_NESTING) {
			p->error = "too many parentheses";
			return NULL;
		}
		p->pos++;
		arg = new_arg(p, IMAP_ARG_LIST);
		arg->child = parse_args(p, depth + 1);
		if (p->error != NULL)
			return NULL;
		if (p->pos == p->end) {
			p->error = "list without an end";
			return NULL;
		}
		p->pos++;
		return arg;
	case '"':
		return parse_quoted(p);
	case '{':
		return parse_literal(p);
	case '~':
		if (p->end - p->pos > 1 && p->pos[1] == '{') {
			p->pos++;
			return parse_literal(p);
		}
		/* fall through */
	default:
		return parse_atom(p);
	}
}

/* Up to the end or the closing parenthesis, which stays. */
static struct imap_arg *parse_args(struct parser *p, unsigned int depth)
{
	struct imap_arg *first = NULL, **next = &first;

	for (;;) {
		while (p->pos < p->end && *p->pos == ' ')
			p->pos++;
		if (p->pos == p->end)
			return first;
		if (*p->pos == ')') {
			if (depth == 0)
				p->error = "unexpected )";
			return first;
		}
		*next = parse_one(p, depth);
		if (*next == NULL)
			return first;
		next = &(*next)->next;
	}
}

static const char *take_word(struct parser *p)
{
	char *start = p->pos;
	const char *word;

	while (p->pos < p->end && *p->pos != ' ')
		p->pos++;
	word = pool_copy(p->resp, start, (size_t)(p->pos - start));
	if (p->pos < p->end)
		p->pos++;
	return word;
}

static bool is_status(const char *name)
{
	static const char *const names[] = {
		"OK", "NO", "BAD", "BYE", "PREAUTH"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void parse_status_text(struct parser *p)
{
	struct imap_response *resp = p->resp;
	char *close;

	if (p->pos < p->end && *p->pos == '[') {
		close = memchr(p->pos, ']', (size_t)(p->end - p->pos));
		if (close != NULL) {
			resp->code = pool_copy(resp, p->pos + 1,
					       (size_t)(close - p->pos - 1));
			p->pos = close + 1;
			while (p->pos < p->end && *p->pos == ' ')
				p->pos++;
		}
	}
	resp->text = pool_copy(resp, p->pos, (size_t)(p->end - p->pos));
}

static void parse_name(struct parser *p)
{
	uint64_t number;
	char *name, *c;

	name = (char *)take_word(p);
	if (p->resp->kind == IMAP_UNTAGGED &&
	    imap_parse_number(name, UINT32_MAX, &number)) {
		p->resp->has_number = true;
		p->resp->number = (uint32_t)number;
		name = (char *)take_word(p);
	}
	for (c = name; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	p->resp->name = name;
}

static void parse_response(struct parser *p)
{
	struct imap_response *resp = p->resp;

	resp->name = resp->tag = "";
	if (*p->pos == '+') {
		resp->kind = IMAP_CONTINUE;
		p->pos++;
		while (p->pos < p->end && *p->pos == ' ')
			p->pos++;
		parse_status_text(p);
		return;
	}
	resp->tag = take_word(p);
	if (strcmp(resp->tag, "*") == 0) {
		resp->tag = "";
		resp->kind = IMAP_UNTAGGED;
	} else {
		resp->kind = IMAP_TAGGED;
	}
	parse_name(p);
	if (*resp->name == '\0')
		p->error = "response without a name";
	else if (is_status(resp->name))
		parse_status_text(p);
	else if (resp->kind == IMAP_TAGGED)
		p->error = "tagged response that isn't OK, NO or BAD";
	else
		resp->args = parse_args(p, 0);
}

int imap_response_parse(char *raw, size_t size,
			struct imap_response **resp_r, const char **error_r)
{
	struct imap_response *resp = calloc(1, sizeof(*resp));
	struct parser parser = { .pos = raw, .end = raw + size, .resp = resp };

	if (resp == NULL)
		abort();
	resp->raw = raw;
	if (size == 0)
		parser.error = "empty response";
	else
		parse_response(&parser);
	if (parser.error != NULL) {
		*error_r = parser.error;
		imap_response_free(&resp);
		*resp_r = NULL;
		return -1;
	}
	*resp_r = resp;
	return 0;
}
