#include "lib.h"
#include "mirror-backoff.h"

unsigned int mirror_backoff_failed(struct mirror_backoff *backoff,
				   unsigned int lived_msecs, bool refused)
{
	unsigned int min = refused ? MIRROR_BACKOFF_REFUSED_MIN_MSECS :
		MIRROR_BACKOFF_MIN_MSECS;
	unsigned int max = refused ? MIRROR_BACKOFF_REFUSED_MAX_MSECS :
		MIRROR_BACKOFF_MAX_MSECS;

	if (lived_msecs > 0 && lived_msecs >= backoff->msecs)
		backoff->msecs = 0;
	backoff->msecs = I_MIN(I_MAX(backoff->msecs * 2, min), max);
	return backoff->msecs + i_rand_limit(backoff->msecs / 4 + 1);
}
