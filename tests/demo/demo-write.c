#include "demo-write.h"

#include <stdlib.h>
#include <string.h>

/*
 * Looking things up
 */

/* The UIDs of a search in the selected mailbox: *uid_r is the last one, or 0. */
static enum imap_status
search(struct demo_session *session, const char *key, const char *value,
       uint32_t *uid_r)
{
	const struct imap_response *resp;
	const struct imap_arg *arg;
	enum imap_status status;
	uint64_t uid = 0;

	*uid_r = 0;
	imap_clear(session->client);
	status = imap_run(session->client, "UID SEARCH %s %s", key, value);
	if (status != IMAP_OK)
		return status;
	resp = imap_find(imap_untagged(session->client), "SEARCH");
	for (arg = resp == NULL ? NULL : resp->args; arg != NULL;
	     arg = arg->next) {
		if (imap_parse_number(arg->data, UINT32_MAX, &uid))
			*uid_r = (uint32_t)uid;
	}
	return IMAP_OK;
}

static enum imap_status
search_id(struct demo_session *session, const char *message_id, uint32_t *uid_r)
{
	return search(session, "HEADER Message-ID", message_id, uid_r);
}

static enum imap_status
search_uid(struct demo_session *session, uint32_t uid, bool *found_r)
{
	char value[16];
	uint32_t found;
	enum imap_status status;

	snprintf(value, sizeof(value), "%u", uid);
	status = search(session, "UID", value, &found);
	*found_r = found == uid;
	return status;
}

/* In Trash; INBOX is selected again afterwards. */
static enum imap_status
search_trash(struct demo_session *session, const char *message_id,
	     uint32_t *uid_r)
{
	struct imap_client *client = session->client;
	struct imap_box box;
	enum imap_status status;

	status = imap_select(client, demo_folder_name(session->user,
						      JOURNAL_TRASH), &box);
	if (status == IMAP_OK)
		status = search_id(session, message_id, uid_r);
	if (status == IMAP_OK)
		status = imap_select(client, "INBOX", &box);
	return status;
}

/*
 * Writing
 */

static enum imap_status
run_append(struct demo_session *session, struct demo_write *write)
{
	enum imap_status status;
	char date[IMAP_DATE_SIZE];

	imap_format_date(write->data->instant, write->data->zone, date);
	status = imap_append(session->client, "INBOX", write->flags, date,
			     write->data->data, write->data->size,
			     &write->new_uid);
	if (status == IMAP_OK && write->new_uid == 0)
		status = search_id(session, write->message_id, &write->new_uid);
	return status;
}

static enum imap_status
run_flag(struct demo_session *session, const struct demo_write *write)
{
	return imap_run(session->client, "UID STORE %u %sFLAGS (%s)",
			write->uid, write->add ? "+" : "-", write->flag);
}

/* COPYUID stands in an untagged OK, or in the tagged one. */
static uint32_t find_copyuid(struct imap_client *client)
{
	const struct imap_response *resp;
	const char *code = imap_reply(client)->code;
	uint32_t uidvalidity;
	uint64_t uid = 0;
	char *from, *to;

	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (resp->code != NULL &&
		    strncasecmp(resp->code, "COPYUID ", 8) == 0)
			code = resp->code;
	}
	if (code == NULL ||
	    !imap_parse_copyuid(code, &uidvalidity, &from, &to))
		return 0;
	if (!imap_parse_number(to, UINT32_MAX, &uid))
		uid = 0;
	free(from);
	free(to);
	return (uint32_t)uid;
}

static enum imap_status
run_move(struct demo_session *session, struct demo_write *write)
{
	struct imap_client *client = session->client;
	enum imap_status status;
	unsigned int tag;

	imap_clear(client);
	tag = imap_start(client);
	imap_text(client, "UID MOVE %u ", write->uid);
	imap_mailbox(client, demo_folder_name(session->user, JOURNAL_TRASH));
	imap_end(client);
	status = imap_wait(client, tag);
	if (status != IMAP_OK)
		return status;
	write->new_uid = find_copyuid(client);
	return write->new_uid != 0 ? IMAP_OK :
		search_trash(session, write->message_id, &write->new_uid);
}

static enum imap_status
run_expunge(struct demo_session *session, const struct demo_write *write)
{
	struct imap_client *client = session->client;
	uint32_t uid = write->uid;
	unsigned int store, expunge;
	enum imap_status status;

	store = imap_send(client, "UID STORE %u +FLAGS.SILENT (\\Deleted)",
			  uid);
	expunge = imap_send(client, "UID EXPUNGE %u", uid);
	status = imap_wait(client, store);
	if (status == IMAP_LOST)
		return status;
	if (status != IMAP_OK) {
		(void)imap_wait(client, expunge);
		return status;
	}
	return imap_wait(client, expunge);
}

enum imap_status
demo_write_run(struct demo_session *session, struct demo_write *write)
{
	switch (write->type) {
	case WRITE_APPEND:
		return run_append(session, write);
	case WRITE_FLAG:
		return run_flag(session, write);
	case WRITE_MOVE:
		return run_move(session, write);
	case WRITE_EXPUNGE:
		return run_expunge(session, write);
	}
	abort();
}

/*
 * After a lost connection: was it done?
 */

static enum imap_status
look_flag(struct demo_session *session, const struct demo_write *write,
	  bool *done_r)
{
	const uint32_t uid = write->uid;
	const struct imap_response *resp;
	const struct imap_arg *flag;
	struct imap_fetch fetch;
	enum imap_status status;
	bool set = false;

	*done_r = false;
	imap_clear(session->client);
	status = imap_run(session->client, "UID FETCH %u (FLAGS)", uid);
	for (resp = imap_untagged(session->client);
	     status == IMAP_OK && resp != NULL; resp = resp->next) {
		if (!imap_parse_fetch(resp, &fetch) || fetch.uid != uid)
			continue;
		for (flag = fetch.flags; flag != NULL; flag = flag->next)
			set = set || imap_arg_is(flag, write->flag);
		*done_r = set == write->add;
	}
	return status;
}

static enum imap_status
look_gone(struct demo_session *session, const struct demo_write *write,
	  bool *done_r)
{
	enum imap_status status;
	bool found;

	status = search_uid(session, write->uid, &found);
	*done_r = !found;
	return status;
}

enum imap_status
demo_write_look(struct demo_session *session, struct demo_write *write,
		bool *done_r)
{
	enum imap_status status;

	switch (write->type) {
	case WRITE_APPEND:
		status = search_id(session, write->message_id, &write->new_uid);
		*done_r = write->new_uid != 0;
		return status;
	case WRITE_FLAG:
		return look_flag(session, write, done_r);
	case WRITE_MOVE:
		status = look_gone(session, write, done_r);
		if (status == IMAP_OK && *done_r)
			status = search_trash(session, write->message_id,
					      &write->new_uid);
		return status;
	case WRITE_EXPUNGE:
		return look_gone(session, write, done_r);
	}
	abort();
}
