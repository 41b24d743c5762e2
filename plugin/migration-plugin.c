#include "lib.h"
#include "mail-namespace.h"
#include "mail-storage-hooks.h"
#include "mailbox-list-private.h"
#include "imapc-list.h"
#include "folder-forward.h"
#include "imap-capability.h"
#include "imap-session.h"
#include "local-mailbox.h"
#include "late-save.h"
#include "migration-user.h"
#include "mirrored-mailbox.h"
#include "mirrored-transaction.h"
#include "proxy-transaction.h"
#include "read-through.h"
#include "redirect.h"
#include "redirect-list.h"
#include "redirected-mailbox.h"
#include "refused-mailbox.h"
#include "remote-namespace.h"
#include "remote-select.h"
#include "session-catchup.h"
#include "session-demand.h"
#include "engine/lease.h"
#include "engine/old-limits.h"
#include "migration-plugin.h"

const char *migration_plugin_version = DOVECOT_ABI_VERSION;

static bool is_imapc(const char *name)
{
	return strcmp(name, IMAPC_STORAGE_NAME) == 0;
}

static void migration_mailbox_list_created(struct mailbox_list *list)
{
	struct mail_namespace *ns = list->ns;
	struct migration_user *muser = MIGRATION_USER_CONTEXT(ns->user);

	if (muser == NULL || (list->flags & MAILBOX_LIST_FLAG_SECONDARY) != 0 ||
	    (ns->flags & NAMESPACE_FLAG_INBOX_USER) == 0 || ns->owner != ns->user)
		return;
	if (muser->ns == NULL) {
		muser->ns = ns;
		redirect_list_created(muser, list);
	} else if (is_imapc(list->name)) {
		remote_list_created(muser, list);
	}
}

static void migration_mail_storage_created(struct mail_storage *storage)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(storage->user);

	if (muser != NULL)
		redirect_storage_created(muser, storage);
}

static void
migration_mail_namespaces_created(struct mail_namespace *namespaces)
{
	struct mail_user *user = namespaces->user;
	struct migration_user *muser = MIGRATION_USER_CONTEXT(user);
	const char *error;

	if (muser == NULL || muser->remote_ns != NULL)
		return;
	if (muser->ns == NULL)
		error = "no namespace of the user has inbox = yes";
	else if (remote_namespace_create(muser, &error) == 0) {
		session_demand_init(muser);
		session_catchup_init(muser);
		return;
	}
	user->error = p_strconcat(user->pool, "migration: ", error, NULL);
}

static void
mailbox_decided(struct migration_user *muser, struct mailbox *box,
		struct redirect_decision *decision)
{
	switch (decision->target) {
	case REDIRECT_LOCAL:
		if (decision->lease != NULL)
			local_mailbox_init(muser, box, decision);
		else
			folder_forward_init(muser, box, box->vlast, NULL);
		break;
	case REDIRECT_REMOTE:
		redirected_mailbox_init(muser, box, decision);
		break;
	case REDIRECT_MIRRORED:
		mirrored_mailbox_init(muser, box);
		break;
	case REDIRECT_REFUSED:
		refused_mailbox_init(box, decision->error_code,
				     decision->error);
		break;
	}
	lease_release(&decision->lease);
	i_free(decision);
}

static void migration_mailbox_allocated(struct mailbox *box)
{
	struct migration_user *muser =
		MIGRATION_USER_CONTEXT(box->storage->user);
	struct redirect_decision *decision;

	if (muser == NULL || muser->decision == NULL)
		return;
	decision = muser->decision;
	muser->decision = NULL;
	mailbox_decided(muser, box, decision);
}

static void migration_mail_allocated(struct mail *mail)
{
	if (MIGRATION_USER_CONTEXT(mail->box->storage->user) != NULL &&
	    REDIRECTED_MAILBOX(mail->box) != NULL)
		proxy_mail_init(mail);
}

static void migration_read_through(struct mail *mail)
{
	if (MIGRATION_USER_CONTEXT(mail->box->storage->user) != NULL &&
	    REDIRECTED_MAILBOX(mail->box) != NULL)
		read_through_mail_allocated(mail);
}

static void migration_inner_mailbox(struct mailbox *box)
{
	struct mirrored_mailbox *mbox;
	struct redirected_mailbox *rbox;

	if (MIGRATION_USER_CONTEXT(box->storage->user) == NULL)
		return;
	mbox = MIRRORED_MAILBOX(box);
	if (mbox != NULL)
		mirrored_mailbox_init_inner(mbox);
	rbox = REDIRECTED_MAILBOX(box);
	if (rbox != NULL)
		remote_select_init(rbox);
}

static void migration_inner_mail(struct mail *mail)
{
	if (MIGRATION_USER_CONTEXT(mail->box->storage->user) != NULL &&
	    MIRRORED_MAILBOX(mail->box) != NULL)
		mirrored_mail_init(mail);
}

static const struct mail_storage_hooks migration_hooks = {
	.mail_user_created = migration_user_created,
	.mail_namespaces_created = migration_mail_namespaces_created,
	.mail_storage_created = migration_mail_storage_created,
	.mailbox_list_created = migration_mailbox_list_created,
	.mailbox_allocated = migration_mailbox_allocated,
	.mailbox_opened = late_save_mailbox_opened,
	.mail_allocated = migration_mail_allocated,
};

/* a hook can override the vfuncs of an object only once */
static const struct mail_storage_hooks read_through_hooks = {
	.mail_allocated = migration_read_through,
};

/* called after those of all plugins */
static const struct mail_storage_hooks inner_hooks = {
	.mailbox_allocated = migration_inner_mailbox,
	.mail_allocated = migration_inner_mail,
};

void migration_plugin_init(struct module *module)
{
	mail_storage_hooks_add(module, &migration_hooks);
	mail_storage_hooks_add(module, &read_through_hooks);
	mail_storage_hooks_add_internal(&inner_hooks);
	imap_capability_init();
	imap_session_init();
}

void migration_plugin_deinit(void)
{
	imap_session_deinit();
	imap_capability_deinit();
	mail_storage_hooks_remove_internal(&inner_hooks);
	mail_storage_hooks_remove(&read_through_hooks);
	mail_storage_hooks_remove(&migration_hooks);
	old_limits_deinit_all();
}
