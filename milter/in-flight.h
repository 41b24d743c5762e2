/*
 * in-flight: how many sessions this process is at
 *
 * A stop waits a little for them, so that each mail that was begun gets its tag
 * and its line. It's sessions that count, not mails: what an MTA says of a mail
 * may lie in its buffer until there is something to be answered.
 */
#ifndef IN_FLIGHT_H
#define IN_FLIGHT_H

#include <stdbool.h>

void in_flight_begin(void);
void in_flight_end(void);
/* From now on no session is to be begun. Waits until there's none; false when
   there still is one after so many seconds. */
bool in_flight_drain(unsigned int seconds);
bool in_flight_is_draining(void);

#endif
