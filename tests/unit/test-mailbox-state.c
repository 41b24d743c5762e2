/* test-mailbox-state: no damage to a state file may ever make a mailbox look
   local, and no two names may share one. */
#include "engine-unit.h"
#include "buffer.h"
#include "hash.h"
#include "str.h"
#include "plugin/engine/mailbox-state.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define NASTY_STRING "a=b\tc\nd\001e\rf\\g\"h\xc3\xa4 \x80~end\n"

static const struct mailbox_state_file full = {
	.state = MAILBOX_STATE_FILLED,
	.uid_validity = 1234567890,
	.durable_uid = 4000000000U,
	.verified_uid = 77,
	.modseq = 9223372036854775807ULL,
	.messages = 200000,
	.bytes = 18446744073709551615ULL,
	.done_messages = 199999,
	.done_bytes = 1ULL << 40,
	.rate = 123456789,
	.since = 1700000000,
	.error = "Old server: \"NO [LIMIT]\"",
	.bad_uids = "1,3:5,4294967295",
	.without_uids = "2",
	.uid_floor = 1000001,
	.old_uid_next = 17,
	.modseq_floor = 1ULL << 60,
	.copy_is_stale = 1,
};

static const char *const names[] = {
	"INBOX", "inbox", "a", "A", "a/b", "a.b", "a%2fb", "a%2Fb", "%",
	"%41", "%61", "%~", "~", ".", "..", "...", ".a", "/", "//", " ",
	"a ", " a", "a\nb", "a\tb", "a\001b", "a\\b", "*", "&", "&-", "=",
	"name=x", "end", "\xc3\xa4", "a\xcc\x88", "\xf0\x9f\x9a\x80", "\xff",
	"\xc3", "-", "--", "+", "_", "tmp", ".tree", ".fill", ""
};

static bool same(const char *s1, const char *s2)
{
	return strcmp(s1 == NULL ? "" : s1, s2 == NULL ? "" : s2) == 0;
}

static bool state_equals(const struct mailbox_state_file *s1,
			 const struct mailbox_state_file *s2)
{
	return s1->state == s2->state &&
		s1->uid_validity == s2->uid_validity &&
		s1->durable_uid == s2->durable_uid &&
		s1->verified_uid == s2->verified_uid &&
		s1->modseq == s2->modseq && s1->messages == s2->messages &&
		s1->bytes == s2->bytes &&
		s1->done_messages == s2->done_messages &&
		s1->done_bytes == s2->done_bytes &&
		s1->rate == s2->rate && s1->since == s2->since &&
		same(s1->error, s2->error) &&
		same(s1->bad_uids, s2->bad_uids) &&
		same(s1->without_uids, s2->without_uids) &&
		s1->uid_floor == s2->uid_floor &&
		s1->old_uid_next == s2->old_uid_next &&
		s1->modseq_floor == s2->modseq_floor &&
		s1->copy_is_stale == s2->copy_is_stale;
}

static int get(const char *dir, const char *name,
	       struct mailbox_state_file *state_r)
{
	const char *error = NULL;
	int ret = mailbox_state_read(dir, name, pool_datastack_create(),
				     state_r, &error);

	CU_ASSERT((ret < 0) == (error != NULL));
	return ret;
}

static bool put(const char *dir, const char *name,
		const struct mailbox_state_file *state)
{
	const char *error;

	if (mailbox_state_write(dir, name, state, &error) == 0)
		return TRUE;
	return UNIT_CHECK(FALSE, "%s: %s", name, error);
}

static const char *path_of(const char *dir, const char *name)
{
	return t_strconcat(dir, "/state/", mailbox_state_key(name), NULL);
}

static void test_round_trip(void)
{
	const struct mailbox_state_file states[] = {
		full,
		{ .state = MAILBOX_STATE_REMOTE },
		{ .state = MAILBOX_STATE_FILLING, .error = NASTY_STRING },
		{ .state = MAILBOX_STATE_MIRRORED, .since = -1,
		  .bad_uids = NASTY_STRING },
		{ .state = MAILBOX_STATE_LOCAL, .modseq = 1,
		  .without_uids = NASTY_STRING },
		{ .state = MAILBOX_STATE_DELETED, .error = "" },
	};
	const char *dir = engine_unit_dir();
	struct mailbox_state_file state;
	unsigned int i, j;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		CU_ASSERT(get(dir, names[i], &state) == 0);
		for (j = 0; j < N_ELEMENTS(states); j++) T_BEGIN {
			put(dir, names[i], &states[j]);
			UNIT_CHECK(get(dir, names[i], &state) == 1 &&
				   state_equals(&state, &states[j]),
				   "name %u, state %u", i, j);
		} T_END;
	}
	/* still there, each its own */
	for (i = 0; i < N_ELEMENTS(names); i++) {
		UNIT_CHECK(get(dir, names[i], &state) == 1, "name %u", i);
	}
}

