#include "lib.h"
#include "ioloop.h"
#include "net.h"
#include "str.h"
#include "strescape.h"
#include "migration-user.h"
#include "engine/mailbox-state.h"
#include "scheduler/scheduler-protocol.h"
#include "session-demand.h"

#include <unistd.h>

#define AGAIN_SECS 10
/* a client that opens more within that time repeats itself */
#define REMEMBERED_MAX 32

struct demand_said {
	char *vname;
	time_t when;
};

struct session_demand {
	/* what was said lately; the oldest is replaced */
	struct demand_said said[REMEMBERED_MAX];
};

/* TRUE when it's time to say it (again), which is noted. */
static bool demand_note(struct session_demand *demand, const char *vname)
{
	struct demand_said *said, *place = &demand->said[0];

	for (unsigned int i = 0; i < REMEMBERED_MAX; i++) {
		said = &demand->said[i];
		if (null_strcmp(said->vname, vname) == 0) {
			if (ioloop_time - said->when < AGAIN_SECS)
				return FALSE;
			place = said;
			break;
		}
		if (said->when < place->when)
			place = said;
	}
	i_free(place->vname);
	place->vname = i_strdup(vname);
	place->when = ioloop_time;
	return TRUE;
}

static const char *want_lines(const char *username, const char *vname)
{
	string_t *str = t_str_new(256);

	str_printfa(str, "VERSION\t%s\t%u\t%u\nWANT\t", SCHEDULER_DEMAND_NAME,
		    SCHEDULER_PROTOCOL_MAJOR, SCHEDULER_PROTOCOL_MINOR);
	str_append_tabescaped(str, username);
	str_append_c(str, '\t');
	str_append_tabescaped(str, vname);
	str_append_c(str, '\n');
	return str_c(str);
}

/* It fits into a new socket; a service that takes no connections isn't waited
   for either. */
static void want(struct migration_user *muser, const char *vname)
{
	const char *path = t_strdup_printf("%s/"SCHEDULER_DEMAND_SOCKET,
					   muser->user->set->base_dir);
	const char *lines = want_lines(muser->user->username, vname);
	int fd = net_connect_unix(path);

	if (fd == -1) {
		e_debug(muser->user->event, "migration: connect(%s) failed: %m",
			path);
		return;
	}
	if (write(fd, lines, strlen(lines)) < 0)
		e_debug(muser->user->event, "migration: write(%s) failed: %m",
			path);
	i_close_fd(&fd);
}

void session_demand_mailbox(struct migration_user *muser, const char *vname)
{
	if (muser->session_demand == NULL ||
	    !demand_note(muser->session_demand, vname))
		return;
	T_BEGIN {
		want(muser, vname);
	} T_END;
}

/* Cheaper than a look at all: nobody's INBOX goes last by choice. */
static bool inbox_is_local(struct migration_user *muser)
{
	struct mailbox_state_file state;
	const char *error;

	return mailbox_state_read(muser->set.dir, "INBOX",
				  pool_datastack_create(), &state,
				  &error) > 0 &&
		!mailbox_state_authority_is_old(state.state);
}

void session_demand_init(struct migration_user *muser)
{
	const char *service = muser->user->service;

	if (strcmp(service, "imap") != 0 && strcmp(service, "pop3") != 0)
		return;
	muser->session_demand = i_new(struct session_demand, 1);
	T_BEGIN {
		if (!inbox_is_local(muser))
			session_demand_mailbox(muser, "");
	} T_END;
}

void session_demand_deinit(struct session_demand **_demand)
{
	struct session_demand *demand = *_demand;

	if (demand == NULL)
		return;
	*_demand = NULL;
	for (unsigned int i = 0; i < REMEMBERED_MAX; i++)
		i_free(demand->said[i].vname);
	i_free(demand);
}
