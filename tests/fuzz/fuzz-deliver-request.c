/* fuzz-deliver-request: the input is lines that a process says to
   migration-deliver. What is taken of them can be saved as it is, and says the
   same when it is said again. */
#include "lib.h"
#include "strescape.h"
#include "unichar.h"
#include "deliver/deliver-request.h"
#include "fuzz.h"

static void check_text(const char *text)
{
	for (; *text != '\0'; text++)
		FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_mail(const struct late_mail *mail)
{
	FUZZ_CHECK(mail->fd == -1 && mail->begun >= 0);
	FUZZ_CHECK(mail->size <= OFF_T_MAX && !guid_128_is_empty(mail->guid));
	if (mail->save_into != NULL) {
		FUZZ_CHECK(*mail->save_into != '\0' &&
			   uni_utf8_str_is_valid(mail->save_into));
	}
	if (mail->pop3_uidl != NULL) {
		check_text(mail->pop3_uidl);
		FUZZ_CHECK(*mail->pop3_uidl != '\0' &&
			   strchr(mail->pop3_uidl, ' ') == NULL);
	}
	check_text(mail->flags);
	check_text(mail->from);
	check_text(mail->to);
}

static int parse(const char *line, struct late_mail *mail_r)
{
	const char *error = NULL;
	int ret = deliver_request_parse(t_strsplit_tabescaped(line),
					pool_datastack_create(), mail_r,
					&error);

	FUZZ_CHECK(ret == 0 || (error != NULL && *error != '\0'));
	return ret;
}

void fuzz_line(const char *line)
{
	struct late_mail mail, again;

	if (parse(line, &mail) < 0)
		return;
	check_mail(&mail);
	line = deliver_request_line(&mail);
	FUZZ_CHECK(strchr(line, '\n') == NULL && parse(line, &again) == 0);
	FUZZ_CHECK(strcmp(line, deliver_request_line(&again)) == 0);
}
