#ifndef MOVER_SURVEY_H
#define MOVER_SURVEY_H

/*
 * mover-survey: SURVEY: makes or refreshes the user's folder tree, and asks the
 * old server how much is in those mailboxes that aren't complete here. The answers
 * go into their states, where `doveadm migration status` finds them.
 */

#include "mail-error.h"

struct migration_user;
struct mover_boxes;

/* Returns 0, -1 with an error. */
int mover_survey(struct mover_boxes *boxes,
		 enum mail_error *error_code_r, const char **error_r);

#endif
