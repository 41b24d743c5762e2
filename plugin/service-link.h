#ifndef SERVICE_LINK_H
#define SERVICE_LINK_H

/*
 * service-link: starts a process of one user (service/user-service.h) through
 * Dovecot's master, and is connected to it.
 */

#include <stdint.h>

struct mail_user;
struct worker_link;

/* socket is a name in base_dir; version_line (with its LF) is that of the
   protocol. Waits until it has answered OK, or for the deadline (worker-link.h).
   Returns 0, -1 with an error. */
int service_link_start(struct mail_user *user, const char *socket,
		       const char *version_line, uint64_t deadline,
		       struct worker_link **link_r, const char **error_r);

#endif
