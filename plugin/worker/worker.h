#ifndef WORKER_H
#define WORKER_H

/*
 * worker: migration-worker, the one process that works at the old server for
 * the mirrored mailboxes of a user. What it's asked: worker-protocol.h.
 *
 * The executable (worker-main.c) knows only what is in this header, and finds
 * migration_worker_class in the plugin that it has loaded for the user: there
 * is one copy of the engine in the process.
 *
 * Lives in the current ioloop, never blocks but in turns (worker-turns.h). One
 * worker a user: flock(2) on <migration_dir>/worker.lock. One that is killed
 * leaves its socket, which the next one replaces.
 */

struct mail_user;
struct migration_worker;

struct migration_worker_settings {
	/* the files of engine/old-limits.h, -1 if they can't be had. The
	   caller's. */
	int budget_fd, slots_fd;
	/* how long it stays when nobody is connected */
	unsigned int idle_secs;
};

struct migration_worker_class {
	/* The process is the mail user by now. ended() is called when nobody
	   has asked for anything for long, or after end(). Returns 1 when it
	   listens; 0 when another worker of the user does; -1 with an error.
	   Waits for another one that is about to end. */
	int (*init)(struct mail_user *user,
		    const struct migration_worker_settings *set,
		    void (*ended)(void), struct migration_worker **worker_r,
		    const char **error_r);
	/* Do what was asked for and nothing new, then call ended(). */
	void (*end)(struct migration_worker *worker);
	/* At once; requests aren't answered. */
	void (*deinit)(struct migration_worker **worker);
};

#define MIGRATION_WORKER_CLASS "migration_worker_class"
extern const struct migration_worker_class migration_worker_class;

#endif
