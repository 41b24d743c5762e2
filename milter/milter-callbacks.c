#include "milter-callbacks.h"

#include "config-current.h"
#include "in-flight.h"
#include "mail-end.h"
#include "milter-report.h"

#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static char header_name[] = ARRIVAL_TAG_HEADER;

/* libmilter's prototypes predate const. */
static const char *get_macro(SMFICTX *ctx, const char *name)
{
	char copy[32];
	const char *value;

	snprintf(copy, sizeof(copy), "%s", name);
	value = smfi_getsymval(ctx, copy);
	return value == NULL ? "" : value;
}

static void copy_macro(SMFICTX *ctx, const char *name, char *to, size_t size)
{
	snprintf(to, size, "%s", get_macro(ctx, name));
}

/* An empty list would mean the default, which is long, and makes Postfix resolve
   each recipient: ask for one that there isn't. */
#define NO_MACROS "{migration_none}"

static void ask_for_macros(SMFICTX *ctx)
{
	static const struct {
		int stage;
		const char *macros;
	} lists[] = {
		{ SMFIM_CONNECT, "{client_resolve}" },
		{ SMFIM_HELO, NO_MACROS },
		{ SMFIM_ENVFROM, "{auth_type} {auth_authen} {daemon_name} "
		  "{tls_version}" },
		{ SMFIM_ENVRCPT, NO_MACROS },
		{ SMFIM_DATA, NO_MACROS },
		{ SMFIM_EOH, NO_MACROS },
		{ SMFIM_EOM, "i" }
	};
	char copy[80];
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(copy, sizeof(copy), "%s", lists[i].macros);
		(void)smfi_setsymlist(ctx, lists[i].stage, copy);
	}
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
	     unsigned long unused2, unsigned long unused3,
	     unsigned long *actions_r, unsigned long *steps_r,
	     unsigned long *unused2_r, unsigned long *unused3_r)
{
	struct milter_config *config;
	struct milter_session *session;

	(void)unused2;
	(void)unused3;
	*unused2_r = *unused3_r = 0;
	/* to the MTA it is as if we were gone already */
	if (in_flight_is_draining())
		return SMFIS_REJECT;
	config = config_current_get();
	session = milter_session_init(config);
	/* without these the mail isn't changed, which is reported when it
	   matters, but what arrives is seen */
	*actions_r = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS |
				SMFIF_SETSYMLIST);
	*steps_r = steps & (SMFIP_NOBODY | SMFIP_NODATA | SMFIP_NOEOH |
			    SMFIP_NOUNKNOWN | SMFIP_NR_CONN | SMFIP_NR_HELO |
			    SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR);
	if (session != NULL &&
	    milter_config_may_defer(config, time(NULL))) {
		*steps_r &= ~(unsigned long)SMFIP_NR_RCPT;
		session->answers_rcpt = true;
	}
	if (actions & SMFIF_SETSYMLIST)
		ask_for_macros(ctx);
	if (session != NULL)
		in_flight_begin();
	else
		report_failure("out of memory for a connection");
	smfi_setpriv(ctx, session);
	milter_config_unref(&config);
	return SMFIS_CONTINUE;
}

/* The name counts when it leads back to the address. Postfix says so by giving
   it at all, Sendmail by {client_resolve}. */
static void
set_name(SMFICTX *ctx, struct milter_session *session, const char *name)
{
	const char *resolved = get_macro(ctx, "{client_resolve}");

	if ((resolved[0] != '\0' && strcmp(resolved, "OK") != 0) ||
	    name[0] == '[' || strcasecmp(name, "unknown") == 0)
		return;
	snprintf(session->name, sizeof(session->name), "%s", name);
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *addr)
{
	struct milter_session *session = smfi_getpriv(ctx);

	if (session == NULL)
		return SMFIS_NOREPLY;
	milter_session_set_client(session, (const struct sockaddr *)addr);
	if (session->smtp)
		set_name(ctx, session, name);
	return SMFIS_NOREPLY;
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
	struct milter_session *session = smfi_getpriv(ctx);

	if (session != NULL && session->smtp)
		snprintf(session->helo, sizeof(session->helo), "%s", name);
	return SMFIS_NOREPLY;
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
	struct milter_session *session = smfi_getpriv(ctx);
	struct session_mail *mail;

	if (session == NULL)
		return SMFIS_NOREPLY;
	milter_session_begin_mail(session, argv[0]);
	milter_session_set_params(session, argv + 1);
	mail = &session->mail;
	copy_macro(ctx, "{auth_authen}", mail->auth, sizeof(mail->auth));
	copy_macro(ctx, "{tls_version}", mail->tls, sizeof(mail->tls));
	mail->submitted = mail->auth[0] != '\0' ||
		get_macro(ctx, "{auth_type}")[0] != '\0' ||
		(session->smtp && milter_config_is_submission(session->config,
				get_macro(ctx, "{daemon_name}")));
	return SMFIS_NOREPLY;
}

