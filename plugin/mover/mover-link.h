#ifndef MOVER_LINK_H
#define MOVER_LINK_H

/*
 * mover-link: the mover's connection to the scheduler.
 *
 * What is asked for is done within the request callback, which takes its time and
 * has ioloops of its own. FIRST and STOP are heard meanwhile: in all of these,
 * and whenever mover_link_look() is called, at most each 100 ms. Lines are
 * written blocking.
 */

struct mover_request;
struct mover_link;

struct mover_link_callbacks {
	/* SURVEY, FILL, CATCHUP: do it, and say the answer. */
	void (*request)(void *context, const struct mover_request *request);
	/* while a request is under way; STOP as well when the scheduler has
	   gone, and from within any ioloop */
	void (*first)(void *context, const char *vname);
	void (*stop)(void *context);
	/* while a request is under way: nothing was said for a minute */
	void (*silent)(void *context);
	/* The scheduler has gone, or can't be understood. Not within a request. */
	void (*ended)(void *context);
};

/* fd becomes its own. Lives in the current ioloop. One in a process. */
struct mover_link *
mover_link_init(int fd, const struct mover_link_callbacks *callbacks,
		void *context);
void mover_link_deinit(struct mover_link **link);

/* Without LF. It's no matter if nobody is there to read it. */
void mover_link_say(struct mover_link *link, const char *line);
void mover_link_look(struct mover_link *link);

#endif
