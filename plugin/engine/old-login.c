/* old-login: from the greeting to the end of the login (RFC 3501 6.1, 6.2,
   RFC 4959). The password goes into LOGIN or AUTHENTICATE and nowhere else. */

#include "old-client-private.h"
#include "base64.h"
#include "ioloop.h"
#include "istream.h"
#include "str.h"
#include "dsasl-client.h"

#include <string.h>

static void old_login_authenticate(struct old_client *client);

static bool old_login_lost(const struct old_reply *reply)
{
	/* the disconnect says why */
	return reply->state == OLD_REPLY_LOST;
}

void old_login_set_capabilities(struct old_client *client, const char *caps)
{
	i_free(client->capabilities);
	client->capabilities = i_strdup(caps);
	client->have_capabilities = TRUE;
}

static void old_login_ready(struct old_client *client)
{
	client->state = OLD_STATE_READY;
	client->server = old_quirks_find(client->greeting, client);
	timeout_remove(&client->to);
	e_debug(client->event, "Logged in, server %s", client->server->name);
	old_command_schedule(client);
}

static void
old_login_capability_reply(const struct old_reply *reply,
			   struct old_client *client)
{
	if (old_login_lost(reply))
		return;
	if (!client->have_capabilities) {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server doesn't tell its capabilities");
	} else if (client->logged_in) {
		old_login_ready(client);
	} else {
		old_login_authenticate(client);
	}
}

static void old_login_ask_capabilities(struct old_client *client)
{
	client->have_capabilities = FALSE;
	old_command_send_login(old_command_new(client, "CAPABILITY"),
			       old_login_capability_reply, client);
}

static void old_login_go_on(struct old_client *client)
{
	if (!client->have_capabilities)
		old_login_ask_capabilities(client);
	else if (client->logged_in)
		old_login_ready(client);
	else
		old_login_authenticate(client);
}

/* NO to a login: the user must do something, unless the server says that it
   is only unable right now. */
static bool old_login_is_refusal(const struct old_reply *reply)
{
	if (reply->state != OLD_REPLY_NO)
		return FALSE;
	switch (reply->error_code) {
	case MAIL_ERROR_UNAVAILABLE:
	case MAIL_ERROR_INUSE:
	case MAIL_ERROR_LIMIT:
	case MAIL_ERROR_TEMP:
		return FALSE;
	default:
		return TRUE;
	}
}

static void
old_login_failed(struct old_client *client, const struct old_reply *reply)
{
	const char *text = reply->error;

	/* a server that repeats what we sent */
	if (*client->set.password != '\0' &&
	    strstr(reply->text, client->set.password) != NULL)
		text = "The old server refuses the login";
	client->login_refused = client->failure == OLD_FAILURE_NONE &&
		old_login_is_refusal(reply);
	if (reply->state == OLD_REPLY_NO && !client->login_refused &&
	    client->failure == OLD_FAILURE_NONE)
		client->failure = OLD_FAILURE_USER;
	(void)old_client_fail(client, client->login_refused ? MAIL_ERROR_PERM :
			      reply->state == OLD_REPLY_BAD ?
			      MAIL_ERROR_UNAVAILABLE : reply->error_code,
			      "Login failed: %s", text);
}

static void
old_login_reply(const struct old_reply *reply, struct old_client *client)
{
	dsasl_client_free(&client->sasl);
	if (old_login_lost(reply))
		return;
	if (reply->state != OLD_REPLY_OK) {
		old_login_failed(client, reply);
		return;
	}
	client->logged_in = TRUE;
	old_login_go_on(client);
}

static void old_login_command(struct old_client *client)
{
	struct old_command *cmd = old_command_new(client, "LOGIN");

	cmd->secret = TRUE;
	client->have_capabilities = FALSE;
	old_command_add_string(cmd, client->set.user);
	old_command_add_string(cmd, client->set.password);
	old_command_send_login(cmd, old_login_reply, client);
}

/* The next line of the mechanism in base64, NULL when it has failed. */
static const char *old_login_sasl_line(struct old_client *client)
{
	const unsigned char *output;
	size_t len;
	const char *error;
	string_t *str;

	if (dsasl_client_output(client->sasl, &output, &len, &error) < 0) {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
				      "Login failed: %s", error);
		return NULL;
	}
	str = t_str_new(MAX_BASE64_ENCODED_SIZE(len) + 1);
	base64_encode(output, len, str);
	return str_c(str);
}

