#include "heartbeat.h"

#define AGAIN_SECS 1

void heartbeat_begin(struct heartbeat *heartbeat, time_t now,
		     unsigned int interval)
{
	*heartbeat = (struct heartbeat){ now, now, interval, 0 };
}

/* Those that were due and have no line. A second late is in time: seconds are
   whole ones here. */
static uint64_t count_missed(const struct heartbeat *heartbeat, time_t now)
{
	time_t passed = now - heartbeat->last;

	if (passed <= (time_t)heartbeat->interval)
		return 0;
	return (uint64_t)(passed - 1) / heartbeat->interval - 1;
}

uint64_t heartbeat_count(struct heartbeat *heartbeat, time_t now,
			 unsigned int interval)
{
	heartbeat->seq += count_missed(heartbeat, now) + 1;
	heartbeat->last = now;
	heartbeat->next = now + interval;
	heartbeat->interval = interval;
	return heartbeat->seq;
}

void heartbeat_put_off(struct heartbeat *heartbeat, time_t now)
{
	heartbeat->next = now + AGAIN_SECS;
}
