#include "config-values.h"

#include "common/arrival-tag.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <syslog.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

const char *config_number(const char *text, unsigned int min,
			  unsigned int max, unsigned int *number_r)
{
	unsigned long number;

	if (text[0] == '\0' || text[strspn(text, DIGITS)] != '\0')
		return "not a number";
	if (strlen(text) > 9)
		return "too large";
	number = strtoul(text, NULL, 10);
	if (number < min)
		return "too small";
	if (number > max)
		return "too large";
	*number_r = (unsigned int)number;
	return NULL;
}

const char *config_umask(const char *text, mode_t *umask_r)
{
	size_t size = strlen(text);

	if (size < 3 || size > 4 || text[strspn(text, "01234567")] != '\0' ||
	    (size == 4 && text[0] != '0'))
		return "not an octal number";
	*umask_r = (mode_t)strtoul(text, NULL, 8);
	return NULL;
}

const char *config_facility(const char *text, int *facility_r)
{
	static const struct {
		const char *name;
		int facility;
	} names[] = {
		{ "mail", LOG_MAIL },
		{ "daemon", LOG_DAEMON },
		{ "user", LOG_USER },
		{ "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 },
		{ "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 }
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (strcasecmp(names[i].name, text) == 0) {
			*facility_r = names[i].facility;
			return NULL;
		}
	}
	return "not a facility";
}

static const char *check_local_socket(const char *path)
{
	struct sockaddr_un addr;

	if (path[0] != '/')
		return "the path isn't absolute";
	if (strlen(path) >= sizeof(addr.sun_path))
		return "the path is too long for a socket";
	return NULL;
}

static const char *check_inet_socket(const char *text)
{
	size_t size = strspn(text, DIGITS);
	unsigned int port;
	char number[6];

	if (strchr(text, '@') == NULL)
		return "no @host";
	if (size == 0)
		size = strspn(text, LETTERS DIGITS "-");
	else if (size >= sizeof(number))
		return "not a port";
	else {
		memcpy(number, text, size);
		number[size] = '\0';
		if (config_number(number, 1, 65535, &port) != NULL)
			return "not a port";
	}
	if (size == 0 || text[size] != '@')
		return "not a port";
	return text[size + 1] == '\0' ? "no host after @" : NULL;
}

const char *config_socket(const char *text)
{
	static const struct {
		const char *prefix;
		const char *(*check)(const char *rest);
	} kinds[] = {
		{ "inet:", check_inet_socket },
		{ "inet6:", check_inet_socket },
		{ "local:", check_local_socket },
		{ "unix:", check_local_socket }
	};
	size_t i, size;

	for (i = 0; i < N_ELEMENTS(kinds); i++) {
		size = strlen(kinds[i].prefix);
		if (strncmp(text, kinds[i].prefix, size) == 0)
			return kinds[i].check(text + size);
	}
	return "not a kind of socket";
}

const char *config_host(const char *text)
{
	size_t size = strlen(text);

	if (size > ARRIVAL_HOST_MAX)
		return "too long";
	if (size == 0 || text[strspn(text, LETTERS DIGITS ".-_")] != '\0')
		return "not a host name";
	return NULL;
}

const char *config_path(const char *text)
{
	return text[0] == '/' ? NULL : "not an absolute path";
}
