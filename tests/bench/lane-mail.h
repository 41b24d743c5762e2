/*
 * lane-mail: the mail that the ways to a mailbox are compared with
 *
 * Parts mirror and proxy give it to each of their lanes. Failures end the
 * program (bench_fail()).
 */
#ifndef LANE_MAIL_H
#define LANE_MAIL_H

#include "bench-lab.h"

#define LANE_FOLDERS 60

/* As many messages in INBOX as the bench says, with UIDs from 1 on, whose only
   flag is \Seen; and folders with some. Logs out. */
void lane_mail_make(const struct bench *bench, struct imap_client *client);
/* Static. */
const char *lane_folder(unsigned int n);

#endif
