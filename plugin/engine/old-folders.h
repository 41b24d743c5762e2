#ifndef OLD_FOLDERS_H
#define OLD_FOLDERS_H

/*
 * old-folders: the old server's folders and subscriptions, in one pipelined
 * look (LIST, LSUB, NAMESPACE: RFC 3501 6.3.8, 6.3.9, RFC 2342, RFC 6154).
 */

#include "old-client.h"

struct old_folder {
	/* as the server writes it: modified UTF-7, its separator */
	const char *name;
	/* it can be selected (not \NoSelect, not \NonExistent) */
	bool selectable;
	/* RFC 6154 attribute, e.g. "\\Sent", or NULL */
	const char *special_use;
};
ARRAY_DEFINE_TYPE(old_folder, struct old_folder);

struct old_folders {
	/* '\0': no hierarchy */
	char sep;
	ARRAY_TYPE(old_folder) folders;
	/* names, some of which may not exist (any more) */
	ARRAY_TYPE(const_string) subscribed;
	/* folders of other users and shared ones, which weren't taken */
	unsigned int foreign;
};

/* All folders whose name begins with prefix (imapc_list_prefix, "" for all)
   and INBOX. Allocated from pool. Returns 0, -1 with an error. */
int old_folders_get(struct old_client *client, const char *prefix, pool_t pool,
		    struct old_folders *folders_r,
		    enum mail_error *error_code_r, const char **error_r);

#endif
