#include "lib.h"
#include "sleep.h"
#include "mailbox-list.h"
#include "mail-namespace.h"
#include "migration-user.h"
#include "left-locks.h"

#include <fts.h>
#include <sys/stat.h>
#include <time.h>

#define LEFT_AFTER_SECS 2
#define LOOK_AGAIN_MSECS 50

/* how names of such locks end */
static const char *const endings[] = {
	".log.newlock", "subscriptions.lock", "dovecot-uidlist.lock",
	"dovecot-keywords.lock",
};

/* where they may lie */
static const enum mailbox_list_path_type places[] = {
	MAILBOX_LIST_PATH_TYPE_DIR, MAILBOX_LIST_PATH_TYPE_CONTROL,
	MAILBOX_LIST_PATH_TYPE_INDEX, MAILBOX_LIST_PATH_TYPE_LIST_INDEX,
};

static bool is_lock(const char *name)
{
	size_t size = strlen(name), ending_size;

	for (unsigned int i = 0; i < N_ELEMENTS(endings); i++) {
		ending_size = strlen(endings[i]);
		if (size >= ending_size &&
		    strcmp(name + size - ending_size, endings[i]) == 0)
			return TRUE;
	}
	return FALSE;
}

/* A live lock is held for milliseconds: one that stays as it is for a while has
   nobody any more, even where a process without our plugin makes mailboxes. */
static bool is_left(const char *path)
{
	struct stat st;

	while (lstat(path, &st) == 0) {
		if (st.st_ctime + LEFT_AFTER_SECS < time(NULL))
			return TRUE;
		i_sleep_msecs(LOOK_AGAIN_MSECS);
	}
	return FALSE;
}

static void remove_below(struct migration_user *muser, const char *root)
{
	char *const roots[] = { t_strdup_noconst(root), NULL };
	FTSENT *entry;
	FTS *fts;

	if ((fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL)) == NULL)
		return;
	while ((entry = fts_read(fts)) != NULL) {
		if (entry->fts_info == FTS_F && is_lock(entry->fts_name) &&
		    is_left(entry->fts_path) &&
		    i_unlink_if_exists(entry->fts_path) > 0) {
			e_info(muser->user->event,
			       "Removed a lock that a killed process left: %s",
			       entry->fts_path);
		}
	}
	(void)fts_close(fts);
}

void left_locks_remove(struct migration_user *muser)
{
	const char *root, *previous = NULL;

	for (unsigned int i = 0; i < N_ELEMENTS(places); i++) {
		/* most often they are all the same */
		if (mailbox_list_get_root_path(muser->ns->list, places[i],
					       &root) &&
		    (previous == NULL || strcmp(root, previous) != 0)) {
			remove_below(muser, root);
			previous = root;
		}
	}
}
