#ifndef LOCAL_FOLDERS_H
#define LOCAL_FOLDERS_H

#include "fsync-mode.h"

/*
 * local-folders: the folders that are here, and changes to them, behind the
 * redirect's back. Each function works in bypass.
 */

struct migration_user;

struct local_folder {
	const char *vname;
	bool selectable;
	bool subscribed;
};
ARRAY_DEFINE_TYPE(local_folder, struct local_folder);

/* The folders of the migrating namespace, allocated from pool. Returns 0, -1
   with an error. */
int local_folders_get(struct migration_user *muser, pool_t pool,
		      ARRAY_TYPE(local_folder) *folders_r,
		      enum mail_error *error_code_r, const char **error_r);

/* How the changes below are synced to disk from now on; returns how they were.
   For many changes that can be made again after a crash. */
enum fsync_mode local_folders_set_fsync(struct migration_user *muser,
					enum fsync_mode mode);

/* Each returns 0, -1 with an error. What is so already is fine. One that was
   never filled, and has messages nevertheless, isn't deleted. */
int local_folder_create(struct migration_user *muser, const char *vname,
			bool selectable, enum mail_error *error_code_r,
			const char **error_r);
int local_folder_delete(struct migration_user *muser, const char *vname,
			enum mail_error *error_code_r, const char **error_r);
/* One that is here only as the parent of others, and has none any more;
   MAIL_ERROR_NOTFOUND when there's no such thing. */
int local_folder_delete_parent(struct migration_user *muser, const char *vname,
			       enum mail_error *error_code_r,
			       const char **error_r);
int local_folder_subscribe(struct migration_user *muser, const char *vname,
			   bool set, enum mail_error *error_code_r,
			   const char **error_r);

int local_folder_exists(struct migration_user *muser, const char *vname,
			bool *exists_r);
/* With what is below it. One that isn't there is fine. */
int local_folder_rename(struct migration_user *muser, const char *from,
			const char *to, enum mail_error *error_code_r,
			const char **error_r);
/* Make the changes durable. Returns 0, -1 with an error. */
int local_folders_sync(struct migration_user *muser, const char **error_r);

#endif
