#include "mail-unit.h"
#include "array.h"
#include "istream.h"
#include "mail-namespace.h"
#include "mail-search-build.h"
#include "mail-storage-service.h"
#include "master-service.h"
#include "seq-range-array.h"
#include "plugin/migration-user.h"

static struct mail_storage_service_ctx *storage_service;

struct mail_unit_user {
	struct migration_user muser;
	struct mail_storage_service_user *service_user;
	char *home, *format;
};

/*
 * What the plugin has
 */

void migration_bypass_begin(struct migration_user *muser)
{
	muser->bypass++;
}

void migration_bypass_end(struct migration_user *muser)
{
	muser->bypass--;
}

struct mailbox *
migration_local_mailbox_alloc(struct migration_user *muser, const char *vname,
			      enum mailbox_flags flags)
{
	return mailbox_alloc(muser->ns->list, vname, flags);
}

/*
 * Users
 */

static void user_begin(struct mail_unit_user *unit)
{
	const char *const fields[] = {
		t_strconcat("mail=", unit->format, ":~/mail", NULL),
		"postmaster_address=postmaster@localhost",
		"mailbox_list_index=yes",
		"mail_fsync=never",
		"namespace=inbox",
		"namespace/inbox/prefix=",
		"namespace/inbox/separator=/",
		"namespace/inbox/inbox=yes",
		t_strconcat("home=", unit->home, NULL),
		NULL
	};
	struct mail_storage_service_input input = {
		.userdb_fields = fields,
		.username = "unit",
		.no_userdb_lookup = TRUE,
	};
	struct migration_user *muser = &unit->muser;
	const char *error;

	if (mail_storage_service_lookup_next(storage_service, &input,
					     &unit->service_user, &muser->user,
					     &error) < 0)
		i_fatal("mail_storage_service_lookup_next() failed: %s", error);
	muser->ns = mail_namespace_find_inbox(muser->user->namespaces);
}

static void user_end(struct mail_unit_user *unit)
{
	mail_user_deinit(&unit->muser.user);
	mail_storage_service_user_unref(&unit->service_user);
}

struct migration_user *mail_unit_user(const char *format)
{
	struct mail_unit_user *unit = i_new(struct mail_unit_user, 1);

	unit->home = i_strdup(engine_unit_dir());
	unit->format = i_strdup(format);
	unit->muser.set.enabled = TRUE;
	unit->muser.set.dir = i_strconcat(unit->home, "/migration", NULL);
	user_begin(unit);
	return &unit->muser;
}

static struct mail_unit_user *unit_of(struct migration_user *muser)
{
	return container_of(muser, struct mail_unit_user, muser);
}

void mail_unit_user_again(struct migration_user **muser)
{
	user_end(unit_of(*muser));
	user_begin(unit_of(*muser));
}

void mail_unit_user_free(struct migration_user **muser)
{
	struct mail_unit_user *unit = unit_of(*muser);
	char *dir = (char *)unit->muser.set.dir;

	user_end(unit);
	i_free(dir);
	i_free(unit->home);
	i_free(unit->format);
	i_free(unit);
	*muser = NULL;
}

/*
 * Mailboxes
 */

static struct mailbox *
open_box(struct migration_user *muser, const char *vname)
{
	struct mailbox *box = mailbox_alloc(muser->ns->list, vname, 0);

	/* it may be there already */
	(void)mailbox_create(box, NULL, FALSE);
	if (mailbox_open(box) < 0 || mailbox_sync(box, 0) < 0) {
		i_fatal("Can't open %s: %s", vname,
			mailbox_get_last_internal_error(box, NULL));
	}
	return box;
}

static struct mailbox_transaction_context *begin(struct mailbox *box)
{
	return mailbox_transaction_begin(box,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL |
		MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, __func__);
}

static void end(struct mailbox **box)
{
	CU_ASSERT(mailbox_sync(*box, 0) == 0);
	mailbox_free(box);
}

static void save(struct mailbox_transaction_context *trans, const char *text,
		 time_t date)
{
	struct mail_save_context *save = mailbox_save_alloc(trans);
	struct istream *input = i_stream_create_from_data(text, strlen(text));

	if (date != 0)
		mailbox_save_set_received_date(save, date, 0);
	CU_ASSERT(mailbox_save_begin(&save, input) == 0);
	CU_ASSERT(mailbox_save_continue(save) == 0);
	CU_ASSERT(mailbox_save_finish(&save) == 0);
	i_stream_unref(&input);
}

