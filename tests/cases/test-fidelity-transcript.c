#include "test-fidelity-transcript.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STEP_TIMEOUT_MS 20000
#define UNTIL_TIMEOUT_MS 5000
/* what a cutover leaves between the old UIDs and the new ones (I9) */
#define UID_GAP 1000000
#define UID_GAP_END (UID_GAP + 10000)
/* longer strings are told by their digest */
#define LONG_STRING 60

struct text {
	char *data;
	size_t used, room;
};

struct lines {
	char **line;
	unsigned int count, room;
};

static void text_add(struct text *text, const char *data, size_t size)
{
	if (text->used + size + 1 > text->room) {
		text->room = (text->used + size + 1) * 2;
		text->data = realloc(text->data, text->room);
		if (text->data == NULL)
			abort();
	}
	memcpy(text->data + text->used, data, size);
	text->used += size;
	text->data[text->used] = '\0';
}

static void text_str(struct text *text, const char *str)
{
	text_add(text, str, strlen(str));
}

static void lines_add(struct lines *lines, char *line)
{
	if (line == NULL)
		return;
	if (lines->count == lines->room) {
		lines->room = lines->room == 0 ? 16 : lines->room * 2;
		lines->line = realloc(lines->line,
				      lines->room * sizeof(*lines->line));
		if (lines->line == NULL)
			abort();
	}
	lines->line[lines->count++] = line;
}

static void lines_free(struct lines *lines)
{
	for (unsigned int i = 0; i < lines->count; i++)
		free(lines->line[i]);
	free(lines->line);
	memset(lines, 0, sizeof(*lines));
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lines_sort(struct lines *lines)
{
	if (lines->count > 1)
		qsort(lines->line, lines->count, sizeof(*lines->line),
		      compare_lines);
}

/* Names that differ between the accounts and the servers, and UIDs above the
   gap. */
static void add_plain(struct text *text, const char *data, size_t size)
{
	const char *p = data, *end = data + size;

	while (p < end) {
		size_t left = (size_t)(end - p), digits = 0;
		unsigned long number;
		char buf[24];

		if (left >= 5 && strncmp(p, "user", 4) == 0 && isdigit(p[4])) {
			text_str(text, "USER");
			p += 5;
			continue;
		}
		if (left >= 15 && strncmp(p + 3, ".lab.example", 12) == 0) {
			text_str(text, "HOST");
			p += 15;
			continue;
		}
		while (digits < left && isdigit((unsigned char)p[digits]))
			digits++;
		if (digits == 0) {
			text_add(text, p++, 1);
			continue;
		}
		snprintf(buf, sizeof(buf), "%.*s",
			 digits < 20 ? (int)digits : 20, p);
		number = strtoul(buf, NULL, 10);
		if (number > UID_GAP && number < UID_GAP_END) {
			snprintf(buf, sizeof(buf), "%lu", number - UID_GAP);
			text_str(text, buf);
		} else
			text_add(text, p, digits);
		p += digits;
	}
}

static void add_string(struct text *text, const char *data, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;
	char buf[64];
	size_t i;

	if (size <= LONG_STRING) {
		text_str(text, "\"");
		add_plain(text, data, size);
		text_str(text, "\"");
		return;
	}
	for (i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)data[i]) * 0x100000001b3u;
	snprintf(buf, sizeof(buf), "<%zu bytes, %016llx>", size,
		 (unsigned long long)hash);
	text_str(text, buf);
}

static void add_args(struct text *text, const struct imap_arg *arg);

static void add_arg(struct text *text, const struct imap_arg *arg)
{
	switch (arg->type) {
	case IMAP_ARG_ATOM:
		add_plain(text, arg->data, arg->size);
		break;
	case IMAP_ARG_STRING:
		add_string(text, arg->data, arg->size);
		break;
	case IMAP_ARG_NIL:
		text_str(text, "NIL");
		break;
	case IMAP_ARG_LIST:
		text_str(text, "(");
		add_args(text, arg->child);
		text_str(text, ")");
		break;
	}
}

