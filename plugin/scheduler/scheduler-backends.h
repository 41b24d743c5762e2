#ifndef SCHEDULER_BACKENDS_H
#define SCHEDULER_BACKENDS_H

/*
 * scheduler-backends: how many new servers there are at work, which share the
 * limits of the old ones: each takes its part (old_budget_set_share()).
 *
 * Each writes a value that always changes under its own name into a dict that all
 * can reach (migration_backends_dict, Dovecot's dict URI), and looks up those of
 * the others: who stood still for so long isn't there. No clocks are compared.
 * The names come from migration_backends, for not each dict can be listed
 * (Redis).
 *
 * What isn't known is taken to be there: as long as the dict doesn't answer, and
 * until somebody was looked at for long enough, the old server rather gets less.
 */

struct scheduler_backends;

/* from one look to the next, and until a backend is gone */
#define SCHEDULER_BACKENDS_MSECS (10 * 1000)
#define SCHEDULER_BACKENDS_GONE_MSECS (35 * 1000)

/* names: separated by spaces, this machine's first. changed() is called with how
   many there are, this one included, when that changes and from within init.
   Returns 0, -1 with an error. */
int scheduler_backends_init(const char *names, const char *uri,
			    const char *base_dir,
			    void (*changed)(void *context,
					    unsigned int machines),
			    void *context,
			    struct scheduler_backends **backends_r,
			    const char **error_r);
/* The others needn't wait until this one is gone. */
void scheduler_backends_deinit(struct scheduler_backends **backends);

/* What is done each SCHEDULER_BACKENDS_MSECS; msecs is the time of a clock that
   only goes forward. For tests. */
void scheduler_backends_look(struct scheduler_backends *backends,
			     uint64_t msecs);

#endif