uint32_t mail_unit_save(struct migration_user *muser, const char *vname,
			const char *text, time_t date)
{
	struct mailbox *box = open_box(muser, vname);
	struct mailbox_transaction_context *trans = begin(box);
	struct mail_transaction_commit_changes changes;
	struct seq_range_iter iter;
	uint32_t uid = 0;

	i_zero(&changes);
	save(trans, text, date);
	if (mailbox_transaction_commit_get_changes(&trans, &changes) == 0) {
		seq_range_array_iter_init(&iter, &changes.saved_uids);
		(void)seq_range_array_iter_nth(&iter, 0, &uid);
		pool_unref(&changes.pool);
	}
	end(&box);
	CU_ASSERT(uid != 0);
	return uid;
}

void mail_unit_save_many(struct migration_user *muser, const char *vname,
			 const char *const *texts)
{
	struct mailbox *box = open_box(muser, vname);
	struct mailbox_transaction_context *trans = begin(box);

	for (; *texts != NULL; texts++)
		save(trans, *texts, 0);
	CU_ASSERT(mailbox_transaction_commit(&trans) == 0);
	end(&box);
}

void mail_unit_create(struct migration_user *muser, const char *vname)
{
	struct mailbox *box = open_box(muser, vname);

	end(&box);
}

void mail_unit_delete(struct migration_user *muser, const char *vname)
{
	struct mailbox *box = mailbox_alloc(muser->ns->list, vname, 0);

	CU_ASSERT(mailbox_delete(box) == 0);
	mailbox_free(&box);
}

const char *mail_unit_file(struct migration_user *muser, const char *vname,
			   uint32_t uid)
{
	return t_strdup_printf("%s/mail/mailboxes/%s/dbox-Mails/u.%u",
			       unit_of(muser)->home, vname, uid);
}

void mail_unit_expunge(struct migration_user *muser, const char *vname,
		       uint32_t uid)
{
	struct mailbox *box = open_box(muser, vname);
	struct mailbox_transaction_context *trans = begin(box);
	struct mail *mail = mail_alloc(trans, 0, NULL);

	CU_ASSERT(mail_set_uid(mail, uid));
	mail_expunge(mail);
	mail_free(&mail);
	CU_ASSERT(mailbox_transaction_commit(&trans) == 0);
	end(&box);
}

void mail_unit_move(struct migration_user *muser, const char *vname,
		    uint32_t uid, const char *to)
{
	struct mailbox *from_box = open_box(muser, vname);
	struct mailbox *to_box = open_box(muser, to);
	struct mailbox_transaction_context *from = begin(from_box);
	struct mailbox_transaction_context *trans = begin(to_box);
	struct mail_save_context *save = mailbox_save_alloc(trans);
	struct mail *mail = mail_alloc(from, 0, NULL);

	CU_ASSERT(mail_set_uid(mail, uid));
	CU_ASSERT(mailbox_move(&save, mail) == 0);
	mail_free(&mail);
	CU_ASSERT(mailbox_transaction_commit(&trans) == 0);
	CU_ASSERT(mailbox_transaction_commit(&from) == 0);
	end(&from_box);
	end(&to_box);
}

int mail_unit_run(const char *suite, const struct unit_test *tests)
{
	char *args[] = { (char *)suite, NULL }, **argv = args;
	int argc = 1, ret;

	master_service = master_service_init(suite,
		MASTER_SERVICE_FLAG_STANDALONE |
		MASTER_SERVICE_FLAG_DONT_SEND_STATS |
		MASTER_SERVICE_FLAG_NO_CONFIG_SETTINGS |
		MASTER_SERVICE_FLAG_NO_SSL_INIT |
		MASTER_SERVICE_FLAG_NO_INIT_DATASTACK_FRAME,
		&argc, &argv, "");
	storage_service = mail_storage_service_init(master_service, NULL,
		MAIL_STORAGE_SERVICE_FLAG_NO_RESTRICT_ACCESS |
		MAIL_STORAGE_SERVICE_FLAG_NO_LOG_INIT |
		MAIL_STORAGE_SERVICE_FLAG_NO_PLUGINS);
	ret = engine_unit_run_here(suite, tests);
	mail_storage_service_deinit(&storage_service);
	master_service_deinit(&master_service);
	return ret;
}