static void add_args(struct text *text, const struct imap_arg *arg)
{
	for (; arg != NULL; arg = arg->next) {
		add_arg(text, arg);
		if (arg->next != NULL)
			text_str(text, " ");
	}
}

static void add_sorted(struct text *text, struct lines *words)
{
	lines_sort(words);
	text_str(text, "(");
	for (unsigned int i = 0; i < words->count; i++) {
		if (i > 0)
			text_str(text, " ");
		text_str(text, words->line[i]);
	}
	text_str(text, ")");
	lines_free(words);
}

/* Flags, attributes: words without an order. */
static void add_set(struct text *text, const struct imap_arg *arg)
{
	struct lines words = { .line = NULL };

	for (; arg != NULL; arg = arg->next) {
		struct text word = { .data = NULL };

		if (imap_arg_is(arg, "\\Recent") ||
		    /* only hints (RFC 3501 7.2.2) */
		    imap_arg_is(arg, "\\Marked") ||
		    imap_arg_is(arg, "\\UnMarked"))
			continue;
		add_arg(&word, arg);
		lines_add(&words, word.data);
	}
	add_sorted(text, &words);
}

/* Names with values, of FETCH and STATUS: without an order as well. */
static void add_pairs(struct text *text, const struct imap_arg *arg)
{
	struct lines words = { .line = NULL };

	for (; arg != NULL && arg->next != NULL; arg = arg->next->next) {
		const struct imap_arg *value = arg->next;
		struct text word = { .data = NULL };

		add_arg(&word, arg);
		text_str(&word, " ");
		if (imap_arg_is(arg, "FLAGS"))
			add_set(&word, value->child);
		else if (imap_arg_is(arg, "MODSEQ") ||
			 imap_arg_is(arg, "UIDVALIDITY") ||
			 imap_arg_is(arg, "HIGHESTMODSEQ") ||
			 imap_arg_is(arg, "EMAILID") ||
			 (imap_arg_is(arg, "SAVEDATE") &&
			  value->type == IMAP_ARG_STRING))
			text_str(&word, "*");
		else
			add_arg(&word, value);
		lines_add(&words, word.data);
	}
	add_sorted(text, &words);
}

static void add_numbers(struct text *text, const struct imap_arg *arg)
{
	struct lines words = { .line = NULL };

	for (; arg != NULL; arg = arg->next) {
		struct text word = { .data = NULL };

		struct text padded = { .data = NULL };

		add_arg(&word, arg);
		/* so that they are sorted as numbers */
		for (size_t pad = word.used; pad < 3; pad++)
			text_str(&padded, " ");
		text_str(&padded, word.data);
		free(word.data);
		lines_add(&words, padded.data);
	}
	add_sorted(text, &words);
}

/* The inside of [...]. */
static void add_code(struct text *text, const char *code)
{
	static const char *const numbers[] = {
		"UIDVALIDITY ", "HIGHESTMODSEQ ", "APPENDUID ", "COPYUID ",
	};
	size_t len = strcspn(code, " "), skip;
	struct imap_response *resp;
	const char *error;
	char *raw;

	text_str(text, " [");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strncasecmp(code, numbers[i], strlen(numbers[i])) != 0)
			continue;
		skip = strcspn(code + strlen(numbers[i]), " ");
		text_str(text, numbers[i]);
		text_str(text, "*");
		code += strlen(numbers[i]) + skip;
		len = 0;
	}
	/* its arguments, parsed as those of a response of this name */
	if (len > 0 && code[len] == ' ' && code[len + 1] == '(' &&
	    asprintf(&raw, "* %s", code) > 0 &&
	    imap_response_parse(raw, strlen(raw), &resp, &error) == 0) {
		text_add(text, code, len + 1);
		if (resp->args != NULL)
			add_set(text, resp->args->child);
		imap_response_free(&resp);
	} else
		add_plain(text, code, strlen(code));
	text_str(text, "]");
}

