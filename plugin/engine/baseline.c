#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "strescape.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "mailbox-state.h"
#include "migration-dir.h"
#include "baseline.h"

#include <unistd.h>

#define BASELINE_FOLDER "baseline"
#define BASELINE_MAGIC "migration-baseline 1"
/* 4 million messages, no two neighbours of which have the same flags */
#define BASELINE_MAX_SIZE (64 * 1024 * 1024)

/* messages with the same flags and keywords */
struct flag_group {
	enum mail_flags flags;
	const char *const *keywords;
	ARRAY_TYPE(seq_range) uids;
};
ARRAY_DEFINE_TYPE(flag_group, struct flag_group);

void baseline_init(struct baseline *baseline,
		   struct inventory_keywords *keywords)
{
	i_zero(baseline);
	inventory_init(&baseline->messages, keywords);
	i_array_init(&baseline->late, 8);
	i_array_init(&baseline->waiting, 8);
	i_array_init(&baseline->copied, 8);
	inventory_init(&baseline->refused, keywords);
}

void baseline_deinit(struct baseline *baseline)
{
	inventory_deinit(&baseline->messages);
	array_free(&baseline->late);
	array_free(&baseline->waiting);
	array_free(&baseline->copied);
	inventory_deinit(&baseline->refused);
}

void baseline_clear(struct baseline *baseline)
{
	struct inventory_keywords *keywords = baseline->messages.keywords;

	baseline_deinit(baseline);
	baseline_init(baseline, keywords);
}

void baseline_reset(struct baseline *baseline, uint32_t uid_validity,
		    uint32_t uid_next)
{
	uint32_t resets = baseline->resets;

	baseline_clear(baseline);
	baseline->uid_validity = uid_validity;
	baseline->next_uid = 1;
	baseline->reset_uid = uid_next;
	baseline->resets = resets + 1;
}

/*
 * Write
 */

static struct flag_group *
get_group(ARRAY_TYPE(flag_group) *groups, const struct inventory_item *item)
{
	struct flag_group *group;

	array_foreach_modifiable(groups, group) {
		if (group->flags == item->flags &&
		    group->keywords == item->keywords)
			return group;
	}
	group = array_append_space(groups);
	group->flags = item->flags;
	group->keywords = item->keywords;
	t_array_init(&group->uids, 8);
	return group;
}

static void append_uids(string_t *str, const ARRAY_TYPE(seq_range) *uids)
{
	if (array_not_empty(uids))
		imap_write_seq_range(str, uids);
	str_append_c(str, '\n');
}

static void append_messages(string_t *str, const char *key,
			    const struct inventory *messages)
{
	ARRAY_TYPE(flag_group) groups;
	const struct inventory_item *item;
	struct flag_group *group;

	t_array_init(&groups, 16);
	array_foreach(&messages->items, item) {
		group = get_group(&groups, item);
		seq_range_array_add(&group->uids, item->uid);
	}
	array_foreach_modifiable(&groups, group) {
		string_t *flags = t_str_new(64);

		inventory_flags_append(flags, group->flags, group->keywords);
		str_printfa(str, "%s=", key);
		str_append_tabescaped(str, str_c(flags));
		str_append_c(str, '\t');
		append_uids(str, &group->uids);
	}
}

int baseline_write(const char *dir, const char *vname,
		   const struct baseline *baseline, const char **error_r)
{
	string_t *str = t_str_new(1024);

	str_append(str, BASELINE_MAGIC"\nname=");
	str_append_tabescaped(str, vname);
	str_printfa(str, "\nuid_validity=%u\nnext_uid=%u\nmodseq=%"PRIu64
		    "\nreset_uid=%u\nresets=%u\nwaiting_begun=%"PRIdTIME_T
		    "\n",
		    baseline->uid_validity, baseline->next_uid,
		    baseline->modseq, baseline->reset_uid, baseline->resets,
		    baseline->waiting_begun);
	str_append(str, "late=");
	append_uids(str, &baseline->late);
	str_append(str, "waiting=");
	append_uids(str, &baseline->waiting);
	str_append(str, "copied=");
	append_uids(str, &baseline->copied);
	append_messages(str, "refused", &baseline->refused);
	append_messages(str, "messages", &baseline->messages);
	str_append(str, "end\n");
	return migration_dir_replace(dir, BASELINE_FOLDER,
				     mailbox_state_key(vname), str_data(str),
				     str_len(str), error_r);
}

/*
 * Read
 */

static bool
parse_uids(const char *str, ARRAY_TYPE(seq_range) *uids)
{
	return *str == '\0' || imap_seq_set_nostar_parse(str, uids) == 0;
}

