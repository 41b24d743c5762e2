/* old-limit: what the client may take of the old server (old-limits.h), and when
   that wants less of us (old-throttle.h). */

#include "old-client-private.h"
#include "ioloop.h"
#include "istream.h"
#include "old-throttle.h"

/* A connection of another process may end each moment. */
#define SLOT_MSECS 100

static void limit_fail(struct old_client *client, enum old_failure failure,
		       const char *error)
{
	client->failure = failure;
	client->held_back = TRUE;
	(void)old_client_fail(client, failure == OLD_FAILURE_DAILY ?
			      MAIL_ERROR_LIMIT : MAIL_ERROR_UNAVAILABLE,
			      "%s", error);
}

/*
 * Connecting
 */

static void limit_try_slot(struct old_client *client)
{
	old_client_enter(client);
	timeout_remove(&client->to_slot);
	old_limit_connect(client);
	(void)old_client_leave(client);
}

void old_limit_connect(struct old_client *client)
{
	const char *error;
	enum old_failure failure = old_limits_connect(client->set.limits,
						      client->claim, &error);

	client->leaving = client->held_back = FALSE;
	client->failure = failure;
	if (failure == OLD_FAILURE_NONE) {
		client->counted = TRUE;
		old_connection_begin(client);
	} else if (failure == OLD_FAILURE_NO_SLOT) {
		client->to_slot = timeout_add_short(SLOT_MSECS, limit_try_slot,
						    client);
	} else {
		limit_fail(client, failure, error);
	}
}

/* Before the login is done it's nobody's fault but the server's, if nothing else
   is known. */
static enum old_failure end_failure(const struct old_client *client)
{
	if (client->failure != OLD_FAILURE_NONE)
		return client->failure;
	if (client->login_refused)
		return OLD_FAILURE_LOGIN;
	return client->state == OLD_STATE_READY ? OLD_FAILURE_NONE :
		OLD_FAILURE_UNREACHABLE;
}

static void limit_failed(struct old_client *client, enum old_failure failure)
{
	unsigned int secs = old_limits_failed(client->set.limits, failure);

	if (secs > 0) {
		e_warning(client->event, "migration: It's left alone for %u "
			  "seconds: %s", secs, client->error);
	}
}

void old_limit_disconnected(struct old_client *client)
{
	enum old_failure failure = end_failure(client);

	timeout_remove(&client->to_slot);
	timeout_remove(&client->to_pause);
	/* what was refused here isn't news */
	if (!client->counted)
		return;
	client->counted = FALSE;
	if (failure != OLD_FAILURE_NONE && failure != OLD_FAILURE_DAILY &&
	    !client->leaving)
		limit_failed(client, failure);
	old_limits_disconnected(client->set.limits);
}

/*
 * Reading
 */

static void limit_resume(struct old_client *client)
{
	timeout_remove(&client->to_pause);
	old_connection_set_reading(client, TRUE);
}

/* Bodies are read by others, past what is counted here: their stream tells. */
static uint64_t bytes_since(struct old_client *client)
{
	uoff_t offset = client->input->v_offset +
		i_stream_get_data_size(client->input);
	uint64_t bytes = offset - client->limited_offset;

	client->limited_offset = offset;
	return bytes;
}

bool old_limit_read(struct old_client *client)
{
	const char *error;
	unsigned int msecs;

	if (old_limits_read(client->set.limits, client->claim,
			    bytes_since(client), &msecs,
			    &error) != OLD_FAILURE_NONE) {
		limit_fail(client, OLD_FAILURE_DAILY, error);
		return FALSE;
	}
	if (msecs == 0 || client->state != OLD_STATE_READY)
		return TRUE;
	old_connection_set_reading(client, FALSE);
	timeout_remove(&client->to_pause);
	client->to_pause = timeout_add_short(msecs, limit_resume, client);
	return FALSE;
}

bool old_client_held_back(const struct old_client *client)
{
	return client->held_back;
}

enum old_claim old_client_set_claim(struct old_client *client,
				    enum old_claim claim)
{
	enum old_claim old_claim = client->claim;

	client->claim = claim;
	if (claim == OLD_CLAIM_WAITED && client->to_pause != NULL)
		limit_resume(client);
	return old_claim;
}

void old_limit_switch_ioloop(struct old_client *client)
{
	if (client->to_slot != NULL)
		client->to_slot = io_loop_move_timeout(&client->to_slot);
	if (client->to_pause != NULL)
		client->to_pause = io_loop_move_timeout(&client->to_pause);
}

/*
 * What it says
 */

static enum old_failure failure_of(enum old_throttle throttle)
{
	switch (throttle) {
	case OLD_THROTTLE_LESS:
		return OLD_FAILURE_THROTTLED;
	case OLD_THROTTLE_ACCOUNT:
		return OLD_FAILURE_USER;
	case OLD_THROTTLE_NO:
	case OLD_THROTTLE_IN_USE:
		break;
	}
	return OLD_FAILURE_NONE;
}

void old_limit_refused(struct old_client *client, const char *code,
		       const char *text)
{
	enum old_failure failure = failure_of(old_throttle_find(code, text));

	if (failure == OLD_FAILURE_NONE)
		return;
	if (client->state == OLD_STATE_READY &&
	    (client->set.limits == NULL || client->claim == OLD_CLAIM_WAITED)) {
		(void)old_limits_failed(client->set.limits, failure);
		return;
	}
	client->failure = failure;
	/* who goes on asking isn't liked the better for it */
	if (client->state == OLD_STATE_READY)
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server wants less of us: %s",
			old_reply_clean(text));
}

/* Of a session that was logged in it says nothing about others. */
void old_limit_bye(struct old_client *client, const char *code,
		   const char *text)
{
	enum old_failure failure = failure_of(old_throttle_find(code, text));

	if (failure != OLD_FAILURE_NONE)
		client->failure = failure;
}
