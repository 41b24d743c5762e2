#ifndef MOVER_H
#define MOVER_H

/*
 * mover: migration-mover, the process that moves one user on when the scheduler
 * says so. What it's asked: mover-protocol.h.
 *
 * The executable (mover-main.c) knows only what is in this header, and finds
 * migration_mover_class in the plugin that it has loaded for the user. A request
 * blocks the process, but for what mover-link hears meanwhile.
 */

struct mail_user;
struct migration_mover;

struct migration_mover_class {
	/* The process is the mail user by now. The files of
	   engine/old-limits.h stay the caller's, -1 if they can't be had.
	   Returns 0, -1 with an error. */
	int (*init)(struct mail_user *user, int budget_fd, int slots_fd,
		    struct migration_mover **mover_r, const char **error_r);
	/* The scheduler is on this socket, which becomes its own; ended() is
	   called when it has gone, or there's nothing to do for this user. */
	void (*start)(struct migration_mover *mover, int fd,
		      void (*ended)(void));
	void (*deinit)(struct migration_mover **mover);
};

#define MIGRATION_MOVER_CLASS "migration_mover_class"
extern const struct migration_mover_class migration_mover_class;

#endif
