/* old-client: life of the client, the blocking layer, what callers may ask. */

#include "old-client-private.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "strescape.h"
#include "safe-memset.h"
#include "imap-parser.h"
#include "dsasl-client.h"

#include <string.h>

#define OLD_MAX_LINE_DEFAULT (1024 * 1024)
#define OLD_CONNECT_TIMEOUT_DEFAULT (30 * 1000)
#define OLD_CMD_TIMEOUT_DEFAULT (5 * 60 * 1000)

static void
old_settings_copy(pool_t pool, const struct old_client_settings *set,
		  struct old_client_settings *dest)
{
	*dest = *set;
	dest->host = p_strdup(pool, set->host);
	dest->user = p_strdup(pool, set->user == NULL ? "" : set->user);
	dest->master_user = p_strdup_empty(pool, set->master_user);
	dest->password = p_strdup(pool, set->password == NULL ? "" :
				  set->password);
	dest->sasl_mechanisms = p_strdup_empty(pool, set->sasl_mechanisms);
	dest->rawlog_dir = p_strdup_empty(pool, set->rawlog_dir);
	dest->temp_path_prefix = p_strdup(pool,
		set->temp_path_prefix != NULL ? set->temp_path_prefix :
		"/tmp/dovecot.migration.");
	ssl_iostream_settings_init_from(pool, &dest->ssl_set, &set->ssl_set);
	dest->ssl_set.allow_invalid_cert = !set->ssl_verify;
	dest->ssl_set.verbose_invalid_cert = set->ssl_verify;
	if (dest->connect_timeout_msecs == 0)
		dest->connect_timeout_msecs = OLD_CONNECT_TIMEOUT_DEFAULT;
	if (dest->cmd_timeout_msecs == 0)
		dest->cmd_timeout_msecs = OLD_CMD_TIMEOUT_DEFAULT;
	if (dest->max_line == 0)
		dest->max_line = OLD_MAX_LINE_DEFAULT;
}

struct old_client *
old_client_init(const struct old_client_settings *set, struct event *parent)
{
	pool_t pool = pool_alloconly_create("old client", 2048);
	struct old_client *client = p_new(pool, struct old_client, 1);

	client->pool = pool;
	client->fd = -1;
	client->claim = OLD_CLAIM_LOOK;
	old_settings_copy(pool, set, &client->set);
	client->event = event_create(parent);
	event_set_append_log_prefix(client->event, t_strdup_printf(
		"old server %s:%u: ", set->host, set->port));
	client->out = buffer_create_dynamic(default_pool, 1024);
	client->server = old_quirks_find("", client);
	i_array_init(&client->queue, 16);
	i_array_init(&client->sent, 16);
	dsasl_clients_init();
	return client;
}

unsigned int old_client_set_patience(struct old_client *client,
				     unsigned int msecs)
{
	unsigned int old_msecs = client->set.cmd_timeout_msecs;

	i_assert(array_count(&client->sent) == 0);
	client->set.cmd_timeout_msecs = msecs;
	return old_msecs;
}

void old_client_deinit(struct old_client **_client)
{
	struct old_client *client = *_client;

	if (client == NULL)
		return;
	*_client = NULL;
	i_assert(client->depth == 0);

	old_client_disconnect(client, "no longer needed");
	timeout_remove(&client->to_flush);
	i_assert(array_count(&client->queue) == 0);
	array_free(&client->queue);
	array_free(&client->sent);
	buffer_free(&client->out);
	i_free(client->capabilities);
	i_free(client->enabled);
	i_free(client->greeting);
	i_free(client->error);
	i_free(client->ips);
	if (client->ssl_ctx != NULL)
		ssl_iostream_context_unref(&client->ssl_ctx);
	event_unref(&client->event);
	safe_memset((void *)client->set.password, 0,
		    strlen(client->set.password));
	dsasl_clients_deinit();
	pool_unref(&client->pool);
}

void old_client_enter(struct old_client *client)
{
	client->depth++;
}

static void old_client_disconnect_now(struct old_client *client)
{
	client->failing = FALSE;
	client->lost_count++;
	e_debug(client->event, "Disconnected: %s", client->error);
	/* what callbacks send now waits for the next connection */
	client->depth++;
	old_connection_close(client);
	timeout_remove(&client->to_flush);
	old_command_abort_all(client);
	client->depth--;
	old_client_check_stop(client);
}

bool old_client_leave(struct old_client *client)
{
	i_assert(client->depth > 0);

	if (--client->depth > 0)
		return !client->failing;
	if (client->failing) {
		old_client_disconnect_now(client);
		return FALSE;
	}
	old_connection_update_timeout(client);
	old_client_check_stop(client);
	return client->state != OLD_STATE_DISCONNECTED;
}

int old_client_fail(struct old_client *client, enum mail_error code,
		    const char *fmt, ...)
{
	va_list args;

	if (client->failing)
		return -1;
	va_start(args, fmt);
	i_free(client->error);
	client->error = i_strdup_vprintf(fmt, args);
	va_end(args);
	client->error_code = code;
	client->failing = TRUE;
	return -1;
}

