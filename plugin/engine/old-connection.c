/* old-connection: socket, TLS, timeouts and the end of a connection. */

#include "old-client-private.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream.h"
#include "iostream-rawlog.h"
#include "imap-parser.h"
#include "dsasl-client.h"

#include <unistd.h>

#define OLD_READ_SIZE (64 * 1024)
#define OLD_WRITE_SIZE (128 * 1024)
/* Reads in one go, before others in the ioloop have their turn. */
#define OLD_READS_A_TURN 64

static void old_connection_ip_failed(struct old_client *client, int err);
static void old_connection_connect_ip(struct old_client *client);

#ifdef HAVE_IMAP_PARSER_PARAMS
static struct imap_parser *
old_parser_create(struct istream *input, size_t max_size)
{
	/* nesting is limited by old-input.c in all versions */
	const struct imap_parser_params params = { .list_count_limit = 0 };

	return imap_parser_create(input, NULL, max_size, &params);
}
#else
static struct imap_parser *
old_parser_create(struct istream *input, size_t max_size)
{
	return imap_parser_create(input, NULL, max_size);
}
#endif

/* What to say when a stream has ended. */
static const char *old_connection_reason(struct old_client *client)
{
	const char *reason = NULL;

	if (client->ssl_iostream != NULL)
		reason = ssl_iostream_get_last_error(client->ssl_iostream);
	if (reason != NULL)
		return reason;
	if (client->input->stream_errno != 0)
		return i_stream_get_error(client->input);
	if (client->output->stream_errno != 0)
		return o_stream_get_error(client->output);
	return "it closed the connection";
}

static void old_connection_lost(struct old_client *client)
{
	bool in_tls = client->ssl_iostream != NULL &&
		!ssl_iostream_is_handshaked(client->ssl_iostream);

	(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			      in_tls ? "TLS with the old server failed: %s" :
			      "Lost the old server: %s",
			      old_connection_reason(client));
}

static void old_connection_timeout(struct old_client *client)
{
	unsigned int msecs = client->state == OLD_STATE_READY ?
		client->set.cmd_timeout_msecs :
		client->set.connect_timeout_msecs;
	const char *doing = client->to_slot != NULL ?
		"had no free connection (migration_old_connections)" :
		client->state == OLD_STATE_READY ? "didn't answer" : client->state == OLD_STATE_CONNECTING ?
		"couldn't be reached" : "didn't finish the login";

	old_client_enter(client);
	if (client->state == OLD_STATE_CONNECTING && client->to_slot == NULL &&
	    client->ip_idx + 1 < client->ips_count) {
		io_remove(&client->io);
		i_close_fd(&client->fd);
		timeout_reset(client->to);
		old_connection_ip_failed(client, ETIMEDOUT);
	} else {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
				      "The old server %s in %u.%03u seconds",
				      doing, msecs / 1000, msecs % 1000);
	}
	(void)old_client_leave(client);
}

void old_connection_input(struct old_client *client)
{
	unsigned int i;
	uoff_t offset;
	ssize_t ret = 0;

	/* who connects calls it as well */
	if (client->to_pause != NULL)
		return;
	old_client_enter(client);
	for (i = 0; i < OLD_READS_A_TURN; i++) {
		ret = i_stream_read(client->input);
		offset = client->input->v_offset;
		if (old_input(client) < 0)
			break;
		if (ret == -2 && client->input->v_offset == offset) {
			(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
				"The old server sent a line that is too long");
			break;
		}
		if (ret == 0 || ret == -1)
			break;
		if (!old_limit_read(client))
			break;
	}
	if (ret == -1 && !client->failing)
		old_connection_lost(client);
	if (i == OLD_READS_A_TURN)
		io_set_pending(client->io);
	if (client->to != NULL && client->state == OLD_STATE_READY)
		timeout_reset(client->to);
	(void)old_client_leave(client);
}

static int old_connection_output(struct old_client *client)
{
	int ret;

	old_client_enter(client);
	ret = o_stream_flush(client->output);
	if (ret < 0)
		old_connection_lost(client);
	else if (ret > 0)
		ret = old_output(client);
	if (client->to != NULL && client->state == OLD_STATE_READY)
		timeout_reset(client->to);
	if (!old_client_leave(client))
		return -1;
	return ret;
}