static void old_login_plus(struct old_client *client, const char *text)
{
	buffer_t *buf = t_buffer_create(MAX_BASE64_DECODED_SIZE(strlen(text)));
	const char *line, *error;

	if (base64_decode(text, strlen(text), NULL, buf) < 0) {
		/* some servers say "+ go ahead" */
		buffer_set_used_size(buf, 0);
	}
	if (!client->sasl_started && buf->used == 0) {
		client->sasl_started = TRUE;
	} else if (dsasl_client_input(client->sasl, buf->data, buf->used,
				      &error) < 0) {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
				      "Login failed: %s", error);
		return;
	}
	line = old_login_sasl_line(client);
	if (line != NULL)
		old_output_line(client, line);
}

static void
old_login_sasl(struct old_client *client, const struct dsasl_client_mech *mech)
{
	struct dsasl_client_settings set;
	struct old_command *cmd;
	const char *line;

	i_zero(&set);
	set.password = client->set.password;
	set.authid = client->set.user;
	if (client->set.master_user != NULL) {
		set.authid = client->set.master_user;
		set.authzid = client->set.user;
	}
	client->sasl = dsasl_client_new(mech, &set);
	client->sasl_started = FALSE;

	cmd = old_command_new(client, "AUTHENTICATE");
	old_command_add(cmd, dsasl_client_mech_get_name(mech));
	if (old_client_has(client, "SASL-IR")) {
		client->sasl_started = TRUE;
		if ((line = old_login_sasl_line(client)) == NULL)
			line = "*";
		old_command_add(cmd, *line == '\0' ? "=" : line);
	}
	cmd->secret = TRUE;
	cmd->plus = old_login_plus;
	client->have_capabilities = FALSE;
	old_command_send_login(cmd, old_login_reply, client);
}

static const struct dsasl_client_mech *
old_login_find_mech(struct old_client *client, const char *names)
{
	const struct dsasl_client_mech *mech;
	const char *const *name;

	for (name = t_strsplit_spaces(names, " ,"); *name != NULL; name++) {
		mech = dsasl_client_mech_find(*name);
		if (mech != NULL && old_client_has(client,
				t_strconcat("AUTH=", *name, NULL)))
			return mech;
	}
	return NULL;
}

static void old_login_authenticate(struct old_client *client)
{
	const char *names = client->set.sasl_mechanisms;
	const struct dsasl_client_mech *mech;

	if (names == NULL && client->set.master_user == NULL &&
	    !old_client_has(client, "LOGINDISABLED")) {
		old_login_command(client);
		return;
	}
	mech = old_login_find_mech(client, names != NULL ? names : "PLAIN");
	if (mech != NULL) {
		old_login_sasl(client, mech);
	} else if (names == NULL && client->set.master_user == NULL) {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server doesn't allow a login on this "
			"connection: it may want TLS");
	} else {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server doesn't offer the SASL mechanism %s",
			names != NULL ? names : "PLAIN for a master user");
	}
}

static void
old_login_starttls_reply(const struct old_reply *reply,
			 struct old_client *client)
{
	if (old_login_lost(reply))
		return;
	if (reply->state != OLD_REPLY_OK) {
		(void)old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server refuses STARTTLS: %s",
			old_reply_clean(reply->text));
		return;
	}
	/* RFC 2595: nothing said before TLS counts */
	client->have_capabilities = FALSE;
	client->starting_tls = TRUE;
}

int old_login_tls(struct old_client *client)
{
	client->starting_tls = FALSE;
	if (i_stream_get_data_size(client->input) > 0) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server sent plain text behind STARTTLS");
	}
	if (old_connection_start_tls(client) < 0)
		return -1;
	old_login_go_on(client);
	return 0;
}

int old_login_greeting(struct old_client *client,
		       const struct old_untagged *untagged)
{
	bool preauth = strcmp(untagged->name, "PREAUTH") == 0;

	if (strcmp(untagged->name, "OK") != 0 && !preauth) {
		old_limit_refused(client, untagged->code, untagged->text);
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server doesn't greet as an IMAP server: %s",
			old_reply_clean(untagged->text));
	}
	i_free(client->greeting);
	client->greeting = i_strdup(untagged->text);
	client->state = OLD_STATE_LOGIN;
	client->logged_in = preauth;
	if (client->set.ssl_mode != OLD_SSL_STARTTLS) {
		old_login_go_on(client);
		return 0;
	}
	if (preauth) {
		return old_client_fail(client, MAIL_ERROR_UNAVAILABLE,
			"The old server logs in before STARTTLS is possible");
	}
	old_command_send_login(old_command_new(client, "STARTTLS"),
			       old_login_starttls_reply, client);
	return 0;
}
