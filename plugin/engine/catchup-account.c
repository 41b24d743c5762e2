#include "lib.h"
#include "buffer.h"
#include "str.h"
#include "strescape.h"
#include "migration-dir.h"
#include "catchup-account.h"

#define ACCOUNT_FOLDER "catchup"
/* no mailbox's key begins with a '.' */
#define ACCOUNT_NAME ".account"
#define ACCOUNT_MAGIC "migration-account 1"
#define ACCOUNT_MAX_SIZE 4096
/* of a reason, unescaped */
#define REASON_MAX 1000

static const struct {
	const char *name;
	size_t offset;
} account_times[] = {
	{ "looked=", offsetof(struct catchup_account, looked) },
	{ "failed=", offsetof(struct catchup_account, failed) },
	{ "late=", offsetof(struct catchup_account, late) },
	{ "old_client=", offsetof(struct catchup_account, old_client) },
};
#define TIMES N_ELEMENTS(account_times)

static bool
parse(const char *const *lines, pool_t pool, struct catchup_account *account_r)
{
	if (str_array_length(lines) != TIMES + 5 ||
	    strcmp(*lines++, ACCOUNT_MAGIC) != 0)
		return FALSE;
	for (unsigned int i = 0; i < TIMES; i++, lines++) {
		const char *name = account_times[i].name;
		time_t *time = PTR_OFFSET(account_r, account_times[i].offset);

		if (!str_begins(*lines, name) ||
		    str_to_time(*lines + strlen(name), time) < 0)
			return FALSE;
	}
	if (!str_begins(lines[0], "waiting=") ||
	    str_to_uint(lines[0] + 8, &account_r->waiting) < 0 ||
	    !str_begins(lines[1], "reason="))
		return FALSE;
	account_r->reason = str_tabunescape(p_strdup(pool, lines[1] + 7));
	return strcmp(lines[2], "end") == 0;
}

int catchup_account_read(const char *dir, pool_t pool,
			 struct catchup_account *account_r,
			 const char **error_r)
{
	buffer_t *data = t_buffer_create(256);
	int ret;

	i_zero(account_r);
	account_r->reason = "";
	ret = migration_dir_read(dir, ACCOUNT_FOLDER, ACCOUNT_NAME,
				 ACCOUNT_MAX_SIZE, data, error_r);
	if (ret > 0 &&
	    !parse(t_strsplit(str_c(data), "\n"), pool, account_r)) {
		*error_r = t_strdup_printf("Can't use %s/"ACCOUNT_FOLDER"/"
			ACCOUNT_NAME": it isn't a complete "ACCOUNT_MAGIC, dir);
		ret = -1;
	}
	return ret;
}

int catchup_account_write(const char *dir,
			  const struct catchup_account *account,
			  const char **error_r)
{
	string_t *str = t_str_new(256);

	str_append(str, ACCOUNT_MAGIC"\n");
	for (unsigned int i = 0; i < TIMES; i++) {
		const time_t *time =
			CONST_PTR_OFFSET(account, account_times[i].offset);

		str_printfa(str, "%s%"PRIdTIME_T"\n", account_times[i].name,
			    *time);
	}
	str_printfa(str, "waiting=%u\nreason=", account->waiting);
	str_append_tabescaped(str, t_strndup(account->reason, REASON_MAX));
	str_append(str, "\nend\n");
	return migration_dir_replace(dir, ACCOUNT_FOLDER, ACCOUNT_NAME,
				     str_data(str), str_len(str), error_r);
}
