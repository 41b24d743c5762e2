#include "lib.h"
#include "connection.h"
#include "ioloop.h"
#include "ostream.h"
#include "user-list.h"

#define AUTH_MAJOR 1
#define REQUEST "VERSION\t1\t0\nLIST\t1\n"
/* from one name to the next */
#define SILENCE_SECS (10 * 60)
#define MAX_LINE 8192

struct user_list {
	struct connection conn;
	struct connection_list *connections;
	const struct user_list_callbacks *callbacks;
	void *context;
	struct timeout *to_end;
	char *error;
};

static void end_timeout(struct user_list *list)
{
	timeout_remove(&list->to_end);
	list->callbacks->ended(list->context, t_strdup(list->error));
}

/* From the ioloop, so that nobody is called back from a call of his own. */
static void end_soon(struct user_list *list, const char *error)
{
	if (list->to_end != NULL)
		return;
	list->error = i_strdup(error);
	list->to_end = timeout_add_short(0, end_timeout, list);
	connection_input_halt(&list->conn);
}

/* VERSION and SPID come first, what else there may be isn't for us. */
static int list_input_args(struct connection *conn, const char *const *words)
{
	struct user_list *list = container_of(conn, struct user_list, conn);
	unsigned int major;

	if (strcmp(words[0], "VERSION") == 0) {
		if (words[1] == NULL || str_to_uint(words[1], &major) < 0 ||
		    major != AUTH_MAJOR)
			end_soon(list, "auth has another protocol");
	} else if (strcmp(words[0], "LIST") == 0) {
		if (str_array_length(words) >= 3 && *words[2] != '\0')
			list->callbacks->user(list->context, words[2]);
	} else if (strcmp(words[0], "DONE") == 0) {
		end_soon(list, str_array_length(words) < 3 ? NULL :
			 "does the userdb have an iteration "
			 "(iterate_query)? auth's log tells more");
	}
	return list->to_end == NULL ? 1 : 0;
}

static void list_destroy(struct connection *conn)
{
	struct user_list *list = container_of(conn, struct user_list, conn);

	connection_disconnect(conn);
	end_soon(list, "auth has closed the connection");
}

struct user_list *
user_list_init(const char *auth_path,
	       const struct user_list_callbacks *callbacks, void *context)
{
	static const struct connection_settings set = {
		.input_idle_timeout_secs = SILENCE_SECS,
		.input_max_size = MAX_LINE,
		.output_max_size = MAX_LINE,
		.client = TRUE,
	};
	static const struct connection_vfuncs vfuncs = {
		.destroy = list_destroy,
		.input_args = list_input_args,
	};
	struct user_list *list = i_new(struct user_list, 1);

	list->callbacks = callbacks;
	list->context = context;
	list->connections = connection_list_init(&set, &vfuncs);
	connection_init_client_unix(list->connections, &list->conn, auth_path);
	if (connection_client_connect(&list->conn) < 0) {
		end_soon(list, t_strdup_printf("connect(%s) failed: %m",
					       auth_path));
	} else {
		o_stream_nsend_str(list->conn.output, REQUEST);
	}
	return list;
}

void user_list_deinit(struct user_list **_list)
{
	struct user_list *list = *_list;

	*_list = NULL;
	timeout_remove(&list->to_end);
	connection_deinit(&list->conn);
	connection_list_deinit(&list->connections);
	i_free(list->error);
	i_free(list);
}
