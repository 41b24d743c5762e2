/*
 * snapshot-take: takes the picture over IMAP and POP3, for snapshot.h
 */
#include "snapshot-take.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool not_recent(const char *flag)
{
	return strcasecmp(flag, "\\Recent") != 0;
}

/*
 * Messages
 */

static void digest_end(struct take *take)
{
	unsigned int size;

	if (EVP_DigestFinal_ex(take->digest, take->body_digest, &size) != 1)
		abort();
}

static void body_sink(void *context, bool begin, const void *data,
		      uint64_t size)
{
	struct take *take = context;

	if (begin) {
		if (EVP_DigestInit_ex(take->digest, EVP_sha256(), NULL) != 1)
			abort();
		return;
	}
	if (EVP_DigestUpdate(take->digest, data, (size_t)size) != 1)
		abort();
}

static struct snapshot_message *
message_for(struct take *take, const struct imap_fetch *fetch)
{
	struct snapshot_folder *folder = take->folder;
	size_t i = folder->count;

	if (i == 0 || folder->messages[i - 1].uid < fetch->uid)
		return snapshot_add_message(folder, fetch->uid);
	/* flag changes, or answers in pieces */
	for (; i > 0; i--) {
		if (folder->messages[i - 1].uid == fetch->uid &&
		    !(fetch->has_body && folder->messages[i - 1].has_digest))
			return &folder->messages[i - 1];
		if (fetch->has_body)
			break;
	}
	return snapshot_add_message(folder, fetch->uid);
}

static void store_fetch(struct take *take, const struct imap_fetch *fetch)
{
	struct snapshot_message *msg = message_for(take, fetch);
	time_t instant;

	if (fetch->has_flags) {
		msg->flags = take_join_flags(take->snapshot, fetch->flags,
					     not_recent);
		msg->has_flags = true;
	}
	if (fetch->internaldate != NULL) {
		if (imap_parse_date(fetch->internaldate, &instant) == 0) {
			msg->instant = instant;
			msg->has_date = true;
		} else {
			snapshot_folder_fail(take->folder, "UID %u: "
				"INTERNALDATE %s", fetch->uid,
				fetch->internaldate);
		}
	}
	if (fetch->has_size) {
		msg->size = fetch->size;
		msg->has_size = true;
	}
	if (fetch->has_body) {
		memcpy(msg->digest, take->body_digest, sizeof(msg->digest));
		msg->has_digest = true;
	}
}

static void untagged(void *context, const struct imap_response *resp)
{
	struct take *take = context;
	struct imap_fetch fetch;

	if (strcmp(resp->name, "FETCH") != 0)
		return;
	if (!imap_parse_fetch(resp, &fetch)) {
		snapshot_folder_fail(take->folder, "FETCH %u makes no sense",
				     resp->number);
		return;
	}
	if (fetch.uid == 0) {
		if (fetch.has_body || fetch.has_size) {
			snapshot_folder_fail(take->folder,
					     "FETCH %u without a UID",
					     fetch.seq);
		}
		return;
	}
	if (fetch.has_body && !resp->sunk) {
		body_sink(take, true, NULL, fetch.body_size);
		body_sink(take, false, fetch.body, fetch.body_size);
	}
	if (fetch.has_body)
		digest_end(take);
	store_fetch(take, &fetch);
}

static void check_complete(struct take *take, const struct imap_box *box)
{
	const bool bodies = (take->source->flags & SNAPSHOT_NO_BODIES) == 0;
	struct snapshot_folder *folder = take->folder;
	const struct snapshot_message *msg;
	size_t i;

	for (i = 0; i < folder->count; i++) {
		msg = &folder->messages[i];
		if (!msg->has_flags || !msg->has_date || !msg->has_size ||
		    (bodies && !msg->has_digest)) {
			snapshot_folder_fail(folder, "UID %u: the server "
				"didn't give everything", msg->uid);
		}
	}
	if (folder->count < box->exists &&
	    folder->count < imap_exists(take->client)) {
		snapshot_folder_fail(folder, "%u messages exist, %zu came",
				     imap_exists(take->client), folder->count);
	}
}

/* Those who don't tell UIDNEXT at SELECT tell it in STATUS. */
static void ask_uidnext(struct take *take, const char *server_name)
{
	const struct imap_response *resp;
	const struct imap_arg *arg;
	unsigned int tag = imap_start(take->client);
	uint64_t number;

	imap_text(take->client, "STATUS ");
	imap_mailbox(take->client, server_name);
	imap_text(take->client, " (UIDNEXT)");
	imap_end(take->client);
	if (imap_wait(take->client, tag) != IMAP_OK)
		return;
	resp = imap_find(imap_untagged(take->client), "STATUS");
	arg = resp == NULL || resp->args == NULL ? NULL : resp->args->next;
	arg = arg == NULL ? NULL : arg->child;
	if (imap_arg_is(arg, "UIDNEXT") && arg->next != NULL &&
	    arg->next->type == IMAP_ARG_ATOM &&
	    imap_parse_number(arg->next->data, UINT32_MAX, &number))
		take->folder->uidnext = (uint32_t)number;
	imap_clear(take->client);
}

