#include "sent-mail.h"
#include "corpus.h"
#include "lmtp-client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In UTC; the C locale's names, as no program here sets another one. */
static void write_date(FILE *out, time_t date)
{
	char text[64];
	struct tm tm;

	gmtime_r(&date, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	fprintf(out, "Date: %s\r\n", text);
}

void sent_mail_make(struct sent_mail *mail, uint64_t seed, unsigned int n)
{
	const struct corpus corpus = { .set = CORPUS_SMALL, .seed = seed };
	struct corpus_message msg = { .data = NULL };
	const char *body;
	FILE *out = open_memstream(&mail->data, &mail->size);

	if (out == NULL)
		abort();
	corpus_make(&corpus, n, &msg);
	/* with the empty line before it */
	body = (const char *)memmem(msg.data, msg.size, "\r\n\r\n", 4) + 2;
	fprintf(out, "Message-ID: %s\r\nFrom: <%s>\r\nTo: <user@lab.example>\r\n"
		"Subject: mail %u\r\n", mail->message_id, mail->from, n);
	write_date(out, mail->date);
	fwrite(body, 1, msg.size - (size_t)(body - msg.data), out);
	fclose(out);
	corpus_message_free(&msg);
}

void sent_mail_free(struct sent_mail *mail)
{
	free(mail->data);
	mail->data = NULL;
}

int sent_mail_send(const struct sent_mail *mail, const char *smtp,
		   const char *to, unsigned int timeout_ms,
		   const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	struct lmtp_reply reply = { .code = 0 };
	struct lmtp_client *client;

	if (smtp_open(smtp, timeout_ms, &client, error_r) < 0)
		return 0;
	if (lmtp_deliver(client, mail->from, &to, 1, mail->data, mail->size,
			 &reply) < 0 && reply.code == 0)
		snprintf(error, sizeof(error), "%s", lmtp_error(client));
	else
		snprintf(error, sizeof(error), "%d %s", reply.code,
			 reply.text);
	*error_r = error;
	lmtp_quit(&client);
	return reply.code;
}
