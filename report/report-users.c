#include "report-users.h"
#include "report-catchup.h"
#include "report-network.h"
#include "report-seen.h"
#include "table.h"

#include <string.h>

struct mailbox {
	UT_hash_handle hh;
	struct report_mailbox shown;
	/* What went wrong last and wasn't mended since. */
	struct kept_text problem;
};

struct user {
	UT_hash_handle hh;
	struct report_user shown;
	struct mailbox *mailboxes;
	struct kept_text problem;
	/* NULL before catch-up tells of him. */
	struct catchup *catchup;
};

struct users {
	struct strings *strings;
	pool_t pool;
	const char *chosen;
	struct user *table;
	struct catchup_clock clock;
};

/* What an event does. */
struct user_event {
	const char *name;
	/* The state that it tells of, or -1. */
	int state;
	/* Only from an earlier state. */
	bool forward;
	/* It's a failure, or it mends earlier ones. */
	bool failure, mends;
	/* mailbox is NULL when the event names none. */
	void (*add)(struct users *users, struct user *user,
		    struct mailbox *mailbox, const struct report_event *event);
};

struct users *users_init(struct strings *strings, const char *chosen)
{
	struct users *users = memory_new(sizeof(*users));
	struct text text = { chosen, strlen(chosen) };

	users->strings = strings;
	pool_init(&users->pool);
	if (*chosen != '\0')
		users->chosen = strings_get_lower(strings, text);
	return users;
}

void users_deinit(struct users **_users)
{
	struct users *users = *_users;
	struct mailbox *mailbox;
	struct user *user;

	if (users == NULL)
		return;
	*_users = NULL;
	for (user = users->table; user != NULL; user = user->hh.next) {
		for (mailbox = user->mailboxes; mailbox != NULL;
		     mailbox = mailbox->hh.next)
			free(mailbox->problem.data);
		HASH_CLEAR(hh, user->mailboxes);
		catchup_deinit(&user->catchup);
		free(user->problem.data);
	}
	HASH_CLEAR(hh, users->table);
	pool_deinit(&users->pool);
	free(users);
}

static struct user *get_user(struct users *users, struct text name)
{
	const char *key = strings_get_text(users->strings, name);
	const char *domain = report_address_domain(users->strings, name);
	struct user *user;

	if (users->chosen != NULL && *domain != '\0' &&
	    domain != users->chosen)
		return NULL;
	HASH_FIND_PTR(users->table, &key, user);
	if (user == NULL) {
		user = pool_new(&users->pool, sizeof(*user));
		user->shown.name = key;
		HASH_ADD_PTR(users->table, shown.name, user);
	}
	return user;
}

static struct mailbox *
get_mailbox(struct users *users, struct user *user, struct text name)
{
	const char *key = strings_get_text(users->strings, name);
	struct mailbox *mailbox;

	HASH_FIND_PTR(user->mailboxes, &key, mailbox);
	if (mailbox == NULL) {
		mailbox = pool_new(&users->pool, sizeof(*mailbox));
		mailbox->shown.name = key;
		mailbox->shown.without = "";
		HASH_ADD_PTR(user->mailboxes, shown.name, mailbox);
	}
	return mailbox;
}

static void add_tree(struct users *users, struct user *user,
		     struct mailbox *mailbox, const struct report_event *event)
{
	(void)users;
	(void)mailbox;
	user->shown.folders = report_event_number(event, KEY_folders);
}

/* What was fetched: all that is known until it's local. */
static void add_fill(struct users *users, struct user *user,
		     struct mailbox *mailbox, const struct report_event *event)
{
	(void)users;
	(void)user;
	if (mailbox == NULL)
		return;
	if (report_event_is(event, KEY_rebuilt, "yes"))
		mailbox->shown.messages = mailbox->shown.bytes = 0;
	mailbox->shown.messages += report_event_number(event, KEY_fetched);
	mailbox->shown.bytes += report_event_number(event, KEY_bytes);
}

static void
add_cutover(struct users *users, struct user *user, struct mailbox *mailbox,
	    const struct report_event *event)
{
	(void)users;
	(void)user;
	if (mailbox == NULL)
		return;
	mailbox->shown.messages = report_event_number(event, KEY_messages);
	mailbox->shown.bytes = report_event_number(event, KEY_bytes);
	mailbox->shown.cutover_ms = report_event_millis(event, KEY_seconds);
	mailbox->shown.verified = report_event_get(event, KEY_digest).size > 0;
}

