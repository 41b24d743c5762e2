/*
 * stock-dovecot: a Dovecot as the lab's new one, but without our plugin
 *
 * It has the same users, homes and settings, and listens for IMAP only. Its
 * log goes to the bench's. It ends with the bench. Failures end the program
 * (bench_fail()).
 */
#ifndef STOCK_DOVECOT_H
#define STOCK_DOVECOT_H

#include "bench-lab.h"

/* mail_location: NULL for the new server's. The ports from BENCH_FREE_PORT on
   aren't the lab's. */
void stock_dovecot_start(const struct bench *bench, const char *name,
			 const char *mail_location, unsigned int port);

#endif
