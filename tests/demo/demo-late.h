/*
 * demo-late: the propagation period, with all mailboxes local
 *
 * MX is switched, but some of the world goes on sending to the old servers, and
 * some sends the same mail to both; a client of each user still works at the
 * old server (demo-old-client.h). What comes there must be seen at the new
 * server within a minute: first by those who have a session, who make the
 * worker look, then by `doveadm migration catchup`.
 */
#ifndef DEMO_LATE_H
#define DEMO_LATE_H

#include "demo.h"

/* The quiet period, instead of a week; and how long it's quiet: a second more,
   as report lines tell whole ones. */
#define DEMO_QUIET "9s"
#define DEMO_QUIET_MS 10000

/* After demo_picture_after(). Without Postfix nothing comes late. */
void demo_late_run(struct demo *demo);
/* From now on all mail comes to the new servers, for the quiet period; then
   late mail is looked for once more. */
void demo_late_end(struct demo *demo);

#endif
