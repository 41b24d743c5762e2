#include "milter-config.h"

#include "config-values.h"
#include "milter-settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#define HEARTBEAT_SECS 60
/* Nobody but the owner and the group. */
#define UMASK 0007

/* What a file is being read into. */
struct reading {
	struct milter_config *config;
	/* Line of each of the settings; 0: not given. */
	unsigned int lines[MILTER_SETTINGS_COUNT];
};

static int
read_setting(void *context, const struct config_place *place, const char *key,
	     char *value, const char **error_r)
{
	struct reading *reading = context;
	const struct milter_setting *setting = milter_setting_find(key);
	unsigned int *line;
	const char *error;

	if (setting == NULL) {
		return config_fail(error_r, place, "unknown setting %s: see "
				   "migration-milter.conf(5)", key);
	}
	line = &reading->lines[setting - milter_settings];
	if (*line != 0 && !setting->repeatable) {
		return config_fail(error_r, place, "%s is given in line %u "
				   "already", setting->key, *line);
	}
	*line = place->line;
	reading->config->line = place->line;
	error = setting->set(reading->config, value);
	if (error == NULL)
		return 0;
	return config_fail(error_r, place, "%s \"%s\": %s, expected %s",
			   setting->key, value, error, setting->expected);
}

/*
 * What must be true of all of them together
 */

static int check_there(const struct milter_config *config, const char **error_r)
{
	struct config_place place = { config->path, 0 };
	const struct {
		const char *key;
		bool there;
	} needed[] = {
		{ "Socket", config->sockets.count > 0 },
		{ "Server", config->has_server },
		{ "Domain", domain_set_count(config->domains) > 0 ||
		  config->domain_files.count > 0 },
		{ "KeyFile", config->key_file != NULL }
	};
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (needed[i].there)
			continue;
		return config_fail(error_r, &place, "%s is missing, expected "
				   "%s", needed[i].key,
				   milter_setting_find(needed[i].key)->expected);
	}
	return 0;
}

static int check_defer(const struct milter_config *config, const char **error_r)
{
	struct config_place place = { config->path, config->defer_line };
	time_t from = config->defer_from;

	if (config->mode != MILTER_MODE_DEFER)
		return 0;
	if (config->defer_until == 0) {
		return config_fail(error_r, &place, "Mode defer without "
				   "DeferUntil: it must end, at most 36 hours "
				   "after DeferFrom, because some senders give "
				   "up after two days");
	}
	if (from == 0)
		from = time(NULL);
	else if (config->defer_until <= from) {
		return config_fail(error_r, &place,
				   "DeferUntil isn't after DeferFrom");
	}
	if (config->defer_until - from > MILTER_DEFER_MAX_SECS) {
		return config_fail(error_r, &place, "DeferUntil is over 36 "
				   "hours after %s: some senders give up "
				   "after two days", config->defer_from == 0 ?
				   "now (DeferFrom isn't set)" : "DeferFrom");
	}
	return 0;
}

static const char *set_default_host(struct milter_config *config)
{
	char name[ARRIVAL_HOST_MAX + 1];

	if (gethostname(name, sizeof(name)) < 0)
		return strerror(errno);
	name[sizeof(name) - 1] = '\0';
	return milter_setting_set(config, "Host", name);
}

static int set_defaults(struct milter_config *config, const char **error_r)
{
	struct config_place place = { config->path, 0 };
	const char *error = NULL;

	if (config->host == NULL)
		error = set_default_host(config);
	if (error != NULL) {
		return config_fail(error_r, &place, "Host is missing, and this "
				   "machine's name can't be used: %s", error);
	}
	if (config->submission_daemons.count > 0)
		return 0;
	/* in Postfix's examples; Sendmail's */
	error = milter_setting_set(config, "SubmissionDaemon", "ORIGINATING");
	if (error == NULL)
		error = milter_setting_set(config, "SubmissionDaemon", "MSA");
	return error == NULL ? 0 : config_fail(error_r, &place, "%s", error);
}

static void free_list(struct config_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->values[i]);
	free(list->values);
	list->values = NULL;
	list->count = 0;
}

