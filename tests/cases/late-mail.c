#include "late-mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TZ_OFFSET 60

const char *late_mail_guid(const char *id)
{
	static char guid[33];
	uint64_t hash = 14695981039346656037U;

	/* FNV-1a: any that differs will do */
	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * 1099511628211U;
	snprintf(guid, sizeof(guid), "%016llx%016llx",
		 (unsigned long long)hash, (unsigned long long)~hash);
	return guid;
}

/* An unlinked file with its bytes, and how many they are. */
static int make_file(const struct late_mail *mail, size_t *size_r)
{
	FILE *file = tmpfile();
	int fd;

	if (!UNIT_CHECK(file != NULL, "tmpfile"))
		return -1;
	fprintf(file, "From: <%s>\r\nMessage-ID: <%s>\r\nDate: %s\r\n%s"
		"Subject: late\r\n\r\nIt took its time.\r\n",
		CASE_MESSAGE_FROM, mail->id, CASE_MESSAGE_DATE,
		mail->header == NULL ? "" : mail->header);
	*size_r = (size_t)ftell(file);
	fflush(file);
	fd = dup(fileno(file));
	fclose(file);
	return fd;
}

void late_mail_say(struct asker *asker, const struct late_mail *mail)
{
	const char *into = mail->save_into;
	size_t size = 0;
	int file = make_file(mail, &size);

	asker_send(asker, file, "%s%s\t%s\t%zu\t%d\t%d\t%s\t%s%s\t%s\t%s\t%ld",
		   into == NULL ? "DELIVER" : "SAVE\t",
		   into == NULL ? "" : into, late_mail_guid(mail->id), size,
		   LATE_DATE, TZ_OFFSET, LATE_FLAGS, LATE_UIDL, mail->id,
		   mail->from == NULL ? "" : mail->from,
		   mail->to == NULL ? "" : mail->to, mail->begun);
	close(file);
}

struct asker *late_mail_asker(unsigned int user, const char **line_r)
{
	struct asker *asker = asker_start("migration-deliver", case_user(user),
					  geteuid(), line_r);

	if (strcmp(*line_r, "OK") != 0)
		asker_close(&asker);
	return asker;
}

const char *late_mail_give(unsigned int user, const struct late_mail *mail)
{
	const char *line;
	struct asker *asker = late_mail_asker(user, &line);

	if (asker != NULL) {
		late_mail_say(asker, mail);
		line = asker_answer(asker, CASE_TIMEOUT_MS);
	}
	asker_close(&asker);
	return line;
}

bool late_mail_ok(unsigned int user, const struct late_mail *mail)
{
	const char *line = late_mail_give(user, mail);

	return UNIT_CHECK(strcmp(line, "OK") == 0, "%s: '%s'", mail->id, line);
}

/* All lines of that mail, one a message. */
static const char *fetch(unsigned int user, const char *mailbox, const char *id)
{
	int status = case_doveadm("-f tab fetch -u %s "
		"'guid date.received.unixtime flags pop3.uidl' "
		"mailbox '%s' header Message-ID '%s'", case_user(user),
		mailbox, id);
	const char *lines = strchr(case_output(), '\n');

	UNIT_CHECK(status == 0, "fetch: %d: %s", status, case_output());
	return lines == NULL ? "" : lines + 1;
}

unsigned int late_mail_count(unsigned int user, const char *mailbox,
			     const char *id)
{
	const char *lines = fetch(user, mailbox, id);
	unsigned int count = 0;

	while ((lines = strchr(lines, '\n')) != NULL) {
		lines++;
		count++;
	}
	return count;
}

static bool has_word(const char *line, const char *word)
{
	const char *found = strstr(line, word);

	return found != NULL && strchr(" \t", found[-1]) != NULL &&
		strchr(" \t", found[strlen(word)]) != NULL;
}

bool late_mail_kept(unsigned int user, const char *mailbox, const char *id,
		    const char *flag)
{
	char lines[1000], begin[80], end[200];
	size_t len;

	snprintf(lines, sizeof(lines), "%s", fetch(user, mailbox, id));
	len = (size_t)snprintf(begin, sizeof(begin), "%s\t%d\t",
			       late_mail_guid(id), LATE_DATE);
	snprintf(end, sizeof(end), "\t"LATE_UIDL"%s\n", id);
	return UNIT_CHECK(strncmp(lines, begin, len) == 0 &&
			  has_word(lines, "\\Seen") &&
			  has_word(lines, "$Late") &&
			  (*flag == '\0' || has_word(lines, flag)) &&
			  strstr(lines, end) == strchr(lines, '\n') -
			  (strlen(end) - 1), "%s in %s: '%s'", id, mailbox,
			  lines);
}

bool late_mail_sieve(unsigned int user, const char *script)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/.dovecot.sieve",
		 case_get("NEW_HOME"), case_user(user));
	if (!UNIT_CHECK((file = fopen(path, "w")) != NULL, "%s", path))
		return false;
	fputs(script, file);
	fclose(file);
	return case_shell("chown %s:%s '%s'", case_get("MAIL_ID"),
			  case_get("MAIL_ID"), path);
}