static void test_remove(void)
{
	const char *error, *dir = engine_unit_dir();
	struct mailbox_state_file state;

	CU_ASSERT(mailbox_state_remove(dir, "a", &error) == 0);
	put(dir, "a", &full);
	put(dir, "b", &full);
	CU_ASSERT(mailbox_state_remove(dir, "a", &error) == 0);
	CU_ASSERT(get(dir, "a", &state) == 0);
	CU_ASSERT(get(dir, "b", &state) == 1);
}

static void test_missing(void)
{
	struct mailbox_state_file state;
	const char *dir = engine_unit_dir();

	CU_ASSERT(get(dir, "a", &state) == 0);
	CU_ASSERT(get(t_strconcat(dir, "/none", NULL), "a", &state) == 0);
	/* something is there, but it isn't a state */
	put(dir, "b", &full);
	CU_ASSERT(mkdir(path_of(dir, "a"), 0700) == 0);
	CU_ASSERT(get(dir, "a", &state) == -1);
	CU_ASSERT(symlink("loop", t_strconcat(dir, "/loop", NULL)) == 0);
	CU_ASSERT(get(t_strconcat(dir, "/loop", NULL), "a", &state) == -1);
}

static void test_truncated(void)
{
	const char *dir = engine_unit_dir(), *path = path_of(dir, "a");
	struct mailbox_state_file state = full;
	buffer_t *data;

	state.state = MAILBOX_STATE_LOCAL;
	put(dir, "a", &state);
	data = engine_unit_read(path);
	CU_ASSERT(data->used > 200);
	for (size_t i = 0; i < data->used; i++) T_BEGIN {
		engine_unit_write(path, data->data, i);
		UNIT_CHECK(get(dir, "a", &state) == -1, "%zu bytes", i);
	} T_END;
	engine_unit_write(path, data->data, data->used);
	CU_ASSERT(get(dir, "a", &state) == 1);
}

/* A number may become another one, the state and the name may not. */
static void test_bit_flips(void)
{
	const char *dir = engine_unit_dir(), *path = path_of(dir, "a\tb");
	struct mailbox_state_file state = full, found;
	unsigned char *bytes;
	unsigned int survived = 0;
	buffer_t *data;
	size_t i;

	for (state.state = 0; state.state <= MAILBOX_STATE_DELETED;
	     state.state++) {
		put(dir, "a\tb", &state);
		data = engine_unit_read(path);
		bytes = buffer_get_modifiable_data(data, NULL);
		for (i = 0; i < data->used * 8; i++) T_BEGIN {
			bytes[i / 8] ^= 1 << (i % 8);
			engine_unit_write(path, bytes, data->used);
			if (get(dir, "a\tb", &found) == 1) {
				survived++;
				UNIT_CHECK(found.state == state.state,
					   "%s became %s by bit %zu",
					   mailbox_state_to_str(state.state),
					   mailbox_state_to_str(found.state),
					   i);
			}
			bytes[i / 8] ^= 1 << (i % 8);
		} T_END;
	}
	CU_ASSERT(survived > 0);
}

