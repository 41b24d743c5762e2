/*
 * demo-delivery: mail that arrives all the time
 *
 * As a mail server does, it sends by SMTP to the old or the new server's Postfix
 * (demo-arrivals.h), and tries a message again until it is taken. Each has a
 * Message-ID of its own.
 */
#ifndef DEMO_DELIVERY_H
#define DEMO_DELIVERY_H

#include "demo.h"
#include "sent-mail.h"

enum delivery_state {
	/* never taken */
	DELIVERY_REFUSED,
	/* 2xx: it must be there once */
	DELIVERY_TAKEN,
	/* the connection was lost before the answer */
	DELIVERY_UNKNOWN
};

struct delivery {
	enum delivery_state state;
	char message_id[SENT_MAIL_ID_SIZE];
};

/* A thread: until the work ends. context: struct demo_user. */
void *demo_delivery_thread(void *context);
void demo_delivery_free(struct delivery_list *list);

#endif
