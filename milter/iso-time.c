#include "iso-time.h"

#include <string.h>

static bool
read_number(const char **text, unsigned int digits, int min, int max,
	    int *number_r)
{
	int number = 0;

	for (; digits > 0; digits--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		number = number * 10 + (**text - '0');
	}
	*number_r = number;
	return number >= min && number <= max;
}

static bool read_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* "Z", or hours and minutes east of Greenwich. */
static bool read_zone(const char **text, int *seconds_r)
{
	int sign, hours, minutes;

	*seconds_r = 0;
	if (read_char(text, 'Z'))
		return true;
	sign = **text == '-' ? -1 : 1;
	if (!read_char(text, '+') && !read_char(text, '-'))
		return false;
	if (!read_number(text, 2, 0, 14, &hours))
		return false;
	(void)read_char(text, ':');
	if (!read_number(text, 2, 0, 59, &minutes))
		return false;
	*seconds_r = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool iso_time_parse(const char *text, time_t *time_r)
{
	struct tm tm, again;
	int zone;

	memset(&tm, 0, sizeof(tm));
	if (!read_number(&text, 4, 1970, 9999, &tm.tm_year) ||
	    !read_char(&text, '-') ||
	    !read_number(&text, 2, 1, 12, &tm.tm_mon) ||
	    !read_char(&text, '-') ||
	    !read_number(&text, 2, 1, 31, &tm.tm_mday) ||
	    !read_char(&text, 'T') ||
	    !read_number(&text, 2, 0, 23, &tm.tm_hour) ||
	    !read_char(&text, ':') ||
	    !read_number(&text, 2, 0, 59, &tm.tm_min))
		return false;
	if (read_char(&text, ':') &&
	    !read_number(&text, 2, 0, 59, &tm.tm_sec))
		return false;
	if (!read_zone(&text, &zone) || *text != '\0')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	again = tm;
	*time_r = timegm(&again);
	/* timegm() makes the 31st of February a day of March */
	if (again.tm_mday != tm.tm_mday)
		return false;
	*time_r -= zone;
	return true;
}

const char *iso_time_format(time_t when, char text_r[ISO_TIME_SIZE])
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(text_r, ISO_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text_r[0] = '\0';
	return text_r;
}
