#include "report-submitters.h"
#include "report-network.h"
#include "report-seen.h"
#include "table.h"

#include <string.h>

struct submitter_key {
	const char *auth, *client;
};

struct submitter {
	UT_hash_handle hh;
	struct submitter_key key;
	struct report_submitter shown;
	/* Of the last mail, which has a line for each recipient. */
	struct kept_text id;
};

struct submitters {
	struct strings *strings;
	pool_t pool;
	const char *chosen;
	struct submitter *table;
};

struct submitters *submitters_init(struct strings *strings, const char *chosen)
{
	struct submitters *submitters = memory_new(sizeof(*submitters));
	struct text text = { chosen, strlen(chosen) };

	submitters->strings = strings;
	pool_init(&submitters->pool);
	if (*chosen != '\0')
		submitters->chosen = strings_get_lower(strings, text);
	return submitters;
}

void submitters_deinit(struct submitters **_submitters)
{
	struct submitters *submitters = *_submitters;
	struct submitter *submitter;

	if (submitters == NULL)
		return;
	*_submitters = NULL;
	for (submitter = submitters->table; submitter != NULL;
	     submitter = submitter->hh.next)
		free(submitter->id.data);
	HASH_CLEAR(hh, submitters->table);
	pool_deinit(&submitters->pool);
	free(submitters);
}

static struct submitter *
get_submitter(struct submitters *submitters, const struct report_event *event)
{
	struct submitter_key key = {
		strings_get_text(submitters->strings,
				 report_event_get(event, KEY_auth)),
		strings_get_text(submitters->strings,
				 report_event_get(event, KEY_client))
	};
	struct submitter *submitter;

	HASH_FIND(hh, submitters->table, &key, sizeof(key), submitter);
	if (submitter == NULL) {
		submitter = pool_new(&submitters->pool, sizeof(*submitter));
		submitter->key = key;
		submitter->shown.auth = key.auth;
		submitter->shown.client = key.client;
		submitter->shown.name = submitter->shown.from =
			submitter->shown.domain = "";
		HASH_ADD(hh, submitters->table, key, sizeof(key), submitter);
	}
	return submitter;
}

/* Another recipient of the mail before? */
static bool is_same_mail(struct submitter *submitter, struct text id)
{
	if (id.size > 0 && id.size == submitter->id.size &&
	    memcmp(id.data, submitter->id.data, id.size) == 0)
		return true;
	text_keep(&submitter->id, id);
	return false;
}

static void note_words(struct submitters *submitters,
		       struct report_submitter *shown,
		       const struct report_event *event)
{
	shown->name = strings_get_text(submitters->strings,
				       report_event_get(event, KEY_name));
	shown->from = strings_get_text(submitters->strings,
				       report_event_get(event, KEY_from));
	shown->domain = report_address_domain(submitters->strings,
					      report_event_get(event, KEY_from));
}

void submitters_add(struct submitters *submitters,
		    const struct report_event *event)
{
	uint64_t recipients = report_event_number(event, KEY_recipients);
	struct report_submitter *shown;
	struct submitter *submitter;
	enum report_side side;

	if (!report_event_side(event, &side) ||
	    (submitters->chosen != NULL && submitters->chosen !=
	     report_address_domain(submitters->strings,
				   report_event_get(event, KEY_from))))
		return;
	submitter = get_submitter(submitters, event);
	shown = &submitter->shown;
	shown->recipients += recipients > 0 ? recipients : 1;
	if (is_same_mail(submitter, report_event_get(event, KEY_id)))
		return;
	report_seen_add(&shown->mails, side, event->time);
	if (side == REPORT_OLD || shown->mails.count[REPORT_OLD] == 0)
		note_words(submitters, shown, event);
}

/* Who must be told first, then the last seen. */
static int compare(const void *a, const void *b)
{
	const struct report_submitter *const *one = a, *const *two = b;
	const struct report_seen *seen_a = &(*one)->mails;
	const struct report_seen *seen_b = &(*two)->mails;
	int ret;

	if ((*one)->tell != (*two)->tell)
		return (*one)->tell ? -1 : 1;
	if (seen_a->last[REPORT_OLD] != seen_b->last[REPORT_OLD])
		return seen_a->last[REPORT_OLD] > seen_b->last[REPORT_OLD] ?
			-1 : 1;
	ret = strcmp((*one)->auth, (*two)->auth);
	return ret != 0 ? ret : strcmp((*one)->client, (*two)->client);
}

/* Without a switch everybody still may. */
static bool must_be_told(const struct report_seen *mails, int64_t switched)
{
	return switched != 0 && mails->count[REPORT_OLD] > 0 &&
		mails->last[REPORT_OLD] >= switched &&
		mails->last[REPORT_OLD] > mails->last[REPORT_NEW];
}

void submitters_finish(struct submitters *submitters, pool_t *pool,
		       struct report_model *model)
{
	size_t count = HASH_COUNT(submitters->table), i = 0;
	const struct report_submitter **shown =
		pool_array(pool, count, sizeof(*shown));
	struct submitter *submitter;

	for (submitter = submitters->table; submitter != NULL;
	     submitter = submitter->hh.next) {
		submitter->shown.tell = must_be_told(&submitter->shown.mails,
						     model->switched);
		shown[i++] = &submitter->shown;
	}
	if (count > 0)
		qsort(shown, count, sizeof(*shown), compare);
	model->submitters = shown;
	model->submitters_count = count;
}
