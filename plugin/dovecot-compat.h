#ifndef DOVECOT_COMPAT_H
#define DOVECOT_COMPAT_H

/*
 * dovecot-compat: what differs between the Dovecot versions and builds we run
 * in. Everything that calls such a function goes through here.
 */

struct mail_user;
struct mail_namespace;

/* The user's value of one of our settings, %variables expanded, or NULL. */
const char *compat_plugin_setting(struct mail_user *user, const char *name);

/* Make a namespace like `like`, but hidden, unlisted, without quota, with its
   mail at the server of the imapc_* settings and its indexes in memory; not
   linked into user->namespaces. Its mail_prefetch_count is at least
   min_prefetch. The caller ends it with mail_namespace_destroy(). Returns 0,
   -1 with an error. */
int compat_imapc_namespace_create(struct mail_namespace *like,
				  unsigned int min_prefetch,
				  struct mail_namespace **ns_r,
				  const char **error_r);

#endif
