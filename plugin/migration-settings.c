#include "lib.h"
#include "settings-parser.h"
#include "dovecot-compat.h"
#include "migration-settings.h"

#define DEFAULT_DIR "~/migration"
#define DEFAULT_UID_GAP 1000000
#define DEFAULT_TREE_INTERVAL 30
#define DEFAULT_MIRROR_INTERVAL 10
#define DEFAULT_CATCHUP_INTERVAL 30
#define DEFAULT_USER_CONNECTIONS 2
#define MAX_USER_CONNECTIONS 8
#define DEFAULT_QUIET_PERIOD (7 * 24 * 3600)

static int
bad_setting(const char *name, const char *value, const char *expected,
	    const char **error_r)
{
	*error_r = t_strdup_printf("%s = %s: expected %s",
				   name, value, expected);
	return -1;
}

static int
read_bool(struct mail_user *user, const char *name, bool default_value,
	  bool *set_r, const char **error_r)
{
	const char *value = compat_plugin_setting(user, name);

	if (value == NULL)
		*set_r = default_value;
	else if (*value == '\0' || strcasecmp(value, "no") == 0)
		*set_r = FALSE;
	else if (strcasecmp(value, "yes") == 0)
		*set_r = TRUE;
	else
		return bad_setting(name, value, "yes or no", error_r);
	return 0;
}

static int
read_cutover(struct mail_user *user, struct migration_settings *set,
	     const char **error_r)
{
	const char *name = "migration_cutover";
	const char *value = compat_plugin_setting(user, name);

	if (value == NULL || strcmp(value, "mailbox") == 0)
		set->cutover = MIGRATION_CUTOVER_MAILBOX;
	else if (strcmp(value, "user") == 0)
		set->cutover = MIGRATION_CUTOVER_USER;
	else if (strcmp(value, "manual") == 0)
		set->cutover = MIGRATION_CUTOVER_MANUAL;
	else
		return bad_setting(name, value, "mailbox, user or manual",
				   error_r);
	return 0;
}

static int
read_dir(struct mail_user *user, struct migration_settings *set,
	 const char **error_r)
{
	const char *name = "migration_dir";
	const char *value = compat_plugin_setting(user, name);
	const char *path;
	size_t len;

	if (value == NULL)
		value = DEFAULT_DIR;
	path = value;
	if (mail_user_try_home_expand(user, &path) < 0)
		return bad_setting(name, value, "a path without ~, as the "
				   "user has no home", error_r);
	len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (path[0] != '/' || len == 1)
		return bad_setting(name, value, "an absolute path or one "
				   "that begins with ~/", error_r);
	set->dir = p_strndup(user->pool, path, len);
	return 0;
}

static int
read_uid_gap(struct mail_user *user, struct migration_settings *set,
	     const char **error_r)
{
	const char *name = "migration_uid_gap";
	const char *value = compat_plugin_setting(user, name);

	set->uid_gap = DEFAULT_UID_GAP;
	if (value == NULL)
		return 0;
	if (str_to_uint32(value, &set->uid_gap) < 0 ||
	    set->uid_gap == 0 || set->uid_gap > INT32_MAX)
		return bad_setting(name, value,
				   "a number from 1 to 2147483647", error_r);
	return 0;
}

static int
read_interval(struct mail_user *user, const char *name,
	      unsigned int default_secs, unsigned int *secs_r,
	      const char **error_r)
{
	const char *value = compat_plugin_setting(user, name), *error;

	*secs_r = default_secs;
	if (value == NULL)
		return 0;
	if (settings_get_time(value, secs_r, &error) < 0)
		return bad_setting(name, value, "a time, as 60 s or 5 mins",
				   error_r);
	return 0;
}

static int
read_old_connections(struct mail_user *user, struct migration_settings *set,
		     const char **error_r)
{
	const char *name = "migration_old_connections";
	const char *value = compat_plugin_setting(user, name);

	if (value != NULL && str_to_uint(value, &set->old_connections) < 0)
		return bad_setting(name, value, "a number, 0 for no limit",
				   error_r);
	return 0;
}

static int
read_user_connections(struct mail_user *user, struct migration_settings *set,
		      const char **error_r)
{
	const char *name = "migration_user_connections";
	const char *value = compat_plugin_setting(user, name);

	set->user_connections = DEFAULT_USER_CONNECTIONS;
	if (value != NULL &&
	    (str_to_uint(value, &set->user_connections) < 0 ||
	     set->user_connections == 0 ||
	     set->user_connections > MAX_USER_CONNECTIONS))
		return bad_setting(name, value, "a number from 1 to 8",
				   error_r);
	return 0;
}

