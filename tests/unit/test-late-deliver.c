/* test-late-deliver: who asks the deliverer gets its answer, or an error when
   it dies; a child plays the deliverer. */
#include "engine-unit.h"
#include "fdpass.h"
#include "mail-user.h"
#include "net.h"
#include "str.h"
#include "strescape.h"
#include "write-full.h"
#include "plugin/deliver/deliver-protocol.h"
#include "plugin/deliver/deliver-request.h"
#include "plugin/engine/lease.h"
#include "plugin/migration-user.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES "Subject: late\r\n\r\n"

static struct mail_user_settings user_set;
static struct mail_user user = { .username = "a\tb", .set = &user_set };
static struct migration_user muser = { .user = &user };

/* Up to a LF. fd_r: what came with it. */
static void read_lines(int fd, unsigned int count, char *buf, size_t size,
		       int *fd_r)
{
	size_t used = 0;
	int passed;

	*fd_r = -1;
	for (; used + 1 < size && count > 0; used++) {
		if (fd_read(fd, buf + used, 1, &passed) != 1)
			_exit(2);
		if (passed != -1)
			*fd_r = passed;
		if (buf[used] == '\n')
			count--;
	}
	buf[used] = '\0';
}

static void says(int fd, const char *text)
{
	if (write_full(fd, text, strlen(text)) < 0)
		_exit(3);
}

/* One connection: the answers are said to the start and to each mail, and then
   it dies. The exit status is 0 when all was as it must be. */
static void play(int listener, const char *const *answers)
{
	char buf[1000], bytes[sizeof(BYTES)];
	int passed, fd = net_accept(listener, NULL, NULL);

	net_set_nonblock(fd, FALSE);
	read_lines(fd, 2, buf, sizeof(buf), &passed);
	if (strcmp(buf, "VERSION\tmigration-deliver\t1\t0\n"
		   "USER\ta\001tb\n") != 0)
		_exit(4);
	for (says(fd, *answers++); *answers != NULL; answers++) {
		read_lines(fd, 1, buf, sizeof(buf), &passed);
		if (!str_begins(buf, "DELIVER\t") || passed == -1 ||
		    pread(passed, bytes, sizeof(bytes), 0) !=
		    strlen(BYTES))
			_exit(5);
		says(fd, *answers);
		close(passed);
	}
	_exit(0);
}

static pid_t start(const char *const *answers)
{
	const char *dir = engine_unit_dir();
	int listener;
	pid_t pid;

	user_set.base_dir = dir;
	muser.set.dir = dir;
	listener = net_listen_unix(t_strconcat(dir, "/"DELIVER_SERVICE_SOCKET,
					       NULL), 1);
	CU_ASSERT_FATAL(listener != -1);
	net_set_nonblock(listener, FALSE);
	if ((pid = fork()) == 0)
		play(listener, answers);
	i_close_fd(&listener);
	return pid;
}

static int give(struct late_deliver *deliver, enum mail_error *error_code_r,
		const char **error_r)
{
	const char *path = t_strconcat(muser.set.dir, "/mail", NULL);
	struct late_mail mail = {
		.size = strlen(BYTES), .flags = "", .from = "", .to = "",
	};
	int ret;

	late_mail_guid("a", "INBOX", 1, 0, 1, mail.guid);
	engine_unit_write(path, BYTES, strlen(BYTES));
	mail.fd = open(path, O_RDONLY);
	ret = late_deliver(deliver, &mail, error_code_r, error_r);
	i_close_fd(&mail.fd);
	return ret;
}

static void test_answers(void)
{
	static const char *const answers[] = {
		"OK\n", "OK\n", "NO\tnoquota\tToo\001tmuch\n", "OK\n",
		"NO\tnonsense\tWhy\n", NULL
	};
	struct late_deliver *deliver = late_deliver_init(&muser);
	enum mail_error code;
	const char *error;
	pid_t pid = start(answers);

	CU_ASSERT(give(deliver, &code, &error) == 0);
	CU_ASSERT(give(deliver, &code, &error) < 0);
	CU_ASSERT(code == MAIL_ERROR_NOQUOTA);
	CU_ASSERT_STRING_EQUAL(error, "Too\tmuch");
	CU_ASSERT(give(deliver, &code, &error) == 0);
	CU_ASSERT(give(deliver, &code, &error) < 0);
	CU_ASSERT(code == MAIL_ERROR_TEMP);
	late_deliver_deinit(&deliver);
	CU_ASSERT(deliver == NULL);
	CU_ASSERT(engine_unit_wait(pid) == 0);
}

static void fails(const char *const *answers, const char *reason)
{
	struct late_deliver *deliver = late_deliver_init(&muser);
	enum mail_error code;
	const char *error = "";
	pid_t pid = start(answers);

	CU_ASSERT(give(deliver, &code, &error) < 0);
	CU_ASSERT(code == MAIL_ERROR_TEMP);
	UNIT_CHECK(strstr(error, reason) != NULL, "%s", error);
	late_deliver_deinit(&deliver);
	CU_ASSERT(engine_unit_wait(pid) == 0);
}

static void test_it_dies(void)
{
	static const char *const at_start[] = { "", NULL };
	static const char *const after_mail[] = { "OK\n", "", NULL };
	static const char *const in_answer[] = { "OK\n", "O", NULL };
	static const char *const nonsense[] = { "OK\n", "YES\n", NULL };

	fails(at_start, "connect");
	fails(after_mail, "It closed the connection");
	fails(in_answer, "It closed the connection");
	fails(nonsense, "isn't understood");
}

/* Until somebody waits for a lock: "->" in proc(5). */
static void wait_for_waiter(void)
{
	const char *locks;

	do {
		locks = str_c(engine_unit_read("/proc/locks"));
	} while (strstr(locks, "->") == NULL);
}

static void test_settles(void)
{
	struct late_deliver *deliver = late_deliver_init(&muser);
	struct lease *lease;
	const char *error;
	int fds[2];
	pid_t pid;
	char c;

	muser.set.dir = engine_unit_dir();
	CU_ASSERT_FATAL(pipe(fds) == 0);
	if ((pid = fork()) == 0) {
		close(fds[0]);
		if (lease_deliver(muser.set.dir, 0, &lease, &error) <= 0)
			_exit(1);
		(void)write_full(fds[1], "x", 1);
		wait_for_waiter();
		_exit(0);
	}
	close(fds[1]);
	CU_ASSERT(read(fds[0], &c, 1) == 1);
	CU_ASSERT(late_deliver_settle(deliver, &error) == 0);
	/* it had ended */
	CU_ASSERT(read(fds[0], &c, 1) == 0);
	close(fds[0]);
	CU_ASSERT(engine_unit_wait(pid) == 0);
	late_deliver_deinit(&deliver);
}

static const struct unit_test tests[] = {
	{ "answers", test_answers },
	{ "it dies", test_it_dies },
	{ "settles", test_settles },
	{ NULL, NULL }
};

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	return engine_unit_run("late-deliver", tests);
}