void old_client_disconnect(struct old_client *client, const char *reason)
{
	if (client->state == OLD_STATE_DISCONNECTED &&
	    array_count(&client->queue) == 0)
		return;
	client->leaving = TRUE;
	old_client_enter(client);
	(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			      "Disconnected from the old server: %s", reason);
	(void)old_client_leave(client);
}

void old_client_switch_ioloop(struct old_client *client)
{
	if (client->to_flush != NULL)
		client->to_flush = io_loop_move_timeout(&client->to_flush);
	old_connection_switch_ioloop(client);
}

/*
 * The blocking layer
 */

static bool old_client_is_idle(const struct old_client *client)
{
	return client->to_flush == NULL && array_count(&client->queue) == 0 &&
		array_count(&client->sent) == 0 && client->writing == NULL &&
		(client->state == OLD_STATE_DISCONNECTED ||
		 client->state == OLD_STATE_READY);
}

void old_client_check_stop(struct old_client *client)
{
	if (client->ioloop != NULL && client->depth == 0 &&
	    old_client_is_idle(client))
		io_loop_stop(client->ioloop);
}

static void old_client_run(struct old_client *client)
{
	struct ioloop *prev = current_ioloop, *ioloop;

	i_assert(client->ioloop == NULL && client->depth == 0);

	client->ioloop = ioloop = io_loop_create();
	old_client_switch_ioloop(client);
	if (!old_client_is_idle(client))
		io_loop_run(ioloop);

	client->ioloop = NULL;
	io_loop_set_current(prev);
	old_client_switch_ioloop(client);
	io_loop_set_current(ioloop);
	io_loop_destroy(&ioloop);
}

static int
old_client_result(struct old_client *client, bool ok,
		  enum mail_error *error_code_r, const char **error_r)
{
	if (ok)
		return 0;
	*error_code_r = client->error_code;
	*error_r = t_strdup(client->error);
	return -1;
}

int old_client_connect(struct old_client *client,
		       enum mail_error *error_code_r, const char **error_r)
{
	/* the server may have gone while no ioloop looked */
	if (client->state == OLD_STATE_READY)
		old_connection_input(client);
	if (client->state == OLD_STATE_READY)
		return 0;
	if (client->state == OLD_STATE_DISCONNECTED)
		old_command_schedule(client);
	old_client_run(client);
	return old_client_result(client, client->state == OLD_STATE_READY,
				 error_code_r, error_r);
}

int old_client_wait(struct old_client *client,
		    enum mail_error *error_code_r, const char **error_r)
{
	unsigned int lost_count = client->lost_count;

	if (old_client_is_idle(client))
		return 0;
	old_client_run(client);
	return old_client_result(client, client->lost_count == lost_count,
				 error_code_r, error_r);
}

/*
 * What callers may ask
 */

static bool old_words_have(const char *words, const char *word)
{
	return words != NULL &&
		str_array_icase_find(t_strsplit_spaces(words, " "), word);
}

bool old_client_has(const struct old_client *client, const char *capability)
{
	bool ret;

	T_BEGIN {
		ret = old_words_have(client->capabilities, capability) ||
			(strcasecmp(capability, "CONDSTORE") == 0 &&
			 old_words_have(client->capabilities, "QRESYNC"));
	} T_END;
	return ret;
}

bool old_client_enabled(const struct old_client *client, const char *extension)
{
	bool ret;

	T_BEGIN {
		ret = old_words_have(client->enabled, extension) ||
			(strcasecmp(extension, "CONDSTORE") == 0 &&
			 old_words_have(client->enabled, "QRESYNC"));
	} T_END;
	return ret;
}

enum old_quirks old_client_quirks(const struct old_client *client)
{
	return client->server->quirks;
}

const char *old_client_server(const struct old_client *client)
{
	return client->server->name;
}

bool old_client_login_refused(const struct old_client *client)
{
	return client->login_refused;
}

unsigned int old_client_losses(const struct old_client *client)
{
	return client->lost_count;
}

bool old_client_is_connected(const struct old_client *client)
{
	return client->state == OLD_STATE_READY;
}

unsigned int old_client_pending(const struct old_client *client)
{
	return array_count(&client->queue) + array_count(&client->sent);
}

const struct old_client_counters *
old_client_counters(struct old_client *client)
{
	client->counters.bytes_in = client->closed_in;
	client->counters.bytes_out = client->closed_out;
	if (client->input != NULL)
		client->counters.bytes_in += client->input->v_offset;
	if (client->output != NULL)
		client->counters.bytes_out += client->raw_output->offset;
	return &client->counters;
}

#undef old_client_set_untagged
void old_client_set_untagged(struct old_client *client,
			     old_untagged_callback_t *callback, void *context)
{
	client->untagged = callback;
	client->untagged_context = context;
}
