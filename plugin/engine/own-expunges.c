#include "lib.h"
#include "uid-journal.h"
#include "own-expunges.h"

#define EXPUNGED_FOLDER "expunged"

int own_expunges_add(const char *dir, const char *vname, uint32_t uid_validity,
		     const ARRAY_TYPE(seq_range) *uids, const char **error_r)
{
	return uid_journal_add(dir, EXPUNGED_FOLDER, vname, uid_validity, uids,
			       FALSE, error_r);
}

int own_expunges_get(const char *dir, const char *vname, uint32_t uid_validity,
		     ARRAY_TYPE(seq_range) *uids, size_t *size_r,
		     const char **error_r)
{
	return uid_journal_get(dir, EXPUNGED_FOLDER, vname, uid_validity, uids,
			       size_r, error_r);
}

int own_expunges_remove(const char *dir, const char *vname, size_t size,
			const char **error_r)
{
	return uid_journal_remove(dir, EXPUNGED_FOLDER, vname, size, error_r);
}

int own_expunges_rename(const char *dir, const char *from, const char *to,
			const char **error_r)
{
	return uid_journal_rename(dir, EXPUNGED_FOLDER, from, to, error_r);
}
