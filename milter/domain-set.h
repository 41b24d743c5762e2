/*
 * domain-set: the domains that are being moved
 *
 * A name is kept and looked for as its A-label in lower case (RFC 5890), so that
 * an international one is found in both spellings, whichever was given. One that
 * libidn2 can't convert is taken as it is, ASCII letters in lower case. A dot at
 * the end counts for nothing. Subdomains are other domains.
 *
 * To be filled by one thread; domain_set_has() may then be used by many.
 */
#ifndef DOMAIN_SET_H
#define DOMAIN_SET_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 1035: 255 octets on the wire are 253 as text. */
#define DOMAIN_MAX 253

struct domain_set;

/* NULL when out of memory. */
struct domain_set *domain_set_init(void);
void domain_set_deinit(struct domain_set **set);
/* NULL, or why it isn't a domain: static text. Given twice is fine. */
const char *domain_set_add(struct domain_set *set, const char *name);
bool domain_set_has(const struct domain_set *set, const char *name,
		    size_t size);
size_t domain_set_count(const struct domain_set *set);

#endif
