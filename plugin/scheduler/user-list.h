#ifndef USER_LIST_H
#define USER_LIST_H

/*
 * user-list: the names of all users, from the user database, some at a time, so
 * that whatever else is to be done is done in between. But a user database that
 * says nothing for a while is waited for.
 */

struct mail_storage_service_ctx;
struct user_list;

struct user_list_callbacks {
	void (*user)(void *context, const char *name);
	/* It's over; it failed when it couldn't be told who they all are, which
	   was logged. The list is to be freed. */
	void (*ended)(void *context, bool success);
};

struct user_list *
user_list_init(struct mail_storage_service_ctx *service,
	       const struct user_list_callbacks *callbacks, void *context);
/* Also before its end. */
void user_list_deinit(struct user_list **list);

#endif
