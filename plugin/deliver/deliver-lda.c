#include "lib.h"
#include "ioloop.h"
#include "settings-parser.h"
#include "smtp-address.h"
#include "smtp-submit-settings.h"
#include "lda-settings.h"
#include "mail-deliver.h"
#include "mail-storage-service.h"
#include "mail-user.h"
#include "engine/late-deliver.h"
#include "deliver-lda.h"

const struct setting_parser_info *const deliver_lda_set_roots[] = {
	&smtp_submit_setting_parser_info,
	&lda_setting_parser_info,
	NULL
};

static const struct lda_settings *lda_set;
static const struct smtp_submit_settings *smtp_set;

void deliver_lda_hooks_init(void)
{
	mail_deliver_hooks_init();
}

static int expand(struct mail_user *user, const struct setting_parser_info *info,
		  void *set, const char **error_r)
{
	return settings_var_expand(info, set, user->pool,
				   mail_user_var_expand_table(user),
				   error_r) > 0 ? 0 : -1;
}

int deliver_lda_init(struct mail_user *user,
		     struct mail_storage_service_user *service_user,
		     const char **error_r)
{
	/* the first are those of the mail user */
	void **sets = mail_storage_service_user_get_set(service_user) + 1;

	for (unsigned int i = 0; deliver_lda_set_roots[i] != NULL; i++) {
		if (expand(user, deliver_lda_set_roots[i], sets[i],
			   error_r) < 0)
			return -1;
	}
	smtp_set = sets[0];
	lda_set = sets[1];
	return 0;
}

/* NULL: the null sender, or none that is known. */
static struct smtp_address *parse_address(const char *text)
{
	struct smtp_address *address;
	const char *error;

	if (*text == '\0' ||
	    smtp_address_parse_mailbox(pool_datastack_create(), text,
		SMTP_ADDRESS_PARSE_FLAG_ALLOW_LOCALPART, &address,
		&error) < 0)
		return NULL;
	return address;
}

static struct smtp_address *
recipient(struct mail_user *user, const struct late_mail *mail)
{
	struct smtp_address *address = parse_address(mail->to);
	const char *error;

	if (address == NULL &&
	    smtp_address_parse_username(pool_datastack_create(),
					user->username, &address, &error) < 0)
		address = smtp_address_create_temp(user->username, NULL);
	return address;
}

static void original_recipient(struct mail_deliver_input *input)
{
	const char *header = input->set->lda_original_recipient_header;
	const struct smtp_address *address = NULL;

	if (*header != '\0')
		address = mail_deliver_get_address(input->src_mail, header);
	input->rcpt_params.orcpt.addr =
		address != NULL ? address : input->rcpt_to;
}

static int run(struct mail_deliver_input *input, enum mail_error *error_code_r,
	       const char **error_r)
{
	struct mail_deliver_context ctx;
	enum mail_deliver_error error_code;
	int ret;

	mail_deliver_init(&ctx, input);
	ret = mail_deliver(&ctx, &error_code, error_r);
	if (ret < 0) {
		*error_r = t_strdup(*error_r);
		*error_code_r = error_code == MAIL_DELIVER_ERROR_NOQUOTA ?
			MAIL_ERROR_NOQUOTA : MAIL_ERROR_TEMP;
	}
	mail_deliver_deinit(&ctx);
	return ret;
}

int deliver_lda(struct mail_user *user, struct mail *src,
		const struct late_mail *mail,
		enum mail_error *error_code_r, const char **error_r)
{
	struct mail_deliver_input input = {
		.set = lda_set,
		.smtp_set = smtp_set,
		.session = mail_deliver_session_init(),
		.event_parent = user->event,
		.src_mail = src,
		.mail_from = parse_address(mail->from),
		.rcpt_to = recipient(user, mail),
		.rcpt_user = user,
		.rcpt_default_mailbox = "INBOX",
	};
	int ret;

	io_loop_time_refresh();
	input.delivery_time_started = ioloop_timeval;
	original_recipient(&input);
	ret = run(&input, error_code_r, error_r);
	mail_deliver_session_deinit(&input.session);
	return ret;
}
