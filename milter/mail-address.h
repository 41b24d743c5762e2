/*
 * mail-address: the little that is to be known of an envelope address
 *
 * As an MTA gives it to a milter: what stood after "MAIL FROM:" or "RCPT TO:",
 * with or without "<>", perhaps with a source route (RFC 5321, F.2), perhaps in
 * UTF-8 (RFC 6531).
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* What stands behind the last "@"; it points into the address. False when there
   is none, as for <> and <postmaster>. */
bool mail_address_domain(const char *address, const char **domain_r,
			 size_t *size_r);
/* A copy in "<>", from malloc(). NULL when out of memory. */
char *mail_address_dup(const char *address);

#endif
