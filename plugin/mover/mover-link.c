#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "istream.h"
#include "strescape.h"
#include "time-util.h"
#include "write-full.h"
#include "mover-protocol.h"
#include "mover-request.h"
#include "mover-link.h"

#include <poll.h>

#define LOOK_MSECS 100
/* the scheduler gives up one that says nothing */
#define SILENT_MSECS (60 * 1000)

struct mover_link {
	int fd;
	struct istream *input;
	struct io *io;
	struct mover_link_callbacks callbacks;
	void *context;

	/* a request is under way */
	bool busy;
	/* it is to end */
	bool stopped;
	/* nothing more will be heard */
	bool gone;
	/* in the ioloop that is current, while it's busy */
	struct timeout *to_look;
	struct timeval looked, said;
};

/* The callback of ioloops has no context. */
static struct mover_link *this_link;

static void link_stop(struct mover_link *link)
{
	if (link->stopped || !link->busy)
		return;
	link->stopped = TRUE;
	link->callbacks.stop(link->context);
}

static void link_gone(struct mover_link *link)
{
	link->gone = TRUE;
	link_stop(link);
}

static bool has_input(struct mover_link *link)
{
	struct pollfd pfd = { .fd = link->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

static bool link_read(struct mover_link *link)
{
	if (link->gone || !has_input(link))
		return FALSE;
	/* -2: too long a line */
	if (i_stream_read(link->input) < 0)
		link_gone(link);
	return !link->gone;
}

static void misunderstood(struct mover_link *link, const char *error)
{
	i_error("migration: A request can't be understood: %s", error);
	link_gone(link);
}

/*
 * While a request is under way
 */

static void
heard_meanwhile(struct mover_link *link, const struct mover_request *request)
{
	const char *vname;

	switch (request->type) {
	case MOVER_FIRST:
		array_foreach_elem(&request->vnames, vname)
			link->callbacks.first(link->context, vname);
		break;
	case MOVER_STOP:
		link_stop(link);
		break;
	case MOVER_SURVEY:
	case MOVER_FILL:
	case MOVER_CATCHUP:
		misunderstood(link, "Another one is under way");
		break;
	}
}

static void hear_line(struct mover_link *link, const char *line)
{
	struct mover_request request;
	const char *error;

	if (mover_request_parse(t_strsplit_tabescaped(line),
				pool_datastack_create(), &request, &error) < 0)
		misunderstood(link, error);
	else
		heard_meanwhile(link, &request);
}

static void link_hear(struct mover_link *link)
{
	const char *line;

	while (link_read(link)) {
		while ((line = i_stream_next_line(link->input)) != NULL) T_BEGIN {
			hear_line(link, line);
		} T_END;
	}
}

void mover_link_look(struct mover_link *link)
{
	struct timeval now;

	if (!link->busy || link->gone)
		return;
	i_gettimeofday(&now);
	if (llabs(timeval_diff_msecs(&now, &link->looked)) < LOOK_MSECS)
		return;
	link->looked = now;
	link_hear(link);
	if (llabs(timeval_diff_msecs(&now, &link->said)) >= SILENT_MSECS)
		link->callbacks.silent(link->context);
}

static void link_timeout(struct mover_link *link)
{
	mover_link_look(link);
}

static void look_in_ioloop(struct mover_link *link)
{
	timeout_remove(&link->to_look);
	link->to_look = timeout_add_short(LOOK_MSECS, link_timeout, link);
}

static void link_switch_ioloop(struct ioloop *prev ATTR_UNUSED)
{
	if (this_link->to_look != NULL)
		look_in_ioloop(this_link);
}

/*
 * Requests
 */

static void
link_do(struct mover_link *link, const struct mover_request *request)
{
	link->busy = TRUE;
	link->stopped = FALSE;
	i_gettimeofday(&link->said);
	look_in_ioloop(link);
	link->callbacks.request(link->context, request);
	timeout_remove(&link->to_look);
	link->busy = FALSE;
}

static void link_line(struct mover_link *link, const char *line)
{
	struct mover_request request;
	pool_t pool = pool_alloconly_create("mover request", 1024);
	const char *error;

	if (mover_request_parse(t_strsplit_tabescaped(line), pool, &request,
				&error) < 0)
		misunderstood(link, error);
	/* FIRST and STOP may come when it's done just now */
	else if (request.type != MOVER_FIRST && request.type != MOVER_STOP)
		link_do(link, &request);
	pool_unref(&pool);
}

static void link_input(struct mover_link *link)
{
	const char *line;

	(void)link_read(link);
	while (!link->gone &&
	       (line = i_stream_next_line(link->input)) != NULL) T_BEGIN {
		link_line(link, line);
	} T_END;
	if (link->gone) {
		io_remove(&link->io);
		link->callbacks.ended(link->context);
	}
}

struct mover_link *
mover_link_init(int fd, const struct mover_link_callbacks *callbacks,
		void *context)
{
	struct mover_link *link = i_new(struct mover_link, 1);

	i_assert(this_link == NULL);
	link->fd = fd;
	link->callbacks = *callbacks;
	link->context = context;
	link->input = i_stream_create_fd(fd, MOVER_MAX_LINE);
	link->io = io_add(fd, IO_READ, link_input, link);
	this_link = link;
	io_loop_add_switch_callback(link_switch_ioloop);
	return link;
}

void mover_link_deinit(struct mover_link **_link)
{
	struct mover_link *link = *_link;

	if (link == NULL)
		return;
	*_link = NULL;
	io_loop_remove_switch_callback(link_switch_ioloop);
	this_link = NULL;
	timeout_remove(&link->to_look);
	io_remove(&link->io);
	i_stream_destroy(&link->input);
	i_close_fd(&link->fd);
	i_free(link);
}

void mover_link_say(struct mover_link *link, const char *line)
{
	line = t_strconcat(line, "\n", NULL);
	i_gettimeofday(&link->said);
	if (!link->gone && write_full(link->fd, line, strlen(line)) < 0)
		link_gone(link);
}
