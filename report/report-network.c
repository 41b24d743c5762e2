#include "report-network.h"
#include "common/report-line.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define IPV6_PREFIX "IPv6:"
#define IPV6_PREFIX_SIZE 5
/* ::ffff:0:0/96 */
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"
#define MAPPED_SIZE 12

/* "" for a text that is too long for one. */
static const char *to_string(struct text text, char *buffer, size_t size)
{
	if (text.size >= size)
		text.size = 0;
	memcpy(buffer, text.data, text.size);
	buffer[text.size] = '\0';
	return buffer;
}

static const char *show_ipv4(struct strings *strings, const unsigned char *p)
{
	char network[32];
	int size = snprintf(network, sizeof(network), "%u.%u.%u.0/24",
			    p[0], p[1], p[2]);

	return strings_get(strings, network, (size_t)size);
}

static const char *show_ipv6(struct strings *strings, struct in6_addr *address)
{
	char network[INET6_ADDRSTRLEN + 4];

	memset(address->s6_addr + 6, 0, 10);
	if (inet_ntop(AF_INET6, address, network, INET6_ADDRSTRLEN) == NULL)
		return strings_none;
	strcat(network, "/48");
	return strings_get(strings, network, strlen(network));
}

const char *report_network(struct strings *strings, struct text address)
{
	char buffer[INET6_ADDRSTRLEN + IPV6_PREFIX_SIZE];
	const char *str = to_string(address, buffer, sizeof(buffer));
	struct in6_addr ipv6;
	unsigned char ipv4[4];

	if (strncasecmp(str, IPV6_PREFIX, IPV6_PREFIX_SIZE) == 0)
		str += IPV6_PREFIX_SIZE;
	if (inet_pton(AF_INET, str, ipv4) == 1)
		return show_ipv4(strings, ipv4);
	if (inet_pton(AF_INET6, str, &ipv6) != 1)
		return strings_none;
	if (memcmp(ipv6.s6_addr, MAPPED, MAPPED_SIZE) == 0)
		return show_ipv4(strings, ipv6.s6_addr + MAPPED_SIZE);
	return show_ipv6(strings, &ipv6);
}

static struct text without_dot(struct text name)
{
	if (name.size > 0 && name.data[name.size - 1] == '.')
		name.size--;
	return name;
}

const char *report_name_domain(struct strings *strings, struct text name)
{
	static const psl_ctx_t *psl;
	char lower[REPORT_VALUE_MAX + 1];
	const char *domain;

	(void)text_to_lower(without_dot(name), lower, sizeof(lower));
	if (strcmp(lower, "unknown") == 0 || *lower == '[')
		return strings_none;
	if (psl == NULL)
		psl = psl_builtin();
	domain = psl == NULL ? NULL : psl_registrable_domain(psl, lower);
	if (domain == NULL)
		domain = lower;
	return strings_get(strings, domain, strlen(domain));
}

struct text report_address_domain_text(struct text address)
{
	struct text domain = { "", 0 };
	const char *at;

	/* as SMTP writes it */
	if (address.size > 0 && address.data[address.size - 1] == '>')
		address.size--;
	at = memrchr(address.data, '@', address.size);
	if (at != NULL) {
		domain.data = at + 1;
		domain.size = (size_t)(address.data + address.size - at) - 1;
	}
	return without_dot(domain);
}

const char *report_address_domain(struct strings *strings, struct text address)
{
	return strings_get_lower(strings, report_address_domain_text(address));
}
