#include "lib.h"
#include "array.h"
#include "net.h"
#include "str.h"
#include "strescape.h"
#include "scheduler/scheduler-protocol.h"
#include "service-picture.h"
#include "worker-link.h"
#include "service-client.h"

/* it answers between two of its own doings, of which none is long */
#define ANSWER_MSECS 10000

struct service_client {
	struct worker_link *link;
};

int service_client_init(const char *path, bool (*killed)(void),
			struct service_client **client_r,
			const char **error_r)
{
	const char *const hello[] = {
		"VERSION", SCHEDULER_CONTROL_NAME,
		dec2str(SCHEDULER_PROTOCOL_MAJOR),
		dec2str(SCHEDULER_PROTOCOL_MINOR), NULL
	};
	struct service_client *client;
	int fd = net_connect_unix(path);

	if (fd == -1) {
		*error_r = t_strdup_printf("The service isn't running: "
			"connect(%s) failed: %m", path);
		return -1;
	}
	client = i_new(struct service_client, 1);
	client->link = worker_link_init(fd);
	worker_link_set_killed(client->link, killed);
	if (service_client_say(client, hello, error_r) < 0) {
		service_client_deinit(&client);
		return -1;
	}
	*client_r = client;
	return 0;
}

void service_client_deinit(struct service_client **_client)
{
	struct service_client *client = *_client;

	if (client == NULL)
		return;
	*_client = NULL;
	worker_link_deinit(&client->link);
	i_free(client);
}

int service_client_say(struct service_client *client,
		       const char *const *words, const char **error_r)
{
	string_t *line = t_str_new(128);

	for (; *words != NULL; words++) {
		if (str_len(line) > 0)
			str_append_c(line, '\t');
		str_append_tabescaped(line, *words);
	}
	str_append_c(line, '\n');
	return worker_link_send(client->link, str_c(line), -1,
				worker_link_now() + ANSWER_MSECS, error_r);
}

/* Returns 1 for OK, 0 for NO, 2 for another line, -1. */
static int
read_line(struct service_client *client, uint64_t deadline,
	  const char **line_r, const char **error_r)
{
	const char *const *words;
	int ret = worker_link_read(client->link, deadline, line_r, error_r);

	if (ret == 0)
		*error_r = "The service doesn't answer";
	if (ret <= 0)
		return -1;
	words = t_strsplit_tabescaped(*line_r);
	if (words[0] == NULL)
		return 2;
	if (strcmp(words[0], "OK") == 0)
		return 1;
	if (strcmp(words[0], "NO") != 0)
		return 2;
	*error_r = words[1] == NULL ? "The service refuses" : words[1];
	return 0;
}

int service_client_picture(struct service_client *client,
			   struct service_picture **picture_r,
			   const char **error_r)
{
	struct service_picture *picture = service_picture_init();
	uint64_t deadline = worker_link_now() + ANSWER_MSECS;
	const char *line;
	int ret;

	while ((ret = read_line(client, deadline, &line, error_r)) == 2)
		service_picture_add(picture, line);
	if (ret == 1)
		*picture_r = picture;
	else
		service_picture_deinit(&picture);
	return ret;
}

int service_client_answer(struct service_client *client,
			  const char **error_r)
{
	uint64_t deadline = worker_link_now() + ANSWER_MSECS;
	const char *line;
	int ret;

	while ((ret = read_line(client, deadline, &line, error_r)) == 2) ;
	return ret;
}
