#include "copy-tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without our plugin, in the new server's store */
#define STOCK "-o mail_plugins="
#define BACKUP STOCK " -o mail_fsync=never -o imapc_features=" \
	"'rfc822.size fetch-headers fetch-bodystructure' " \
	"-o mail_prefetch_count=%u backup -R"

const struct copy_tool copy_tools[COPY_TOOLS] = {
	[COPY_OURS] = { "dovecot-migration", true, "yes", "yes" },
	[COPY_TUNED] = { "doveadm-tuned", true, "no", "no" },
	[COPY_RECIPE] = { "doveadm-recipe", true, "no", "no" },
	[COPY_MBSYNC] = { "mbsync", false, "no", "no" },
	[COPY_RAW] = { "raw", false, "yes", "no" },
};

bool copy_tool_wanted(const struct bench *bench, enum copy_tool_id id)
{
	const char *name = copy_tools[id].name, *list = bench->tools;
	const size_t length = strlen(name);

	while (list != NULL && (strncmp(list, name, length) != 0 ||
				(list[length] != ',' &&
				 list[length] != '\0'))) {
		list = strchr(list, ',');
		if (list == NULL)
			return false;
		list++;
	}
	return true;
}

static char *format(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

static char *format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	return text;
}

static void write_mbsyncrc(const struct bench *bench, unsigned int user,
			   const char *folder)
{
	const char *port = strrchr(bench_get(bench, "OLD_IMAP"), ':') + 1;
	char *path = format("%s/mbsyncrc", folder);
	FILE *file = fopen(path, "w");

	if (file == NULL)
		bench_fail("%s can't be written", path);
	fprintf(file, "FSync no\n\nIMAPAccount old\nHost 127.0.0.1\nPort %s\n"
		"User %s\nPass %s\nAuthMechs LOGIN\n", port,
		bench_user(bench, user), bench_get(bench, "PASSWORD"));
	if (bench->tls)
		fprintf(file, "SSLType IMAPS\nCertificateFile %s\n",
			bench_lab_certificate(bench));
	else
		fprintf(file, "SSLType None\n");
	fprintf(file, "\nIMAPStore far\nAccount old\n\n"
		"MaildirStore near\nPath %s/\nInbox %s/INBOX\n"
		"SubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\n"
		"Patterns *\nCreate Near\nSync Pull\nSyncState *\n",
		folder, folder);
	if (fclose(file) != 0)
		bench_fail("%s can't be written", path);
	free(path);
}

static char *mbsync_command(const struct bench *bench, unsigned int user,
			    const char *folder)
{
	struct process_result result;

	result = bench_shell("mkdir -p '%s'", folder);
	process_result_free(&result);
	write_mbsyncrc(bench, user, folder);
	return format("exec mbsync -q -c '%s/mbsyncrc' -a", folder);
}

static char *raw_command(const struct bench *bench, unsigned int user,
			 const char *option, const char *folder)
{
	return format("exec " RAW_FILL "%s%s %s %s %s '%s'", option,
		      bench->tls ? " --tls" : "", bench_get(bench, "OLD_IMAP"),
		      bench_user(bench, user), bench_get(bench, "PASSWORD"),
		      folder);
}

char *copy_command(const struct bench *bench, enum copy_tool_id id,
		   unsigned int user, const char *folder)
{
	const char *doveadm = bench_get(bench, "DOVEADM");
	const char *name = bench_user(bench, user);

	switch (id) {
	case COPY_OURS:
		return format("exec %s migration fill -u %s", doveadm, name);
	case COPY_TUNED:
		return format("exec %s " BACKUP " -u %s imapc:", doveadm, 1000,
			      name);
	case COPY_RECIPE:
		return format("exec %s " BACKUP " -u %s imapc:", doveadm, 20,
			      name);
	case COPY_MBSYNC:
		return mbsync_command(bench, user, folder);
	case COPY_RAW:
		return raw_command(bench, user, "", folder);
	case COPY_TOOLS:
		break;
	}
	abort();
}

void copy_warm_up(const struct bench *bench, unsigned int user)
{
	char *command = raw_command(bench, user, " --discard", "nowhere");

	(void)bench_run(bench, command);
	free(command);
}

static struct bench_sum sum_store(const struct bench *bench, unsigned int user)
{
	char *doveadm = format("%s " STOCK, bench_get(bench, "DOVEADM"));
	struct bench_sum sum;

	sum = bench_sum_user(bench, doveadm, bench_user(bench, user));
	free(doveadm);
	return sum;
}

/* What isn't a message has names that begin with a dot, or is mbsyncrc. The
   size of a message may be another one: mbsync writes LF, and a header. */
static struct bench_sum
sum_folder(const char *folder, const struct bench_sum *wanted)
{
	struct bench_sum sum = { .bytes = wanted->bytes };
	struct process_result result;

	result = bench_shell("find '%s' -type f ! -name '.*' ! -name mbsyncrc "
			     "! -empty | wc -l", folder);
	sum.messages = strtoull(result.output, NULL, 10);
	process_result_free(&result);
	return sum;
}

void copy_check(const struct bench *bench, enum copy_tool_id id,
		unsigned int user, const char *folder,
		const struct bench_sum *wanted)
{
	struct bench_sum sum;

	sum = copy_tools[id].into_store ? sum_store(bench, user) :
		sum_folder(folder, wanted);
	if (sum.messages != wanted->messages || sum.bytes != wanted->bytes) {
		bench_fail("%s copied %llu messages, %llu bytes of %llu, %llu",
			   copy_tools[id].name,
			   (unsigned long long)sum.messages,
			   (unsigned long long)sum.bytes,
			   (unsigned long long)wanted->messages,
			   (unsigned long long)wanted->bytes);
	}
}
