#include "demo-lab.h"
#include "demo-progress.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The root of a kind is made the first time, which means installing. */
#define UP_TIMEOUT_MS 900000
#define END_TIMEOUT_MS 60000
#define ASK_MS 100

static int lock_fd = -1;

/* The last line of the file, or "". */
static void last_line(const char *path, char *line, size_t size)
{
	char buf[500];
	FILE *in = fopen(path, "r");

	line[0] = '\0';
	if (in == NULL)
		return;
	while (fgets(buf, sizeof(buf), in) != NULL) {
		buf[strcspn(buf, "\n")] = '\0';
		/* the reason stands before that */
		if (buf[0] != '\0' && strstr(buf, "lab up failed") == NULL)
			snprintf(line, size, "%s", buf);
	}
	fclose(in);
}

/* Its exit status; -1 when it was given up. */
static int wait_for(pid_t pid, uint64_t deadline)
{
	int status;

	do {
		status = process_wait(pid, ASK_MS);
		demo_progress_tick();
	} while (status < 0 && !demo_is_interrupted() && now_ms() < deadline);
	if (status < 0) {
		/* it ends by itself what it has started */
		process_stop(pid, SIGTERM, END_TIMEOUT_MS);
	}
	return status;
}

static int run_up(const struct demo_lab *lab, const char *log)
{
	const bool rented = lab->demo->options.rented;
	char port[16], users[16];
	const char *argv[] = {
		lab_script(), "lab", "up", "--no-build", "--dir", lab->dir,
		"--port-base", port, "--old", lab->kind, "--users", users,
		"--messages", "0", "--folders", "0",
		rented ? "--rented" : NULL, NULL
	};
	pid_t pid;

	snprintf(port, sizeof(port), "%u", lab->port_base);
	snprintf(users, sizeof(users), "%u", DEMO_USERS);
	(void)unlink(log);
	pid = process_start(argv, log);
	return pid < 0 ? -1 : wait_for(pid, now_ms() + UP_TIMEOUT_MS);
}

/* The demo says itself when mailboxes are cut over, and doesn't wait for half a
   minute to see late mail. */
static int set_up(struct demo_lab *lab, const char **error_r)
{
	static const char *const words[] = { "new", "restart", NULL };
	FILE *out = fopen(lab_get(lab->lab, "NEW_EXTRA_CONF"), "w");

	if (out == NULL) {
		*error_r = strerror(errno);
		return -1;
	}
	fputs("plugin {\n  migration_cutover = manual\n"
	      "  migration_catchup_interval = 5s\n}\n", out);
	if (fclose(out) != 0) {
		*error_r = strerror(errno);
		return -1;
	}
	return lab_command(lab->lab, words, DEMO_TIMEOUT_MS, error_r);
}

static void bring_up(struct demo_lab *lab)
{
	const char *error;
	char log[300];
	int status;

	snprintf(log, sizeof(log), "%s.log", lab->dir);
	status = run_up(lab, log);
	if (status != 0) {
		last_line(log, lab->reason, sizeof(lab->reason));
		if (status == LAB_UNSUPPORTED)
			demo_say("%s can't be had as an old server here: %s",
				 lab->kind, lab->reason);
		else if (!demo_is_interrupted())
			demo_problem("the lab of %s didn't come up: %s (see "
				     "%s)", lab->kind, lab->reason, log);
		return;
	}
	(void)unlink(log);
	if (lab_attach(lab->dir, &lab->lab, &error) < 0 ||
	    set_up(lab, &error) < 0)
		demo_problem("the lab of %s: %s", lab->kind, error);
	else
		demo_say("old server %-8s %s   new server %s", lab->kind,
			 lab_get(lab->lab, "OLD_IMAP"),
			 lab_get(lab->lab, "NEW_IMAP"));
}

static void *bring_up_thread(void *context)
{
	bring_up(context);
	return NULL;
}

/* A lab whose demo was killed is still there. */
static void end_leftover(const struct demo_lab *lab)
{
	const char *argv[] = {
		lab_script(), "lab", "down", "--dir", lab->dir, NULL
	};
	struct process_result result;

	if (access(lab->dir, F_OK) < 0)
		return;
	if (process_run(argv, END_TIMEOUT_MS, &result) < 0)
		demo_problem("%s from an earlier demo can't be ended: %s",
			     lab->dir, result.output);
	process_result_free(&result);
}

