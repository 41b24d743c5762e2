#include "lib.h"
#include "migration-user.h"
#include "worker/worker-protocol.h"
#include "worker/worker-socket.h"
#include "worker-hello.h"
#include "worker-link.h"

int worker_hello_user(struct migration_user *muser,
		      struct worker_link **link_r, const char **error_r)
{
	const char *dir = muser->set.dir;
	int fd = worker_socket_connect(dir);
	bool nobody;

	if (fd != -1) {
		*link_r = worker_link_init(fd);
		return 1;
	}
	nobody = errno == ENOENT || errno == ECONNREFUSED;
	*error_r = t_strdup_printf("connect(%s) failed: %m", dir);
	return nobody ? 0 : -1;
}

const char *worker_hello_version(void)
{
	return t_strdup_printf("VERSION\t%s\t%u\t%u\n", WORKER_PROTOCOL_NAME,
			       WORKER_PROTOCOL_MAJOR, WORKER_PROTOCOL_MINOR);
}

int worker_hello_check_version(const char *const *words, const char **error_r)
{
	if (str_array_length(words) >= 3 &&
	    strcmp(words[0], "VERSION") == 0 &&
	    strcmp(words[1], WORKER_PROTOCOL_NAME) == 0 &&
	    strcmp(words[2], dec2str(WORKER_PROTOCOL_MAJOR)) == 0)
		return 0;
	*error_r = "It has another protocol or version";
	return -1;
}
