/*
 * report-network: whom a client's address and name stand for
 *
 * Large senders deliver from many addresses; what learns of a new MX is their
 * network: the /24 of an IPv4 address, the /48 of an IPv6 one.
 */
#ifndef REPORT_NETWORK_H
#define REPORT_NETWORK_H

#include "report-strings.h"

/* "192.0.2.0/24" or "2001:db8:1::/48"; "" for what is no address. */
const char *report_network(struct strings *strings, struct text address);
/* The registrable domain by the Public Suffix List, as mail.example.co.uk is
   example.co.uk; the name itself where there's none; "" for "unknown". */
const char *report_name_domain(struct strings *strings, struct text name);
/* What is behind the last "@", in lower case, without a final dot or ">". */
const char *report_address_domain(struct strings *strings, struct text address);
/* The same as it stands there. */
struct text report_address_domain_text(struct text address);

#endif
