#ifndef SERVICE_CLIENT_H
#define SERVICE_CLIENT_H

/*
 * service-client: asks `service migration` (scheduler/scheduler-protocol.h).
 */

#include <stdbool.h>

struct service_client;
struct service_picture;

/* path is its control socket. killed may be NULL (worker-link.h). Returns 0; -1
   with an error when nobody is there. */
int service_client_init(const char *path, bool (*killed)(void),
			struct service_client **client_r,
			const char **error_r);
void service_client_deinit(struct service_client **client);

/* Say these words, NULL-terminated. Returns 0, -1 with an error. */
int service_client_say(struct service_client *client,
		       const char *const *words, const char **error_r);
/* The answer OK is 1, NO 0 with its reason; -1: there's none. */
int service_client_answer(struct service_client *client,
			  const char **error_r);
/* The next answer to STATUS or WATCH; as above, and 1 has a picture, which is
   the caller's. */
int service_client_picture(struct service_client *client,
			   struct service_picture **picture_r,
			   const char **error_r);

#endif
