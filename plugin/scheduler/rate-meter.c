#include "rate-meter.h"

#include <math.h>

void rate_meter_init(struct rate_meter *meter, unsigned int span_msecs,
		     uint64_t now)
{
	meter->span_msecs = span_msecs;
	meter->begun = meter->last = now;
	meter->weight = 0;
}

/* What is left of 1 after that time. The clock may have been set back. */
static double left_of(const struct rate_meter *meter, uint64_t since,
		      uint64_t now)
{
	return now <= since ? 1 :
		exp(-(double)(now - since) / meter->span_msecs);
}

void rate_meter_add(struct rate_meter *meter, uint64_t bytes, uint64_t now)
{
	meter->weight = meter->weight * left_of(meter, meter->last, now) +
		(double)bytes;
	meter->last = now;
}

/* In its first span it has seen less than it would have later. */
uint64_t rate_meter_get(const struct rate_meter *meter, uint64_t now)
{
	double seen = 1 - left_of(meter, meter->begun, now);

	if (seen <= 0)
		return 0;
	return (uint64_t)(meter->weight * left_of(meter, meter->last, now) /
			  (seen * meter->span_msecs) * 1000);
}
