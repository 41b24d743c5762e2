#ifndef DELIVER_H
#define DELIVER_H

/*
 * deliver: migration-deliver, which delivers late mail of one user. What it's
 * asked: deliver-protocol.h.
 *
 * The executable has what needs lib-lda (deliver-lda.h), which isn't there in
 * all processes that have the plugin; it finds migration_deliver_class in the
 * plugin that it has loaded for the user. A delivery blocks the process.
 */

#include "mail-error.h"

struct late_mail;
struct mail;
struct mail_user;
struct migration_deliver;

/* Delivers src into INBOX, with Sieve where it's loaded. Returns 0; -1 with an
   error: nothing of it is final. */
typedef int deliver_lda_t(struct mail_user *user, struct mail *src,
			  const struct late_mail *mail,
			  enum mail_error *error_code_r, const char **error_r);

struct migration_deliver_class {
	/* The process is the mail user by now. Returns 0, -1 with an error. */
	int (*init)(struct mail_user *user, deliver_lda_t *lda,
		    struct migration_deliver **deliver_r,
		    const char **error_r);
	/* Mails come from this socket, which becomes its own; ended() is called
	   when it's closed. */
	void (*start)(struct migration_deliver *deliver, int fd,
		      void (*ended)(void));
	void (*deinit)(struct migration_deliver **deliver);
};

#define MIGRATION_DELIVER_CLASS "migration_deliver_class"
extern const struct migration_deliver_class migration_deliver_class;

#endif
