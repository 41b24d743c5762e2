/* mirror-watch-poll: STATUS of the wanted mailboxes (RFC 3501 6.3.10), of all
   in one command where that is more than a few (LIST-STATUS, RFC 5819). */

#include "mirror-watch-private.h"
#include "array.h"
#include "str.h"
#include "imap-arg.h"
#include "imap-quote.h"

/* STATUS commands of a poll that are in flight together. */
#define WATCH_WINDOW 100
/* LIST-STATUS asks for all of the old server's mailboxes. */
#define WATCH_LIST_MIN 32
/* Longest pause behind a slow poll, beside its interval. */
#define WATCH_REST_MAX_MSECS (60 * 1000)

/* Those of 32 bits. */
static const struct watch_item {
	const char *name;
	enum watch_items item;
	size_t offset;
} watch_items[] = {
	{ "MESSAGES", WATCH_MESSAGES, offsetof(struct mirror_status, messages) },
	{ "UIDNEXT", WATCH_UIDNEXT, offsetof(struct mirror_status, uid_next) },
	{ "UIDVALIDITY", WATCH_UIDVALIDITY,
	  offsetof(struct mirror_status, uid_validity) },
};

static void poll_all_more(struct mirror_watch *watch, uint64_t now);

static const char *poll_items(struct mirror_watch *watch)
{
	return old_client_has(watch->client, "CONDSTORE") ?
		"(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)" :
		"(MESSAGES UIDNEXT UIDVALIDITY)";
}

static void
poll_round_end(struct mirror_watch *watch, struct watch_round *round,
	       uint64_t now)
{
	uint64_t took = now - round->began;

	round->rest = now + I_MIN(took, WATCH_REST_MAX_MSECS);
	round->due = I_MAX(round->began + round->interval_msecs, round->rest);
	round->began = 0;
	watch_wake(watch, round->due);
}

static void
poll_round_answered(struct mirror_watch *watch, struct watch_round *round)
{
	uint64_t now = watch_now();

	i_assert(round->pending > 0);
	round->pending--;
	if (round == &watch->all && !watch->listing)
		poll_all_more(watch, now);
	else if (round->pending == 0)
		poll_round_end(watch, round, now);
}

static void poll_answer(const struct old_reply *reply, struct watch_box *box)
{
	struct mirror_watch *watch = box->watch;
	struct watch_round *round = box->round;
	uint64_t asked = box->asked;

	box->asked = 0;
	box->round = NULL;
	if (reply->state == OLD_REPLY_OK && box->told)
		watch_box_set_known(box, asked);
	else if (reply->state != OLD_REPLY_LOST)
		watch_box_set_gone(box);
	if (box->removed)
		watch_box_free(&box);
	watch_answered(watch, reply);
	if (round != NULL)
		poll_round_answered(watch, round);
}

static void
poll_ask(struct watch_box *box, struct watch_round *round, uint64_t now)
{
	struct old_command *cmd = old_command_new(box->watch->client, "STATUS");

	old_command_add_string(cmd, box->old_name);
	old_command_add(cmd, poll_items(box->watch));
	box->ask = FALSE;
	box->told = FALSE;
	box->asked = now;
	box->round = round;
	if (round != NULL)
		round->pending++;
	old_command_send(&cmd, poll_answer, box);
}

static void poll_selected(struct mirror_watch *watch, uint64_t now)
{
	struct watch_round *round = &watch->selected;
	struct watch_box *box;

	round->began = now;
	array_foreach_elem(&watch->boxes, box) {
		if (box->selected && box->asked == 0)
			poll_ask(box, round, now);
	}
	if (round->pending == 0)
		poll_round_end(watch, round, now);
}

static void poll_all_more(struct mirror_watch *watch, uint64_t now)
{
	struct watch_round *round = &watch->all;
	struct watch_box *box;

	while (round->pending < WATCH_WINDOW && watch_is_up(watch) &&
	       watch->all_next < array_count(&watch->boxes)) {
		box = array_idx_elem(&watch->boxes, watch->all_next++);
		if (box->asked == 0)
			poll_ask(box, round, now);
	}
	if (round->pending == 0)
		poll_round_end(watch, round, now);
}

static void
poll_listed(const struct old_reply *reply, struct mirror_watch *watch)
{
	struct watch_box *box;
	uint64_t began = watch->all.began;

	if (reply->state == OLD_REPLY_OK) {
		array_foreach_elem(&watch->boxes, box) {
			if (box->listed == watch->list_count)
				watch_box_set_known(box, began);
			else if (box->born <= began)
				watch_box_set_gone(box);
		}
	}
	watch_answered(watch, reply);
	poll_round_answered(watch, &watch->all);
	watch->listing = FALSE;
	if (reply->state == OLD_REPLY_NO || reply->state == OLD_REPLY_BAD) {
		watch->list_refused = TRUE;
		watch->all.due = 0;
	}
}