/* Those who have logged in are users: they can't look up another server. */
static bool must_defer(const struct milter_session *session)
{
	return session->smtp && !session->mail.submitted &&
		milter_config_mode(session->config, time(NULL)) ==
		MILTER_MODE_DEFER;
}

static sfsistat
defer(SMFICTX *ctx, struct milter_session *session, const char *to)
{
	char code[] = "451", detail[] = "4.3.2";
	char text[] = "This domain has moved to another server. Please look "
		"up its MX again, and deliver there";

	if (smfi_setreply(ctx, code, detail, text) != MI_SUCCESS)
		report_failure("libmilter refuses the text for 451");
	report_deferred(session, NULL, to);
	return SMFIS_TEMPFAIL;
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
	struct milter_session *session = smfi_getpriv(ctx);
	const char *to = argv[0];
	bool migrates;

	if (session == NULL)
		return SMFIS_NOREPLY;
	migrates = milter_session_migrates(session, to);
	if (!session->answers_rcpt) {
		milter_session_add_recipient(session, to, migrates);
		return SMFIS_NOREPLY;
	}
	if (migrates && must_defer(session))
		return defer(ctx, session, to);
	milter_session_add_recipient(session, to, migrates);
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	struct milter_session *session = smfi_getpriv(ctx);

	/* the headers of other people's mail aren't looked at */
	if (session != NULL && session->mail.to_count > 0) {
		mail_headers_add(&session->headers,
				 session->config->spam_headers, name, value);
	}
	return SMFIS_NOREPLY;
}

static int remove_tag(void *context, unsigned int n)
{
	return smfi_chgheader(context, header_name, (int)n, NULL) ==
		MI_SUCCESS ? 0 : -1;
}

static int add_tag(void *context, const char *value)
{
	char copy[ARRIVAL_VALUE_SIZE];

	snprintf(copy, sizeof(copy), "%s", value);
	/* 0 is above the Received header that the MTA has just added */
	return smfi_insheader(context, 0, header_name, copy) ==
		MI_SUCCESS ? 0 : -1;
}

static sfsistat refuse(SMFICTX *ctx, unsigned int rounds)
{
	char code[] = "554", detail[] = "5.4.6", text[80];

	snprintf(text, sizeof(text), "Mail loop: this mail was here %u "
		 "time%s before", rounds, rounds == 1 ? "" : "s");
	if (smfi_setreply(ctx, code, detail, text) != MI_SUCCESS)
		report_failure("libmilter refuses the text for 554");
	return SMFIS_REJECT;
}

static sfsistat on_end(SMFICTX *ctx)
{
	const struct mail_edit edit = { ctx, remove_tag, add_tag };
	struct milter_session *session = smfi_getpriv(ctx);
	enum mail_verdict verdict;
	const char *id;
	unsigned int rounds;

	if (session == NULL || !session->mail.open)
		return SMFIS_ACCEPT;
	id = get_macro(ctx, "i");
	verdict = mail_end(session, id, &edit, &rounds);
	milter_session_end_mail(session);
	return verdict == MAIL_REFUSE ? refuse(ctx, rounds) : SMFIS_ACCEPT;
}

static sfsistat on_abort(SMFICTX *ctx)
{
	struct milter_session *session = smfi_getpriv(ctx);

	if (session != NULL)
		milter_session_end_mail(session);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	struct milter_session *session = smfi_getpriv(ctx);

	if (session != NULL)
		in_flight_end();
	milter_session_deinit(&session);
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int milter_callbacks_register(void)
{
	static char name[] = "migration-milter";
	const struct smfiDesc callbacks = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eom = on_end,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate
	};

	return smfi_register(callbacks) == MI_SUCCESS ? 0 : -1;
}
