#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "strescape.h"
#include "sha2.h"
#include "hex-binary.h"
#include "digest-file.h"
#include "migration-dir.h"
#include "mailbox-state.h"

#include <ctype.h>
#include <dirent.h>

#define STATE_FOLDER "state"
#define STATE_MAGIC "migration-mailbox 2"
/* written before there were the fields of version 2, which are 0 then */
#define STATE_MAGIC_1 "migration-mailbox 1"
#define STATE_END "end"
#define STATE_MAX_SIZE (1024*1024)

/* longer keys are cut and made distinct by a digest */
#define KEY_MAX_LENGTH 200
#define KEY_CUT_LENGTH 150
#define KEY_DIGEST_BYTES 16

static const char *const state_names[] = {
	[MAILBOX_STATE_REMOTE] = "remote",
	[MAILBOX_STATE_FILLING] = "filling",
	[MAILBOX_STATE_FILLED] = "filled",
	[MAILBOX_STATE_MIRRORED] = "mirrored",
	[MAILBOX_STATE_LOCAL] = "local",
	[MAILBOX_STATE_DELETED] = "deleted",
};

enum field_type {
	FIELD_STATE,
	FIELD_U32,
	FIELD_U64,
	FIELD_TIME,
	FIELD_STRING,
};

#define FIELD(type, name) { #name, type, \
	offsetof(struct mailbox_state_file, name), 1 }
#define FIELD_2(type, name) { #name, type, \
	offsetof(struct mailbox_state_file, name), 2 }

static const struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	unsigned int since_version;
} fields[] = {
	FIELD(FIELD_STATE, state),
	FIELD(FIELD_U32, uid_validity),
	FIELD(FIELD_U32, durable_uid),
	FIELD(FIELD_U32, verified_uid),
	FIELD(FIELD_U64, modseq),
	FIELD(FIELD_U32, messages),
	FIELD(FIELD_U64, bytes),
	FIELD(FIELD_U32, done_messages),
	FIELD(FIELD_U64, done_bytes),
	FIELD(FIELD_U64, rate),
	FIELD(FIELD_TIME, since),
	FIELD(FIELD_STRING, error),
	FIELD(FIELD_STRING, bad_uids),
	FIELD(FIELD_STRING, altered_uids),
	FIELD(FIELD_STRING, without_uids),
	FIELD_2(FIELD_U32, uid_floor),
	FIELD_2(FIELD_U32, old_uid_next),
	FIELD_2(FIELD_U64, modseq_floor),
	FIELD_2(FIELD_U32, copy_is_stale),
};

const char *mailbox_state_to_str(enum mailbox_state state)
{
	i_assert(state < N_ELEMENTS(state_names));
	return state_names[state];
}

