#include "faulty-deliver.h"
#include "case.h"

#include <stdio.h>
#include <sys/stat.h>

bool faulty_deliver_set(const char *fault)
{
	return case_shell("echo '%s' >'%s/fault'", fault, case_get("DIR"));
}

/* What is started as migration-deliver. */
static bool write_wrapper(const char *path)
{
	FILE *file = fopen(path, "w");
	const char *dir = case_get("DIR");

	if (!UNIT_CHECK(file != NULL, "%s", path))
		return false;
	fprintf(file, "#!/bin/sh\nread -r FAULT <'%s/fault'\nexport FAULT\n"
		"LD_PRELOAD='%s' exec '%s/bin/migration-deliver' \"$@\"\n",
		dir, FAULT_AT, dir);
	fclose(file);
	return UNIT_CHECK(chmod(path, 0755) == 0, "chmod");
}

bool faulty_deliver_init(const char *more)
{
	char path[200], settings[700];

	snprintf(path, sizeof(path), "%s/bin/deliver-faulty", case_get("DIR"));
	snprintf(settings, sizeof(settings), "%sservice migration-deliver {\n"
		 "  executable = %s\n}\n", more, path);
	return write_wrapper(path) && faulty_deliver_set("") &&
		case_settings(settings, true);
}

bool faulty_deliver_unlock(unsigned int user)
{
	return case_shell("find '%s/%s' -name dovecot-uidlist.lock "
			  "-empty -delete", case_get("NEW_HOME"),
			  case_user(user));
}
