#ifndef MAIL_UNIT_H
#define MAIL_UNIT_H

/*
 * mail-unit: for unit tests of code that works on a mail user: one with a real
 * mail store in a folder of its own, and without plugins. What our plugin would
 * add of itself stands for that here: each mailbox is the local one.
 */

#include "engine-unit.h"
#include "mail-storage.h"

struct migration_user;

/* engine_unit_run() for tests with users. */
int mail_unit_run(const char *suite, const struct unit_test *tests);

/* A user with mail of that format ("sdbox", "mdbox", "maildir"), whose
   migration_dir is a new folder. One at a time. */
struct migration_user *mail_unit_user(const char *format);
/* The same again, as another process has him. */
void mail_unit_user_again(struct migration_user **muser);
void mail_unit_user_free(struct migration_user **muser);

/* Save a message; 0 for date is now. Returns its UID, 0 on failure, which is an
   assertion. */
uint32_t mail_unit_save(struct migration_user *muser, const char *vname,
			const char *text, time_t date);
/* Many at once; ends in NULL. */
void mail_unit_save_many(struct migration_user *muser, const char *vname,
			 const char *const *texts);
void mail_unit_create(struct migration_user *muser, const char *vname);
void mail_unit_delete(struct migration_user *muser, const char *vname);
void mail_unit_expunge(struct migration_user *muser, const char *vname,
		       uint32_t uid);
void mail_unit_move(struct migration_user *muser, const char *vname,
		    uint32_t uid, const char *to);
/* Where an sdbox has it. */
const char *mail_unit_file(struct migration_user *muser, const char *vname,
			   uint32_t uid);

#endif
