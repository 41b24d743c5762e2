#include "lib.h"
#include "str.h"
#include "time-util.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "syslog-util.h"
#include "write-full.h"
#include "doveadm-util.h"
#include "engine/migration-report.h"
#include "report-log.h"

#include <fcntl.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static struct report_log {
	/* -1: syslog */
	int fd;
	char *path;
} report_log = { .fd = -1 };

static const char *info_log_path(const struct master_service_settings *set)
{
	return *set->info_log_path != '\0' ? set->info_log_path :
		set->log_path;
}

static void
write_to_syslog(const char *username ATTR_UNUSED, const char *line)
{
	syslog(LOG_INFO, "%s", line);
}

/* The format of Dovecot's own log files, with the default log_timestamp. */
static void write_to_file(const char *username, const char *line)
{
	string_t *str = t_str_new(256);

	str_printfa(str, "%s doveadm(%s): Info: %s\n",
		    t_strflocaltime("%b %d %H:%M:%S", time(NULL)),
		    username, line);
	if (write_full(report_log.fd, str_data(str), str_len(str)) < 0)
		i_error("write(%s) failed: %m", report_log.path);
}

static void open_syslog(const struct master_service_settings *set)
{
	int facility;

	if (!syslog_facility_find(set->syslog_facility, &facility))
		facility = LOG_MAIL;
	openlog("dovecot", LOG_NDELAY | LOG_PID, facility);
	migration_report_set_writer(write_to_syslog);
}

static void open_file(const char *path)
{
	report_log.fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			     0600);
	if (report_log.fd == -1) {
		i_warning("migration: report lines go to the terminal only: "
			  "open(%s) failed: %m", path);
		return;
	}
	report_log.path = i_strdup(path);
	migration_report_set_writer(write_to_file);
}

void report_log_init(void)
{
	const struct master_service_settings *set =
		master_service_settings_get(master_service);
	const char *path = info_log_path(set);

	if (doveadm_server || report_log.path != NULL)
		return;
	if (strcmp(path, "syslog") == 0)
		open_syslog(set);
	else if (*path == '/' && strcmp(path, "/dev/stderr") != 0)
		open_file(path);
}

void report_log_deinit(void)
{
	migration_report_set_writer(NULL);
	if (report_log.fd != -1)
		i_close_fd(&report_log.fd);
	i_free(report_log.path);
}
