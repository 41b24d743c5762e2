#include "lib.h"
#include "settings-parser.h"
#include "mail-user.h"
#include "mail-storage-service.h"
#include "mail-storage-settings.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "imapc-settings.h"
#include "scheduler-settings.h"

#include <unistd.h>

static int bad_setting(const char *name, const char *value,
		       const char *expected, const char **error_r)
{
	*error_r = t_strdup_printf("%s = %s: expected %s", name, value,
				   expected);
	return -1;
}

static int read_bool(const char *name, const char *value, void *set_r,
		     const char **error_r)
{
	bool yes = strcasecmp(value, "yes") == 0;

	if (!yes && strcasecmp(value, "no") != 0)
		return bad_setting(name, value, "yes or no", error_r);
	*(bool *)set_r = yes;
	return 0;
}

static int read_count(const char *name, const char *value, void *set_r,
		      const char **error_r)
{
	return str_to_uint(value, set_r) == 0 ? 0 :
		bad_setting(name, value, "a number", error_r);
}

static int read_time(const char *name, const char *value, void *set_r,
		     const char **error_r)
{
	const char *error;

	return settings_get_time(value, set_r, &error) == 0 ? 0 :
		bad_setting(name, value, "a time, as 60 s or 5 mins", error_r);
}

static int read_size(const char *name, const char *value, void *set_r,
		     const char **error_r)
{
	const char *error;
	uoff_t size;

	if (settings_get_size(value, &size, &error) < 0) {
		return bad_setting(name, value, "a size, as 2 M or 2500 M, 0 "
				   "for no limit", error_r);
	}
	*(uint64_t *)set_r = size;
	return 0;
}

static int read_string(const char *name ATTR_UNUSED, const char *value,
		       void *set_r, const char **error_r ATTR_UNUSED)
{
	*(const char **)set_r = value;
	return 0;
}

#define MEMBER(name) offsetof(struct scheduler_settings, name)

static const struct {
	const char *name, *default_value;
	int (*read)(const char *name, const char *value, void *set_r,
		    const char **error_r);
	size_t member;
} settings[] = {
	{ "migration_service", "no", read_bool, MEMBER(enabled) },
	{ "migration_service_users", "0", read_count, MEMBER(users) },
	{ "migration_service_refresh", "1 hour", read_time, MEMBER(refresh) },
	{ "migration_service_catchup", "5 mins", read_time, MEMBER(catchup) },
	{ "migration_old_connections", "0", read_count,
	  MEMBER(old_connections) },
	{ "migration_user_connections", "2", read_count,
	  MEMBER(user_connections) },
	{ "migration_old_rate", "0", read_size, MEMBER(old_rate) },
	{ "migration_old_daily", "0", read_size, MEMBER(old_daily) },
	{ "migration_backends", "", read_string, MEMBER(backends) },
	{ "migration_backends_dict", "", read_string, MEMBER(backends_dict) },
};

static int read_all(const struct mail_user_settings *user_set,
		    struct scheduler_settings *set, const char **error_r)
{
	const char *value;

	for (unsigned int i = 0; i < N_ELEMENTS(settings); i++) {
		value = mail_user_set_plugin_getenv(user_set,
						    settings[i].name);
		if (value == NULL || *value == '\0')
			value = settings[i].default_value;
		if (settings[i].read(settings[i].name, value,
				     PTR_OFFSET(set, settings[i].member),
				     error_r) < 0)
			return -1;
	}
	return 0;
}

static const char *old_host(const struct setting_parser_info *info,
			    const struct mail_user_settings *user_set)
{
	const struct imapc_settings *set =
		mail_user_set_get_driver_settings(info, user_set, "imapc");

	/* a variable is of the user */
	if (*set->imapc_host == '\0' || strchr(set->imapc_host, '%') != NULL)
		return "";
	return t_str_lcase(t_strdup_printf("%s:%u", set->imapc_host,
					   set->imapc_port));
}

int scheduler_settings_read(struct mail_storage_service_ctx *service,
			    pool_t pool, struct scheduler_settings *set_r,
			    const char **error_r)
{
	const struct setting_parser_context *parser;
	const struct setting_parser_info *info;
	const struct mail_user_settings *user_set;
	void **sets;
	long cpus;

	i_zero(set_r);
	if (mail_storage_service_read_settings(service, NULL, pool, &info,
					       &parser, error_r) < 0)
		return -1;
	sets = master_service_settings_parser_get_others(master_service,
							 parser);
	user_set = sets[0];
	if (read_all(user_set, set_r, error_r) < 0)
		return -1;
	if (set_r->user_connections == 0) {
		return bad_setting("migration_user_connections", "0",
				   "a number from 1 to 8", error_r);
	}
	set_r->auth_socket = p_strdup(pool, user_set->auth_socket_path);
	set_r->host = p_strdup(pool, old_host(info, user_set));
	set_r->backends = p_strdup(pool, set_r->backends);
	set_r->backends_dict = p_strdup(pool, set_r->backends_dict);
	if (set_r->users == 0) {
		cpus = sysconf(_SC_NPROCESSORS_ONLN);
		set_r->users = I_MAX(cpus, 1);
	}
	return 0;
}
