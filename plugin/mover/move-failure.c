#include "lib.h"
#include "move-failure.h"

static const struct {
	enum mail_error error_code;
	enum move_failure failure;
} failures[] = {
	/* NO to the login (old-login.c) */
	{ MAIL_ERROR_PERM, MOVE_FAILURE_LOGIN },
	/* NO [LIMIT] (RFC 5530) */
	{ MAIL_ERROR_LIMIT, MOVE_FAILURE_THROTTLED },
	{ MAIL_ERROR_INUSE, MOVE_FAILURE_BUSY },
};

static enum move_failure of_error(enum mail_error error_code)
{
	for (unsigned int i = 0; i < N_ELEMENTS(failures); i++) {
		if (failures[i].error_code == error_code)
			return failures[i].failure;
	}
	return MOVE_FAILURE_USER;
}

enum move_failure
move_failure_find(enum old_failure failure, enum mail_error error_code)
{
	switch (failure) {
	case OLD_FAILURE_NONE:
		return of_error(error_code);
	case OLD_FAILURE_USER:
		return MOVE_FAILURE_USER;
	case OLD_FAILURE_LOGIN:
		return MOVE_FAILURE_LOGIN;
	case OLD_FAILURE_THROTTLED:
		return MOVE_FAILURE_THROTTLED;
	case OLD_FAILURE_UNREACHABLE:
		return MOVE_FAILURE_UNREACHABLE;
	case OLD_FAILURE_DAILY:
		return MOVE_FAILURE_DAILY;
	case OLD_FAILURE_NO_SLOT:
		return MOVE_FAILURE_BUSY;
	}
	i_unreached();
}