static int lock_folder(const char *dir)
{
	char path[300];

	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		demo_problem("%s: %s", dir, strerror(errno));
		return -1;
	}
	snprintf(path, sizeof(path), "%s/lock", dir);
	lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock_fd < 0 || flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
		demo_problem(errno == EWOULDBLOCK ? "another demo runs in %s" :
			     "%s can't be locked", dir);
		return -1;
	}
	return 0;
}

static void name_labs(struct demo *demo)
{
	static const struct {
		const char *kind;
		unsigned int weight;
	} kinds[DEMO_KINDS] = {
		{ "dovecot", 25 }, { "cyrus", 17 }, { "courier", 8 }
	};
	unsigned int i;

	for (i = 0; i < DEMO_KINDS; i++) {
		demo->labs[i].demo = demo;
		demo->labs[i].kind = kinds[i].kind;
		demo->labs[i].weight = kinds[i].weight;
		demo->labs[i].port_base = demo->options.port_base + i * 20;
		snprintf(demo->labs[i].dir, sizeof(demo->labs[i].dir), "%s/%s",
			 demo->options.dir, kinds[i].kind);
	}
}

int demo_labs_up(struct demo *demo)
{
	pthread_t threads[DEMO_KINDS];
	unsigned int i, up = 0;

	name_labs(demo);
	/* before there are threads */
	(void)lab_script();
	if (lock_folder(demo->options.dir) < 0)
		return -1;
	for (i = 0; i < DEMO_KINDS; i++)
		end_leftover(&demo->labs[i]);
	if (demo_problems() > 0)
		return -1;
	for (i = 0; i < DEMO_KINDS; i++) {
		if (pthread_create(&threads[i], NULL, bring_up_thread,
				   &demo->labs[i]) != 0)
			abort();
	}
	for (i = 0; i < DEMO_KINDS; i++) {
		pthread_join(threads[i], NULL);
		up += demo->labs[i].lab != NULL;
	}
	return up > 0 && demo_problems() == 0 ? 0 : -1;
}

/* Users by kind: 2 each, or more where a kind is missing. No name is there twice,
   so that the report can tell them apart. */
void demo_assign_users(struct demo *demo)
{
	unsigned int i, next = 0, weights = 0, given = 0;
	struct demo_user *user;

	for (i = 0; i < DEMO_USERS; i++) {
		while (demo->labs[next % DEMO_KINDS].lab == NULL)
			next++;
		user = &demo->users[i];
		user->demo = demo;
		user->index = i;
		user->lab = &demo->labs[next++ % DEMO_KINDS];
		weights += user->lab->weight;
		snprintf(user->name, sizeof(user->name), "user%u",
			 i + 1);
		pthread_mutex_init(&user->arrivals.at_old, NULL);
		snprintf(user->label, sizeof(user->label), "%s@%s",
			 user->name, user->lab->kind);
	}
	demo->user_count = DEMO_USERS;
	for (i = 0; i < DEMO_USERS; i++) {
		user = &demo->users[i];
		user->messages = demo->options.messages * user->lab->weight /
			weights;
		given += user->messages;
	}
	demo->users[0].messages += demo->options.messages - given;
}

int demo_labs_down(struct demo *demo)
{
	const char *error;
	char path[300];
	unsigned int i;
	int ret = 0;

	for (i = 0; i < DEMO_KINDS; i++) {
		if (demo->options.keep)
			lab_free(&demo->labs[i].lab);
		else if (lab_down(&demo->labs[i].lab, &error) < 0) {
			demo_problem("the lab of %s doesn't end: %s",
				     demo->labs[i].kind, error);
			ret = -1;
		}
	}
	if (lock_fd >= 0) {
		snprintf(path, sizeof(path), "%s/lock", demo->options.dir);
		(void)unlink(path);
		close(lock_fd);
		/* not when a log of trouble is in it */
		(void)rmdir(demo->options.dir);
	}
	return ret;
}
