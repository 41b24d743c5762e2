#include "lib.h"
#include "array.h"
#include "bsearch-insert-pos.h"
#include "buffer.h"
#include "hex-binary.h"
#include "str.h"
#include "strescape.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "mailbox-state.h"
#include "migration-dir.h"
#include "copy-pairs.h"

#define PAIRS_FOLDER "copyback"
#define PAIRS_MAGIC "migration-copyback 1"
/* a million messages that came one by one */
#define PAIRS_MAX_SIZE (64 * 1024 * 1024)

void copy_pairs_init(struct copy_pairs *pairs)
{
	i_zero(pairs);
	i_array_init(&pairs->pairs, 16);
	i_array_init(&pairs->elsewhere, 8);
	i_array_init(&pairs->intents, 8);
}

void copy_pairs_deinit(struct copy_pairs *pairs)
{
	array_free(&pairs->pairs);
	array_free(&pairs->elsewhere);
	array_free(&pairs->intents);
}

void copy_pairs_clear(struct copy_pairs *pairs, uint32_t uid_validity)
{
	copy_pairs_deinit(pairs);
	copy_pairs_init(pairs);
	pairs->uid_validity = uid_validity;
}

static int pair_cmp(const struct copy_pair *p1, const struct copy_pair *p2)
{
	return p1->local_uid < p2->local_uid ? -1 :
		(p1->local_uid > p2->local_uid ? 1 : 0);
}

void copy_pairs_add(struct copy_pairs *pairs, uint32_t local_uid,
		    uint32_t old_uid, bool late)
{
	const struct copy_pair pair = { local_uid, old_uid, late };
	unsigned int idx;

	if (array_bsearch_insert_pos(&pairs->pairs, &pair, pair_cmp, &idx))
		*array_idx_modifiable(&pairs->pairs, idx) = pair;
	else
		array_insert(&pairs->pairs, idx, &pair, 1);
}

uint32_t copy_pairs_find(const struct copy_pairs *pairs, uint32_t local_uid)
{
	const struct copy_pair key = { .local_uid = local_uid };
	const struct copy_pair *pair;
	unsigned int idx;

	if (!array_bsearch_insert_pos(&pairs->pairs, &key, pair_cmp, &idx))
		return 0;
	pair = array_idx(&pairs->pairs, idx);
	return pair->old_uid;
}

uint32_t copy_pairs_find_local(const struct copy_pairs *pairs, uint32_t old_uid)
{
	const struct copy_pair *pair;

	array_foreach(&pairs->pairs, pair) {
		if (pair->old_uid == old_uid)
			return pair->local_uid;
	}
	return 0;
}

/*
 * Write
 */

/* as many as have neighbours on both sides */
static unsigned int
run_length(const struct copy_pair *pairs, unsigned int count)
{
	unsigned int n = 1;

	while (n < count && pairs[n].late == pairs[0].late &&
	       pairs[n].local_uid == pairs[0].local_uid + n &&
	       pairs[n].old_uid == pairs[0].old_uid + n)
		n++;
	return n;
}

static void append_pairs(string_t *str, const ARRAY_TYPE(copy_pair) *array)
{
	unsigned int count, n;
	const struct copy_pair *pairs = array_get(array, &count);

	for (; count > 0; pairs += n, count -= n) {
		n = run_length(pairs, count);
		str_printfa(str, "%s=%u %u %u\n",
			    pairs->late ? "late" : "copied",
			    pairs->local_uid, pairs->old_uid, n);
	}
}

static void
append_intents(string_t *str, const ARRAY_TYPE(copy_intent) *intents)
{
	const struct copy_intent *intent;

	array_foreach(intents, intent) {
		str_printfa(str, "intent=%u %"PRIu64" ", intent->local_uid,
			    intent->size);
		binary_to_hex_append(str, intent->wire, sizeof(intent->wire));
		str_append_c(str, '\n');
	}
}

int copy_pairs_write(const char *dir, const char *vname,
		     const struct copy_pairs *pairs, const char **error_r)
{
	string_t *str = t_str_new(1024);

	str_append(str, PAIRS_MAGIC"\nname=");
	str_append_tabescaped(str, vname);
	str_printfa(str, "\nuid_validity=%u\nlocal_uid_next=%u\n"
		    "local_modseq=%"PRIu64"\nfailures=%u\nretry=%"PRIdTIME_T
		    "\nintents_uid=%u\nlost=%"PRIdTIME_T"\nelsewhere=",
		    pairs->uid_validity, pairs->local_uid_next,
		    pairs->local_modseq, pairs->failures, pairs->retry,
		    pairs->intents_uid, pairs->lost);
	if (array_not_empty(&pairs->elsewhere))
		imap_write_seq_range(str, &pairs->elsewhere);
	str_append_c(str, '\n');
	append_pairs(str, &pairs->pairs);
	append_intents(str, &pairs->intents);
	str_append(str, "end\n");
	return migration_dir_replace(dir, PAIRS_FOLDER,
				     mailbox_state_key(vname), str_data(str),
				     str_len(str), error_r);
}