static int read_messages(struct take *take, const struct imap_box *box)
{
	enum imap_status status;

	if (box->exists == 0)
		return 0;
	imap_clear(take->client);
	imap_set_untagged(take->client, untagged, take);
	imap_set_sink(take->client, body_sink, 0, take);
	status = imap_run(take->client,
			  "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE%s)",
			  (take->source->flags & SNAPSHOT_NO_BODIES) != 0 ?
			  "" : " BODY.PEEK[]");
	imap_set_untagged(take->client, NULL, NULL);
	imap_set_sink(take->client, NULL, 0, NULL);
	if (status == IMAP_LOST)
		return -1;
	if (status != IMAP_OK) {
		snapshot_folder_fail(take->folder, "FETCH: %s",
				     imap_error(take->client));
	}
	check_complete(take, box);
	return 0;
}

static int read_folder(struct take *take, const char *server_name)
{
	struct imap_box box;
	enum imap_status status;

	status = (take->source->flags & SNAPSHOT_SELECT) != 0 ?
		imap_select(take->client, server_name, &box) :
		imap_examine(take->client, server_name, &box);
	if (status == IMAP_LOST)
		return -1;
	if (status != IMAP_OK) {
		snapshot_folder_fail(take->folder, "EXAMINE: %s",
				     imap_error(take->client));
		return 0;
	}
	take->folder->uidvalidity = box.uidvalidity;
	take->folder->uidnext = box.uidnext;
	imap_clear(take->client);
	if (box.uidnext == 0)
		ask_uidnext(take, server_name);
	return read_messages(take, &box);
}

static int read_folders(struct take *take)
{
	size_t i;

	for (i = 0; i < take->snapshot->count; i++) {
		take->folder = &take->snapshot->folders[i];
		if (take->folder->selectable &&
		    read_folder(take, take->server_names[i]) < 0)
			return -1;
	}
	return 0;
}

static int take_imap(struct take *take)
{
	const struct snapshot_source *source = take->source;
	const char *error;
	int ret;

	if (imap_open(source->imap, source->user, source->password,
		      source->timeout_ms, &take->client, &error) < 0) {
		snprintf(take->error, sizeof(take->error), "%s", error);
		return -1;
	}
	take_find_prefix(take);
	ret = take_list_folders(take);
	if (ret == 0)
		ret = take_list_subscriptions(take);
	if (ret == 0)
		ret = read_folders(take);
	if (ret < 0) {
		snprintf(take->error, sizeof(take->error), "%s",
			 imap_error(take->client));
		imap_free(&take->client);
	}
	imap_logout(&take->client);
	return ret;
}

/*
 * POP3
 */

/* Sizes go to where the UIDLs are; both lists are in order. */
static int join_sizes(struct pop3_list *uidls, const struct pop3_list *sizes)
{
	size_t i;

	if (uidls->count != sizes->count)
		return -1;
	for (i = 0; i < uidls->count; i++) {
		if (uidls->items[i].number != sizes->items[i].number)
			return -1;
		uidls->items[i].size = sizes->items[i].size;
	}
	return 0;
}

static int take_pop3(struct take *take)
{
	const struct snapshot_source *source = take->source;
	struct pop3_list sizes = { .items = NULL };
	struct pop3_client *client;
	const char *error;
	int ret = -1;

	if (pop3_open(source->pop3, source->user, source->password,
		      source->timeout_ms, &client, &error) < 0) {
		snprintf(take->error, sizeof(take->error), "POP3: %s", error);
		return -1;
	}
	if (pop3_uidl(client, &take->snapshot->pop3) != POP3_OK ||
	    pop3_list(client, &sizes) != POP3_OK) {
		snprintf(take->error, sizeof(take->error), "POP3: %s",
			 pop3_error(client));
	} else if (join_sizes(&take->snapshot->pop3, &sizes) < 0) {
		snprintf(take->error, sizeof(take->error),
			 "POP3: UIDL and LIST don't match");
	} else {
		ret = 0;
	}
	pop3_list_free(&sizes);
	take->snapshot->has_pop3 = true;
	(void)pop3_quit(&client);
	return ret;
}

int snapshot_take(const struct snapshot_source *source,
		  struct snapshot **snapshot_r, const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	struct take take = {
		.source = source,
		.snapshot = snapshot_new(),
		.digest = EVP_MD_CTX_new()
	};
	size_t i;
	int ret;

	if (take.digest == NULL)
		abort();
	ret = take_imap(&take);
	if (ret == 0 && source->pop3 != NULL)
		ret = take_pop3(&take);
	EVP_MD_CTX_free(take.digest);
	free(take.prefix);
	for (i = 0; i < take.snapshot->count; i++)
		free(take.server_names[i]);
	free(take.server_names);
	if (ret < 0) {
		snprintf(error, sizeof(error), "%s", take.error);
		*error_r = error;
		snapshot_free(&take.snapshot);
	} else {
		snapshot_finish(take.snapshot);
	}
	*snapshot_r = take.snapshot;
	return ret;
}
