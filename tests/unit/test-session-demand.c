/* test-session-demand: the service hears what clients wait for, and no session
   depends on it. */
#include "mail-unit.h"
#include "ioloop.h"
#include "net.h"
#include "plugin/engine/mailbox-state.h"
#include "plugin/migration-user.h"
#include "plugin/session-demand.h"

#include <sys/socket.h>
#include <unistd.h>

#define VERSION_LINE "VERSION\tmigration-demand\t1\t0\n"
/* more mailboxes than are remembered */
#define MANY 100

static struct migration_user *muser;
static struct mail_user_settings *user_set;
static struct mail_user_settings set;
/* the service's socket */
static int listen_fd;

static void begin(const char *service)
{
	muser = mail_unit_user("sdbox");
	muser->user->service = service;
	user_set = muser->user->set;
	set = *user_set;
	set.base_dir = engine_unit_dir();
	muser->user->set = &set;
	listen_fd = net_listen_unix(t_strconcat(set.base_dir,
						"/migration-demand", NULL), 4);
	CU_ASSERT_FATAL(listen_fd != -1);
	net_set_nonblock(listen_fd, TRUE);
}

static void end(void)
{
	session_demand_deinit(&muser->session_demand);
	CU_ASSERT(muser->session_demand == NULL);
	if (listen_fd != -1)
		i_close_fd(&listen_fd);
	muser->user->set = user_set;
	mail_unit_user_free(&muser);
}

/* What was said on the next connection, without the version; "" when there's
   none. */
static const char *heard(void)
{
	char text[1024];
	ssize_t size;
	int fd = accept(listen_fd, NULL, NULL);

	if (fd == -1)
		return "";
	size = read(fd, text, sizeof(text) - 1);
	i_close_fd(&fd);
	CU_ASSERT_FATAL(size > (ssize_t)strlen(VERSION_LINE));
	text[size] = '\0';
	CU_ASSERT(str_begins(text, VERSION_LINE));
	return t_strdup(text + strlen(VERSION_LINE));
}

static void hears(const char *expected)
{
	const char *line = heard();

	UNIT_CHECK(strcmp(line, expected) == 0, "'%s', not '%s'", line,
		   expected);
}

static void test_said(void)
{
	begin("imap");
	session_demand_init(muser);
	hears("WANT\tunit\t\n");
	session_demand_mailbox(muser, "INBOX");
	hears("WANT\tunit\tINBOX\n");
	session_demand_mailbox(muser, "a\tb\nc");
	hears("WANT\tunit\ta\001tb\001nc\n");
	hears("");
	end();
	begin("pop3");
	session_demand_init(muser);
	hears("WANT\tunit\t\n");
	end();
}

static void test_again(void)
{
	begin("imap");
	session_demand_init(muser);
	(void)heard();
	session_demand_mailbox(muser, "INBOX");
	session_demand_mailbox(muser, "INBOX");
	hears("WANT\tunit\tINBOX\n");
	hears("");
	ioloop_time += 9;
	session_demand_mailbox(muser, "INBOX");
	hears("");
	ioloop_time += 1;
	session_demand_mailbox(muser, "INBOX");
	hears("WANT\tunit\tINBOX\n");
	/* those that are forgotten are the oldest */
	for (unsigned int i = 0; i < MANY; i++) {
		ioloop_time += i % 2;
		session_demand_mailbox(muser, t_strdup_printf("box%u", i));
		(void)heard();
	}
	session_demand_mailbox(muser, t_strdup_printf("box%u", MANY - 1));
	hears("");
	end();
}

static void test_nobody_waits(void)
{
	static const char *const services[] = { "lmtp", "doveadm", "lda" };

	for (unsigned int i = 0; i < N_ELEMENTS(services); i++) {
		begin(services[i]);
		session_demand_init(muser);
		session_demand_mailbox(muser, "INBOX");
		hears("");
		end();
	}
}

/* A user whose INBOX is local isn't told of; a mailbox of his that isn't is. */
static void test_local(void)
{
	struct mailbox_state_file state;
	const char *error;

	begin("imap");
	i_zero(&state);
	state.state = MAILBOX_STATE_LOCAL;
	CU_ASSERT_FATAL(mailbox_state_write(muser->set.dir, "INBOX", &state,
					    &error) == 0);
	session_demand_init(muser);
	hears("");
	session_demand_mailbox(muser, "Old");
	hears("WANT\tunit\tOld\n");
	end();
}

/* No service, and one that doesn't take connections. */
static void test_trouble(void)
{
	begin("imap");
	i_close_fd(&listen_fd);
	session_demand_init(muser);
	session_demand_mailbox(muser, "INBOX");
	end();
	begin("imap");
	session_demand_init(muser);
	for (unsigned int i = 0; i < MANY; i++)
		session_demand_mailbox(muser, t_strdup_printf("box%u", i));
	hears("WANT\tunit\t\n");
	hears("WANT\tunit\tbox0\n");
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "what is said", test_said },
		{ "not too often", test_again },
		{ "no client, nothing said", test_nobody_waits },
		{ "local mailboxes", test_local },
		{ "trouble", test_trouble },
		{ NULL, NULL }
	};

	return mail_unit_run("session-demand", tests);
}
