#ifndef DELIVER_LDA_H
#define DELIVER_LDA_H

/*
 * deliver-lda: a delivery by lib-lda, as LMTP does it: with the plugins and
 * settings of protocol lmtp, and the hook of Sieve.
 *
 * What LMTP would refuse for good (over quota) is an error as any other: the
 * mail stays at the old server and is tried again. What the user's own script
 * refuses (RFC 5429) is refused as in LMTP: lib-lda sends the reason to the
 * sender of the envelope, and the mail counts as delivered.
 */

#include "deliver.h"

struct mail_storage_service_user;
struct setting_parser_info;

/* What deliver_lda() needs of the configuration, NULL-terminated. */
extern const struct setting_parser_info *const deliver_lda_set_roots[];

/* Before the user's storages are made. */
void deliver_lda_hooks_init(void);
/* Returns 0, -1 with an error. */
int deliver_lda_init(struct mail_user *user,
		     struct mail_storage_service_user *service_user,
		     const char **error_r);

deliver_lda_t deliver_lda;

#endif