static int
override(struct milter_config *config,
	 const struct milter_overrides *overrides, const char **error_r)
{
	const struct {
		const char *key, *value;
	} values[] = {
		{ "Socket", overrides->socket },
		{ "PidFile", overrides->pid_file },
		{ "User", overrides->user }
	};
	struct config_place place = { "command line", 0 };
	const char *error;
	size_t i;

	if (overrides->socket != NULL)
		free_list(&config->sockets);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (values[i].value == NULL)
			continue;
		error = milter_setting_set(config, values[i].key,
					   values[i].value);
		if (error == NULL)
			continue;
		return config_fail(error_r, &place,
				   "%s \"%s\": %s, expected %s",
				   values[i].key, values[i].value, error,
				   milter_setting_find(values[i].key)->expected);
	}
	return 0;
}

static struct milter_config *config_init(const char *path)
{
	struct milter_config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return NULL;
	atomic_init(&config->references, 1);
	config->heartbeat_secs = HEARTBEAT_SECS;
	config->facility = LOG_MAIL;
	config->umask = UMASK;
	config->path = strdup(path);
	config->domains = domain_set_init();
	if (config->path == NULL || config->domains == NULL)
		milter_config_unref(&config);
	return config;
}

int milter_config_read(const char *path,
		       const struct milter_overrides *overrides,
		       struct milter_config **config_r, const char **error_r)
{
	struct reading reading = { .config = config_init(path) };

	*config_r = NULL;
	if (reading.config == NULL) {
		*error_r = "out of memory";
		return -1;
	}
	if (config_file_read(path, read_setting, &reading, error_r) < 0 ||
	    override(reading.config, overrides, error_r) < 0 ||
	    check_there(reading.config, error_r) < 0 ||
	    check_defer(reading.config, error_r) < 0 ||
	    set_defaults(reading.config, error_r) < 0) {
		milter_config_unref(&reading.config);
		return -1;
	}
	*config_r = reading.config;
	return 0;
}

/*
 * What the settings name
 */

static int
read_domain(void *context, const struct config_place *place, const char *key,
	    char *value, const char **error_r)
{
	const char *error = value[0] != '\0' ? "more than one word" :
		domain_set_add(context, key);

	if (error == NULL)
		return 0;
	return config_fail(error_r, place, "\"%s\": %s, expected a domain a "
			   "line, as example.org", key, error);
}

static int
load_domains(struct milter_config *config, const char **error_r)
{
	struct config_place place = { config->path, 0 };
	size_t i;

	for (i = 0; i < config->domain_files.count; i++) {
		if (config_file_read(config->domain_files.values[i],
				     read_domain, config->domains, error_r) < 0)
			return -1;
	}
	if (domain_set_count(config->domains) > 0)
		return 0;
	return config_fail(error_r, &place, "the DomainFile has no domain");
}

int milter_config_load(struct milter_config *config, const char **error_r)
{
	struct config_place place = { config->path, config->key_line };
	const char *error;

	if (load_domains(config, error_r) < 0)
		return -1;
	if (arrival_key_load(config->key_file, &config->key, &error) < 0) {
		return config_fail(error_r, &place, "KeyFile %s: %s",
				   config->key_file, error);
	}
	return 0;
}

void milter_config_ref(struct milter_config *config)
{
	atomic_fetch_add(&config->references, 1);
}

void milter_config_unref(struct milter_config **_config)
{
	struct milter_config *config = *_config;

	*_config = NULL;
	if (config == NULL || atomic_fetch_sub(&config->references, 1) > 1)
		return;
	free(config->path);
	free(config->host);
	free(config->key_file);
	free(config->user);
	free(config->pid_file);
	free_list(&config->sockets);
	free_list(&config->domain_files);
	free_list(&config->submission_daemons);
	domain_set_deinit(&config->domains);
	arrival_key_free(&config->key);
	spam_header_free(&config->spam_headers);
	free(config);
}

enum milter_mode
milter_config_mode(const struct milter_config *config, time_t now)
{
	return config->mode == MILTER_MODE_DEFER &&
		now >= config->defer_from && now < config->defer_until ?
		MILTER_MODE_DEFER : MILTER_MODE_TAG;
}

bool milter_config_may_defer(const struct milter_config *config, time_t now)
{
	return config->mode == MILTER_MODE_DEFER && now < config->defer_until;
}

const char *milter_mode_name(enum milter_mode mode)
{
	return mode == MILTER_MODE_DEFER ? "defer" : "tag";
}

bool milter_config_is_submission(const struct milter_config *config,
				 const char *daemon_name)
{
	size_t i;

	for (i = 0; i < config->submission_daemons.count; i++) {
		if (strcasecmp(config->submission_daemons.values[i],
			       daemon_name) == 0)
			return true;
	}
	return false;
}
