#include "lib.h"
#include "array.h"
#include "migration-user.h"
#include "worker-client.h"
#include "engine/mailbox-state.h"
#include "worker/worker-answer.h"
#include "move-worker.h"

struct worker_progress {
	const struct fill_observer *observer;
	const char *vname;
};

bool move_worker_has(struct migration_user *muser, const char *vname)
{
	return mailbox_state_is(muser->set.dir, vname, MAILBOX_STATE_MIRRORED);
}

static bool has_any(struct migration_user *muser,
		    const ARRAY_TYPE(const_string) *vnames)
{
	const char *vname;

	array_foreach_elem(vnames, vname) {
		if (move_worker_has(muser, vname))
			return TRUE;
	}
	return FALSE;
}

/* PROGRESS <what> <messages> <bytes>, PROGRESS <bytes>, or nothing more */
static void worker_progress(const char *const *words, void *context)
{
	struct worker_progress *progress = context;
	const struct fill_observer *observer = progress->observer;
	unsigned int messages;
	uint64_t bytes;

	switch (str_array_length(words)) {
	case 1:
		if (str_to_uint64(words[0], &bytes) == 0)
			observer->progress(observer->context, bytes);
		break;
	case 3:
		if (str_to_uint(words[1], &messages) == 0 &&
		    str_to_uint64(words[2], &bytes) == 0)
			observer->begin(observer->context, progress->vname,
					words[0], messages, bytes);
		break;
	}
}

static int
not_understood(enum mail_error *error_code_r, const char **error_r)
{
	*error_code_r = MAIL_ERROR_TEMP;
	*error_r = "The worker's answer can't be understood";
	return -1;
}

/* Returns 1 when it's done, 0 when it is local, -1 with an error. */
static int
ask(struct migration_user *muser, const char *const *words,
    struct worker_reply *reply_r,
    enum mail_error *error_code_r, const char **error_r)
{
	worker_client_ask(worker_client_get(muser), words, -1, 0, reply_r);
	switch (reply_r->answer) {
	case WORKER_OK:
		return 1;
	case WORKER_LOCAL:
		return 0;
	case WORKER_GONE:
		*error_code_r = MAIL_ERROR_TEMP;
		*error_r = "It isn't mirrored any more: fill it again";
		return -1;
	case WORKER_NO:
	case WORKER_LOST:
		*error_code_r = reply_r->error_code;
		*error_r = reply_r->error;
		return -1;
	}
	i_unreached();
}

int move_worker_fill(struct migration_user *muser, const char *vname,
		     enum fill_flags flags,
		     const struct fill_observer *observer,
		     bool (*killed)(void), struct fill_result *result_r,
		     enum mail_error *error_code_r, const char **error_r)
{
	struct worker_client *client = worker_client_get(muser);
	struct worker_progress progress = { observer, vname };
	const char *const words[] = { "FILL", vname, dec2str(flags), NULL };
	struct worker_reply reply;
	int ret;

	i_zero(result_r);
	worker_client_set_progress(client, worker_progress, killed,
				   &progress);
	ret = ask(muser, words, &reply, error_code_r, error_r);
	worker_client_set_progress(client, NULL, NULL, NULL);
	if (ret > 0 && worker_answer_parse_fill(reply.args, result_r) < 0)
		return not_understood(error_code_r, error_r);
	result_r->local = ret == 0 || result_r->local;
	result_r->mirrored = move_worker_has(muser, vname);
	return ret < 0 ? -1 : 0;
}

static int
ask_cutover(struct migration_user *muser,
	    const ARRAY_TYPE(const_string) *vnames, bool (*killed)(void),
	    ARRAY_TYPE(cutover_result) *results_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	struct worker_client *client = worker_client_get(muser);
	const char *request = "CUTOVER";
	ARRAY_TYPE(const_string) words;
	struct worker_reply reply;
	int ret;

	t_array_init(&words, array_count(vnames) + 2);
	array_push_back(&words, &request);
	array_append_array(&words, vnames);
	array_append_zero(&words);
	worker_client_set_progress(client, NULL, killed, NULL);
	ret = ask(muser, array_front(&words), &reply, error_code_r, error_r);
	worker_client_set_progress(client, NULL, NULL, NULL);
	if (ret < 0)
		return -1;
	if (ret == 0 || worker_answer_parse_cutover(reply.args, results_r) < 0)
		return not_understood(error_code_r, error_r);
	return 0;
}

int move_worker_cutover(struct migration_user *muser, struct filler **filler,
			const ARRAY_TYPE(const_string) *vnames,
			bool (*killed)(void),
			ARRAY_TYPE(cutover_result) *results_r,
			enum mail_error *error_code_r, const char **error_r)
{
	if (has_any(muser, vnames))
		filler_deinit(filler);
	if (*filler != NULL)
		return cutover(*filler, vnames, results_r, error_code_r,
			       error_r);
	return ask_cutover(muser, vnames, killed, results_r, error_code_r,
			   error_r);
}
