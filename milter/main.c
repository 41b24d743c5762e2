/* migration-milter: tags and reports each mail that arrives for a domain that is
   being moved; see migration-milter(8) */
#include "config.h"

#include "config-current.h"
#include "milter-counters.h"
#include "milter-daemon.h"
#include "milter-log.h"
#include "milter-options.h"
#include "milter-supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static int fail(int status, const char *error)
{
	fprintf(stderr, "migration-milter: %s\n", error);
	return status;
}

/* Reads the settings as root, becomes somebody else, and reads the rest as he
   will when they are read again. */
static int prepare(const struct milter_options *options)
{
	struct milter_config *config;
	const char *error;

	if (milter_config_read(options->config_file, &options->overrides,
			       &config, &error) < 0)
		return fail(EX_CONFIG, error);
	if (daemon_drop_root(config->user, &error) < 0 ||
	    milter_config_load(config, &error) < 0) {
		milter_config_unref(&config);
		return fail(EX_CONFIG, error);
	}
	config_current_set(config);
	return EX_OK;
}

static int
start(const struct milter_options *options, const struct milter_config *config)
{
	int ready_fd = -1, pid_fd, status;
	const char *error;
	sigset_t signals;

	umask(config->umask);
	if (milter_counters_init() < 0)
		return fail(EX_OSERR, strerror(errno));
	if (!options->foreground && daemon_detach(&ready_fd, &error) < 0)
		return fail(EX_OSERR, error);
	if (config->pid_file != NULL &&
	    daemon_write_pid(config->pid_file, &pid_fd, &error) < 0)
		return fail(EX_UNAVAILABLE, error);
	milter_log_open(config->facility, options->verbose);
	milter_supervisor_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	status = milter_supervisor_run(&options->overrides, ready_fd);
	if (config->pid_file != NULL)
		(void)unlink(config->pid_file);
	return status;
}

int main(int argc, char *argv[])
{
	struct milter_options options;
	struct milter_config *config;
	int status;

	if (milter_options_parse(argc, argv, &options) < 0)
		return EX_USAGE;
	if (options.version) {
		puts(PACKAGE_STRING);
		return EX_OK;
	}
	status = prepare(&options);
	if (status != EX_OK)
		return status;
	if (options.check)
		printf("%s is good\n", options.config_file);
	else {
		config = config_current_get();
		status = start(&options, config);
		milter_config_unref(&config);
	}
	config_current_set(NULL);
	return status;
}
