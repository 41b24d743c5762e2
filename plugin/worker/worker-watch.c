#include "lib.h"
#include "array.h"
#include "hash.h"
#include "ioloop.h"
#include "time-util.h"
#include "migration-user.h"
#include "engine/mailbox-state.h"
#include "engine/mirror.h"
#include "engine/mirror-watch.h"
#include "worker-catchup.h"
#include "engine/old-slots.h"
#include "worker-turns.h"
#include "worker-watch.h"

/* News of one's own writes may come in many pieces: look so often at most. */
#define LOOK_MSECS 200

/* A client has it selected. */
struct selected {
	const struct worker_connection *conn;
	char *vname;
};

/* What was heard of a mailbox last. */
struct news {
	char *vname;
	struct mirror_status status;
	/* as far as is known, it isn't in the copy */
	bool unknown;
	/* it came in the turn that is under way */
	bool late;
};

struct worker_watch {
	struct migration_user *muser;
	struct mirror *mirror;
	struct old_slots *slots;
	struct worker_turns *turns;
	struct worker_catchup *catchup;
	struct ioloop *ioloop;

	/* Somebody reads: it isn't only deliveries that come. */
	bool wanted;
	/* NULL without a slot */
	struct mirror_watch *mirror_watch;
	ARRAY(struct selected *) selected;
	/* the INBOX is local, and what arrives late in the old one is wanted */
	bool late_inbox;
	/* the names of all mailboxes that are mirrored, and their pool */
	pool_t mirrored_pool;
	ARRAY_TYPE(const_string) mirrored;
	HASH_TABLE(char *, struct news *) news;

	struct timeout *to_look, *to_states, *to_interval;
	struct timeval looked;
};

/*
 * News
 */

static struct news *news_get(struct worker_watch *watch, const char *vname)
{
	struct news *news = hash_table_lookup(watch->news, vname);

	if (news == NULL) {
		news = i_new(struct news, 1);
		news->vname = i_strdup(vname);
		hash_table_insert(watch->news, news->vname, news);
	}
	return news;
}

static bool news_are_known(struct worker_watch *watch, struct news *news)
{
	if (news->unknown &&
	    mirror_knows(watch->mirror, news->vname, &news->status))
		news->unknown = FALSE;
	return !news->unknown;
}

static void look_at_news(struct worker_watch *watch)
{
	struct hash_iterate_context *iter;
	struct news *news;
	char *vname;

	timeout_remove(&watch->to_look);
	watch->looked = ioloop_timeval;
	iter = hash_table_iterate_init(watch->news);
	while (hash_table_iterate(iter, watch->news, &vname, &news)) {
		if (!news_are_known(watch, news))
			worker_turns_refresh(watch->turns, vname);
	}
	hash_table_iterate_deinit(&iter);
}

/* Turns begin in that ioloop: there's none under way when it looks. */
static void look_soon(struct worker_watch *watch)
{
	int ago = timeval_diff_msecs(&ioloop_timeval, &watch->looked);

	if (watch->to_look != NULL)
		return;
	watch->to_look = timeout_add_short_to(watch->ioloop,
		ago < 0 || ago >= LOOK_MSECS ? 0 : LOOK_MSECS - ago,
		look_at_news, watch);
}

static void watch_status(void *context, const char *vname,
			 const struct mirror_status *status)
{
	struct worker_watch *watch = context;
	struct news *news;

	worker_turns_old_server_seen(watch->turns);
	if (watch->late_inbox && strcmp(vname, "INBOX") == 0) {
		worker_catchup_heard(watch->catchup, status);
		return;
	}
	news = news_get(watch, vname);
	news->status = *status;
	news->unknown = TRUE;
	news->late = worker_turns_running(watch->turns);
	if (news->late || !news_are_known(watch, news))
		look_soon(watch);
}

/* What came meanwhile may be newer. */
void worker_watch_refreshed(struct worker_watch *watch, const char *vname)
{
	struct news *news = hash_table_lookup(watch->news, vname);

	if (news != NULL && !news->late)
		news->unknown = FALSE;
}

void worker_watch_turn_ended(struct worker_watch *watch)
{
	struct hash_iterate_context *iter;
	struct news *news;
	char *vname;

	iter = hash_table_iterate_init(watch->news);
	while (hash_table_iterate(iter, watch->news, &vname, &news))
		news->late = FALSE;
	hash_table_iterate_deinit(&iter);
}

