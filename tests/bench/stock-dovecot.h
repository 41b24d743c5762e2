/*
 * stock-dovecot: Dovecots without our plugin
 *
 * One as the lab's new one, and a login proxy. The first has the same users, homes and settings. They listen
 * for IMAP only; their logs go to the bench's. They end with the bench. Failures
 * end the program (bench_fail()).
 */
#ifndef STOCK_DOVECOT_H
#define STOCK_DOVECOT_H

#include "bench-lab.h"

/* mail_location: NULL for the new server's. The ports from BENCH_FREE_PORT on
   aren't the lab's. */
void stock_dovecot_start(const struct bench *bench, const char *name,
			 const char *mail_location, unsigned int port);
/* A login proxy to the old server, behind the delay proxy: clients' passwords
   are handed on, nobody is looked up. */
void stock_proxy_start(const struct bench *bench, const char *name,
		       unsigned int port);

#endif
