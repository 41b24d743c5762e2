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
   protocol. Waits until it has answered OK, or for the deadline
   (worker-link.h). Returns 0, -1 with an error. */
int service_link_start(struct mail_user *user, const char *socket,
		       const char *version_line, uint64_t deadline,
		       struct worker_link **link_r, const char **error_r);

/* The same in two steps. The first returns 0, -1 with an error; the second,
   which with a deadline of 0 doesn't wait: 1; 0 when there's no answer yet, -1,
   both with an error. */
int service_link_begin(struct mail_user *user, const char *socket,
		       const char *version_line, uint64_t deadline,
		       struct worker_link **link_r, const char **error_r);
int service_link_answer(struct worker_link *link, uint64_t deadline,
			const char **error_r);

#endif