static void watch_begin(struct worker_watch *watch)
{
	if (!watch->wanted)
		worker_watch_states_changed(watch);
	watch->wanted = TRUE;
}

bool worker_watch_is_fresh(struct worker_watch *watch, const char *vname,
			   unsigned int max_age_msecs)
{
	struct news *news;

	watch_begin(watch);
	if (watch->mirror_watch == NULL ||
	    !mirror_watch_is_fresh(watch->mirror_watch, vname, max_age_msecs))
		return FALSE;
	news = hash_table_lookup(watch->news, vname);
	if (news == NULL)
		return FALSE;
	return !news->unknown || (!worker_turns_running(watch->turns) &&
				  news_are_known(watch, news));
}

/*
 * What is wanted
 */

static bool is_selected(struct worker_watch *watch, const char *vname)
{
	struct selected *selected;

	if (strcasecmp(vname, "INBOX") == 0)
		return TRUE;
	array_foreach_elem(&watch->selected, selected) {
		if (strcmp(selected->vname, vname) == 0)
			return TRUE;
	}
	return FALSE;
}

static bool is_known_mirrored(struct worker_watch *watch, const char *vname)
{
	const char *mirrored;

	array_foreach_elem(&watch->mirrored, mirrored) {
		if (strcmp(mirrored, vname) == 0)
			return TRUE;
	}
	return FALSE;
}

static void watch_want_real(struct worker_watch *watch)
{
	ARRAY_TYPE(const_string) selected, others;
	const char *vname = "INBOX";

	t_array_init(&selected, 8);
	if (watch->late_inbox)
		array_push_back(&selected, &vname);
	t_array_init(&others, array_count(&watch->mirrored) + 1);
	array_foreach_elem(&watch->mirrored, vname) {
		if (is_selected(watch, vname))
			array_push_back(&selected, &vname);
		else
			array_push_back(&others, &vname);
	}
	mirror_watch_want(watch->mirror_watch, &selected, &others);
}

static void watch_want(struct worker_watch *watch)
{
	if (watch->mirror_watch == NULL)
		return;
	T_BEGIN {
		watch_want_real(watch);
	} T_END;
}

void worker_watch_add(struct worker_watch *watch,
		      const struct worker_connection *conn, const char *vname)
{
	struct selected *selected = i_new(struct selected, 1);

	selected->conn = conn;
	selected->vname = i_strdup(vname);
	array_push_back(&watch->selected, &selected);
	watch_begin(watch);
	if (is_known_mirrored(watch, vname))
		watch_want(watch);
	else
		worker_watch_states_changed(watch);
}

static void selected_delete(struct worker_watch *watch, unsigned int i)
{
	struct selected *selected = array_idx_elem(&watch->selected, i);

	array_delete(&watch->selected, i, 1);
	i_free(selected->vname);
	i_free(selected);
}

/* vname NULL: all of that connection. */
static void
selected_remove(struct worker_watch *watch,
		const struct worker_connection *conn, const char *vname)
{
	unsigned int i = array_count(&watch->selected), before = i;

	while (i-- > 0) {
		const struct selected *selected =
			array_idx_elem(&watch->selected, i);

		if (selected->conn != conn ||
		    (vname != NULL && strcmp(selected->vname, vname) != 0))
			continue;
		selected_delete(watch, i);
		if (vname != NULL)
			break;
	}
	if (array_count(&watch->selected) != before)
		watch_want(watch);
}

void worker_watch_remove(struct worker_watch *watch,
			 const struct worker_connection *conn,
			 const char *vname)
{
	selected_remove(watch, conn, vname);
}

void worker_watch_closed(struct worker_watch *watch,
			 const struct worker_connection *conn)
{
	selected_remove(watch, conn, NULL);
}

/*
 * States
 */

static bool
is_mirrored(struct worker_watch *watch, const char *vname, pool_t pool)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	ret = mailbox_state_read(watch->muser->set.dir, vname, pool, &state,
				 &error);
	if (ret < 0)
		i_error("migration: %s: %s", vname, error);
	return ret > 0 && state.state == MAILBOX_STATE_MIRRORED;
}

