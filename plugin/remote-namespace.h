#ifndef REMOTE_NAMESPACE_H
#define REMOTE_NAMESPACE_H

/*
 * remote-namespace: the old server as a hidden namespace of stock imapc.
 *
 * Mailboxes of it have the same vnames as those of the user's own namespace
 * (engine/name-map). Logging in is lazy. A failed login is remembered for a
 * moment only, so that sessions work again when the old server does.
 */

#include "mail-error.h"

struct mail_user;
struct mail_storage;
struct mailbox;
struct mailbox_list;
struct migration_user;
struct imapc_mailbox;
struct imapc_storage;
struct imapc_mailbox_list;

/* Make it for the user's inbox namespace. Returns 0, -1 with an error. */
int remote_namespace_create(struct migration_user *muser,
			    const char **error_r);
void remote_namespace_destroy(struct migration_user *muser);

/* The mailbox_list_created hook's part: the names. */
void remote_list_created(struct migration_user *muser,
			 struct mailbox_list *list);

struct imapc_storage *remote_storage(struct migration_user *muser);
struct imapc_mailbox_list *remote_list(struct migration_user *muser);

/* The mail error that this service understands as "try again later". */
enum mail_error remote_unavailable(struct migration_user *muser);
/* The same for any error of the old server. */
enum mail_error remote_error_code(struct migration_user *muser,
				  enum mail_error error_code);

/* Returns 0; -1 with a mail error when connecting or logging in has failed a
   moment ago, so that it isn't tried again yet. */
int remote_ready(struct migration_user *muser,
		 enum mail_error *error_code_r, const char **error_r);
/* The same with the error as that of the box. */
int remote_box_ready(struct migration_user *muser, struct mailbox *box);
/* Make sure that the hierarchy separator is known, without which mailboxes of
   the old server have no name. Returns 0, -1 with a mail error. */
int remote_connect(struct migration_user *muser,
		   enum mail_error *error_code_r, const char **error_r);

/* Why the last call to the old server failed; always an error. Internal
   errors become MAIL_ERROR_UNAVAILABLE with a plain reason. */
void remote_last_error(struct migration_user *muser,
		       enum mail_error *error_code_r, const char **error_r);
/* The same, in place: the storage's last error. */
void remote_refine_error(struct migration_user *muser);

/* Before an open mailbox of the old server is closed. imapc leaves its connection with
   the mailbox selected, and Dovecot as the old server ends such a connection, at
   its next command, when the mailbox is deleted. Not waited for. */
void remote_box_unselect(struct imapc_mailbox *mbox);

#endif