static bool says_nothing(const struct imap_response *resp)
{
	static const char *const names[] = { "RECENT", NULL };

	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(resp->name, names[i]) == 0)
			return true;
	}
	/* the state of capabilities is looked at by steps of their own */
	if (resp->kind == IMAP_UNTAGGED && strcmp(resp->name, "OK") == 0)
		return resp->code == NULL;
	return false;
}

static void add_untagged(struct text *text, const struct imap_response *resp)
{
	const struct imap_arg *args = resp->args;
	const char *name = resp->name;

	if (args == NULL)
		return;
	text_str(text, " ");
	if (strcmp(name, "FETCH") == 0)
		add_pairs(text, args->child);
	else if (strcmp(name, "STATUS") == 0) {
		add_arg(text, args);
		text_str(text, " ");
		if (args->next != NULL)
			add_pairs(text, args->next->child);
	} else if (strcmp(name, "LIST") == 0 || strcmp(name, "LSUB") == 0) {
		add_set(text, args->child);
		text_str(text, " ");
		add_args(text, args->next);
	} else if (strcmp(name, "FLAGS") == 0)
		add_set(text, args->child);
	else if (strcmp(name, "SEARCH") == 0)
		add_numbers(text, args);
	else if (strcmp(name, "CAPABILITY") == 0)
		add_set(text, args);
	else if (strcmp(name, "ESEARCH") == 0 && args->type == IMAP_ARG_LIST) {
		text_str(text, "(TAG *) ");
		add_args(text, args->next);
	} else
		add_args(text, args);
}

char *fidelity_line(const struct imap_response *resp)
{
	struct text text = { .data = NULL };
	char number[24];

	if (says_nothing(resp))
		return NULL;
	text_str(&text, resp->kind == IMAP_TAGGED ? "=" : "*");
	if (resp->has_number) {
		snprintf(number, sizeof(number), " %u", resp->number);
		text_str(&text, number);
	}
	text_str(&text, " ");
	text_str(&text, resp->name);
	if (resp->code != NULL)
		add_code(&text, resp->code);
	else
		add_untagged(&text, resp);
	for (char *p = text.data; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	return text.data;
}

/* What changes the numbering keeps its order, and comes first. */
static bool is_ordered(const char *line)
{
	return strstr(line, " EXPUNGE") != NULL;
}

static char *lines_join(struct lines *lines)
{
	struct lines ordered = { .line = NULL }, others = { .line = NULL };
	struct text text = { .data = NULL };

	for (unsigned int i = 0; i < lines->count; i++)
		lines_add(is_ordered(lines->line[i]) ? &ordered : &others,
			  lines->line[i]);
	lines_sort(&others);
	text_str(&text, "");
	for (unsigned int i = 0; i < ordered.count; i++) {
		text_str(&text, ordered.line[i]);
		text_str(&text, "\n");
	}
	for (unsigned int i = 0; i < others.count; i++) {
		text_str(&text, others.line[i]);
		text_str(&text, "\n");
	}
	free(ordered.line);
	free(others.line);
	lines_free(lines);
	return text.data;
}

static bool collect(struct imap_client *client, struct lines *lines,
		    const char *until)
{
	const struct imap_response *resp;
	bool found = false;

	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		char *line = fidelity_line(resp);

		if (line != NULL && until != NULL &&
		    strstr(line, until) != NULL)
			found = true;
		lines_add(lines, line);
	}
	imap_clear(client);
	return found;
}

/* In each of these the answer is the whole of it. */
static void add_reply(struct lines *lines, const struct imap_reply *reply)
{
	static const char *const names[] = { "OK", "NO", "BAD" };
	struct text text = { .data = NULL };

	text_str(&text, "= ");
	text_str(&text, reply->status == IMAP_LOST ? "LOST" :
		 names[reply->status]);
	if (reply->code != NULL)
		add_code(&text, reply->code);
	lines_add(lines, text.data);
}