static void poll_list(struct mirror_watch *watch)
{
	struct old_command *cmd = old_command_new(watch->client, "LIST");
	const char *prefix = watch->map.old_prefix;
	const char sep[] = { watch->map.old_sep, '\0' };
	string_t *patterns = t_str_new(64);

	if (*prefix == '\0')
		str_append(patterns, "\"*\"");
	else {
		str_append(patterns, "(\"INBOX\" ");
		imap_append_string(patterns, t_strconcat(prefix, sep, "*",
							 NULL));
		str_append_c(patterns, ')');
	}
	old_command_add_string(cmd, "");
	old_command_add(cmd, str_c(patterns));
	old_command_addf(cmd, "RETURN (STATUS %s)", poll_items(watch));
	watch->list_count++;
	watch->listing = TRUE;
	watch->all.pending++;
	old_command_send(&cmd, poll_listed, watch);
}

static void poll_all(struct mirror_watch *watch, uint64_t now)
{
	watch->all.began = now;
	if (!watch->list_refused &&
	    array_count(&watch->boxes) >= WATCH_LIST_MIN &&
	    old_client_has(watch->client, "LIST-STATUS") &&
	    old_client_has(watch->client, "LIST-EXTENDED")) {
		poll_list(watch);
	} else {
		watch->all_next = 0;
		poll_all_more(watch, now);
	}
}

void watch_poll_start(struct mirror_watch *watch, uint64_t now)
{
	watch->list_refused = FALSE;
	watch->selected.due = now;
	watch->all.due = now;
	/* its first STATUS lines tell of all */
	if (watch->notify_at != 0)
		watch->all.due += watch->all.interval_msecs;
}

void watch_poll_tick(struct mirror_watch *watch, uint64_t now)
{
	struct watch_box *box;

	array_foreach_elem(&watch->boxes, box) {
		if (box->ask)
			poll_ask(box, NULL, now);
	}
	if (watch->selected.began == 0 && now >= watch->selected.due)
		poll_selected(watch, now);
	if (watch->all.began == 0 && now >= watch->all.due)
		poll_all(watch, now);
	if (watch->selected.began == 0)
		watch_wake(watch, watch->selected.due);
	if (watch->all.began == 0)
		watch_wake(watch, watch->all.due);
}

void watch_poll_soon(struct mirror_watch *watch)
{
	uint64_t soon = watch_now() + watch->set.selected_msecs;

	watch->all.due = I_MIN(watch->all.due, I_MAX(watch->all.rest, soon));
}

static enum watch_items
poll_parse_item(const char *name, uint64_t num, struct mirror_status *told)
{
	if (strcasecmp(name, "HIGHESTMODSEQ") == 0) {
		told->modseq = num;
		return WATCH_MODSEQ;
	}
	for (unsigned int i = 0; i < N_ELEMENTS(watch_items); i++) {
		if (strcasecmp(name, watch_items[i].name) == 0 &&
		    num <= UINT32_MAX) {
			*(uint32_t *)PTR_OFFSET(told, watch_items[i].offset) =
				num;
			return watch_items[i].item;
		}
	}
	return 0;
}

static enum watch_items
poll_parse(const struct imap_arg *args, struct mirror_status *told_r)
{
	enum watch_items items = 0;
	const char *name, *value;
	uint64_t num;

	i_zero(told_r);
	for (; imap_arg_get_atom(&args[0], &name) &&
	       imap_arg_get_atom(&args[1], &value); args += 2) {
		if (str_to_uint64(value, &num) == 0)
			items |= poll_parse_item(name, num, told_r);
	}
	return items;
}

/* Did NOTIFY tell it, or must a poll have found it? */
static void
poll_count_untold(struct watch_box *box, bool polled)
{
	if (!watch_box_is_notified(box))
		return;
	if (polled)
		box->untold++;
	else if (box->asked == 0)
		box->untold = 0;
}

void watch_poll_status(struct mirror_watch *watch, const struct imap_arg *args)
{
	const struct imap_arg *list;
	const char *old_name;
	struct watch_box *box;
	struct mirror_status told;
	enum watch_items items;
	bool polled;

	if (!imap_arg_get_astring(&args[0], &old_name) ||
	    !imap_arg_get_list(&args[1], &list) ||
	    (box = watch_box_find_old(watch, old_name)) == NULL)
		return;
	items = poll_parse(list, &told);
	polled = box->round == &watch->all ||
		(watch->listing && box->listed != watch->list_count);
	box->told = TRUE;
	if (watch->listing)
		box->listed = watch->list_count;
	if (watch->notify == WATCH_NOTIFY_SETTING) {
		box->notify = watch->notify_count;
		box->untold = 0;
	}
	if (watch_box_update(box, &told, items))
		poll_count_untold(box, polled);
	told = box->status;
	watch->callbacks.status(watch->context, t_strdup(box->vname), &told);
}
