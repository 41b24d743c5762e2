#ifndef USER_SERVICE_H
#define USER_SERVICE_H

/*
 * user-service: a process of one user, started by Dovecot's master for whoever
 * connects to its socket and says
 *
 *   VERSION<TAB>name<TAB>major<TAB>minor<LF>
 *   USER<TAB>name<LF>
 *
 * Only root and the user himself may. The process becomes the user for good,
 * finds its part in the plugin that is loaded for him, and answers OK<LF>, or
 * NO<TAB>reason<LF> and ends: so there is one copy of the engine in it. The
 * service must be configured with client_limit = 1 and service_count = 1.
 */

struct mail_user;
struct mail_storage_service_user;
struct setting_parser_info;

struct user_service {
	/* of the protocol */
	const char *name;
	unsigned int major;
	/* what plugins take this process for */
	const char *binary_name;
	/* whose settings it has: as in mail_storage_service_input */
	const char *module, *service;
	/* settings that are read with them, NULL-terminated, or NULL */
	const struct setting_parser_info *const *set_roots;
	/* of the symbol that the plugin has for it */
	const char *class_name;

	/* Root still, and the user is known. May be NULL. */
	void (*as_root)(void);
	/* The process is the user. Returns 1; 0 when it isn't needed: OK is
	   answered, and the process ends; -1 with an error. */
	int (*serve)(struct mail_user *user,
		     struct mail_storage_service_user *service_user,
		     const void *class, const char **error_r);
	/* OK was answered on this descriptor, which becomes the callee's. NULL:
	   it's closed. */
	void (*answered)(int fd);
	/* The master is reloading or has gone: user_service_end() soon. */
	void (*die)(void);
	/* Undo serve(). Also called when that failed, but not before. */
	void (*deinit)(void);
};

/* Returns what main() does. */
int user_service_main(const struct user_service *service,
		      int argc, char *argv[]);
/* The process ends when its ioloop is reached. */
void user_service_end(void);

#endif
