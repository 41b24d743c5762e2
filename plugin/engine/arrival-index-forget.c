#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "seq-range-array.h"
#include "mail-search-build.h"
#include "migration-user.h"
#include "local-folders.h"
#include "arrival-index-private.h"

/* A mail that is gone stays known for so long: no server tries for longer. */
#define GONE_KEEP_SECS (30*24*3600)

/* A mailbox' messages. */
struct present {
	unsigned char box[ARRIVAL_RECORD_SHORT];
	ARRAY_TYPE(seq_range) uids;
};

struct check {
	pool_t pool;
	/* by box */
	ARRAY(struct present) boxes;
	time_t now;
};

static int present_cmp(const struct present *a, const struct present *b)
{
	return memcmp(a->box, b->box, sizeof(a->box));
}

static bool is_present(struct check *check, const struct arrival_record *record)
{
	struct present key;
	const struct present *present;

	memcpy(key.box, record->box, sizeof(key.box));
	present = array_bsearch(&check->boxes, &key, present_cmp);
	return present != NULL && seq_range_exists(&present->uids, record->uid);
}

static bool keep_record(struct arrival_record *record, void *context)
{
	struct check *check = context;

	if (is_present(check, record))
		record->gone = 0;
	else if (record->gone == 0)
		record->gone = check->now;
	return record->gone == 0 ||
		check->now - (time_t)record->gone < GONE_KEEP_SECS;
}

static int get_uids(struct mailbox *box, ARRAY_TYPE(seq_range) *uids)
{
	struct mail_search_args *args = mail_search_build_init();
	struct mailbox_transaction_context *trans =
		mailbox_transaction_begin(box, 0, __func__);
	struct mail_search_context *search;
	struct mail *mail;
	int ret;

	mail_search_build_add_all(args);
	search = mailbox_search_init(trans, args, NULL, 0, NULL);
	mail_search_args_unref(&args);
	while (mailbox_search_next(search, &mail))
		seq_range_array_add(uids, mail->uid);
	ret = mailbox_search_deinit(&search);
	mailbox_transaction_rollback(&trans);
	return ret;
}

/* Returns 0, -1 with an error. */
static int
check_box(struct check *check, struct mailbox *box, const char **error_r)
{
	struct mailbox_metadata metadata;
	struct present *present;

	if (mailbox_sync(box, 0) < 0 ||
	    mailbox_get_metadata(box, MAILBOX_METADATA_GUID, &metadata) < 0) {
		if (arrival_index_box_is_gone(box))
			return 0;
		arrival_index_box_error(box, error_r);
		return -1;
	}
	present = array_append_space(&check->boxes);
	memcpy(present->box, metadata.guid, sizeof(present->box));
	p_array_init(&present->uids, check->pool, 16);
	if (get_uids(box, &present->uids) < 0) {
		arrival_index_box_error(box, error_r);
		return -1;
	}
	return 0;
}

/* All that is in local mailboxes, whoever has the word on them. */
static int check_boxes(struct arrival_index *index, struct check *check,
		       const char **error_r)
{
	ARRAY_TYPE(local_folder) folders;
	const struct local_folder *folder;
	enum mail_error error_code;
	struct mailbox *box;
	int ret;

	ret = local_folders_get(index->muser, check->pool, &folders,
				&error_code, error_r);
	if (ret < 0)
		return -1;
	array_foreach(&folders, folder) {
		if (!folder->selectable || ret < 0)
			continue;
		migration_bypass_begin(index->muser);
		box = migration_local_mailbox_alloc(index->muser,
			folder->vname, MAILBOX_FLAG_IGNORE_ACLS);
		ret = check_box(check, box, error_r);
		mailbox_free(&box);
		migration_bypass_end(index->muser);
	}
	array_sort(&check->boxes, present_cmp);
	return ret;
}

/* Returns 0, -1 with an error. */
int arrival_index_forget_gone(struct arrival_index *index, const char **error_r)
{
	struct check check = { .now = ioloop_time };
	int ret;

	check.pool = pool_alloconly_create("arrival check", 16*1024);
	p_array_init(&check.boxes, check.pool, 64);
	ret = check_boxes(index, &check, error_r);
	if (ret == 0) {
		ret = arrival_records_filter(index->records, keep_record,
					     &check, error_r);
		index->noted.checked = check.now;
		index->noted.left = arrival_records_count(index->records);
		index->noted_changed = TRUE;
	}
	pool_unref(&check.pool);
	return ret;
}
