#include "demo-late.h"
#include "demo-arrivals.h"
#include "demo-late-watch.h"
#include "demo-old-client.h"
#include "demo-progress.h"
#include "process.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define SEED 800
#define CATCH_UP_MS 120000
#define EVERY_MS 150
/* How many of each there are, for each user. */
#define LATE_BY_SESSION 4
#define LATE_BY_COMMAND 3
#define DOUBLES 2

/* Who still sends to the old server, and one who retries at the new one. */
static const char *const froms[] = {
	"invoices@yearly.example", "office@slow.example"
};
#define SENDERS (sizeof(froms) / sizeof(froms[0]))
static const char retrying_from[] = "list@twice.example";

/* By user. */
static struct old_client old_clients[DEMO_USERS];

/*
 * Sending
 */

static bool send_to(struct demo_user *user, const struct sent_mail *mail,
		    enum demo_server server)
{
	const char *error;

	if (sent_mail_send(mail, demo_arrivals_smtp(user, server),
			   demo_arrivals_address(user), DEMO_TIMEOUT_MS,
			   &error) / 100 != 2) {
		demo_problem("%s: %s: %s", user->label, mail->message_id,
			     error);
		return false;
	}
	user->arrivals.accepted[server]++;
	return true;
}

static struct late_mail *add_mail(struct late_list *list)
{
	struct late_mail *mail;

	if (list->count == list->room) {
		list->room = list->room * 2 + 16;
		list->mails = realloc(list->mails,
				      list->room * sizeof(*list->mails));
		if (list->mails == NULL)
			abort();
	}
	mail = &list->mails[list->count++];
	memset(mail, 0, sizeof(*mail));
	return mail;
}

static void send_mail(struct demo_user *user, enum late_kind kind)
{
	struct late_list *list = &user->late;
	const unsigned int n = list->count;
	struct sent_mail mail = {
		.from = kind == LATE_AT_BOTH ? retrying_from :
			froms[n % SENDERS],
		.date = time(NULL)
	};
	struct late_mail *noted = add_mail(list);
	bool ok = true;

	snprintf(mail.message_id, sizeof(mail.message_id),
		 "<late-%u.%u@world.example>", n, user->index);
	sent_mail_make(&mail, SEED + user->index, n);
	noted->kind = kind;
	memcpy(noted->message_id, mail.message_id, sizeof(mail.message_id));
	if (kind != LATE_AT_OLD)
		ok = send_to(user, &mail, DEMO_NEW);
	/* It was here first: else the late one would be delivered, and LMTP
	   takes the other one, as it takes any mail. */
	if (kind == LATE_AT_BOTH)
		demo_arrivals_wait(user, DEMO_NEW);
	if (ok && kind != LATE_AT_NEW)
		ok = send_to(user, &mail, DEMO_OLD);
	if (ok)
		noted->accepted_ms = now_ms();
	sent_mail_free(&mail);
}

/*
 * The plot
 */

static bool has_old_smtp(const struct demo_user *user)
{
	return *demo_arrivals_smtp(user, DEMO_OLD) != '\0';
}

/* Of the mails from that one on. */
static void show_seen(const struct demo_user *user, unsigned int first)
{
	unsigned int i, ms, longest = 0, late = 0;
	const struct late_mail *mail;

	for (i = first; i < user->late.count; i++) {
		mail = &user->late.mails[i];
		if (mail->kind != LATE_AT_OLD || mail->seen_ms == 0)
			continue;
		late++;
		ms = (unsigned int)(mail->seen_ms - mail->accepted_ms);
		longest = ms > longest ? ms : longest;
	}
	demo_say("%-14s %u late mails are here, at most %u ms after the old "
		 "server took them", user->label, late, longest);
}

/* By a user who has a session: his worker looks. */
static void by_session(struct demo_user *user)
{
	struct late_watch watch;
	unsigned int i;

	if (!old_client_work(&old_clients[user->index], user) ||
	    !late_watch_open(&watch, user))
		return;
	for (i = 0; i < DOUBLES; i++)
		send_mail(user, LATE_AT_BOTH);
	for (i = 0; i < LATE_BY_SESSION; i++)
		send_mail(user, LATE_AT_OLD);
	if (late_watch_wait(&watch))
		show_seen(user, 0);
	late_watch_close(&watch);
}

static void send_without_session(struct demo_user *user)
{
	unsigned int i;

	for (i = 0; i < LATE_BY_COMMAND; i++)
		send_mail(user, LATE_AT_OLD);
	demo_arrivals_wait(user, DEMO_OLD);
}

static bool is_first_in_lab(const struct demo_user *user)
{
	const struct demo_user *first = user->demo->users;

	while (first->lab != user->lab)
		first++;
	return first == user;
}

/* All of a lab's users at once. */
static void by_command(struct demo_user *user)
{
	struct process_result result;

	if (!is_first_in_lab(user))
		return;
	if (process_shell(CATCH_UP_MS, &result, "%s migration catchup -A",
			  lab_get(user->lab->lab, "DOVEADM")) < 0)
		demo_problem("%s: doveadm migration catchup -A ended with %d: "
			     "%s", user->lab->kind, result.status,
			     result.output);
	process_result_free(&result);
}

/* Flags, too: a worker looks at all of them each ten minutes only, where the
   old server hasn't CONDSTORE. */
static void see_all(struct demo_user *user)
{
	struct late_watch watch;

	if (!late_watch_open(&watch, user))
		return;
	if (late_watch_wait(&watch)) {
		show_seen(user, DOUBLES + LATE_BY_SESSION);
		(void)old_client_wait(&old_clients[user->index], user);
	}
	late_watch_close(&watch);
}

/* Also those who were the last to hear of it. */
static void send_to_new(struct demo_user *user)
{
	uint64_t until = now_ms() + DEMO_QUIET_MS;

	while (now_ms() < until && !demo_is_interrupted()) {
		send_mail(user, LATE_AT_NEW);
		/* the pace at which mail arrives */
		(void)poll(NULL, 0, EVERY_MS);
	}
	demo_arrivals_wait(user, DEMO_NEW);
}

static bool goes_on(void)
{
	return !demo_is_interrupted() && demo_problems() == 0;
}

void demo_late_run(struct demo *demo)
{
	if (!has_old_smtp(&demo->users[0]))
		return;
	demo_progress_phase("MX is switched; mail still comes to the old "
			    "servers, and to both; users with a session see "
			    "it, while a client of theirs works at the old "
			    "server");
	demo_each_user(demo, by_session);
	if (!goes_on())
		return;
	demo_progress_phase("doveadm migration catchup -A, for users who have "
			    "no session");
	demo_each_user(demo, send_without_session);
	demo_each_user(demo, by_command);
	demo_each_user(demo, see_all);
}

void demo_late_end(struct demo *demo)
{
	demo_progress_phase("all senders have found the new servers; a quiet "
			    "period at the old ones, of some seconds here");
	if (has_old_smtp(&demo->users[0]))
		demo_each_user(demo, send_to_new);
	/* the last look that a verdict needs */
	demo_each_user(demo, by_command);
}
