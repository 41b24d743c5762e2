#include "milter-settings.h"

#include "config-values.h"
#include "iso-time.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOP_LIMIT_MAX 100

static const char no_memory[] = "out of memory";

static const char *set_string(char **string, const char *value)
{
	free(*string);
	*string = strdup(value);
	return *string == NULL ? no_memory : NULL;
}

static const char *
add_item(struct config_list *list, const char *value)
{
	char **values = realloc(list->values,
				(list->count + 1) * sizeof(*values));

	if (values == NULL)
		return no_memory;
	list->values = values;
	values[list->count] = strdup(value);
	if (values[list->count] == NULL)
		return no_memory;
	list->count++;
	return NULL;
}

static const char *
set_socket(struct milter_config *config, const char *value)
{
	const char *error = config_socket(value);

	return error != NULL ? error :
		add_item(&config->sockets, value);
}

static const char *
set_server(struct milter_config *config, const char *value)
{
	enum arrival_at at;

	for (at = ARRIVAL_AT_OLD; at <= ARRIVAL_AT_NEW; at++) {
		if (strcasecmp(value, arrival_at_name(at)) == 0) {
			config->server = at;
			config->has_server = true;
			return NULL;
		}
	}
	return "neither";
}

static const char *
set_domain(struct milter_config *config, const char *value)
{
	return domain_set_add(config->domains, value);
}

static const char *
set_domain_file(struct milter_config *config, const char *value)
{
	const char *error = config_path(value);

	return error != NULL ? error :
		add_item(&config->domain_files, value);
}

static const char *
set_host(struct milter_config *config, const char *value)
{
	const char *error = config_host(value);

	return error != NULL ? error : set_string(&config->host, value);
}

static const char *
set_key_file(struct milter_config *config, const char *value)
{
	const char *error = config_path(value);

	config->key_line = config->line;
	return error != NULL ? error : set_string(&config->key_file, value);
}

static const char *
set_spam_header(struct milter_config *config, const char *value)
{
	return spam_header_add(&config->spam_headers, value);
}

static const char *
set_submission_daemon(struct milter_config *config, const char *value)
{
	return value[0] == '\0' ? "no name" :
		add_item(&config->submission_daemons, value);
}

static const char *
set_mode(struct milter_config *config, const char *value)
{
	enum milter_mode mode;

	config->defer_line = config->line;
	for (mode = MILTER_MODE_TAG; mode <= MILTER_MODE_DEFER; mode++) {
		if (strcasecmp(value, milter_mode_name(mode)) == 0) {
			config->mode = mode;
			return NULL;
		}
	}
	return "neither";
}

static const char *set_time(time_t *when, const char *value)
{
	return iso_time_parse(value, when) ? NULL : "not such a time";
}

static const char *
set_defer_from(struct milter_config *config, const char *value)
{
	return set_time(&config->defer_from, value);
}

static const char *
set_defer_until(struct milter_config *config, const char *value)
{
	return set_time(&config->defer_until, value);
}

static const char *
set_loop_limit(struct milter_config *config, const char *value)
{
	return config_number(value, 0, LOOP_LIMIT_MAX, &config->loop_limit);
}

static const char *
set_heartbeat(struct milter_config *config, const char *value)
{
	return config_number(value, 1, 3600, &config->heartbeat_secs);
}

static const char *
set_facility(struct milter_config *config, const char *value)
{
	return config_facility(value, &config->facility);
}

static const char *
set_user(struct milter_config *config, const char *value)
{
	return value[0] == '\0' ? "no name" :
		set_string(&config->user, value);
}

static const char *
set_umask(struct milter_config *config, const char *value)
{
	return config_umask(value, &config->umask);
}

static const char *
set_pid_file(struct milter_config *config, const char *value)
{
	const char *error = config_path(value);

	return error != NULL ? error : set_string(&config->pid_file, value);
}

const struct milter_setting milter_settings[MILTER_SETTINGS_COUNT] = {
	{ "Socket", set_socket, "inet:PORT@HOST, inet6:PORT@HOST or "
	  "local:/PATH (Postfix writes inet:HOST:PORT, the milter doesn't)",
	  true },
	{ "Server", set_server, "old or new", false },
	{ "Domain", set_domain, "a domain, as example.org", true },
	{ "DomainFile", set_domain_file, "the path of a file with a domain "
	  "a line", true },
	{ "Host", set_host, "this server's name, as mx1.example.org", false },
	{ "KeyFile", set_key_file, "the path of a file that only its owner "
	  "may read", false },
	{ "SpamHeader", set_spam_header, "Name: word, as X-Spam-Flag: YES",
	  true },
	{ "SubmissionDaemon", set_submission_daemon, "what {daemon_name} is "
	  "for submission, as ORIGINATING", true },
	{ "Mode", set_mode, "tag or defer", false },
	{ "DeferFrom", set_defer_from, "a time with its zone, as "
	  "2026-11-22T06:00:00Z or 2026-11-22T07:00+01:00", false },
	{ "DeferUntil", set_defer_until, "a time with its zone, as "
	  "2026-11-22T06:00:00Z or 2026-11-22T07:00+01:00", false },
	{ "LoopLimit", set_loop_limit, "a number of rounds up to 100, 0 for "
	  "no limit", false },
	{ "Heartbeat", set_heartbeat, "seconds, 1 to 3600", false },
	{ "SyslogFacility", set_facility, "mail, daemon, user or local0 to "
	  "local7", false },
	{ "User", set_user, "a user's name, or name:group", false },
	{ "UMask", set_umask, "three octal digits, as 007", false },
	{ "PidFile", set_pid_file, "an absolute path", false }
};

const struct milter_setting *milter_setting_find(const char *key)
{
	size_t i;

	for (i = 0; i < MILTER_SETTINGS_COUNT; i++) {
		if (strcasecmp(milter_settings[i].key, key) == 0)
			return &milter_settings[i];
	}
	return NULL;
}

const char *milter_setting_set(struct milter_config *config, const char *key,
			       const char *value)
{
	return milter_setting_find(key)->set(config, value);
}
