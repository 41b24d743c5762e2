/*
 * fault-proxy: an IMAP relay that spoils one message's body, or loses an answer
 *
 * Forwards everything between clients and the real server; only the answer to a
 * FETCH of that UID's body (or date) is spoilt, or that to the UID-th APPEND from
 * now on is lost. One thread a connection; it serves until the process ends.
 */
#ifndef FAULT_PROXY_H
#define FAULT_PROXY_H

#include <stdint.h>

enum fault {
	FAULT_NONE,
	/* the FETCH response is left out, the command is OK */
	FAULT_DROP,
	/* the same, and the command's OK becomes NO */
	FAULT_NO,
	/* BODY[] NIL */
	FAULT_NIL,
	/* the connection ends in the middle of the literal */
	FAULT_CUT,
	/* the INTERNALDATE isn't told */
	FAULT_DATE,
	/* the connection ends instead of an APPEND's answer, once */
	FAULT_ANSWER
};

struct fault_proxy;

/* port: of the real server, on 127.0.0.1. *port_r: where clients connect. */
struct fault_proxy *fault_proxy_start(unsigned int port, unsigned int *port_r);
void fault_proxy_set(struct fault_proxy *proxy, enum fault fault,
		     uint32_t uid);
/* How often the fault was made. */
unsigned int fault_proxy_count(struct fault_proxy *proxy);

#endif
