/*
 * snapshot-take: what the files that take a picture share
 *
 * snapshot-list.c finds the folders, snapshot-take.c reads them.
 */
#ifndef SNAPSHOT_TAKE_H
#define SNAPSHOT_TAKE_H

#include "snapshot.h"

#include <openssl/evp.h>

struct take {
	const struct snapshot_source *source;
	struct snapshot *snapshot;
	struct imap_client *client;
	/* The personal namespace's prefix, as the server has it. */
	char *prefix;
	/* The folder that is read, and its server's name. */
	struct snapshot_folder *folder;
	char **server_names;

	EVP_MD_CTX *digest;
	unsigned char body_digest[SNAPSHOT_DIGEST_SIZE];
	char error[NET_LINE_MAX_ERROR];
};

/* Asks NAMESPACE for the prefix; "" where there is none. */
void take_find_prefix(struct take *take);
/* Adds the folders of LIST, then those that only LSUB has. -1: the server
   refused or is gone. */
int take_list_folders(struct take *take);
int take_list_subscriptions(struct take *take);
/* The members that are wanted, sorted, in one shared string. */
const char *take_join_flags(struct snapshot *snapshot,
			    const struct imap_arg *arg,
			    bool (*wanted)(const char *flag));

#endif
