/*
 * test-pop3: POP3 and LMTP through the new server: UIDLs and sizes stay those
 * of the old one, deletions are done there, deliveries go to whoever has the
 * authority and wait while it changes (I1, I2).
 */
#include "case.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELIVERIES_MIN 3

static struct pop3_list before;

static bool pop3_lists(const char *server, struct pop3_list *list_r)
{
	struct pop3_client *client = NULL;
	struct pop3_list sizes;
	const char *error = "";
	bool ok;

	memset(list_r, 0, sizeof(*list_r));
	if (!UNIT_CHECK(pop3_open(case_get(server), case_user(0),
				  case_get("PASSWORD"), CASE_TIMEOUT_MS,
				  &client, &error) == 0, "%s: %s", server, error))
		return false;
	ok = UNIT_CHECK(pop3_uidl(client, list_r) == POP3_OK &&
			pop3_list(client, &sizes) == POP3_OK, "%s: %s",
			server, pop3_error(client));
	if (ok) {
		for (size_t i = 0; i < sizes.count && i < list_r->count; i++)
			list_r->items[i].size = sizes.items[i].size;
		pop3_list_free(&sizes);
	}
	(void)pop3_quit(&client);
	return ok;
}

/* Does the new server show what the old one showed? */
static void same_as_before(const char *when)
{
	struct pop3_list now;

	if (pop3_lists("NEW_POP3", &now)) {
		UNIT_CHECK(now.count == before.count, "%s: %zu messages, not "
			   "%zu", when, now.count, before.count);
		for (size_t i = 0; i < now.count && i < before.count; i++) {
			UNIT_CHECK(strcmp(now.items[i].uidl,
					  before.items[i].uidl) == 0,
				   "%s: UIDL of %zu: %s, not %s", when, i + 1,
				   now.items[i].uidl, before.items[i].uidl);
			UNIT_CHECK(now.items[i].size == before.items[i].size,
				   "%s: size of %zu", when, i + 1);
		}
	}
	pop3_list_free(&now);
}

static void look_at_old(void)
{
	pop3_list_free(&before);
	UNIT_CHECK(pop3_lists("OLD_POP3_DIRECT", &before) && before.count > 0,
		   "the old server shows nothing");
}

static void dele(unsigned int number)
{
	struct pop3_client *client = NULL;
	const char *error = "";

	if (!UNIT_CHECK(pop3_open(case_get("NEW_POP3"), case_user(0),
				  case_get("PASSWORD"), CASE_TIMEOUT_MS,
				  &client, &error) == 0, "POP3: %s", error))
		return;
	UNIT_CHECK(pop3_dele(client, number) == POP3_OK, "DELE: %s",
		   pop3_error(client));
	UNIT_CHECK(pop3_quit(&client) == POP3_OK, "QUIT");
}

static void forget(struct pop3_list *list, size_t index)
{
	free(list->items[index].uidl);
	memmove(&list->items[index], &list->items[index + 1],
		(list->count - index - 1) * sizeof(*list->items));
	list->count--;
}

static void test_proxied(void)
{
	look_at_old();
	same_as_before("proxied");
	dele(3);
	forget(&before, 2);
	same_as_before("proxied, after DELE");
	look_at_old();
	same_as_before("proxied, as the old server after DELE");
}

static uint32_t count(const char *server)
{
	struct imap_client *client = case_imap(server, 0);
	struct imap_box box = { .exists = UINT32_MAX };

	if (client != NULL)
		UNIT_CHECK(imap_examine(client, "INBOX", &box) == IMAP_OK,
			   "%s: %s", server, imap_error(client));
	imap_logout(&client);
	return box.exists;
}

static int deliver(const char *id)
{
	size_t size;
	char *data = case_message(id, 700, &size);
	int code = case_lmtp("NEW_LMTP", 0, data, size);

	free(data);
	return code;
}

static void test_lmtp_before(void)
{
	uint32_t old = count("OLD_IMAP_DIRECT");

	UNIT_CHECK(deliver("before@example.org") == 0, "LMTP");
	UNIT_CHECK(count("OLD_IMAP_DIRECT") == old + 1,
		   "LMTP: not on the old server");
	UNIT_CHECK(count("NEW_IMAP") == old + 1, "LMTP: not seen here");
	look_at_old();
}

static void test_filled(void)
{
	case_migration("fill -u %s", case_user(0));
	case_is_state(0, "INBOX", "filled");
	same_as_before("filled");
	dele(2);
	forget(&before, 1);
	same_as_before("filled, after DELE");
	UNIT_CHECK(deliver("filled@example.org") == 0, "LMTP");
	look_at_old();
	same_as_before("filled, after a delivery");
}

struct stream {
	atomic_bool stop;
	atomic_uint delivered;
	unsigned int failed;
	char server[64], user[64];
};

