#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "imapc-client-private.h"
#include "imapc-connection.h"
#include "remote-socket.h"
#include "remote-watchdog.h"

#define CHECK_MSECS 1000
/* lib-imap-client can't do without a timeout */
#define IMAPC_TIMEOUT_NEVER_MSECS (7 * 24 * 3600 * 1000U)

struct remote_watchdog {
	struct imapc_client *client;
	unsigned int patience_msecs;
};

static ARRAY(struct remote_watchdog *) watchdogs = ARRAY_INIT;
/* in the current ioloop, when that's one within another */
static struct timeout *to_check = NULL;
static uint64_t bytes_moved;
static unsigned int still_msecs;

static struct remote_watchdog *find_running(void)
{
	struct remote_watchdog *dog;

	array_foreach_elem(&watchdogs, dog) {
		if (dog->client->ioloop == current_ioloop)
			return dog;
	}
	return NULL;
}

/* Which of them is waited for can't be seen: lib-imap-client hides its queues.
   Those that log in have a timeout of their own. */
static void cut_connections(struct remote_watchdog *dog)
{
	struct imapc_client *client = dog->client;
	const char *reason = t_strdup_printf("Nothing moved for %u seconds",
					     still_msecs / 1000);

	for (unsigned int i = 0; i < array_count(&client->conns); i++) {
		struct imapc_client_connection *conn =
			array_idx_elem(&client->conns, i);

		if (imapc_connection_get_state(conn->conn) ==
		    IMAPC_CONNECTION_STATE_DONE)
			imapc_connection_try_reconnect(conn->conn, reason, 0,
						       FALSE);
	}
}

/* Counted, not taken from the clock, which may jump. */
static void watchdog_check(void *context ATTR_UNUSED)
{
	struct remote_watchdog *dog = find_running();
	uint64_t bytes;

	if (dog == NULL)
		return;
	bytes = remote_socket_bytes_moved(dog->client->set.port);
	if (bytes != bytes_moved) {
		bytes_moved = bytes;
		still_msecs = 0;
		return;
	}
	still_msecs += CHECK_MSECS;
	if (still_msecs >= dog->patience_msecs) {
		cut_connections(dog);
		still_msecs = 0;
	}
}

/* What was sent before the loop that waits for its answer. */
static void send_at_once(void)
{
	struct remote_watchdog *dog;
	in_port_t port = 0;

	array_foreach_elem(&watchdogs, dog) {
		if (dog->client->set.port != port) {
			port = dog->client->set.port;
			remote_sockets_set_nodelay(port);
		}
	}
}

/* The ioloop of imapc_client_run() is known as such only later. */
static void ioloop_switched(struct ioloop *prev_ioloop ATTR_UNUSED)
{
	timeout_remove(&to_check);
	if (current_ioloop == NULL || current_ioloop == io_loop_get_root())
		return;
	send_at_once();
	bytes_moved = 0;
	still_msecs = 0;
	to_check = timeout_add(CHECK_MSECS, watchdog_check, NULL);
}

struct remote_watchdog *remote_watchdog_init(struct imapc_client *client)
{
	struct remote_watchdog *dog = i_new(struct remote_watchdog, 1);

	dog->client = client;
	imapc_client_ref(client);
	dog->patience_msecs = client->set.cmd_timeout_msecs;
	client->set.cmd_timeout_msecs = IMAPC_TIMEOUT_NEVER_MSECS;

	if (!array_is_created(&watchdogs)) {
		i_array_init(&watchdogs, 4);
		io_loop_add_switch_callback(ioloop_switched);
	}
	array_push_back(&watchdogs, &dog);
	return dog;
}

void remote_watchdog_deinit(struct remote_watchdog **_dog)
{
	struct remote_watchdog *dog = *_dog;
	unsigned int idx;

	if (dog == NULL)
		return;
	*_dog = NULL;
	for (idx = 0; array_idx_elem(&watchdogs, idx) != dog; idx++) ;
	array_delete(&watchdogs, idx, 1);
	if (array_is_empty(&watchdogs)) {
		io_loop_remove_switch_callback(ioloop_switched);
		timeout_remove(&to_check);
		array_free(&watchdogs);
	}
	imapc_client_unref(&dog->client);
	i_free(dog);
}

unsigned int remote_watchdog_patience(const struct remote_watchdog *dog)
{
	return dog->patience_msecs;
}