static bool state_parse(const char *str, enum mailbox_state *state_r)
{
	for (unsigned int i = 0; i < N_ELEMENTS(state_names); i++) {
		if (strcmp(state_names[i], str) == 0) {
			*state_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

bool mailbox_state_authority_is_old(enum mailbox_state state)
{
	switch (state) {
	case MAILBOX_STATE_REMOTE:
	case MAILBOX_STATE_FILLING:
	case MAILBOX_STATE_FILLED:
	case MAILBOX_STATE_MIRRORED:
		return TRUE;
	case MAILBOX_STATE_LOCAL:
	case MAILBOX_STATE_DELETED:
		return FALSE;
	}
	i_unreached();
}

static bool key_char_is_plain(char c)
{
	return i_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '+';
}

const char *mailbox_state_key(const char *vname)
{
	unsigned char digest[SHA256_RESULTLEN];
	string_t *key = t_str_new(64);

	if (*vname == '\0')
		return "%";
	for (const char *p = vname; *p != '\0'; p++) {
		if (key_char_is_plain(*p) && (*p != '.' || p != vname))
			str_append_c(key, *p);
		else
			str_printfa(key, "%%%02x", (unsigned char)*p);
	}
	if (str_len(key) <= KEY_MAX_LENGTH)
		return str_c(key);

	sha256_get_digest(vname, strlen(vname), digest);
	str_truncate(key, KEY_CUT_LENGTH);
	/* "%~" never begins an escape */
	str_append(key, "%~");
	binary_to_hex_append(key, digest, KEY_DIGEST_BYTES);
	return str_c(key);
}

static void
field_append(string_t *str, const struct field *field, const void *value)
{
	str_printfa(str, "%s=", field->name);
	switch (field->type) {
	case FIELD_STATE:
		str_append(str, mailbox_state_to_str(
			*(const enum mailbox_state *)value));
		break;
	case FIELD_U32:
		str_printfa(str, "%u", *(const uint32_t *)value);
		break;
	case FIELD_U64:
		str_printfa(str, "%"PRIu64, *(const uint64_t *)value);
		break;
	case FIELD_TIME:
		str_printfa(str, "%"PRIdTIME_T, *(const time_t *)value);
		break;
	case FIELD_STRING: {
		const char *string = *(const char *const *)value;

		str_append_tabescaped(str, string == NULL ? "" : string);
		break;
	}
	}
	str_append_c(str, '\n');
}

static bool
field_parse(const struct field *field, const char *str, pool_t pool,
	    void *value_r)
{
	switch (field->type) {
	case FIELD_STATE:
		return state_parse(str, value_r);
	case FIELD_U32:
		return str_to_uint32(str, value_r) == 0;
	case FIELD_U64:
		return str_to_uint64(str, value_r) == 0;
	case FIELD_TIME:
		return str_to_time(str, value_r) == 0;
	case FIELD_STRING:
		*(const char **)value_r =
			str_tabunescape(p_strdup(pool, str));
		return TRUE;
	}
	i_unreached();
}

static void
fields_append(string_t *str, const struct mailbox_state_file *state)
{
	for (unsigned int i = 0; i < N_ELEMENTS(fields); i++) {
		field_append(str, &fields[i],
			     CONST_PTR_OFFSET(state, fields[i].offset));
	}
}

bool mailbox_state_equals(const struct mailbox_state_file *state1,
			  const struct mailbox_state_file *state2)
{
	string_t *str1 = t_str_new(256), *str2 = t_str_new(256);

	fields_append(str1, state1);
	fields_append(str2, state2);
	return str_equals(str1, str2);
}

/* NULL when it is too large to be read again. */
static const string_t *
state_to_str(const char *vname, const struct mailbox_state_file *state,
	     const char **error_r)
{
	string_t *str = t_str_new(256);

	str_append(str, STATE_MAGIC"\nname=");
	str_append_tabescaped(str, vname);
	str_append_c(str, '\n');
	fields_append(str, state);
	str_append(str, STATE_END"\n");
	if (str_len(str) > STATE_MAX_SIZE) {
		*error_r = t_strdup_printf("The state of %s is too large: "
			"%zu bytes", vname, str_len(str));
		return NULL;
	}
	return str;
}

bool mailbox_state_is(const char *dir, const char *vname,
		      enum mailbox_state state)
{
	struct mailbox_state_file file;
	const char *error;
	bool is;

	T_BEGIN {
		is = mailbox_state_read(dir, vname, pool_datastack_create(),
					&file, &error) > 0 &&
			file.state == state;
	} T_END;
	return is;
}

static bool
any_is(const char *dir, const ARRAY_TYPE(const_string) *vnames,
       enum mailbox_state state)
{
	const char *vname;

	array_foreach_elem(vnames, vname) {
		if (mailbox_state_is(dir, vname, state))
			return TRUE;
	}
	return FALSE;
}

bool mailbox_state_any(const char *dir, enum mailbox_state state)
{
	ARRAY_TYPE(const_string) known, vnames;
	const char *error;
	pool_t pool;
	bool any;

	/* most often it is the one that is asked for */
	if (mailbox_state_is(dir, "INBOX", state))
		return TRUE;
	pool = pool_alloconly_create("mailbox states", 4096);
	p_array_init(&known, pool, 1);
	p_array_init(&vnames, pool, 32);
	any = mailbox_state_find_others(dir, &known, pool, &vnames,
					&error) == 0 &&
		any_is(dir, &vnames, state);
	pool_unref(&pool);
	return any;
}

int mailbox_state_write(const char *dir, const char *vname,
			const struct mailbox_state_file *state,
			const char **error_r)
{
	const string_t *str = state_to_str(vname, state, error_r);

	if (str == NULL)
		return -1;
	return migration_dir_replace(dir, STATE_FOLDER,
				     mailbox_state_key(vname),
				     str_data(str), str_len(str), error_r);
}

int mailbox_state_write_each(const char *dir,
			     const ARRAY_TYPE(const_string) *vnames,
			     const struct mailbox_state_file *const *states,
			     const char **error_r)
{
	ARRAY(struct migration_dir_file) files;
	struct migration_dir_file *file;
	const string_t *str;
	const char *vname;
	unsigned int i = 0;

	if (array_is_empty(vnames))
		return 0;
	t_array_init(&files, array_count(vnames));
	array_foreach_elem(vnames, vname) {
		if ((str = state_to_str(vname, states[i++], error_r)) == NULL)
			return -1;
		file = array_append_space(&files);
		file->name = mailbox_state_key(vname);
		file->data = str_data(str);
		file->size = str_len(str);
	}
	return migration_dir_replace_many(dir, STATE_FOLDER,
		array_front(&files), array_count(&files), error_r);
}

int mailbox_state_write_many(const char *dir,
			     const ARRAY_TYPE(const_string) *vnames,
			     const struct mailbox_state_file *state,
			     const char **error_r)
{
	const struct mailbox_state_file **states =
		t_new(const struct mailbox_state_file *,
		      array_count(vnames) + 1);

	for (unsigned int i = 0; i < array_count(vnames); i++)
		states[i] = state;
	return mailbox_state_write_each(dir, vnames, states, error_r);
}

int mailbox_state_remove(const char *dir, const char *vname,
			 const char **error_r)
{
	return migration_dir_unlink(dir, STATE_FOLDER,
				    mailbox_state_key(vname), error_r);
}

/* 0 for none that is known */
static unsigned int state_version(const char *line)
{
	if (line == NULL)
		return 0;
	if (strcmp(line, STATE_MAGIC) == 0)
		return 2;
	return strcmp(line, STATE_MAGIC_1) == 0 ? 1 : 0;
}

static bool
line_is(const char *line, const struct field *field, const char **value_r)
{
	size_t len = strlen(field->name);

	if (line == NULL || !str_begins(line, field->name) || line[len] != '=')
		return FALSE;
	*value_r = line + len + 1;
	return TRUE;
}

/* Each field must be there once, in order: a file is read by the version that
   wrote it, or by a later one, or not at all. */
static int
state_parse_lines(const char *const *lines, const char *vname, pool_t pool,
		  struct mailbox_state_file *state_r, const char **error_r)
{
	unsigned int version = state_version(*lines);
	const char *value;

	if (version == 0) {
		*error_r = "it doesn't begin with \""STATE_MAGIC"\"";
		return -1;
	}
	lines++;
	if (*lines == NULL || !str_begins(*lines, "name=") ||
	    strcmp(str_tabunescape(t_strdup_noconst(*lines + 5)), vname) != 0) {
		*error_r = "it is the state of another mailbox";
		return -1;
	}
	lines++;
	for (unsigned int i = 0; i < N_ELEMENTS(fields); i++) {
		if (fields[i].since_version > version)
			continue;
		if (!line_is(*lines, &fields[i], &value) ||
		    !field_parse(&fields[i], value, pool,
				 PTR_OFFSET(state_r, fields[i].offset))) {
			*error_r = t_strdup_printf("invalid or missing %s",
						   fields[i].name);
			return -1;
		}
		lines++;
	}
	if (str_array_length(lines) != 2 || strcmp(lines[0], STATE_END) != 0 ||
	    *lines[1] != '\0') {
		*error_r = "it doesn't end with \""STATE_END"\"";
		return -1;
	}
	return 0;
}

int mailbox_state_read(const char *dir, const char *vname, pool_t pool,
		       struct mailbox_state_file *state_r,
		       const char **error_r)
{
	const char *error, *key = mailbox_state_key(vname);
	buffer_t *data = t_buffer_create(1024);
	int ret;

	i_zero(state_r);
	ret = migration_dir_read(dir, STATE_FOLDER, key, STATE_MAX_SIZE, data,
				 error_r);
	if (ret == 0 && digest_file_exists(dir, vname)) {
		*error_r = t_strdup_printf("%s/"STATE_FOLDER"/%s is lost: "
			"restore it, see doveadm-migration(1)", dir, key);
		return -1;
	}
	if (ret <= 0)
		return ret;
	if (memchr(data->data, '\0', data->used) != NULL)
		error = "it contains a NUL";
	else if (state_parse_lines(t_strsplit(str_c(data), "\n"), vname, pool,
				   state_r, &error) == 0)
		return 1;
	*error_r = t_strdup_printf("Can't use %s/"STATE_FOLDER"/%s: %s",
				   dir, key, error);
	return -1;
}

static const char *read_name(const char *dir, const char *key, pool_t pool)
{
	const char *error, *const *lines;
	buffer_t *data = t_buffer_create(1024);

	if (migration_dir_read(dir, STATE_FOLDER, key, STATE_MAX_SIZE, data,
			       &error) <= 0)
		return NULL;
	lines = t_strsplit(str_c(data), "\n");
	if (state_version(lines[0]) == 0 || lines[1] == NULL ||
	    !str_begins(lines[1], "name="))
		return NULL;
	return str_tabunescape(p_strdup(pool, lines[1] + 5));
}

int mailbox_state_find_others(const char *dir,
			      const ARRAY_TYPE(const_string) *known,
			      pool_t pool, ARRAY_TYPE(const_string) *vnames_r,
			      const char **error_r)
{
	const char *vname, *path = t_strconcat(dir, "/"STATE_FOLDER, NULL);
	const struct dirent *entry;
	ARRAY_TYPE(const_string) keys;
	DIR *files = opendir(path);

	if (files == NULL) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("opendir(%s) failed: %m", path);
		return -1;
	}
	t_array_init(&keys, array_count(known) + 1);
	array_append_array(&keys, known);
	array_sort(&keys, i_strcmp_p);
	while ((entry = readdir(files)) != NULL) T_BEGIN {
		const char *key = entry->d_name;

		if (*key != '.' &&
		    array_bsearch(&keys, &key, i_strcmp_p) == NULL &&
		    (vname = read_name(dir, key, pool)) != NULL)
			array_push_back(vnames_r, &vname);
	} T_END;
	(void)closedir(files);
	return 0;
}
