#include "lib.h"
#include "array.h"
#include "imapc-msgmap.h"
#include "redirected-mailbox.h"
#include "remote-burst.h"
#include "remote-namespace.h"
#include "engine/uid-sets.h"
#include "remote-set.h"

void remote_set_send(struct remote_burst *burst, const char *command,
		     const ARRAY_TYPE(seq_range) *uids, const char *args)
{
	ARRAY_TYPE(const_string) sets;
	const char *set;

	uid_sets(uids, &sets);
	array_foreach_elem(&sets, set) {
		remote_burst_add(burst, args == NULL ?
			t_strdup_printf("%s %s", command, set) :
			t_strdup_printf("%s %s %s", command, set, args));
	}
}

static struct imapc_msgmap *get_msgmap(struct redirected_mailbox *rbox)
{
	return imapc_client_mailbox_get_msgmap(rbox->mbox->client_box);
}

void remote_set_drop_gone(struct redirected_mailbox *rbox,
			  ARRAY_TYPE(seq_range) *uids)
{
	struct imapc_msgmap *msgmap = get_msgmap(rbox);
	ARRAY_TYPE(seq_range) here;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid, rseq;

	t_array_init(&here, array_count(uids) + 1);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (imapc_msgmap_uid_to_rseq(msgmap, uid, &rseq))
			seq_range_array_add(&here, uid);
	}
	array_clear(uids);
	array_append_array(uids, &here);
}

static bool
is_connected(struct redirected_mailbox *rbox)
{
	return rbox->mbox->client_box != NULL &&
		imapc_client_mailbox_is_opened(rbox->mbox->client_box) &&
		rbox->mbox->state_fetched_success;
}

/* EXISTS alone doesn't tell the new mails' UIDs */
static int learn_new(struct redirected_mailbox *rbox)
{
	uint32_t uid_next = imapc_msgmap_uidnext(get_msgmap(rbox));

	if (remote_burst_run(rbox, "NOOP") < 0)
		return -1;
	return remote_burst_run(rbox,
		t_strdup_printf("UID FETCH %u:* (FLAGS)", uid_next));
}

int remote_set_learn(struct redirected_mailbox *rbox,
		     ARRAY_TYPE(seq_range) *uids)
{
	const struct seq_range *last;

	if (!is_connected(rbox)) {
		mail_storage_set_error(rbox->mbox->box.storage,
			remote_unavailable(rbox->muser),
			"The old mail server can't be reached, "
			"try again later");
		return -1;
	}
	last = array_back(uids);
	if (last->seq2 >= imapc_msgmap_uidnext(get_msgmap(rbox)) &&
	    learn_new(rbox) < 0)
		return -1;
	remote_set_drop_gone(rbox, uids);
	return 0;
}

const char *const *
remote_set_keywords(struct mailbox *box, struct mail_index_view *view,
		    uint32_t seq)
{
	const ARRAY_TYPE(keywords) *names =
		mail_index_get_keywords(box->index);
	ARRAY_TYPE(keyword_indexes) indexes;
	ARRAY_TYPE(const_string) keywords;
	unsigned int idx;

	t_array_init(&indexes, 8);
	mail_index_lookup_keywords(view, seq, &indexes);
	t_array_init(&keywords, array_count(&indexes) + 1);
	array_foreach_elem(&indexes, idx) {
		const char *name = array_idx_elem(names, idx);

		array_push_back(&keywords, &name);
	}
	array_append_zero(&keywords);
	return array_front(&keywords);
}