/* flags TAB UIDs; the groups aren't in the order of UIDs */
static bool parse_messages(const char *value, struct inventory *messages)
{
	const char *const *args = t_strsplit_tabescaped(value);
	ARRAY_TYPE(seq_range) uids;
	struct seq_range_iter iter;
	struct inventory_item item;
	enum mail_flags flags;
	unsigned int n = 0;

	i_zero(&item);
	t_array_init(&uids, 64);
	if (str_array_length(args) != 2 || !parse_uids(args[1], &uids))
		return FALSE;
	inventory_flags_parse(messages->keywords, args[0], &flags,
			      &item.keywords);
	item.flags = flags;
	seq_range_array_iter_init(&iter, &uids);
	while (seq_range_array_iter_nth(&iter, n++, &item.uid))
		array_push_back(&messages->items, &item);
	return TRUE;
}

static int
item_cmp(const struct inventory_item *i1, const struct inventory_item *i2)
{
	return i1->uid < i2->uid ? -1 : (i1->uid > i2->uid ? 1 : 0);
}

static bool in_order(const struct inventory *messages)
{
	const struct inventory_item *item;
	uint32_t last_uid = 0;

	array_foreach(&messages->items, item) {
		if (item->uid <= last_uid)
			return FALSE;
		last_uid = item->uid;
	}
	return TRUE;
}

static bool
parse_line(const char *key, const char *value, const char *vname,
	   struct baseline *baseline)
{
	if (strcmp(key, "name") == 0)
		return strcmp(t_str_tabunescape(value), vname) == 0;
	if (strcmp(key, "uid_validity") == 0)
		return str_to_uint32(value, &baseline->uid_validity) == 0;
	if (strcmp(key, "next_uid") == 0)
		return str_to_uint32(value, &baseline->next_uid) == 0;
	if (strcmp(key, "modseq") == 0)
		return str_to_uint64(value, &baseline->modseq) == 0;
	if (strcmp(key, "reset_uid") == 0)
		return str_to_uint32(value, &baseline->reset_uid) == 0;
	if (strcmp(key, "resets") == 0)
		return str_to_uint32(value, &baseline->resets) == 0;
	if (strcmp(key, "waiting_begun") == 0)
		return str_to_time(value, &baseline->waiting_begun) == 0;
	if (strcmp(key, "late") == 0)
		return parse_uids(value, &baseline->late);
	if (strcmp(key, "waiting") == 0)
		return parse_uids(value, &baseline->waiting);
	if (strcmp(key, "copied") == 0)
		return parse_uids(value, &baseline->copied);
	if (strcmp(key, "refused") == 0)
		return parse_messages(value, &baseline->refused);
	if (strcmp(key, "messages") == 0)
		return parse_messages(value, &baseline->messages);
	return FALSE;
}

/* All lines, from the first to the last. */
static bool
parse(const char *const *lines, const char *vname, struct baseline *baseline)
{
	const char *equals;

	if (*lines == NULL || strcmp(*lines++, BASELINE_MAGIC) != 0)
		return FALSE;
	for (; *lines != NULL && strcmp(*lines, "end") != 0; lines++) {
		bool ok;

		if ((equals = strchr(*lines, '=')) == NULL)
			return FALSE;
		T_BEGIN {
			ok = parse_line(t_strdup_until(*lines, equals),
					equals + 1, vname, baseline);
		} T_END;
		if (!ok)
			return FALSE;
	}
	array_sort(&baseline->messages.items, item_cmp);
	array_sort(&baseline->refused.items, item_cmp);
	return *lines != NULL && baseline->uid_validity != 0 &&
		baseline->next_uid != 0 && in_order(&baseline->messages) &&
		in_order(&baseline->refused);
}

bool baseline_exists(const char *dir, const char *vname)
{
	const char *path = t_strconcat(dir, "/"BASELINE_FOLDER"/",
				       mailbox_state_key(vname), NULL);

	return access(path, F_OK) == 0;
}

int baseline_read(const char *dir, const char *vname,
		  struct baseline *baseline, const char **error_r)
{
	buffer_t *data = buffer_create_dynamic(default_pool, 1024);
	int ret;

	ret = migration_dir_read(dir, BASELINE_FOLDER,
				 mailbox_state_key(vname), BASELINE_MAX_SIZE,
				 data, error_r);
	if (ret > 0 && !parse(t_strsplit(str_c(data), "\n"), vname, baseline)) {
		*error_r = t_strdup_printf("Can't use %s/"BASELINE_FOLDER"/%s: "
			"it isn't a complete "BASELINE_MAGIC, dir,
			mailbox_state_key(vname));
		ret = -1;
	}
	buffer_free(&data);
	return ret;
}

int baseline_remove(const char *dir, const char *vname, const char **error_r)
{
	return migration_dir_unlink(dir, BASELINE_FOLDER,
				    mailbox_state_key(vname), error_r);
}
