#ifndef MIGRATION_CLOSED_H
#define MIGRATION_CLOSED_H

/*
 * migration-closed: the file that says that a user's migration is over,
 * <migration_dir>/closed.
 *
 * It is durable before anything else of migration_dir goes. From then on the
 * user has no context of ours: nothing is hooked, nothing is asked of the old
 * server, and his mail is this server's alone. Who began before must look here
 * again when he is about to use what may be gone by then.
 */

struct migration_closed {
	/* unix seconds */
	time_t when;
	/* conditions didn't hold */
	bool forced;
};

/* Returns 1, 0 when it isn't closed, -1 with an error: it can't be told. */
int migration_is_closed(const char *dir, const char **error_r);
/* The same, and what it says; *closed_r is all 0 when it says nothing that can
   be understood: the file alone counts. */
int migration_closed_read(const char *dir, struct migration_closed *closed_r,
			  const char **error_r);
/* Durably. Returns 0, -1 with an error. */
int migration_closed_write(const char *dir,
			   const struct migration_closed *closed,
			   const char **error_r);

#endif
