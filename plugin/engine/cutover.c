#include "lib.h"
#include "array.h"
#include "hex-binary.h"
#include "imap-seqset.h"
#include "ioloop.h"
#include "seq-range-array.h"
#include "time-util.h"
#include "migration-user.h"
#include "migration-report.h"
#include "baseline.h"
#include "copy-pairs.h"
#include "cutover.h"
#include "digest-file.h"
#include "filler.h"
#include "lease.h"
#include "local-copy.h"
#include "mailbox-state.h"
#include "old-client.h"
#include "rename-journal.h"
#include "state-update.h"

/* a session gives up its lease within milliseconds, unless it is stopped */
#define DRAIN_SECS 30
#define TREE_LOCK_SECS 60
/* While clients wait, a silent old server isn't waited for. */
#define PATIENCE_MSECS 5000

struct cutover_mailbox {
	const char *vname;
	struct lease *lease;
	struct timeval excluded;
	struct fill_result fill;
	struct mailbox_state_file state;
	/* in the copy at the cutover */
	ARRAY_TYPE(seq_range) uids;
	struct timeval done;
};

struct cutover {
	struct filler *filler;
	struct migration_user *muser;
	pool_t pool;
	ARRAY(struct cutover_mailbox) mailboxes;
	struct lease *tree;

	enum mail_error error_code;
	const char *error;
};

static int cutover_fail(struct cutover *cutover, const char *vname,
			const char *error)
{
	cutover->error = t_strdup_printf("%s: %s", vname, error);
	cutover->error_code = MAIL_ERROR_TEMP;
	return -1;
}

/* Nobody waits yet: leaves as little as can be for when they do. */
static int catch_up(struct cutover *cutover, struct cutover_mailbox *mailbox)
{
	enum fill_flags flags = FILL_FLAG_CUTOVER |
		(cutover->tree != NULL ? FILL_FLAG_TREE_HELD : 0);
	const char *error;

	if (filler_run(cutover->filler, mailbox->vname, flags, &mailbox->fill,
		       &cutover->error_code, &error) < 0) {
		cutover->error = t_strdup_printf("%s: %s", mailbox->vname,
						 error);
		return -1;
	}
	if (!mailbox->fill.local && !mailbox->fill.filled)
		return cutover_fail(cutover, mailbox->vname,
			t_strdup_printf("%u messages can't be copied: see "
				"doveadm migration status", mailbox->fill.bad));
	return 0;
}

static int exclude(struct cutover *cutover, struct cutover_mailbox *mailbox)
{
	const char *error;
	int ret;

	i_gettimeofday(&mailbox->excluded);
	ret = lease_exclude(cutover->muser->set.dir, mailbox->vname,
			    DRAIN_SECS, &mailbox->lease, &error);
	if (ret > 0)
		return 0;
	return cutover_fail(cutover, mailbox->vname, ret < 0 ? error :
		"a session doesn't give it up");
}

static uint32_t uid_gap(struct cutover *cutover, uint32_t uid_next)
{
	return I_MIN(cutover->muser->set.uid_gap,
		     (UINT32_MAX - uid_next) / 2);
}

/* Where this server's own UIDs begin: never where they have been before a
   rollback. */
static uint32_t
first_own_uid(struct cutover *cutover, const struct cutover_mailbox *mailbox,
	      struct local_copy *copy)
{
	uint32_t old_uid_next = mailbox->fill.old_uid_next;
	struct local_copy_status local;
	uint32_t uid = old_uid_next + uid_gap(cutover, old_uid_next);

	local_copy_status(copy, &local);
	uid = I_MAX(uid, mailbox->state.uid_floor);
	return I_MAX(uid, local.uid_next);
}

static const char *
digest_of_all(const struct cutover_mailbox *mailbox,
	      const struct digest_file *digests)
{
	struct message_digest_context *ctx = message_digest_init(TRUE);
	struct message_digest digest, all;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, &mailbox->uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		message_digest_more(ctx, (const void *)&uid, sizeof(uid));
		if (digest_file_find(digests, uid, &digest))
			message_digest_more(ctx, digest.shown,
					    sizeof(digest.shown));
	}
	message_digest_finish(ctx, &all);
	message_digest_deinit(&ctx);
	return binary_to_hex(all.wire, 16);
}

