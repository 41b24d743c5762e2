#ifndef RATE_METER_H
#define RATE_METER_H

/*
 * rate-meter: bytes per second of late: a mean in which what is older counts
 * less, by 1/e each span. Times are milliseconds.
 */

#include <stdint.h>

struct rate_meter {
	unsigned int span_msecs;
	uint64_t begun, last;
	/* bytes, as they count at last */
	double weight;
};

void rate_meter_init(struct rate_meter *meter, unsigned int span_msecs,
		     uint64_t now);
void rate_meter_add(struct rate_meter *meter, uint64_t bytes, uint64_t now);
uint64_t rate_meter_get(const struct rate_meter *meter, uint64_t now);

#endif
