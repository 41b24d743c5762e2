#ifndef DELIVER_MAIL_H
#define DELIVER_MAIL_H

/*
 * deliver-mail: a late mail as a mail of Dovecot's storage "raw", from which it
 * is saved.
 */

#include "mail-error.h"

struct deliver_mails;
struct late_mail;
struct mail;
struct mail_user;

/* The user of raw storage. Returns 0, -1 with an error. */
int deliver_mails_init(struct mail_user *user, struct deliver_mails **mails_r,
		       const char **error_r);
void deliver_mails_deinit(struct deliver_mails **mails);

/* The mail's file stays the caller's. Returns 0, -1 with an error. */
int deliver_mail_open(struct deliver_mails *mails, const struct late_mail *mail,
		      struct mail **src_r, const char **error_r);
void deliver_mail_close(struct mail **src);

/* Save it into the user's mailbox of that name. Returns 0, -1 with an error. */
int deliver_mail_save(struct mail_user *user, struct mail *src,
		      const char *vname, enum mail_error *error_code_r,
		      const char **error_r);

#endif
