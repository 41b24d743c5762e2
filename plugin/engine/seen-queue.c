#include "lib.h"
#include "uid-journal.h"
#include "seen-queue.h"

#define SEEN_FOLDER "seen"

int seen_queue_add(const char *dir, const char *vname, uint32_t uid_validity,
		   const ARRAY_TYPE(seq_range) *uids, const char **error_r)
{
	return uid_journal_add(dir, SEEN_FOLDER, vname, uid_validity, uids,
			       TRUE, error_r);
}

int seen_queue_get(const char *dir, const char *vname, uint32_t uid_validity,
		   ARRAY_TYPE(seq_range) *uids, size_t *size_r,
		   const char **error_r)
{
	return uid_journal_get(dir, SEEN_FOLDER, vname, uid_validity, uids,
			       size_r, error_r);
}

int seen_queue_remove(const char *dir, const char *vname, size_t size,
		      const char **error_r)
{
	return uid_journal_remove(dir, SEEN_FOLDER, vname, size, error_r);
}

int seen_queue_rename(const char *dir, const char *from, const char *to,
		      const char **error_r)
{
	return uid_journal_rename(dir, SEEN_FOLDER, from, to, error_r);
}