/*
 * Read
 */

static bool
parse_pairs(const char *value, bool late, struct copy_pairs *pairs)
{
	const char *const *args = t_strsplit(value, " ");
	uint32_t local_uid, old_uid, n;

	if (str_array_length(args) != 3 ||
	    str_to_uint32(args[0], &local_uid) < 0 ||
	    str_to_uint32(args[1], &old_uid) < 0 ||
	    str_to_uint32(args[2], &n) < 0 || local_uid == 0 || old_uid == 0 ||
	    n > UINT32_MAX - I_MAX(local_uid, old_uid))
		return FALSE;
	for (uint32_t i = 0; i < n; i++)
		copy_pairs_add(pairs, local_uid + i, old_uid + i, late);
	return TRUE;
}

static bool parse_intent(const char *value, struct copy_pairs *pairs)
{
	const char *const *args = t_strsplit(value, " ");
	struct copy_intent *intent = array_append_space(&pairs->intents);
	buffer_t *wire = t_buffer_create(sizeof(intent->wire));

	if (str_array_length(args) != 3 ||
	    str_to_uint32(args[0], &intent->local_uid) < 0 ||
	    str_to_uint64(args[1], &intent->size) < 0 ||
	    hex_to_binary(args[2], wire) < 0 ||
	    wire->used != sizeof(intent->wire))
		return FALSE;
	memcpy(intent->wire, wire->data, sizeof(intent->wire));
	return TRUE;
}

static bool
parse_line(const char *key, const char *value, const char *vname,
	   struct copy_pairs *pairs)
{
	if (strcmp(key, "name") == 0)
		return strcmp(t_str_tabunescape(value), vname) == 0;
	if (strcmp(key, "uid_validity") == 0)
		return str_to_uint32(value, &pairs->uid_validity) == 0;
	if (strcmp(key, "local_uid_next") == 0)
		return str_to_uint32(value, &pairs->local_uid_next) == 0;
	if (strcmp(key, "local_modseq") == 0)
		return str_to_uint64(value, &pairs->local_modseq) == 0;
	if (strcmp(key, "failures") == 0)
		return str_to_uint32(value, &pairs->failures) == 0;
	if (strcmp(key, "retry") == 0)
		return str_to_time(value, &pairs->retry) == 0;
	if (strcmp(key, "intents_uid") == 0)
		return str_to_uint32(value, &pairs->intents_uid) == 0;
	if (strcmp(key, "lost") == 0)
		return str_to_time(value, &pairs->lost) == 0;
	if (strcmp(key, "elsewhere") == 0) {
		return *value == '\0' ||
			imap_seq_set_nostar_parse(value,
						  &pairs->elsewhere) == 0;
	}
	if (strcmp(key, "intent") == 0)
		return parse_intent(value, pairs);
	if (strcmp(key, "copied") == 0 || strcmp(key, "late") == 0)
		return parse_pairs(value, *key == 'l', pairs);
	return FALSE;
}

/* All lines, from the first to the last. */
static bool
parse(const char *const *lines, const char *vname, struct copy_pairs *pairs)
{
	const char *equals;
	bool ok = TRUE;

	if (*lines == NULL || strcmp(*lines++, PAIRS_MAGIC) != 0)
		return FALSE;
	for (; ok && *lines != NULL && strcmp(*lines, "end") != 0; lines++) {
		if ((equals = strchr(*lines, '=')) == NULL)
			return FALSE;
		T_BEGIN {
			ok = parse_line(t_strdup_until(*lines, equals),
					equals + 1, vname, pairs);
		} T_END;
	}
	return ok && *lines != NULL && pairs->uid_validity != 0;
}

int copy_pairs_read(const char *dir, const char *vname,
		    struct copy_pairs *pairs, const char **error_r)
{
	const char *key = mailbox_state_key(vname);
	buffer_t *data = buffer_create_dynamic(default_pool, 1024);
	int ret;

	ret = migration_dir_read(dir, PAIRS_FOLDER, key, PAIRS_MAX_SIZE, data,
				 error_r);
	if (ret > 0 && !parse(t_strsplit(str_c(data), "\n"), vname, pairs)) {
		*error_r = t_strdup_printf("Can't use %s/"PAIRS_FOLDER"/%s: "
			"it isn't a complete "PAIRS_MAGIC, dir, key);
		ret = -1;
	}
	buffer_free(&data);
	return ret;
}

int copy_pairs_remove(const char *dir, const char *vname, const char **error_r)
{
	return migration_dir_unlink(dir, PAIRS_FOLDER, mailbox_state_key(vname),
				    error_r);
}
