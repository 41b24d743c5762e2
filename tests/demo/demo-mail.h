/*
 * demo-mail: the mail that the users have on their old servers
 *
 * Each user gets the nasty kinds several times over and ordinary mail for the
 * rest, half of it in INBOX, with dates from 1970 on. Some UIDs are missing, as
 * where people delete mail.
 */
#ifndef DEMO_MAIL_H
#define DEMO_MAIL_H

#include "demo.h"

/* Fills the user's account. What the old server refuses is replaced by other
   mail; trouble is noted by demo_problem(). */
void demo_mail_make(struct demo_user *user);

#endif
