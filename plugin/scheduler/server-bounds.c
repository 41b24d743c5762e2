#include "lib.h"
#include "server-bounds.h"

#define INCREASE_SECS 60

void server_bounds_init(struct server_bounds *bounds, unsigned int max)
{
	i_zero(bounds);
	bounds->max = bounds->limit = I_MAX(max, 1);
}

void server_bounds_set_max(struct server_bounds *bounds, unsigned int max)
{
	bool full = bounds->limit == bounds->max;

	bounds->max = I_MAX(max, 1);
	bounds->limit = full ? bounds->max :
		I_MIN(bounds->limit, bounds->max);
}

bool server_bounds_throttled(struct server_bounds *bounds, time_t begun,
			     time_t now)
{
	if (bounds->halved != 0 && begun <= bounds->halved)
		return FALSE;
	bounds->limit = I_MAX(bounds->limit / 2, 1);
	bounds->halved = bounds->changed = now;
	return TRUE;
}

void server_bounds_succeeded(struct server_bounds *bounds, time_t now)
{
	if (bounds->limit >= bounds->max ||
	    now - bounds->changed < INCREASE_SECS)
		return;
	bounds->limit++;
	bounds->changed = now;
}
