#include "lib.h"
#include "ioloop.h"
#include "istream.h"
#include "module-dir.h"
#include "net.h"
#include "process-title.h"
#include "restrict-access.h"
#include "strescape.h"
#include "write-full.h"
#include "mail-user.h"
#include "mail-storage-service.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "user-service.h"

#include <unistd.h>

#define PLUGIN_NAME "migration"
/* for the two lines of who starts it */
#define START_MSECS (10 * 1000)
#define START_MAX_LINE 1024

static const struct user_service *service;
static struct mail_storage_service_ctx *storage_service;

/* Who started it, until the answer. */
static struct {
	int fd;
	struct istream *input;
	struct io *io;
	struct timeout *to;
	bool version_received;
} start = { .fd = -1 };

static struct {
	struct mail_storage_service_user *service_user;
	struct mail_user *user;
	bool begun;
} served;

void user_service_end(void)
{
	master_service_stop(master_service);
}

static void start_close(void)
{
	io_remove(&start.io);
	timeout_remove(&start.to);
	i_stream_destroy(&start.input);
	i_close_fd(&start.fd);
}

/* Who doesn't read it doesn't need it. */
static void start_answer(const char *line)
{
	line = t_strconcat(line, "\n", NULL);
	if (write_full(start.fd, line, strlen(line)) < 0 && errno != EPIPE)
		i_error("migration: The start can't be answered: %m");
}

static void start_failed(const char *reason)
{
	start_answer(t_strconcat("NO\t", str_tabescape(reason), NULL));
	start_close();
	user_service_end();
}

static void start_succeeded(bool needed)
{
	int fd;

	start_answer("OK");
	fd = start.fd;
	if (needed && service->answered != NULL)
		start.fd = -1;
	start_close();
	if (!needed)
		user_service_end();
	else if (service->answered != NULL)
		service->answered(fd);
}

/*
 * The user
 */

static bool may_start(void)
{
	struct net_unix_cred cred;

	if (net_getunixcred(start.fd, &cred) < 0) {
		i_error("migration: getunixcred() failed: %m");
		return FALSE;
	}
	if (cred.uid == 0 || cred.uid == geteuid())
		return TRUE;
	i_error("migration: A process of uid %s may not start this user's "
		"%s", dec2str(cred.uid), service->name);
	return FALSE;
}

/* The reason is for the log: who asks may be anybody yet. */
static int become_user(const char *username, const char **error_r)
{
	const struct mail_storage_service_input input = {
		.module = service->module,
		.service = service->service,
		.username = username,
	};
	int ret;

	ret = mail_storage_service_lookup(storage_service, &input,
					  &served.service_user, error_r);
	if (ret == 0)
		*error_r = "There's no such user";
	if (ret <= 0)
		return -1;
	if (service->as_root != NULL)
		service->as_root();
	return mail_storage_service_next(storage_service, served.service_user,
					 &served.user, error_r) < 0 ? -1 : 0;
}

static const void *find_class(const char **error_r)
{
	struct module *module =
		module_dir_find(mail_storage_service_modules, PLUGIN_NAME);
	const void *class = NULL;

	if (module != NULL)
		class = module_get_symbol(module, service->class_name);
	if (class == NULL) {
		*error_r = t_strdup_printf("The plugin isn't loaded into %s: "
			"put migration into the global mail_plugins, outside "
			"of any protocol section", service->name);
	}
	return class;
}

static void set_title(void)
{
	const struct master_service_settings *set =
		master_service_settings_get(master_service);

	if (set->verbose_proctitle)
		process_title_set(t_strdup_printf("[%s]",
						  served.user->username));
}

static int serve(const char **error_r)
{
	const void *class;

	set_title();
	if ((class = find_class(error_r)) == NULL)
		return -1;
	served.begun = TRUE;
	return service->serve(served.user, served.service_user, class,
			      error_r);
}

static void serve_user(const char *username)
{
	const char *error;
	int ret;

	if (become_user(username, &error) < 0) {
		i_error("migration: User %s: %s", username, error);
		start_failed("The user can't be looked up: see the log");
	} else if (!may_start()) {
		start_failed("Permission denied");
	} else if ((ret = serve(&error)) < 0) {
		i_error("migration: %s", error);
		start_failed(error);
	} else {
		start_succeeded(ret > 0);
	}
}

/*
 * The start
 */

/* Returns the user's name when it's there. */
static const char *start_line(const char *line)
{
	const char *const *args = t_strsplit_tabescaped(line);

	if (start.version_received) {
		return str_array_length(args) == 2 &&
			strcmp(args[0], "USER") == 0 ? args[1] : "";
	}
	start.version_received = version_string_verify(line, service->name,
						       service->major);
	return start.version_received ? NULL : "";
}

static void start_input(void *context ATTR_UNUSED)
{
	const char *line, *username;

	while ((line = i_stream_read_next_line(start.input)) != NULL) {
		if ((username = start_line(line)) == NULL)
			continue;
		io_remove(&start.io);
		timeout_remove(&start.to);
		if (*username == '\0')
			start_failed("Expected VERSION and USER");
		else
			serve_user(t_strdup(username));
		return;
	}
	if (start.input->eof || start.input->stream_errno != 0 ||
	    i_stream_get_data_size(start.input) >= START_MAX_LINE) {
		start_close();
		user_service_end();
	}
}

static void start_timeout(void *context ATTR_UNUSED)
{
	start_failed("Timeout");
}

/* One user in the life of a process: it can't become root again. */
static void client_connected(struct master_service_connection *conn)
{
	if (start.fd != -1 || served.service_user != NULL) {
		i_error("%s must be configured with client_limit=1 and "
			"service_count=1", service->name);
		return;
	}
	master_service_client_connection_accept(conn);
	start.fd = conn->fd;
	start.input = i_stream_create_fd(start.fd, START_MAX_LINE);
	start.io = io_add_istream(start.input, start_input, NULL);
	start.to = timeout_add(START_MSECS, start_timeout, NULL);
}

static void served_deinit(void)
{
	if (served.begun)
		service->deinit();
	if (served.user != NULL)
		mail_user_deinit(&served.user);
	if (served.service_user != NULL)
		mail_storage_service_user_unref(&served.service_user);
}

int user_service_main(const struct user_service *_service,
		      int argc, char *argv[])
{
	service = _service;
	master_service = master_service_init(service->binary_name,
		MASTER_SERVICE_FLAG_KEEP_CONFIG_OPEN, &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	master_service_init_log_with_pid(master_service);
	storage_service = mail_storage_service_init(master_service,
		(const struct setting_parser_info **)service->set_roots,
		MAIL_STORAGE_SERVICE_FLAG_USERDB_LOOKUP);
	restrict_access_allow_coredumps(TRUE);
	/* a reload ends it, so that the next one has the new settings */
	master_service_set_die_with_master(master_service, TRUE);
	master_service_set_die_callback(master_service, service->die);
	master_service_init_finish(master_service);
	master_service_run(master_service, client_connected);
	start_close();
	served_deinit();
	mail_storage_service_deinit(&storage_service);
	master_service_deinit(&master_service);
	return 0;
}