/* A rawlog, the flush callback and the parser on top of the present streams. */
static void old_connection_use_streams(struct old_client *client)
{
	client->raw_input = client->input;
	client->raw_output = client->output;
	client->limited_offset = 0;
	if (client->set.rawlog_dir != NULL) {
		iostream_rawlog_create(client->set.rawlog_dir,
				       &client->input, &client->output);
	}
	o_stream_set_no_error_handling(client->output, TRUE);
	o_stream_set_flush_callback(client->output, old_connection_output,
				    client);
	client->io = io_add_istream(client->input, old_connection_input,
				    client);
	if (client->parser != NULL)
		imap_parser_unref(&client->parser);
	client->parser = old_parser_create(client->input,
		client->set.max_line + OLD_MAX_LITERAL);
}

static int old_connection_init_ssl(struct old_client *client)
{
	const char *error;

	if (client->ssl_ctx != NULL)
		return 0;
	if (ssl_iostream_client_context_cache_get(&client->set.ssl_set,
						  &client->ssl_ctx,
						  &error) < 0) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"TLS to the old server can't be set up: %s", error);
	}
	return 0;
}

/* Take the rawlog off again: TLS goes below it. */
static void old_connection_unwrap(struct old_client *client)
{
	io_remove(&client->io);
	o_stream_unset_flush_callback(client->output);
	client->closed_in += client->input->v_offset;
	client->closed_out += client->raw_output->offset;
	if (client->input == client->raw_input)
		return;
	i_stream_ref(client->raw_input);
	o_stream_ref(client->raw_output);
	i_stream_destroy(&client->input);
	o_stream_destroy(&client->output);
	client->input = client->raw_input;
	client->output = client->raw_output;
}

int old_connection_start_tls(struct old_client *client)
{
	const char *error;

	if (old_connection_init_ssl(client) < 0)
		return -1;
	old_connection_unwrap(client);
	if (io_stream_create_ssl_client(client->ssl_ctx, client->set.host,
					&client->set.ssl_set, &client->input,
					&client->output, &client->ssl_iostream,
					&error) < 0) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"TLS to the old server can't be set up: %s", error);
	}
	ssl_iostream_set_log_prefix(client->ssl_iostream, t_strdup_printf(
		"%s: ", client->set.host));
	old_connection_use_streams(client);
	if (ssl_iostream_handshake(client->ssl_iostream) < 0) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"TLS with the old server failed: %s",
			ssl_iostream_get_last_error(client->ssl_iostream));
	}
	return 0;
}

/* The next address, when there is one. */
static void old_connection_ip_failed(struct old_client *client, int err)
{
	const struct ip_addr *ip = &client->ips[client->ip_idx];

	e_debug(client->event, "connect(%s) failed: %s",
		net_ip2addr(ip), strerror(err));
	if (++client->ip_idx < client->ips_count) {
		old_connection_connect_ip(client);
		return;
	}
	(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			      "The old server can't be reached: %s",
			      strerror(err));
}

static void old_connection_connected(struct old_client *client)
{
	int err = net_geterror(client->fd);

	old_client_enter(client);
	io_remove(&client->io);
	if (err != 0) {
		i_close_fd(&client->fd);
		old_connection_ip_failed(client, err);
		(void)old_client_leave(client);
		return;
	}
	client->state = OLD_STATE_GREETING;
	client->input_state = OLD_INPUT_TAG;
	(void)net_set_tcp_nodelay(client->fd, TRUE);
	/* the largest token that imap_parser keeps is a literal or an atom */
	client->input = i_stream_create_fd(client->fd,
		I_MAX(client->set.max_line, OLD_MAX_LITERAL) + OLD_READ_SIZE);
	i_stream_set_init_buffer_size(client->input, OLD_READ_SIZE);
	client->output = o_stream_create_fd(client->fd, OLD_WRITE_SIZE);
	old_connection_use_streams(client);
	if (client->set.ssl_mode == OLD_SSL_IMAPS)
		(void)old_connection_start_tls(client);
	(void)old_client_leave(client);
}