static void find_mirrored(struct worker_watch *watch, pool_t pool)
{
	ARRAY_TYPE(const_string) known, vnames;
	const char *vname, *error;

	p_array_init(&known, pool, 1);
	p_array_init(&vnames, pool, 32);
	if (mailbox_state_find_others(watch->muser->set.dir, &known, pool,
				      &vnames, &error) < 0) {
		i_error("migration: %s", error);
		return;
	}
	p_clear(watch->mirrored_pool);
	p_array_init(&watch->mirrored, watch->mirrored_pool, 32);
	array_foreach_elem(&vnames, vname) {
		if (!is_mirrored(watch, vname, pool))
			continue;
		vname = p_strdup(watch->mirrored_pool, vname);
		array_push_back(&watch->mirrored, &vname);
	}
}

static void start_listening(struct worker_watch *watch)
{
	static const struct mirror_watch_callbacks callbacks = {
		.status = watch_status,
	};
	const char *error;

	if (!watch->wanted || watch->mirror_watch != NULL ||
	    old_slots_want(watch->slots, 2) < 2)
		return;
	if (mirror_watch_init(watch->muser, &callbacks, watch,
			      &watch->mirror_watch, &error) < 0)
		i_error("migration: %s", error);
}

static void look_at_states(struct worker_watch *watch)
{
	pool_t pool = pool_alloconly_create("states", 8192);

	timeout_remove(&watch->to_states);
	start_listening(watch);
	T_BEGIN {
		find_mirrored(watch, pool);
		watch->late_inbox = worker_catchup_wants_inbox(watch->catchup);
	} T_END;
	pool_unref(&pool);
	watch_want(watch);
}

void worker_watch_states_changed(struct worker_watch *watch)
{
	if (watch->to_states == NULL)
		watch->to_states = timeout_add_to(watch->ioloop, 0,
						  look_at_states, watch);
}

/* Nobody tells of news then. */
static void refresh_selected(struct worker_watch *watch)
{
	const char *vname;

	array_foreach_elem(&watch->mirrored, vname) {
		if (is_selected(watch, vname))
			worker_turns_refresh(watch->turns, vname);
	}
}

static void watch_interval(struct worker_watch *watch)
{
	if (!watch->wanted)
		return;
	worker_watch_states_changed(watch);
	if (watch->mirror_watch == NULL)
		refresh_selected(watch);
}

/* Where connections are counted, others need one more. */
void worker_watch_want_late(struct worker_watch *watch)
{
	if (!watch->late_inbox && watch->muser->set.old_connections == 0 &&
	    worker_catchup_wants_inbox(watch->catchup))
		watch_begin(watch);
}

struct worker_watch *
worker_watch_init(struct migration_user *muser, struct mirror *mirror,
		  struct old_slots *slots, struct worker_turns *turns,
		  struct worker_catchup *catchup)
{
	struct worker_watch *watch = i_new(struct worker_watch, 1);

	watch->muser = muser;
	watch->mirror = mirror;
	watch->slots = slots;
	watch->turns = turns;
	watch->catchup = catchup;
	watch->ioloop = current_ioloop;
	watch->mirrored_pool = pool_alloconly_create("mirrored", 1024);
	p_array_init(&watch->mirrored, watch->mirrored_pool, 32);
	i_array_init(&watch->selected, 8);
	hash_table_create(&watch->news, default_pool, 0, str_hash, strcmp);
	watch->to_interval = timeout_add_short(
		I_MAX(muser->set.mirror_interval, 1) * 1000,
		watch_interval, watch);
	return watch;
}

static void free_news(struct worker_watch *watch)
{
	struct hash_iterate_context *iter;
	struct news *news;
	char *vname;

	iter = hash_table_iterate_init(watch->news);
	while (hash_table_iterate(iter, watch->news, &vname, &news)) {
		i_free(news->vname);
		i_free(news);
	}
	hash_table_iterate_deinit(&iter);
	hash_table_destroy(&watch->news);
}

void worker_watch_deinit(struct worker_watch **_watch)
{
	struct worker_watch *watch = *_watch;

	*_watch = NULL;
	if (watch->mirror_watch != NULL)
		mirror_watch_deinit(&watch->mirror_watch);
	timeout_remove(&watch->to_look);
	timeout_remove(&watch->to_states);
	timeout_remove(&watch->to_interval);
	while (array_count(&watch->selected) > 0)
		selected_delete(watch, 0);
	array_free(&watch->selected);
	free_news(watch);
	pool_unref(&watch->mirrored_pool);
	i_free(watch);
}

void worker_watch_switch_ioloop(struct worker_watch *watch)
{
	if (watch->mirror_watch != NULL)
		mirror_watch_switch_ioloop(watch->mirror_watch);
}
