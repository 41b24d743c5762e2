#ifndef USER_LIST_H
#define USER_LIST_H

/*
 * user-list: the names of all users, from the user database, by auth's LIST
 * (Dovecot's auth-protocol, the master side). auth-master.h has a client that
 * waits until the user database has answered; nothing waits here.
 */

struct user_list;

struct user_list_callbacks {
	void (*user)(void *context, const char *name);
	/* It's over. error: why it couldn't be told who they all are, else NULL.
	   The list is to be freed. */
	void (*ended)(void *context, const char *error);
};

struct user_list *
user_list_init(const char *auth_path,
	       const struct user_list_callbacks *callbacks, void *context);
/* Also before its end. */
void user_list_deinit(struct user_list **list);

#endif
