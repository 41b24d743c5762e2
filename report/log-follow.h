/*
 * log-follow: waits until one of the logs may have something new
 *
 * Files are watched through their folders (inotify(7)), so that a rotation is
 * seen and no watch has to move with it.
 */
#ifndef LOG_FOLLOW_H
#define LOG_FOLLOW_H

#include "log-set.h"

struct log_follow;

/* NULL with errno. */
struct log_follow *log_follow_init(void);
void log_follow_deinit(struct log_follow **follow);
/* Also those that came into the set since the last call. -1 with errno. */
int log_follow_watch(struct log_follow *follow, const struct log_set *set);
/* true: something happened; false: the time is over, or a signal came. */
bool log_follow_wait(struct log_follow *follow, const struct log_set *set,
		     int timeout_ms);

#endif