static void
add_without(struct users *users, struct user *user, struct mailbox *mailbox,
	    const struct report_event *event)
{
	(void)user;
	if (mailbox != NULL) {
		mailbox->shown.without = strings_get_text(users->strings,
			report_event_get(event, KEY_uids));
	}
}

/* In the order of time: an event that isn't known changes nothing. */
static const struct user_event events[] = {
	{ "tree", -1, false, false, false, add_tree },
	{ "folder_removed", REPORT_STATE_REMOVED, false, false, true, NULL },
	{ "folder_failed", -1, false, true, false, NULL },
	{ "folders_shrunk", -1, false, true, false, NULL },
	{ "fill", REPORT_STATE_FILLING, true, false, false, add_fill },
	{ "filled", REPORT_STATE_FILLED, true, false, true, add_fill },
	{ "fill_failed", REPORT_STATE_FILLING, true, true, false, NULL },
	{ "message_failed", REPORT_STATE_FILLING, true, true, false, NULL },
	{ "message_altered", -1, false, false, false, NULL },
	{ "mismatch", -1, false, true, false, NULL },
	{ "rebuild", REPORT_STATE_FILLING, false, false, false, NULL },
	{ "mirrored", REPORT_STATE_MIRRORED, true, false, true, NULL },
	{ "cutover", REPORT_STATE_LOCAL, false, false, true, add_cutover },
	{ "cutover_failed", -1, false, true, false, NULL },
	{ "without", -1, false, false, false, add_without },
	{ "rollback", REPORT_STATE_REMOTE, false, false, true, NULL },
	{ "rollback_failed", -1, false, true, false, NULL },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

static const struct user_event *find_event(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < EVENTS; i++) {
		if (strlen(events[i].name) == size &&
		    memcmp(events[i].name, name, size) == 0)
			return &events[i];
	}
	return NULL;
}

bool users_knows(const char *event_name)
{
	struct text name = { event_name, strlen(event_name) };

	return find_event(name.data, name.size) != NULL || catchup_knows(name);
}

static void set_state(struct report_mailbox *mailbox,
		      const struct user_event *what, int64_t time)
{
	enum report_state state;

	if (what->state < 0)
		return;
	state = (enum report_state)what->state;
	if (what->forward && mailbox->state != REPORT_STATE_REMOVED &&
	    mailbox->state > state)
		return;
	if (mailbox->state != state)
		mailbox->since = time;
	mailbox->state = state;
}

/* "fill_failed: the old server refuses the login" */
static void keep_problem(struct kept_text *problem, const char *name,
			 const struct report_event *event)
{
	struct text reason = report_event_get(event, KEY_reason);
	char buffer[REPORT_NAME_MAX + 2 + REPORT_VALUE_MAX];
	struct text text = { buffer, strlen(name) };

	memcpy(buffer, name, text.size);
	if (reason.size > 0) {
		memcpy(buffer + text.size, ": ", 2);
		memcpy(buffer + text.size + 2, reason.data, reason.size);
		text.size += 2 + reason.size;
	}
	text_keep(problem, text);
}

static void note_problem(struct user *user, struct mailbox *mailbox,
			 const struct user_event *what,
			 const struct report_event *event)
{
	struct kept_text *problem = mailbox != NULL ? &mailbox->problem :
		&user->problem;

	if (what->failure) {
		user->shown.errors++;
		if (mailbox != NULL)
			mailbox->shown.errors++;
		keep_problem(problem, what->name, event);
	} else if (what->mends) {
		problem->size = 0;
		/* a cutover shows that what held up the user is over */
		user->problem.size = 0;
	}
}

static struct catchup *get_catchup(struct user *user)
{
	if (user->catchup == NULL)
		user->catchup = catchup_init();
	return user->catchup;
}

int64_t users_late_arrival(struct users *users,
			   const struct report_event *event)
{
	struct user *user = get_user(users, report_event_get(event, KEY_user));
	const char *name = strings_get_text(users->strings,
		report_event_get(event, KEY_mailbox));
	struct mailbox *mailbox;

	if (user == NULL)
		return 0;
	HASH_FIND_PTR(user->mailboxes, &name, mailbox);
	return catchup_arrival(get_catchup(user), event, mailbox != NULL &&
			       mailbox->shown.state == REPORT_STATE_LOCAL ?
			       mailbox->shown.since : 0, &users->clock);
}