static void test_unknown(void)
{
	static const struct {
		const char *find, *replace;
		int ret;
	} tests[] = {
		{ "state=filled", "state=filled", 1 },
		{ "migration-mailbox 2", "migration-mailbox 1", -1 },
		{ "migration-mailbox 2", "migration-mailbox 3", -1 },
		{ "migration-mailbox 2", "migration-mailbox 20", -1 },
		{ "migration-mailbox 2\n", "", -1 },
		{ "migration-mailbox 2\n", "\n", -1 },
		{ "migration-mailbox 2", "\xef\xbb\xbfmigration-mailbox 2", -1 },
		{ "state=filled", "state=", -1 },
		{ "state=filled", "state=LOCAL", -1 },
		{ "state=filled", "state=local ", -1 },
		{ "state=filled", "state=locals", -1 },
		{ "state=filled", "state=loca", -1 },
		{ "state=filled", "state=4", -1 },
		{ "state=filled", "state=local\nstate=filled", -1 },
		{ "state=filled", "state=filled\nstate=local", -1 },
		{ "state=filled", "x=y\nstate=filled", -1 },
		{ "state=filled\n", "", -1 },
		{ "messages=200000", "messages=-1", -1 },
		{ "messages=200000", "messages=4294967296", -1 },
		{ "messages=200000", "messages=2x", -1 },
		{ "messages=200000", "messages=", -1 },
		{ "messages=200000", "Messages=200000", -1 },
		{ "modseq=", "modseq=9", -1 },
		{ "rate=123456789\n", "", -1 },
		{ "rate=123456789\n", "rate=1\nrate=1\n", -1 },
		{ "without_uids=2\n", "without_uids=2\nnew=1\n", -1 },
		{ "end\n", "", -1 },
		{ "end\n", "END\n", -1 },
		{ "end\n", "end\nend\n", -1 },
		{ "end\n", "end\nstate=local\n", -1 },
		{ "end\n", "end", -1 },
		{ "end\n", "end\r\n", -1 },
		{ "name=a\n", "name=b\n", -1 },
		{ "name=a\n", "name=A\n", -1 },
		{ "name=a\n", "name=a \n", -1 },
		{ "name=a\n", "", -1 },
	};
	const char *dir = engine_unit_dir(), *text, *p;
	struct mailbox_state_file state;
	unsigned int i;
	string_t *str;

	put(dir, "a", &full);
	text = str_c(engine_unit_read(path_of(dir, "a")));
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		p = strstr(text, tests[i].find);
		CU_ASSERT_FATAL(p != NULL);
		str = t_str_new(512);
		str_append_data(str, text, p - text);
		str_append(str, tests[i].replace);
		str_append(str, p + strlen(tests[i].find));
		engine_unit_write(path_of(dir, "a"), str_data(str),
				  str_len(str));
		UNIT_CHECK(get(dir, "a", &state) == tests[i].ret,
			   "%u: %s", i, tests[i].replace);
	} T_END;
}

/* What was written before there were rollbacks goes on. */
static void test_version_1(void)
{
	static const char *const version_1 = "migration-mailbox 1\nname=a\n"
		"state=filled\nuid_validity=7\ndurable_uid=6\n"
		"verified_uid=5\nmodseq=4\nmessages=3\nbytes=2\n"
		"done_messages=1\ndone_bytes=0\nrate=9\nsince=8\n"
		"error=why\nbad_uids=1\naltered_uids=2\nwithout_uids=3\n"
		"end\n";
	const char *dir = engine_unit_dir();
	struct mailbox_state_file state;

	put(dir, "a", &full);
	engine_unit_write(path_of(dir, "a"), version_1, strlen(version_1));
	CU_ASSERT(get(dir, "a", &state) == 1);
	CU_ASSERT(state.state == MAILBOX_STATE_FILLED);
	CU_ASSERT(state.uid_validity == 7 && same(state.without_uids, "3"));
	CU_ASSERT(state.uid_floor == 0 && state.copy_is_stale == 0);
	put(dir, "a", &state);
	CU_ASSERT(get(dir, "a", &state) == 1 && state.uid_validity == 7);
}

static void test_other_mailbox(void)
{
	const char *dir = engine_unit_dir();
	struct mailbox_state_file state = full;
	buffer_t *data;

	state.state = MAILBOX_STATE_LOCAL;
	put(dir, "a", &state);
	data = engine_unit_read(path_of(dir, "a"));
	engine_unit_write(path_of(dir, "b"), data->data, data->used);
	CU_ASSERT(get(dir, "b", &state) == -1);
	CU_ASSERT(get(dir, "a", &state) == 1);
	/* a NUL ends no line */
	buffer_append(data, "\0", 1);
	engine_unit_write(path_of(dir, "a"), data->data, data->used);
	CU_ASSERT(get(dir, "a", &state) == -1);
}