/* Of the mailbox as it was at the cutover, "" when it can't be told. */
static const char *
get_digest(struct cutover *cutover, const struct cutover_mailbox *mailbox)
{
	struct digest_file *digests;
	const char *digest, *error;

	if (digest_file_open(cutover->muser->set.dir, mailbox->vname,
			     mailbox->state.uid_validity, &digests,
			     &error) < 0) {
		e_error(cutover->muser->user->event, "migration: %s", error);
		return "";
	}
	digest = digest_of_all(mailbox, digests);
	digest_file_close(&digests);
	return digest;
}

static int read_state(struct cutover *cutover, struct cutover_mailbox *mailbox,
		      const char **error_r)
{
	int ret = mailbox_state_read(cutover->muser->set.dir, mailbox->vname,
				     cutover->pool, &mailbox->state, error_r);

	if (ret == 0)
		*error_r = "its state is gone";
	return ret <= 0 ? -1 : 0;
}

/* Everything on disk, while nobody waits. */
static int settle(struct cutover *cutover, struct cutover_mailbox *mailbox)
{
	struct local_copy *copy;
	const char *error;
	int ret;

	if (mailbox->fill.local)
		return 0;
	ret = local_copy_open(cutover->muser, mailbox->vname, &copy, &error);
	if (ret == 0) {
		local_copy_want_all_durable(copy);
		ret = local_copy_commit(copy, &error);
		local_copy_close(&copy);
	}
	return ret == 0 ? 0 :
		cutover_fail(cutover, mailbox->vname, error);
}

/* The last look before the old server isn't asked any more: an answer of it may
   have been cut short. */
static int check_count(struct cutover *cutover, struct cutover_mailbox *mailbox)
{
	const struct fill_result *fill = &mailbox->fill;
	ARRAY_TYPE(seq_range) without;
	const char *error;

	if (fill->local)
		return 0;
	if (read_state(cutover, mailbox, &error) < 0)
		return cutover_fail(cutover, mailbox->vname, error);
	t_array_init(&without, 8);
	(void)imap_seq_set_nostar_parse(mailbox->state.without_uids, &without);
	if (fill->messages <= fill->old_messages &&
	    fill->messages + seq_range_count(&without) >= fill->old_messages)
		return 0;
	return cutover_fail(cutover, mailbox->vname, t_strdup_printf(
		"The old server has %u messages, the copy %u: try again, or "
		"doveadm migration verify", fill->old_messages,
		fill->messages));
}

/* Delivered into the copy by somebody without the plugin, just now? */
static int
check_uids(const struct cutover_mailbox *mailbox, const char **error_r)
{
	unsigned int count = seq_range_count(&mailbox->uids);

	if (count == mailbox->fill.messages)
		return 0;
	*error_r = t_strdup_printf("The copy has %u messages instead of %u: "
		"somebody else changes it", count, mailbox->fill.messages);
	return -1;
}

/* What catch-up compares the old server's mailbox with, from now on. */
static int
write_baseline(struct cutover *cutover, const struct cutover_mailbox *mailbox,
	       struct local_copy *copy, const char **error_r)
{
	struct inventory_keywords *keywords = inventory_keywords_init();
	struct baseline baseline;
	int ret;

	baseline_init(&baseline, keywords);
	baseline.uid_validity = mailbox->state.uid_validity;
	baseline.next_uid = mailbox->fill.old_uid_next;
	baseline.modseq = mailbox->fill.old_modseq;
	local_copy_inventory(copy, &baseline.messages);
	ret = baseline_write(cutover->muser->set.dir, mailbox->vname,
			     &baseline, error_r);
	baseline_deinit(&baseline);
	inventory_keywords_deinit(&keywords);
	return ret;
}

/* The local mailbox goes on where the old one can't collide with it (I9), and
   nothing in it is new to anybody; what nobody has seen in a mirror still is. */