void users_add(struct users *users, const struct report_event *event)
{
	struct text name = report_event_get(event, KEY_event);
	const struct user_event *what = find_event(name.data, name.size);
	struct user *user = get_user(users, report_event_get(event, KEY_user));
	struct text mailbox_name = report_event_get(event, KEY_mailbox);
	struct mailbox *mailbox = NULL;

	if (user == NULL)
		return;
	report_span_add(&user->shown.first, &user->shown.last, event->time);
	if (what == NULL) {
		catchup_add(get_catchup(user), event);
		return;
	}
	if (mailbox_name.size > 0) {
		mailbox = get_mailbox(users, user, mailbox_name);
		mailbox->shown.last = event->time;
		set_state(&mailbox->shown, what, event->time);
	}
	note_problem(user, mailbox, what, event);
	if (what->add != NULL)
		what->add(users, user, mailbox, event);
}

static const char *show_kept(pool_t *pool, const struct kept_text *kept)
{
	struct text text = { kept->data, kept->size };

	return text.size == 0 ? "" : strings_show(pool, text);
}

static int compare_mailboxes(const void *a, const void *b)
{
	const struct report_mailbox *const *box_a = a, *const *box_b = b;
	bool problem_a = *(*box_a)->problem != '\0';
	bool problem_b = *(*box_b)->problem != '\0';

	if (problem_a != problem_b)
		return problem_a ? -1 : 1;
	if ((*box_a)->state != (*box_b)->state)
		return (*box_a)->state < (*box_b)->state ? -1 : 1;
	return strcmp((*box_a)->name, (*box_b)->name);
}

static void finish_user(struct user *user, pool_t *pool)
{
	struct report_user *shown = &user->shown;
	size_t count = HASH_COUNT(user->mailboxes), i = 0, known;
	const struct report_mailbox **mailboxes =
		pool_array(pool, count, sizeof(*mailboxes));
	struct mailbox *mailbox;

	memset(shown->states, 0, sizeof(shown->states));
	shown->messages = shown->bytes = shown->problems = 0;
	shown->local_since = 0;
	for (mailbox = user->mailboxes; mailbox != NULL;
	     mailbox = mailbox->hh.next) {
		mailbox->shown.problem = show_kept(pool, &mailbox->problem);
		shown->problems += mailbox->problem.size > 0 ? 1 : 0;
		shown->states[mailbox->shown.state]++;
		shown->messages += mailbox->shown.messages;
		shown->bytes += mailbox->shown.bytes;
		if (mailbox->shown.state == REPORT_STATE_LOCAL &&
		    mailbox->shown.since > shown->local_since)
			shown->local_since = mailbox->shown.since;
		mailboxes[i++] = &mailbox->shown;
	}
	if (count > 0)
		qsort(mailboxes, count, sizeof(*mailboxes), compare_mailboxes);
	shown->mailboxes = mailboxes;
	shown->mailboxes_count = count;
	shown->problem = show_kept(pool, &user->problem);
	shown->catchup.poll_problem = shown->catchup.pending_problem = "";
	if (user->catchup != NULL)
		catchup_finish(user->catchup, pool, &shown->catchup);
	/* the tree tells of mailboxes that nothing happened to yet, and no
	   longer of those that were removed */
	known = count - shown->states[REPORT_STATE_REMOVED];
	if (shown->folders > known)
		shown->states[REPORT_STATE_REMOTE] += shown->folders - known;
}

static bool is_done(const struct report_user *user)
{
	unsigned int state;

	for (state = 0; state < REPORT_STATE_LOCAL; state++) {
		if (user->states[state] > 0)
			return false;
	}
	return true;
}

/* Problems first, then those that aren't local. */
static int compare_users(const void *a, const void *b)
{
	const struct report_user *const *user_a = a, *const *user_b = b;
	bool problem_a = (*user_a)->problems > 0 || *(*user_a)->problem != '\0';
	bool problem_b = (*user_b)->problems > 0 || *(*user_b)->problem != '\0';
	bool done_a = is_done(*user_a), done_b = is_done(*user_b);

	if (problem_a != problem_b)
		return problem_a ? -1 : 1;
	if (done_a != done_b)
		return done_a ? 1 : -1;
	return strcmp((*user_a)->name, (*user_b)->name);
}

void users_finish(struct users *users, pool_t *pool, struct report_model *model)
{
	size_t count = HASH_COUNT(users->table), i = 0;
	const struct report_user **shown = pool_array(pool, count,
						      sizeof(*shown));
	struct user *user;

	for (user = users->table; user != NULL; user = user->hh.next) {
		finish_user(user, pool);
		shown[i++] = &user->shown;
	}
	if (count > 0)
		qsort(shown, count, sizeof(*shown), compare_users);
	model->clock_ahead = catchup_clock_ahead(&users->clock);
	model->users = shown;
	model->users_count = count;
}