static int
read_size(struct mail_user *user, const char *name, uint64_t *size_r,
	  const char **error_r)
{
	const char *value = compat_plugin_setting(user, name), *error;
	uoff_t size;

	*size_r = 0;
	if (value == NULL)
		return 0;
	if (settings_get_size(value, &size, &error) < 0)
		return bad_setting(name, value, "a size, as 2 M or 2500 M, 0 "
				   "for no limit", error_r);
	*size_r = size;
	return 0;
}

static int
read_old_server(struct mail_user *user, struct migration_settings *set,
		const char **error_r)
{
	if (read_old_connections(user, set, error_r) < 0 ||
	    read_user_connections(user, set, error_r) < 0 ||
	    read_size(user, "migration_old_rate", &set->old_rate,
		      error_r) < 0 ||
	    read_size(user, "migration_old_daily", &set->old_daily,
		      error_r) < 0)
		return -1;
	return 0;
}

static int
read_late_delivery(struct mail_user *user, struct migration_settings *set,
		   const char **error_r)
{
	const char *name = "migration_late_delivery";
	const char *value = compat_plugin_setting(user, name);

	if (value == NULL || strcmp(value, "deliver") == 0)
		set->late_delivery = MIGRATION_LATE_DELIVER;
	else if (strcmp(value, "save") == 0)
		set->late_delivery = MIGRATION_LATE_SAVE;
	else
		return bad_setting(name, value, "deliver or save", error_r);
	return 0;
}

static int
read_late_doubles(struct mail_user *user, struct migration_settings *set,
		  const char **error_r)
{
	const char *name = "migration_late_doubles";
	const char *value = compat_plugin_setting(user, name);

	if (value == NULL || strcmp(value, "report") == 0)
		set->late_doubles = FALSE;
	else if (strcmp(value, "deliver") == 0)
		set->late_doubles = TRUE;
	else
		return bad_setting(name, value, "report or deliver", error_r);
	return 0;
}

static int
read_key_file(struct mail_user *user, struct migration_settings *set,
	      const char **error_r)
{
	const char *name = "migration_key_file";
	const char *value = compat_plugin_setting(user, name);

	if (value == NULL || *value == '\0')
		return 0;
	if (value[0] != '/')
		return bad_setting(name, value, "an absolute path", error_r);
	set->key_file = p_strdup(user->pool, value);
	return 0;
}

static int
read_propagation(struct mail_user *user, struct migration_settings *set,
		 const char **error_r)
{
	if (read_interval(user, "migration_catchup_interval",
			  DEFAULT_CATCHUP_INTERVAL, &set->catchup_interval,
			  error_r) < 0 ||
	    read_late_delivery(user, set, error_r) < 0 ||
	    read_late_doubles(user, set, error_r) < 0 ||
	    read_bool(user, "migration_late_expunge", FALSE,
		      &set->late_expunge, error_r) < 0 ||
	    read_bool(user, "migration_copy_back", FALSE, &set->copy_back,
		      error_r) < 0 ||
	    read_key_file(user, set, error_r) < 0 ||
	    read_interval(user, "migration_quiet_period",
			  DEFAULT_QUIET_PERIOD, &set->quiet_period,
			  error_r) < 0)
		return -1;
	return 0;
}

int migration_settings_read(struct mail_user *user,
			    struct migration_settings *set_r,
			    const char **error_r)
{
	i_zero(set_r);
	if (read_bool(user, "migration", FALSE, &set_r->enabled, error_r) < 0)
		return -1;
	if (!set_r->enabled)
		return 0;
	if (read_cutover(user, set_r, error_r) < 0 ||
	    read_dir(user, set_r, error_r) < 0 ||
	    read_uid_gap(user, set_r, error_r) < 0 ||
	    read_bool(user, "migration_mirror", TRUE, &set_r->mirror,
		      error_r) < 0 ||
	    read_interval(user, "migration_tree_interval",
			  DEFAULT_TREE_INTERVAL, &set_r->tree_interval,
			  error_r) < 0 ||
	    read_interval(user, "migration_mirror_interval",
			  DEFAULT_MIRROR_INTERVAL, &set_r->mirror_interval,
			  error_r) < 0 ||
	    read_old_server(user, set_r, error_r) < 0 ||
	    read_propagation(user, set_r, error_r) < 0)
		return -1;
	return 0;
}
