/*
 * Lines of words, separated by TAB:
 *
 *   migration-ledger 1
 *   user <name> <host> <looked> <prioritized> <wanted> <not before>
 *       <failure> <failures> <since> <reason> <totals>
 *   end <users>
 *
 * Times are unix seconds; failure is empty when he didn't fail.
 */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "strescape.h"
#include "time-util.h"
#include "move-queue.h"
#include "ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LEDGER_NAME "ledger"
#define LEDGER_FIRST_LINE "migration-ledger\t1"
#define MAX_LINE 8192
/* how soon what matters is written, and what doesn't much */
#define SOON_MSECS (3 * 1000)
#define LATE_MSECS (60 * 1000)
/* it's written in at most one part of so many of the time */
#define TIME_SHARE 50
#define SLICE_USERS 2000
/* words of a user's line before the totals, the first one included */
#define USER_WORDS 11

struct ledger {
	char *path, *temp_path;
	struct move_queue *queue;

	struct timeout *to;
	/* when it is to be written, unix milliseconds, 0: it needn't */
	uint64_t due_msecs;
	/* not before then */
	uint64_t rest_msecs;

	/* while it's written */
	struct ostream *output;
	uint64_t begun_msecs;
	/* how many, and the number of the last */
	unsigned int written;
	int64_t last_number;
};

static uint64_t now_msecs(void)
{
	return i_microseconds() / 1000;
}

/*
 * Writing
 */

static void append_times(string_t *str, const struct move_user *user)
{
	const struct move_demand *demand = user->demand;

	str_printfa(str, "\t%u\t%"PRIdTIME_T"\t%"PRIdTIME_T"\t%u",
		    user->looked, demand == NULL ? 0 : demand->prioritized,
		    demand == NULL ? 0 : demand->wanted, user->not_before);
}

static void append_failed(string_t *str, const struct move_failed *failed)
{
	if (failed == NULL) {
		str_append(str, "\t\t0\t0\t");
		return;
	}
	str_printfa(str, "\t%s\t%u\t%"PRIdTIME_T"\t",
		    move_failure_to_str(failed->failure), failed->count,
		    failed->since);
	str_append_tabescaped(str, failed->reason);
}

static void write_user(struct ledger *ledger, const struct move_user *user)
{
	string_t *str = t_str_new(256);

	str_append(str, "user\t");
	str_append_tabescaped(str, user->name);
	str_append_c(str, '\t');
	str_append_tabescaped(str, user->server->name);
	append_times(str, user);
	append_failed(str, user->failed);
	move_totals_append(str, &user->totals);
	str_append_c(str, '\n');
	ledger->last_number = user->number;
	/* what can't be read again would end the reading */
	if (str_len(str) > MAX_LINE)
		return;
	o_stream_nsend(ledger->output, str_data(str), str_len(str));
	ledger->written++;
}

/* Nobody is left out when users were removed in between: the first one behind the
   last that was written. They are in the order of their numbers. */
