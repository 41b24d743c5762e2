/*
 * report-users: how far users and their mailboxes are, by the plugin's lines
 */
#ifndef REPORT_USERS_H
#define REPORT_USERS_H

#include "report-event.h"

struct users;

/* chosen: users of other domains aren't looked at; "" for all. */
struct users *users_init(struct strings *strings, const char *chosen);
void users_deinit(struct users **users);
/* An event with user=, of those that users_knows(). */
void users_add(struct users *users, const struct report_event *event);
/* When an event=late or late_double came to the old server, 0 when it isn't to be
   looked at. Before users_add(). */
int64_t users_late_arrival(struct users *users,
			   const struct report_event *event);
bool users_knows(const char *event_name);
void users_finish(struct users *users, pool_t *pool,
		  struct report_model *model);

#endif