static int
prepare_copy(struct cutover *cutover, struct cutover_mailbox *mailbox,
	     const char **error_r)
{
	const struct fill_result *fill = &mailbox->fill;
	struct mailbox_update update = { .min_highest_modseq = fill->old_modseq };
	struct local_copy *copy;
	int ret;

	if (read_state(cutover, mailbox, error_r) < 0 ||
	    local_copy_open(cutover->muser, mailbox->vname, &copy,
			    error_r) < 0)
		return -1;
	update.min_next_uid = first_own_uid(cutover, mailbox, copy);
	mailbox->state.uid_floor = update.min_next_uid;
	mailbox->state.old_uid_next = fill->old_uid_next;
	if (mailbox->state.state != MAILBOX_STATE_MIRRORED)
		update.min_first_recent_uid = update.min_next_uid;
	local_copy_uids(copy, &mailbox->uids);
	ret = check_uids(mailbox, error_r);
	if (ret == 0)
		ret = copy_pairs_remove(cutover->muser->set.dir, mailbox->vname,
					error_r);
	if (ret == 0)
		ret = write_baseline(cutover, mailbox, copy, error_r);
	if (ret == 0)
		ret = local_copy_update(copy, &update, error_r);
	if (ret == 0)
		ret = local_copy_commit(copy, error_r);
	local_copy_close(&copy);
	return ret;
}

static int prepare(struct cutover *cutover, struct cutover_mailbox *mailbox)
{
	const char *error;

	if (!mailbox->fill.local && prepare_copy(cutover, mailbox, &error) < 0)
		return cutover_fail(cutover, mailbox->vname, error);
	return 0;
}

static int make_local(struct cutover *cutover, struct cutover_mailbox *mailbox)
{
	const struct mailbox_state_file before = mailbox->state;
	const char *error;
	int ret;

	if (mailbox->fill.local)
		return 0;
	mailbox->state.state = MAILBOX_STATE_LOCAL;
	mailbox->state.error = "";
	mailbox->state.since = time(NULL);
	ret = state_switch(cutover->muser->set.dir, mailbox->vname, &before,
			   &mailbox->state, &error);
	if (ret < 0)
		return cutover_fail(cutover, mailbox->vname, error);
	if (ret == 0) {
		migration_report(cutover->muser, "cutover_unsafe", "mailbox",
				 mailbox->vname, "reason", error, NULL);
	}
	lease_release(&mailbox->lease);
	i_gettimeofday(&mailbox->done);
	return 0;
}

typedef int cutover_step_t(struct cutover *, struct cutover_mailbox *);

static int for_each(struct cutover *cutover, cutover_step_t *step)
{
	struct cutover_mailbox *mailbox;

	array_foreach_modifiable(&cutover->mailboxes, mailbox) {
		if (step(cutover, mailbox) < 0)
			return -1;
	}
	return 0;
}

static int hold_tree(struct cutover *cutover)
{
	const char *error;
	int ret;

	ret = lease_tree(cutover->muser->set.dir, TREE_LOCK_SECS,
			 &cutover->tree, &error);
	if (ret > 0) {
		ret = rename_journal_refuse(cutover->muser->set.dir, &error);
		if (ret == 0)
			return 0;
	}
	cutover->error_code = MAIL_ERROR_TEMP;
	cutover->error = ret < 0 ? error :
		"Another process is busy with the folders";
	return -1;
}

static void report(struct cutover *cutover, struct cutover_mailbox *mailbox,
		   ARRAY_TYPE(cutover_result) *results)
{
	struct cutover_result *result = array_append_space(results);

	result->vname = mailbox->vname;
	result->was_local = mailbox->fill.local;
	if (result->was_local)
		return;
	result->messages = seq_range_count(&mailbox->uids);
	result->usecs = timeval_diff_usecs(&mailbox->done, &mailbox->excluded);
	migration_report(cutover->muser, "cutover", "mailbox", mailbox->vname,
		"messages", dec2str(result->messages),
		"bytes", dec2str(mailbox->state.done_bytes),
		"seconds", t_strdup_printf("%u.%03u",
			result->usecs / 1000000, result->usecs / 1000 % 1000),
		"digest", get_digest(cutover, mailbox),
		"without", mailbox->state.without_uids, NULL);
}