static void run_idle(struct imap_client *client, struct lines *lines,
		     const char *until)
{
	uint64_t deadline = now_ms() + UNTIL_TIMEOUT_MS;
	bool found = false;

	if (imap_idle_start(client) == IMAP_OK) {
		while (!found && now_ms() < deadline &&
		       imap_idle_poll(client, 100) >= 0)
			found = collect(client, lines, until);
		(void)imap_idle_stop(client);
	}
	if (!found)
		lines_add(lines, strdup("! it never came"));
}

static void run_until(struct imap_client *client, struct lines *lines,
		      const char *until)
{
	uint64_t deadline = now_ms() + UNTIL_TIMEOUT_MS;

	while (!collect(client, lines, until)) {
		if (now_ms() > deadline ||
		    imap_run(client, "NOOP") == IMAP_LOST) {
			lines_add(lines, strdup("! it never came"));
			return;
		}
	}
}

static char *
run_step(struct imap_client *client, const struct fidelity_step *step)
{
	struct lines lines = { .line = NULL };
	struct imap_reply reply;

	if (strcmp(step->command, "IDLE") == 0) {
		run_idle(client, &lines, step->until);
	} else {
		unsigned int tag = imap_start(client);

		imap_text(client, "%s", step->command);
		imap_end(client);
		(void)imap_wait(client, tag);
		reply = *imap_reply(client);
		add_reply(&lines, &reply);
		if (getenv("FIDELITY_VERBOSE") != NULL &&
		    reply.status != IMAP_OK)
			printf("%s: %s\n", step->name, imap_error(client));
		if (step->until != NULL)
			run_until(client, &lines, step->until);
	}
	(void)collect(client, &lines, NULL);
	return lines_join(&lines);
}

static bool open_sessions(const struct fidelity_server *server,
			  struct imap_client *clients[FIDELITY_SESSIONS])
{
	bool ok = true;

	for (unsigned int i = 0; i < FIDELITY_SESSIONS; i++) {
		clients[i] = case_imap(i == FIDELITY_OTHER ? server->other :
				       server->server, server->user);
		if (clients[i] == NULL)
			ok = false;
		else
			net_line_set_timeout(imap_conn(clients[i]),
					     STEP_TIMEOUT_MS);
	}
	return ok;
}

bool fidelity_run(const struct fidelity_server *server,
		  const struct fidelity_step *steps,
		  struct fidelity_transcript *transcript_r)
{
	struct imap_client *clients[FIDELITY_SESSIONS] = { NULL };
	unsigned int count = 0, i;
	bool ok;

	while (steps[count].name != NULL)
		count++;
	transcript_r->steps = calloc(count, sizeof(*transcript_r->steps));
	transcript_r->count = count;
	if (transcript_r->steps == NULL)
		abort();
	ok = open_sessions(server, clients);
	for (i = 0; i < count && ok; i++) {
		struct imap_client *client = clients[steps[i].session];

		if (server->event_step != NULL &&
		    strcmp(server->event_step, steps[i].name) == 0)
			server->event(server->user);
		transcript_r->steps[i] = run_step(client, &steps[i]);
		ok = UNIT_CHECK(!imap_is_lost(client),
				"%s, user %u: lost at step %s: %s",
				server->server, server->user, steps[i].name,
				imap_error(client));
	}
	for (i = 0; i < FIDELITY_SESSIONS; i++)
		imap_logout(&clients[i]);
	return ok;
}

void fidelity_free(struct fidelity_transcript *transcript)
{
	for (unsigned int i = 0; i < transcript->count; i++)
		free(transcript->steps[i]);
	free(transcript->steps);
	memset(transcript, 0, sizeof(*transcript));
}