/* One delivery after the other; no call of case.h, which isn't for threads. */
static void *stream_run(void *context)
{
	struct stream *stream = context;
	const char *recipient = stream->user, *error;
	struct lmtp_client *client;
	struct lmtp_reply reply;
	char data[200];
	unsigned int n;

	for (n = 0; !atomic_load(&stream->stop); n++) {
		snprintf(data, sizeof(data), "Subject: %u\r\nMessage-ID: "
			 "<stream-%u@example.org>\r\n\r\nx\r\n", n, n);
		if (lmtp_open(stream->server, CASE_TIMEOUT_MS, &client,
			      &error) < 0) {
			stream->failed++;
			continue;
		}
		if (lmtp_deliver(client, "a@example.org", &recipient, 1, data,
				 strlen(data), &reply) == 1)
			atomic_fetch_add(&stream->delivered, 1);
		else
			stream->failed++;
		lmtp_quit(&client);
	}
	return NULL;
}

struct progress {
	struct stream *stream;
	unsigned int wanted;
};

static bool has_delivered(void *context)
{
	struct progress *progress = context;

	return atomic_load(&progress->stream->delivered) >= progress->wanted;
}

static bool wait_for_deliveries(struct stream *stream)
{
	struct progress progress = {
		stream, atomic_load(&stream->delivered) + DELIVERIES_MIN
	};

	return UNIT_CHECK(wait_until(has_delivered, &progress,
				     CASE_TIMEOUT_MS), "no deliveries");
}

/* Deliveries go on all the time; none is refused, lost or doubled. */
static void test_cutover(void)
{
	uint32_t here = count("NEW_IMAP"), old = count("OLD_IMAP_DIRECT");
	struct stream stream = { .failed = 0 };
	uint32_t old_after, delivered;
	pthread_t thread;

	snprintf(stream.server, sizeof(stream.server), "%s",
		 case_get("NEW_LMTP"));
	snprintf(stream.user, sizeof(stream.user), "%s", case_user(0));
	if (!UNIT_CHECK(pthread_create(&thread, NULL, stream_run,
				       &stream) == 0, "thread"))
		return;
	(void)wait_for_deliveries(&stream);
	case_migration("cutover -u %s INBOX", case_user(0));
	(void)wait_for_deliveries(&stream);
	atomic_store(&stream.stop, true);
	pthread_join(thread, NULL);

	delivered = atomic_load(&stream.delivered);
	old_after = count("OLD_IMAP_DIRECT");
	case_is_state(0, "INBOX", "local");
	UNIT_CHECK(stream.failed == 0, "%u deliveries of %u refused",
		   stream.failed, delivered);
	UNIT_CHECK(count("NEW_IMAP") == here + delivered,
		   "%u delivered, %u came", delivered,
		   count("NEW_IMAP") - here);
	UNIT_CHECK(old_after > old && old_after < old + delivered,
		   "%u delivered, %u to the old server", delivered,
		   old_after - old);
	printf("\n    %u deliveries, %u of them before ", delivered,
	       old_after - old);
}

static void test_local(void)
{
	uint32_t old = count("OLD_IMAP_DIRECT");
	struct pop3_list now, was;

	/* what came here isn't there: the beginning is the same */
	if (pop3_lists("NEW_POP3", &now) &&
	    pop3_lists("OLD_POP3_DIRECT", &was)) {
		UNIT_CHECK(now.count > was.count, "local: %zu messages, %zu on "
			   "the old server", now.count, was.count);
		for (size_t i = 0; i < was.count && i < now.count; i++)
			UNIT_CHECK(strcmp(now.items[i].uidl,
					  was.items[i].uidl) == 0 &&
				   now.items[i].size == was.items[i].size,
				   "local: message %zu: %s, not %s", i + 1,
				   now.items[i].uidl, was.items[i].uidl);
		pop3_list_free(&before);
		before = now;
		pop3_list_free(&was);
	}
	dele(1);
	forget(&before, 0);
	same_as_before("local, after DELE");
	UNIT_CHECK(deliver("after@example.org") == 0, "LMTP");
	UNIT_CHECK(count("OLD_IMAP_DIRECT") == old,
		   "LMTP or DELE: the old server was changed");
	pop3_list_free(&before);
	case_no_crash();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "UIDLs, sizes, DELE: proxied", test_proxied },
		{ "LMTP before", test_lmtp_before },
		{ "UIDLs, sizes, DELE: filled", test_filled },
		{ "LMTP through a cutover", test_cutover },
		{ "UIDLs, sizes, DELE, LMTP: local", test_local },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "1", "--messages", "80", "--folders", "1", NULL
	};
	const struct case_program program = {
		.name = "test-pop3",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL,
	};

	return case_main(&program);
}
