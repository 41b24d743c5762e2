#include "milter-session.h"

#include "mail-address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct milter_session *milter_session_init(struct milter_config *config)
{
	struct milter_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	if (mail_headers_init(&session->headers) < 0) {
		free(session);
		return NULL;
	}
	milter_config_ref(config);
	session->config = config;
	return session;
}

void milter_session_deinit(struct milter_session **_session)
{
	struct milter_session *session = *_session;

	*_session = NULL;
	if (session == NULL)
		return;
	milter_session_end_mail(session);
	mail_headers_deinit(&session->headers);
	milter_config_unref(&session->config);
	free(session);
}

static void
set_client4(struct milter_session *session, const struct sockaddr_in *addr)
{
	inet_ntop(AF_INET, &addr->sin_addr, session->client,
		  sizeof(session->client));
	/* Postfix lets mail that no client brought come from here */
	session->smtp = addr->sin_port != 0 ||
		addr->sin_addr.s_addr != htonl(INADDR_LOOPBACK);
}

static void
set_client6(struct milter_session *session, const struct sockaddr_in6 *addr)
{
	struct in_addr mapped;

	if (IN6_IS_ADDR_V4MAPPED(&addr->sin6_addr)) {
		memcpy(&mapped, &addr->sin6_addr.s6_addr[12], sizeof(mapped));
		inet_ntop(AF_INET, &mapped, session->client,
			  sizeof(session->client));
	} else {
		inet_ntop(AF_INET6, &addr->sin6_addr, session->client,
			  sizeof(session->client));
	}
	session->smtp = addr->sin6_port != 0 ||
		!IN6_IS_ADDR_LOOPBACK(&addr->sin6_addr);
}

void milter_session_set_client(struct milter_session *session,
			       const struct sockaddr *addr)
{
	session->smtp = false;
	session->client[0] = '\0';
	if (addr == NULL)
		return;
	if (addr->sa_family == AF_INET)
		set_client4(session, (const struct sockaddr_in *)addr);
	else if (addr->sa_family == AF_INET6)
		set_client6(session, (const struct sockaddr_in6 *)addr);
	if (!session->smtp)
		session->client[0] = '\0';
}

bool milter_session_migrates(const struct milter_session *session,
			     const char *address)
{
	const char *domain;
	size_t size;

	return mail_address_domain(address, &domain, &size) &&
		domain_set_has(session->config->domains, domain, size);
}

void milter_session_begin_mail(struct milter_session *session,
			       const char *from)
{
	struct session_mail *mail = &session->mail;

	milter_session_end_mail(session);
	mail_headers_begin(&session->headers);
	mail->open = true;
	mail->size = -1;
	mail->from = mail_address_dup(from);
	if (mail->from == NULL)
		mail->failed = true;
	mail->sender_migrates = milter_session_migrates(session, from);
}

void milter_session_set_params(struct milter_session *session, char **params)
{
	const char *value;
	size_t digits;

	/* RFC 1870: up to 20 digits, of which we believe 18 */
	for (; *params != NULL; params++) {
		if (strncasecmp(*params, "SIZE=", 5) != 0)
			continue;
		value = *params + 5;
		digits = strspn(value, "0123456789");
		if (digits > 0 && digits <= 18 && value[digits] == '\0')
			session->mail.size = strtoll(value, NULL, 10);
	}
}

static bool make_room(struct session_mail *mail)
{
	unsigned int wanted = mail->to_allocated == 0 ? 4 :
		mail->to_allocated * 2;
	char **to;

	if (mail->to_count < mail->to_allocated)
		return true;
	to = realloc(mail->to, wanted * sizeof(*to));
	if (to == NULL)
		return false;
	mail->to = to;
	mail->to_allocated = wanted;
	return true;
}

void milter_session_add_recipient(struct milter_session *session,
				  const char *to, bool migrates)
{
	struct session_mail *mail = &session->mail;
	char *copy;

	mail->recipients++;
	if (!migrates)
		return;
	copy = mail_address_dup(to);
	if (copy == NULL || !make_room(mail)) {
		free(copy);
		mail->failed = true;
		return;
	}
	mail->to[mail->to_count++] = copy;
}

void milter_session_end_mail(struct milter_session *session)
{
	struct session_mail *mail = &session->mail;
	unsigned int i;

	if (!mail->open)
		return;
	for (i = 0; i < mail->to_count; i++)
		free(mail->to[i]);
	free(mail->to);
	free(mail->from);
	memset(mail, 0, sizeof(*mail));
}

void milter_session_facts(const struct milter_session *session,
			  struct mail_facts *facts_r)
{
	facts_r->server = session->config->server;
	facts_r->loop_limit = session->config->loop_limit;
	facts_r->recipients = session->mail.to_count;
	facts_r->sender_migrates = session->mail.sender_migrates;
	facts_r->submitted = session->mail.submitted;
	facts_r->local = !session->smtp;
	facts_r->tags = session->headers.tags;
	facts_r->tag_count = session->headers.tag_count;
}
