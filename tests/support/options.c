#include "options.h"
#include "imap-parse.h"

#include <stdlib.h>

uint64_t option_number(const char *str, uint64_t min, uint64_t max,
		       void (*usage)(void))
{
	uint64_t value;

	if (!imap_parse_number(str, max, &value) || value < min) {
		usage();
		abort();
	}
	return value;
}
