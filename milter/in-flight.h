/*
 * in-flight: how many mails this process is at
 *
 * A mail is in flight from MAIL to its end, so that a stop can wait for the few
 * that are there, and each gets its tag and its line.
 */
#ifndef IN_FLIGHT_H
#define IN_FLIGHT_H

#include <stdbool.h>

void in_flight_begin(void);
void in_flight_end(void);
/* From now on no connection is to be taken. Waits until no mail is in flight;
   false when there still is one after so many seconds. */
bool in_flight_drain(unsigned int seconds);
bool in_flight_is_draining(void);

#endif
