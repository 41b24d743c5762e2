#include "lib.h"
#include "array.h"
#include "dovecot-compat.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "proxy-search.h"

#define MAIL_LOG_DEFAULT_FIELDS "uid box msgid size"

/* commands that change the mails they find, as they stand in the reason of a
   transaction */
static const char *const changing[] = {
	"STORE", "EXPUNGE", "COPY", "MOVE", "CLOSE",
};

static const struct {
	const char *field, *header;
	enum mail_fetch_field fetch;
} log_fields[] = {
	{ "msgid", "Message-ID", 0 },
	{ "from", "From", 0 },
	{ "subject", "Subject", 0 },
	{ "size", NULL, MAIL_FETCH_PHYSICAL_SIZE },
	{ "vsize", NULL, MAIL_FETCH_VIRTUAL_SIZE },
};

static bool will_be_logged(struct mailbox_transaction_context *t)
{
	struct mail_user *user = t->box->storage->user;
	const char *const *plugins =
		t_strsplit_spaces(user->set->mail_plugins, ", ");

	if (t->reason == NULL || !str_array_find(plugins, "mail_log"))
		return FALSE;
	for (unsigned int i = 0; i < N_ELEMENTS(changing); i++) {
		if (strstr(t->reason, changing[i]) != NULL)
			return TRUE;
	}
	return FALSE;
}

static void
logged_fields(struct mail_user *user, enum mail_fetch_field *fields,
	      ARRAY_TYPE(const_string) *headers)
{
	const char *value = compat_plugin_setting(user, "mail_log_fields");
	const char *const *names;

	names = t_strsplit_spaces(value != NULL ? value :
				  MAIL_LOG_DEFAULT_FIELDS, ", ");
	for (unsigned int i = 0; i < N_ELEMENTS(log_fields); i++) {
		if (!str_array_find(names, log_fields[i].field))
			continue;
		*fields |= log_fields[i].fetch;
		if (log_fields[i].header != NULL)
			array_push_back(headers, &log_fields[i].header);
	}
}

static struct mail_search_context *
proxy_search_begin(struct mailbox_transaction_context *t,
		   struct mail_search_args *args,
		   const enum mail_sort_type *sort_program,
		   enum mail_fetch_field fields,
		   struct mailbox_header_lookup_ctx *headers)
{
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(t->box);
	struct mailbox_header_lookup_ctx *log_headers = NULL;
	struct mail_search_context *ctx;
	ARRAY_TYPE(const_string) names;

	if (headers == NULL && will_be_logged(t)) {
		t_array_init(&names, N_ELEMENTS(log_fields) + 1);
		logged_fields(t->box->storage->user, &fields, &names);
		if (array_count(&names) > 0) {
			array_append_zero(&names);
			headers = log_headers = mailbox_header_lookup_init(
				t->box, array_front(&names));
		}
	}
	ctx = rbox->module_ctx.super.search_init(t, args, sort_program, fields,
						 headers);
	mailbox_header_lookup_unref(&log_headers);
	return ctx;
}

void proxy_search_init(struct mailbox_vfuncs *v)
{
	v->search_init = proxy_search_begin;
}
