#include "demo-delivery.h"
#include "demo-arrivals.h"
#include "lmtp-client.h"
#include "process.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* How often mail arrives. */
#define EVERY_MS 150
#define TRIES 20
#define SEED 300

static struct delivery *
add_delivery(struct delivery_list *list, const struct demo_user *user)
{
	struct delivery *delivery;

	if (list->count == list->room) {
		list->room = list->room == 0 ? 256 : list->room * 2;
		list->items = realloc(list->items,
				      list->room * sizeof(*list->items));
		if (list->items == NULL)
			abort();
	}
	delivery = &list->items[list->count++];
	delivery->state = DELIVERY_REFUSED;
	snprintf(delivery->message_id, sizeof(delivery->message_id),
		 "<delivery-%zu.%u@sender.example>", list->count, user->index);
	return delivery;
}

/* By SMTP to the Postfix of that server; without one by LMTP to the new server,
   as Postfix would. */
static int
open_server(const struct demo_user *user, enum demo_server server,
	    struct lmtp_client **client_r)
{
	const char *smtp = demo_arrivals_smtp(user, server), *error;
	int ret;

	ret = *smtp == '\0' ?
		lmtp_open(lab_get(user->lab->lab, "NEW_LMTP"),
			  DEMO_TIMEOUT_MS, client_r, &error) :
		smtp_open(smtp, DEMO_TIMEOUT_MS, client_r, &error);
	if (ret < 0)
		demo_problem("%s: delivery: %s", user->label, error);
	return ret;
}

static int
deliver_once(struct demo_user *user, const struct demo_arrival *arrival,
	     const struct sent_mail *mail, struct delivery *delivery)
{
	struct lmtp_client *client;
	struct lmtp_reply reply = { .code = 0 };
	const char *const recipients[] = { demo_arrivals_address(user) };

	if (open_server(user, arrival->server, &client) < 0)
		return -1;
	if (lmtp_deliver(client, mail->from, recipients, 1, mail->data,
			 mail->size, &reply) < 0 && reply.code == 0) {
		demo_problem("%s: delivery: %s", user->label,
			     lmtp_error(client));
		delivery->state = DELIVERY_UNKNOWN;
		lmtp_free(&client);
		return -1;
	}
	lmtp_quit(&client);
	if (reply.code / 100 == 2) {
		delivery->state = DELIVERY_TAKEN;
		return 0;
	}
	demo_problem("%s: delivery: %d %s", user->label, reply.code,
		     reply.text);
	return -1;
}

/* Until it's taken. One whose fate is unknown isn't sent again: that a mail
   server would double it is SMTP's own weakness (RFC 1047). */
static void deliver(struct demo_user *user)
{
	struct delivery *delivery = add_delivery(&user->delivered, user);
	struct demo_arrival arrival = demo_arrivals_begin(user);
	struct sent_mail mail = { .from = arrival.from, .date = time(NULL) };
	uint64_t started = now_ms();
	unsigned int i;

	memcpy(mail.message_id, delivery->message_id, sizeof(mail.message_id));
	sent_mail_make(&mail, SEED, (unsigned int)user->delivered.count);
	for (i = 0; i < TRIES && delivery->state == DELIVERY_REFUSED &&
	     !demo_is_interrupted(); i++) {
		if (deliver_once(user, &arrival, &mail, delivery) < 0)
			user->delivery.errors++;
	}
	if (delivery->state == DELIVERY_TAKEN)
		user->delivery.writes++;
	demo_arrivals_end(user, &arrival, delivery->state == DELIVERY_TAKEN);
	demo_counts_time(&user->delivery, started);
	sent_mail_free(&mail);
}

void *demo_delivery_thread(void *context)
{
	struct demo_user *user = context;

	while (!demo_user_ends(user)) {
		deliver(user);
		/* the pace at which mail arrives */
		(void)poll(NULL, 0, EVERY_MS);
	}
	return NULL;
}

void demo_delivery_free(struct delivery_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
