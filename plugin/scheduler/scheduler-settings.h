#ifndef SCHEDULER_SETTINGS_H
#define SCHEDULER_SETTINGS_H

/*
 * scheduler-settings: what of Dovecot's configuration concerns the service: its
 * plugin settings, without any user's own.
 */

struct mail_storage_service_ctx;

struct scheduler_settings {
	/* is the service wanted at all? */
	bool enabled;
	/* users at once, of all old servers, at least 1 */
	unsigned int users;
	/* connections to one old server, 0: no limit; of one user */
	unsigned int old_connections, user_connections;
	/* bytes per second and a day of one old server, 0: no limit */
	uint64_t old_rate, old_daily;
	/* seconds from one look to the next, 0: none */
	unsigned int refresh, catchup;
	/* host:port that users have who don't have their own, in lower case; ""
	   when there's none */
	const char *host;
	/* auth's socket for lookups, absolute or in base_dir */
	const char *auth_socket;
	/* names of all machines at work, this one's first; Dovecot's dict URI.
	   "": there's this one alone */
	const char *backends, *backends_dict;
};

/* Strings are allocated from the pool. Returns 0, -1 with an error. */
int scheduler_settings_read(struct mail_storage_service_ctx *service,
			    pool_t pool, struct scheduler_settings *set_r,
			    const char **error_r);

#endif
