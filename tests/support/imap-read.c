/*
 * imap-read: reads what an IMAP server says, and files it
 */
#include "imap-client-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct raw {
	char *data;
	size_t used, size;
};

enum imap_status imap_lose(struct imap_client *client)
{
	client->lost = true;
	client->reply.status = IMAP_LOST;
	client->reply.code = NULL;
	client->reply.text = net_line_error(client->conn);
	return IMAP_LOST;
}

static int raw_reserve(struct raw *raw, size_t more)
{
	size_t size = raw->size == 0 ? 512 : raw->size;
	char *data;

	if (raw->size - raw->used > more)
		return 0;
	while (size - raw->used <= more)
		size *= 2;
	data = realloc(raw->data, size);
	if (data == NULL)
		return -1;
	raw->data = data;
	raw->size = size;
	return 0;
}

static int raw_add(struct raw *raw, const void *data, size_t size)
{
	if (raw_reserve(raw, size + 1) < 0)
		return -1;
	memcpy(raw->data + raw->used, data, size);
	raw->used += size;
	raw->data[raw->used] = '\0';
	return 0;
}

static void raw_sink(void *context, const void *data, size_t size)
{
	struct raw *raw = context;

	/* reserved by the caller */
	memcpy(raw->data + raw->used, data, size);
	raw->used += size;
}

static void body_sink(void *context, const void *data, size_t size)
{
	struct imap_client *client = context;

	client->sink(client->sink_context, false, data, size);
}

static int
read_literal(struct imap_client *client, struct raw *raw, uint64_t size,
	     bool to_sink)
{
	if (to_sink) {
		/* what stays is an empty literal */
		while (raw->data[raw->used - 1] != '{')
			raw->used--;
		if (raw_add(raw, "0}\r\n\0", 5) < 0)
			return net_line_fail(client->conn, "out of memory");
		client->sink(client->sink_context, true, NULL, size);
		return net_line_read_bytes(client->conn, (size_t)size,
					   body_sink, client);
	}
	if (size > IMAP_MAX_LITERAL)
		return net_line_fail(client->conn, "literal too large");
	if (raw_add(raw, "\r\n", 2) < 0 ||
	    raw_reserve(raw, (size_t)size + 1) < 0)
		return net_line_fail(client->conn, "out of memory");
	if (net_line_read_bytes(client->conn, (size_t)size, raw_sink, raw) < 0)
		return -1;
	raw->data[raw->used++] = '\0';
	return 0;
}

static int
read_raw(struct imap_client *client, struct raw *raw, bool *sunk_r)
{
	const char *line;
	size_t size, start;
	uint64_t literal;
	bool body, to_sink;

	*sunk_r = false;
	for (;;) {
		if (net_line_read(client->conn, &line, &size) < 0)
			return -1;
		start = raw->used;
		if (raw_add(raw, line, size) < 0)
			return net_line_fail(client->conn, "out of memory");
		/* human text may end like a literal; data may not */
		if (raw->data[0] != '*' ||
		    !imap_line_literal(raw->data + start, raw->used - start,
				       &literal, &body))
			return 0;
		to_sink = body && client->sink != NULL &&
			literal >= client->sink_min;
		if (to_sink)
			*sunk_r = true;
		if (read_literal(client, raw, literal, to_sink) < 0)
			return -1;
	}
}

static int
read_response(struct imap_client *client, struct imap_response **resp_r)
{
	struct raw raw = { .data = NULL };
	const char *error;
	bool sunk;

	if (client->lost || read_raw(client, &raw, &sunk) < 0) {
		free(raw.data);
		return -1;
	}
	if (imap_response_parse(raw.data, raw.used, resp_r, &error) < 0)
		return net_line_fail(client->conn, "bad response: %s", error);
	(*resp_r)->sunk = sunk;
	return 0;
}

static void
set_capabilities(struct imap_client *client, const struct imap_arg *arg)
{
	size_t used = 0;

	client->capabilities[0] = '\0';
	for (; arg != NULL; arg = arg->next) {
		if (arg->type != IMAP_ARG_ATOM ||
		    used + arg->size + 2 > sizeof(client->capabilities))
			continue;
		used += (size_t)sprintf(client->capabilities + used, " %s",
					arg->data);
	}
}

static void
set_capability_code(struct imap_client *client, const char *code)
{
	if (code != NULL && strncasecmp(code, "CAPABILITY ", 11) == 0) {
		snprintf(client->capabilities, sizeof(client->capabilities),
			 " %s", code + 11);
	}
}

static void
handle_untagged(struct imap_client *client, struct imap_response *resp)
{
	if (strcmp(resp->name, "EXISTS") == 0)
		client->exists = resp->number;
	else if (strcmp(resp->name, "EXPUNGE") == 0 && client->exists > 0)
		client->exists--;
	else if (strcmp(resp->name, "CAPABILITY") == 0)
		set_capabilities(client, resp->args);
	else if (strcmp(resp->name, "BYE") == 0)
		snprintf(client->bye, sizeof(client->bye), "%s", resp->text);
	set_capability_code(client, resp->code);

	if (client->callback != NULL) {
		client->callback(client->callback_context, resp);
		imap_response_free(&resp);
	} else {
		*client->last = resp;
		client->last = &resp->next;
	}
}

static int
handle_tagged(struct imap_client *client, struct imap_response *resp)
{
	struct answer *answer;
	uint64_t tag;

	if (resp->tag[0] != 'A' ||
	    !imap_parse_number(resp->tag + 1, client->last_tag, &tag)) {
		net_line_fail(client->conn, "unknown tag %.40s", resp->tag);
		imap_response_free(&resp);
		return -1;
	}
	set_capability_code(client, resp->code);
	answer = calloc(1, sizeof(*answer));
	if (answer == NULL)
		abort();
	answer->tag = (unsigned int)tag;
	answer->resp = resp;
	answer->next = client->answers;
	client->answers = answer;
	return 0;
}

/* Reads and files one response. */
int imap_read_one(struct imap_client *client)
{
	struct imap_response *resp;

	if (read_response(client, &resp) < 0) {
		imap_lose(client);
		return -1;
	}
	switch (resp->kind) {
	case IMAP_UNTAGGED:
		handle_untagged(client, resp);
		return 0;
	case IMAP_CONTINUE:
		client->continued = true;
		imap_response_free(&resp);
		return 0;
	case IMAP_TAGGED:
		if (handle_tagged(client, resp) < 0) {
			imap_lose(client);
			return -1;
		}
		return 0;
	}
	return -1;
}

struct answer **
imap_find_answer(struct imap_client *client, unsigned int tag)
{
	struct answer **answer;

	for (answer = &client->answers; *answer != NULL;
	     answer = &(*answer)->next) {
		if ((*answer)->tag == tag)
			return answer;
	}
	return NULL;
}

enum imap_status
imap_take_answer(struct imap_client *client, struct answer **_answer)
{
	struct answer *answer = *_answer;
	const char *name = answer->resp->name;

	*_answer = answer->next;
	imap_response_free(&client->replied);
	client->replied = answer->resp;
	free(answer);
	client->reply.code = client->replied->code;
	client->reply.text = client->replied->text;
	client->reply.status = strcmp(name, "OK") == 0 ? IMAP_OK :
		strcmp(name, "NO") == 0 ? IMAP_NO : IMAP_BAD;
	return client->reply.status;
}