/* Others wait for as long as this takes. */
static int cutover_exclusively(struct cutover *cutover)
{
	struct old_client *client = filler_client(cutover->filler);
	enum old_claim claim;
	unsigned int patience;
	int ret;

	if (hold_tree(cutover) < 0)
		return -1;
	claim = old_client_set_claim(client, OLD_CLAIM_WAITED);
	patience = old_client_set_patience(client, PATIENCE_MSECS);
	if (for_each(cutover, exclude) < 0 || for_each(cutover, catch_up) < 0 ||
	    for_each(cutover, check_count) < 0 ||
	    for_each(cutover, prepare) < 0)
		ret = -1;
	else
		ret = for_each(cutover, make_local);
	(void)old_client_set_patience(client, patience);
	(void)old_client_set_claim(client, claim);
	return ret;
}

static int prepare_all(struct cutover *cutover)
{
	if (for_each(cutover, catch_up) < 0)
		return -1;
	return for_each(cutover, settle);
}

static int
cutover_all(struct cutover *cutover, ARRAY_TYPE(cutover_result) *results)
{
	struct cutover_mailbox *mailbox;

	if (cutover_exclusively(cutover) < 0)
		return -1;
	lease_release(&cutover->tree);
	array_foreach_modifiable(&cutover->mailboxes, mailbox) T_BEGIN {
		report(cutover, mailbox, results);
	} T_END;
	return 0;
}

static void
cutover_init(struct cutover *cutover, struct filler *filler,
	     const ARRAY_TYPE(const_string) *vnames)
{
	struct cutover_mailbox *mailbox;
	const char *vname;

	i_zero(cutover);
	cutover->filler = filler;
	cutover->muser = filler_user(filler);
	cutover->pool = pool_alloconly_create("cutover", 1024);
	p_array_init(&cutover->mailboxes, cutover->pool, array_count(vnames));
	array_foreach_elem(vnames, vname) {
		mailbox = array_append_space(&cutover->mailboxes);
		mailbox->vname = vname;
		p_array_init(&mailbox->uids, cutover->pool, 16);
	}
}

/* Returns ret. */
static int cutover_end(struct cutover *cutover, int ret,
		       enum mail_error *error_code_r, const char **error_r)
{
	struct cutover_mailbox *mailbox;

	if (ret < 0) {
		*error_code_r = cutover->error_code;
		*error_r = t_strdup(cutover->error);
		migration_report(cutover->muser, "cutover_failed",
				 "reason", *error_r, NULL);
	}
	array_foreach_modifiable(&cutover->mailboxes, mailbox)
		lease_release(&mailbox->lease);
	lease_release(&cutover->tree);
	pool_unref(&cutover->pool);
	return ret;
}

int cutover_prepare(struct filler *filler,
		    const ARRAY_TYPE(const_string) *vnames,
		    enum mail_error *error_code_r, const char **error_r)
{
	struct cutover cutover;

	cutover_init(&cutover, filler, vnames);
	return cutover_end(&cutover, prepare_all(&cutover), error_code_r,
			   error_r);
}

int cutover_prepared(struct filler *filler,
		     const ARRAY_TYPE(const_string) *vnames,
		     ARRAY_TYPE(cutover_result) *results_r,
		     enum mail_error *error_code_r, const char **error_r)
{
	struct cutover cutover;

	cutover_init(&cutover, filler, vnames);
	return cutover_end(&cutover, cutover_all(&cutover, results_r),
			   error_code_r, error_r);
}

int cutover(struct filler *filler, const ARRAY_TYPE(const_string) *vnames,
	    ARRAY_TYPE(cutover_result) *results_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	if (cutover_prepare(filler, vnames, error_code_r, error_r) < 0)
		return -1;
	return cutover_prepared(filler, vnames, results_r, error_code_r,
				error_r);
}