static void old_connection_connect_ip(struct old_client *client)
{
	const struct ip_addr *ip = &client->ips[client->ip_idx];

	client->fd = net_connect_ip(ip, client->set.port, NULL);
	if (client->fd == -1) {
		old_connection_ip_failed(client, errno);
		return;
	}
	client->io = io_add(client->fd, IO_WRITE, old_connection_connected,
			    client);
}

static int old_connection_resolve(struct old_client *client)
{
	struct ip_addr ip, *ips = &ip;
	unsigned int count = 1;
	int ret;

	if (net_addr2ip(client->set.host, &ip) < 0) {
		ret = net_gethostbyname(client->set.host, &ips, &count);
		if (ret != 0 || count == 0) {
			return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
				"The old server's name %s can't be found: %s",
				client->set.host, net_gethosterror(ret));
		}
	}
	i_free(client->ips);
	client->ips = i_new(struct ip_addr, count);
	memcpy(client->ips, ips, sizeof(*ips) * count);
	client->ips_count = count;
	client->ip_idx = 0;
	return 0;
}

void old_connection_begin(struct old_client *client)
{
	if (client->set.ssl_mode != OLD_SSL_NONE &&
	    old_connection_init_ssl(client) < 0)
		return;
	if (old_connection_resolve(client) == 0)
		old_connection_connect_ip(client);
}

void old_connection_start(struct old_client *client)
{
	i_assert(client->state == OLD_STATE_DISCONNECTED);

	client->state = OLD_STATE_CONNECTING;
	client->login_refused = FALSE;
	client->have_capabilities = FALSE;
	i_free(client->enabled);
	client->to = timeout_add_short(client->set.connect_timeout_msecs,
				       old_connection_timeout, client);
	old_limit_connect(client);
}

void old_connection_set_reading(struct old_client *client, bool reading)
{
	io_remove(&client->io);
	if (reading) {
		client->io = io_add_istream(client->input,
					    old_connection_input, client);
		io_set_pending(client->io);
	}
	old_connection_update_timeout(client);
}

void old_connection_close(struct old_client *client)
{
	old_limit_disconnected(client);
	client->state = OLD_STATE_DISCONNECTED;
	timeout_remove(&client->to);
	T_BEGIN {
		old_fetch_abort(client, t_strdup(client->error));
	} T_END;
	dsasl_client_free(&client->sasl);
	if (client->out_stream != NULL)
		i_stream_unref(&client->out_stream);
	client->wait_plus = FALSE;
	buffer_set_used_size(client->out, 0);
	if (client->parser != NULL)
		imap_parser_unref(&client->parser);
	io_remove(&client->io);
	if (client->ssl_iostream != NULL)
		ssl_iostream_destroy(&client->ssl_iostream);
	if (client->input != NULL) {
		client->closed_in += client->input->v_offset;
		client->closed_out += client->raw_output->offset;
		i_stream_destroy(&client->input);
		o_stream_destroy(&client->output);
	}
	if (client->fd != -1) {
		net_disconnect(client->fd);
		client->fd = -1;
	}
}

void old_connection_switch_ioloop(struct old_client *client)
{
	if (client->io != NULL)
		client->io = io_loop_move_io(&client->io);
	if (client->to != NULL)
		client->to = io_loop_move_timeout(&client->to);
	if (client->output != NULL)
		o_stream_switch_ioloop(client->output);
	old_limit_switch_ioloop(client);
}

void old_connection_update_timeout(struct old_client *client)
{
	/* while we don't read, it isn't silent */
	bool pending = client->to_pause == NULL &&
		(array_count(&client->sent) > 0 || client->writing != NULL);

	if (client->state != OLD_STATE_READY)
		return;
	if (!pending)
		timeout_remove(&client->to);
	else if (client->to == NULL) {
		client->to = timeout_add_short(client->set.cmd_timeout_msecs,
					       old_connection_timeout, client);
	}
}
