/* migration-scheduler: the executable of `service migration`. One process, root
   like Dovecot's replicator: it knows all users, becomes none of them and reads
   nothing of theirs. */

#include "lib.h"
#include "restrict-access.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "mail-storage-service.h"
#include "control-socket.h"
#include "demand-socket.h"
#include "scheduler-protocol.h"
#include "scheduler-settings.h"
#include "scheduler.h"

static struct scheduler *scheduler;
static struct control_socket *control;
static struct demand_socket *demand;

static void client_connected(struct master_service_connection *conn)
{
	master_service_client_connection_accept(conn);
	if (strcmp(conn->name, SCHEDULER_DEMAND_SOCKET) == 0)
		demand_socket_add(demand, conn->fd);
	else
		control_socket_add(control, conn->fd);
}

static void run(const struct scheduler_settings *set)
{
	const struct master_service_settings *master_set =
		master_service_settings_get(master_service);

	scheduler = scheduler_init(set, master_set->base_dir,
				   master_set->state_dir);
	control = control_socket_init(scheduler);
	demand = demand_socket_init(scheduler);
	master_service_run(master_service, client_connected);
	demand_socket_deinit(&demand);
	control_socket_deinit(&control);
	scheduler_deinit(&scheduler);
}

int main(int argc, char *argv[])
{
	struct mail_storage_service_ctx *service;
	struct scheduler_settings set;
	const char *error;
	pool_t pool;

	master_service = master_service_init("migration-scheduler",
		MASTER_SERVICE_FLAG_NO_IDLE_DIE, &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	master_service_init_log(master_service);
	service = mail_storage_service_init(master_service, NULL,
		MAIL_STORAGE_SERVICE_FLAG_ALLOW_ROOT |
		MAIL_STORAGE_SERVICE_FLAG_USERDB_LOOKUP |
		MAIL_STORAGE_SERVICE_FLAG_NO_LOG_INIT |
		MAIL_STORAGE_SERVICE_FLAG_NO_PLUGINS);
	pool = pool_alloconly_create("migration settings", 1024);
	if (scheduler_settings_read(service, pool, &set, &error) < 0)
		i_fatal("%s", error);
	restrict_access_by_env(RESTRICT_ACCESS_FLAG_ALLOW_ROOT, NULL);
	restrict_access_allow_coredumps(TRUE);
	master_service_set_die_with_master(master_service, TRUE);
	master_service_init_finish(master_service);
	run(&set);
	mail_storage_service_deinit(&service);
	pool_unref(&pool);
	master_service_deinit(&master_service);
	return 0;
}