/* What can't be read back isn't written. */
static void test_too_large(void)
{
	const char *error, *dir = engine_unit_dir();
	struct mailbox_state_file state = full, found;
	string_t *uids = t_str_new(2 * 1024 * 1024);

	while (str_len(uids) < 900 * 1024)
		str_printfa(uids, "%u,", engine_unit_rand(100000000));
	state.bad_uids = str_c(uids);
	put(dir, "a", &state);
	CU_ASSERT(get(dir, "a", &found) == 1 && state_equals(&state, &found));

	while (str_len(uids) < 1100 * 1024)
		str_printfa(uids, "%u,", engine_unit_rand(100000000));
	state.bad_uids = str_c(uids);
	state.state = MAILBOX_STATE_LOCAL;
	CU_ASSERT(mailbox_state_write(dir, "a", &state, &error) == -1);
	CU_ASSERT(get(dir, "a", &found) == 1);
	CU_ASSERT(found.state == full.state);
}

struct keys {
	pool_t pool;
	HASH_TABLE(const char *, const char *) names;
};

static bool check_key(struct keys *keys, const char *name)
{
	const char *key = mailbox_state_key(name), *other;

	UNIT_CHECK(strlen(key) <= NAME_MAX && *key != '\0' && *key != '.' &&
		   strchr(key, '/') == NULL, "%s: key %s", name, key);
	for (const char *p = key; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~')
			UNIT_CHECK(FALSE, "%s: key %s", name, key);
	}
	other = hash_table_lookup(keys->names, key);
	if (other != NULL) {
		return UNIT_CHECK(strcmp(name, other) == 0, "%s and %s: %s",
				  name, other, key);
	}
	key = p_strdup(keys->pool, key);
	name = p_strdup(keys->pool, name);
	hash_table_insert(keys->names, key, name);
	return TRUE;
}

static const char *random_name(void)
{
	static const char *const pieces[] = {
		".", "/", "%", "~", "a", "A", "%2f", "%7e", "\xc3\xa4", "x",
		"\xf0\x9f\x9a\x80", " ", "\t", "\x01", "..", "-", "0", "f"
	};
	string_t *name = t_str_new(64);
	unsigned int i, count = 1 + engine_unit_rand(8);

	/* long ones that begin, or end, alike */
	if (engine_unit_rand(10) == 0)
		count = 70;
	for (i = 0; i < count; i++) {
		str_append(name, i > 2 && i < count - 4 ? "\xc3\xa4" :
			pieces[engine_unit_rand(N_ELEMENTS(pieces))]);
	}
	return str_c(name);
}

static void test_keys(void)
{
	struct keys keys = {
		.pool = pool_alloconly_create("names", 1024 * 1024),
	};
	bool ok = TRUE;
	unsigned int i;

	hash_table_create(&keys.names, keys.pool, 0, str_hash, strcmp);
	for (i = 0; i < N_ELEMENTS(names); i++)
		check_key(&keys, names[i]);
	CU_ASSERT(hash_table_count(keys.names) == N_ELEMENTS(names));
	/* around the length at which they are cut */
	for (i = 1; i < 600; i++) T_BEGIN {
		char *name = t_malloc0(i + 1);

		memset(name, 'a', i);
		check_key(&keys, name);
	} T_END;
	CU_ASSERT(hash_table_count(keys.names) == N_ELEMENTS(names) + 598);
	while (ok && hash_table_count(keys.names) < 100000) T_BEGIN {
		ok = check_key(&keys, random_name());
	} T_END;
	hash_table_destroy(&keys.names);
	pool_unref(&keys.pool);
}

static void test_authority(void)
{
	static const bool old[] = {
		[MAILBOX_STATE_REMOTE] = TRUE,
		[MAILBOX_STATE_FILLING] = TRUE,
		[MAILBOX_STATE_FILLED] = TRUE,
		[MAILBOX_STATE_MIRRORED] = TRUE,
		[MAILBOX_STATE_LOCAL] = FALSE,
		[MAILBOX_STATE_DELETED] = FALSE,
	};

	for (unsigned int i = 0; i < N_ELEMENTS(old); i++) {
		UNIT_CHECK(mailbox_state_authority_is_old(i) == old[i],
			   "%s", mailbox_state_to_str(i));
	}
}

static const struct unit_test tests[] = {
	{ "round trip", test_round_trip },
	{ "remove", test_remove },
	{ "missing", test_missing },
	{ "truncated", test_truncated },
	{ "bit flips", test_bit_flips },
	{ "unknown", test_unknown },
	{ "version 1", test_version_1 },
	{ "another mailbox's", test_other_mailbox },
	{ "too large", test_too_large },
	{ "keys", test_keys },
	{ "authority", test_authority },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("mailbox-state", tests);
}
