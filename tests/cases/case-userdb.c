#include "case-userdb.h"

#include <stdio.h>
#include <string.h>

struct userdb_field {
	unsigned int user;
	const char *name, *value;
};

/* Dovecot reads the file again when it sees that it has changed. */
static bool field_is_known(void *context)
{
	const struct userdb_field *field = context;
	size_t size = strlen(field->value);

	(void)case_doveadm("user -f %s %s 2>&1", field->name,
			   case_user(field->user));
	return strncmp(case_output(), field->value, size) == 0 &&
		case_output()[size] == '\n';
}

bool case_userdb_set(unsigned int user, const char *name, const char *value)
{
	struct userdb_field field = { user, name, value };

	return case_shell("sed -i '/^%s:/{ s/ userdb_%s=[^ ]*//; "
			  "s/$/ userdb_%s=%s/ }' '%s/new/users'",
			  case_user(user), name, name, value,
			  case_get("DIR")) &&
		UNIT_CHECK(wait_until(field_is_known, &field, CASE_TIMEOUT_MS),
			   "%s: still %s", name, case_output());
}
