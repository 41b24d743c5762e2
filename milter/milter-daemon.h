/*
 * milter-daemon: what makes a process a daemon
 *
 * Errors are whole sentences, valid until the same thread's next one.
 */
#ifndef MILTER_DAEMON_H
#define MILTER_DAEMON_H

/* Becomes user ("name" or "name:group", without a group his own ones), for ever.
   Who isn't root can only stay who he is. NULL for user: root refuses. */
int daemon_drop_root(const char *user, const char **error_r);

/* Goes on in a child without a terminal, where standard error stays what it was
   until daemon_ready(). The parent exits then, or, when the child ends before,
   with the child's status. */
int daemon_detach(int *ready_fd_r, const char **error_r);
/* All is well: closes ready_fd. */
void daemon_ready(int ready_fd);
/* Standard error goes nowhere from now on. */
void daemon_close_stderr(void);

/* Writes the file, and holds a lock on it as long as this process lives. Fails
   when another process does. *fd_r is to be left open. */
int daemon_write_pid(const char *path, int *fd_r, const char **error_r);

#endif
