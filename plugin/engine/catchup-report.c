/* catchup-report: what catch-up found and did, as report lines. */

#include "catchup-private.h"
#include "str.h"
#include "imap-util.h"
#include "migration-report.h"

#include <time.h>

#define MESSAGE_ID_MAX 200

static time_t mail_received(const struct catchup_mail *mail)
{
	return mail->received.received != 0 ? mail->received.received :
		mail->body->item.date;
}

static const char *mail_delay(const struct catchup_mail *mail)
{
	time_t received = mail_received(mail), now = time(NULL);

	return dec2str(now > received ? now - received : 0);
}

static void
report_mail(struct catchup *catchup, const struct catchup_mail *mail,
	    const char *event, const char *key, const char *value)
{
	const struct catchup_box *box = mail->box;
	const struct received_header *received = &mail->received;

	migration_report(catchup->muser, event, "mailbox", box->vname,
		"uidvalidity", dec2str(box->baseline.uid_validity),
		"uid", dec2str(mail->body->uid),
		"mid", t_strndup(mail->identity.message_id_text,
				 MESSAGE_ID_MAX),
		"from", t_strdup_printf("<%s>", received->return_path),
		"client", received->client,
		"name", received->verified ? received->name : "",
		"helo", received->verified ? "" : received->name,
		"received", dec2str(mail_received(mail)),
		"delay", mail_delay(mail),
		"size", dec2str(mail->body->size),
		"spam", mail->spam ? "yes" : "no", key, value, NULL);
}

/* What a client saved there isn't an arrival. */
void catchup_report_late(struct catchup *catchup,
			 const struct catchup_mail *mail, const char *action)
{
	report_mail(catchup, mail, mail->identity.arrived ? "late" :
		    "late_saved", "action", action);
}

void catchup_report_double(struct catchup *catchup,
			   const struct catchup_mail *mail, const char *of)
{
	if (mail->identity.arrived)
		report_mail(catchup, mail, "late_double", "of", of);
}

void catchup_report_moved(struct catchup *catchup,
			  const struct catchup_box *from, uint32_t uid,
			  const struct catchup_box *to)
{
	migration_report(catchup->muser, "late_moved",
			 "mailbox", from->vname, "uid", dec2str(uid),
			 "to_mailbox", to->vname, NULL);
}

void catchup_report_failed(struct catchup *catchup,
			   const struct catchup_box *box, uint32_t uid,
			   const char *reason)
{
	migration_report(catchup->muser, "late_failed",
			 "mailbox", box->vname, "uid", dec2str(uid),
			 "reason", reason, NULL);
}

void catchup_report_reset(struct catchup *catchup,
			  const struct catchup_box *box, const char *reason)
{
	migration_report(catchup->muser, "old_reset",
			 "mailbox", box->vname, "reason", reason, NULL);
}

void catchup_report_count(struct catchup *catchup, const char *event,
			  const struct catchup_box *box, unsigned int messages)
{
	migration_report(catchup->muser, event, "mailbox", box->vname,
			 "messages", dec2str(messages), NULL);
}

void catchup_report_uids(struct catchup *catchup, const char *event,
			 const struct catchup_box *box,
			 const ARRAY_TYPE(seq_range) *uids)
{
	string_t *str = t_str_new(64);

	imap_write_seq_range(str, uids);
	migration_report(catchup->muser, event, "mailbox", box->vname,
			 "uids", t_strndup(str_c(str), 500), NULL);
}

void catchup_report_old_client(struct catchup *catchup,
			       const struct catchup_box *box)
{
	if (box->flags == 0 && box->expunged == 0 && box->saved == 0 &&
	    box->moved == 0)
		return;
	migration_report(catchup->muser, "old_client",
			 "mailbox", box->vname,
			 "flags", dec2str(box->flags),
			 "seen", dec2str(box->seen),
			 "expunged", dec2str(box->expunged),
			 "saved", dec2str(box->saved),
			 "moved", dec2str(box->moved), NULL);
}

void catchup_report_poll(struct catchup *catchup, bool ok)
{
	migration_report(catchup->muser, "poll", "ok", ok ? "yes" : "no",
		"mailboxes", dec2str(catchup->result->mailboxes),
		"new", dec2str(catchup->found),
		"waiting", dec2str(catchup->result->waiting),
		ok ? NULL : "reason", catchup->error, NULL);
}