static unsigned int next_user(const struct ledger *ledger)
{
	const ARRAY_TYPE(move_user) *users = move_queue_users(ledger->queue);
	unsigned int low = 0, high = array_count(users), middle;
	struct move_user *user;

	while (low < high) {
		middle = (low + high) / 2;
		user = array_idx_elem(users, middle);
		if (user->number <= ledger->last_number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Returns TRUE when all are written. */
static bool write_slice(struct ledger *ledger)
{
	const ARRAY_TYPE(move_user) *users = move_queue_users(ledger->queue);
	unsigned int i = next_user(ledger);
	unsigned int end = I_MIN(i + SLICE_USERS, array_count(users));

	for (; i < end; i++) T_BEGIN {
		write_user(ledger, array_idx_elem(users, i));
	} T_END;
	return end == array_count(users);
}

static bool write_begin(struct ledger *ledger)
{
	int fd = open(ledger->temp_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ledger->due_msecs = 0;
	ledger->begun_msecs = now_msecs();
	ledger->written = 0;
	ledger->last_number = -1;
	if (fd == -1) {
		i_error("migration: open(%s) failed: %m", ledger->temp_path);
		return FALSE;
	}
	ledger->output = o_stream_create_fd_file_autoclose(&fd, UOFF_T_MAX);
	o_stream_set_no_error_handling(ledger->output, TRUE);
	o_stream_cork(ledger->output);
	o_stream_nsend_str(ledger->output, LEDGER_FIRST_LINE"\n");
	return TRUE;
}

static int sync_and_rename(struct ledger *ledger, const char **error_r)
{
	if (o_stream_finish(ledger->output) < 0) {
		*error_r = t_strdup_printf("write(%s) failed: %s",
			ledger->temp_path, o_stream_get_error(ledger->output));
	} else if (fdatasync(o_stream_get_fd(ledger->output)) < 0) {
		*error_r = t_strdup_printf("fdatasync(%s) failed: %m",
					   ledger->temp_path);
	} else if (rename(ledger->temp_path, ledger->path) < 0) {
		*error_r = t_strdup_printf("rename(%s, %s) failed: %m",
					   ledger->temp_path, ledger->path);
	} else {
		return 0;
	}
	return -1;
}

/* Which of the two names there is after a power cut isn't known, nor needed. */
static void write_end(struct ledger *ledger)
{
	const char *error;
	uint64_t now;

	o_stream_nsend_str(ledger->output,
			   t_strdup_printf("end\t%u\n", ledger->written));
	if (sync_and_rename(ledger, &error) < 0)
		i_error("migration: The ledger can't be written: %s", error);
	o_stream_destroy(&ledger->output);
	now = now_msecs();
	ledger->rest_msecs = now + I_MAX(SOON_MSECS,
		(now - ledger->begun_msecs) * TIME_SHARE);
}

static void schedule(struct ledger *ledger);

static void write_timeout(struct ledger *ledger)
{
	timeout_remove(&ledger->to);
	T_BEGIN {
		if ((ledger->output != NULL || write_begin(ledger)) &&
		    write_slice(ledger))
			write_end(ledger);
	} T_END;
	schedule(ledger);
}

static void schedule(struct ledger *ledger)
{
	uint64_t now = now_msecs(), when;

	timeout_remove(&ledger->to);
	if (ledger->output == NULL && ledger->due_msecs == 0)
		return;
	when = ledger->output != NULL ? now :
		I_MAX(ledger->due_msecs, ledger->rest_msecs);
	ledger->to = timeout_add_short(when > now ? when - now : 0,
				       write_timeout, ledger);
}

void ledger_changed(struct ledger *ledger, bool soon)
{
	uint64_t due = now_msecs() + (soon ? SOON_MSECS : LATE_MSECS);

	if (ledger->due_msecs != 0 && ledger->due_msecs <= due)
		return;
	ledger->due_msecs = due;
	schedule(ledger);
}

/*
 * Reading
 */

static bool read_failed(const char *const *words, struct move_failed *failed_r)
{
	i_zero(failed_r);
	failed_r->reason = (char *)words[3];
	return move_failure_from_str(words[0], &failed_r->failure) &&
		(failed_r->failure == MOVE_FAILURE_USER ||
		 failed_r->failure == MOVE_FAILURE_LOGIN) &&
		str_to_uint(words[1], &failed_r->count) == 0 &&
		str_to_time(words[2], &failed_r->since) == 0;
}

static bool read_user(struct ledger *ledger, const char *const *words,
		      time_t now)
{
	time_t looked, prioritized, wanted, not_before;
	struct move_totals totals;
	struct move_failed failed;
	struct move_user *user;
	bool has_failed;

	if (str_array_length(words) < USER_WORDS || *words[1] == '\0' ||
	    str_to_time(words[3], &looked) < 0 ||
	    str_to_time(words[4], &prioritized) < 0 ||
	    str_to_time(words[5], &wanted) < 0 ||
	    str_to_time(words[6], &not_before) < 0 ||
	    !move_totals_parse(words + USER_WORDS, &totals))
		return FALSE;
	has_failed = *words[7] != '\0';
	if (has_failed && !read_failed(words + 7, &failed))
		return FALSE;

	user = move_queue_add(ledger->queue, words[1], now);
	move_queue_restore(ledger->queue, user, words[2], &totals, looked,
			   not_before, now);
	if (prioritized != 0 || wanted != 0) {
		move_queue_restore_demand(ledger->queue, user, prioritized,
					  wanted, now);
	}
	if (has_failed)
		move_queue_restore_failed(ledger->queue, user, &failed, now);
	ledger->written++;
	return TRUE;
}

/* Returns 1 for the last line, 0 for others, -1 for what it can't be. */
static int read_line(struct ledger *ledger, const char *line, time_t now)
{
	const char *const *words = t_strsplit_tabescaped(line);
	unsigned int count;

	if (words[0] == NULL)
		return -1;
	if (strcmp(words[0], "user") == 0)
		return read_user(ledger, words, now) ? 0 : -1;
	if (strcmp(words[0], "end") == 0 && words[1] != NULL &&
	    str_to_uint(words[1], &count) == 0 && count == ledger->written)
		return 1;
	return -1;
}

static int read_lines(struct ledger *ledger, struct istream *input, time_t now,
		      const char **error_r)
{
	const char *line = i_stream_read_next_line(input);
	unsigned int number = 1;
	int ret = 0;

	if (line == NULL || strcmp(line, LEDGER_FIRST_LINE) != 0)
		ret = -1;
	while (ret == 0) {
		if ((line = i_stream_read_next_line(input)) == NULL) {
			*error_r = input->stream_errno == 0 ?
				"It ends too early" :
				i_stream_get_error(input);
			return -1;
		}
		number++;
		T_BEGIN {
			ret = read_line(ledger, line, now);
		} T_END;
	}
	if (ret < 0) {
		*error_r = t_strdup_printf("Line %u isn't a ledger's",
					   number);
	}
	return ret;
}

int ledger_read(struct ledger *ledger, time_t now, const char **error_r)
{
	struct istream *input;
	int fd, ret;

	fd = open(ledger->path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		*error_r = t_strdup_printf("open() failed: %m");
		return errno == ENOENT ? 0 : -1;
	}
	ledger->written = 0;
	input = i_stream_create_fd_autoclose(&fd, MAX_LINE);
	ret = read_lines(ledger, input, now, error_r);
	if (ret < 0)
		*error_r = t_strdup(*error_r);
	i_stream_destroy(&input);
	return ret;
}

struct ledger *ledger_init(const char *dir, struct move_queue *queue)
{
	struct ledger *ledger = i_new(struct ledger, 1);

	ledger->queue = queue;
	ledger->path = i_strconcat(dir, "/"LEDGER_NAME, NULL);
	ledger->temp_path = i_strconcat(dir, "/"LEDGER_NAME".tmp", NULL);
	return ledger;
}

void ledger_deinit(struct ledger **_ledger)
{
	struct ledger *ledger = *_ledger;

	*_ledger = NULL;
	if (ledger->output != NULL ||
	    (ledger->due_msecs != 0 && write_begin(ledger))) {
		while (!write_slice(ledger)) ;
		write_end(ledger);
	}
	timeout_remove(&ledger->to);
	i_free(ledger->temp_path);
	i_free(ledger->path);
	i_free(ledger);
}
