/*
 * test-mirror-copies: COPY and MOVE between mirrored, proxied and local
 * mailboxes, in all nine directions
 *
 * Bytes, flags, keywords and dates go along, COPYUID tells the truth, and what
 * belongs to the old server is there when the client has its answer.
 */
#include "asker.h"
#include "case-mirror.h"
#include "case-folder.h"
#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 16
/* by one command */
#define SOME 2
/* more than the worker has open at a time */
#define SOURCES 12

enum place { MIRRORED, PROXIED, LOCAL, PLACES };

static const char *const states[PLACES] = { "mirrored", "remote", "local" };
static const char *const from_names[PLACES] = {
	"FromMirrored", "FromProxied", "FromLocal"
};
static const char *const to_names[PLACES] = {
	"ToMirrored", "ToProxied", "ToLocal"
};

static struct case_pair watch;
static struct imap_client *client;

static void seed(const char *mailbox, unsigned int number)
{
	struct corpus corpus = { .set = CORPUS_SMALL, .seed = number };
	struct corpus_message msg = { .kind = NULL };
	char date[IMAP_DATE_SIZE];

	for (unsigned int i = 0; i < MESSAGES; i++) {
		corpus_make(&corpus, i, &msg);
		imap_format_date(msg.instant, msg.zone, date);
		UNIT_CHECK(imap_append(watch.old, mailbox, msg.flags, date,
				       msg.data, msg.size, NULL) == IMAP_OK,
			   "APPEND: %s", imap_error(watch.old));
	}
	corpus_message_free(&msg);
}

static void make(enum place place, const char *name)
{
	UNIT_CHECK(imap_run(watch.old, "CREATE %s", name) == IMAP_OK,
		   "CREATE: %s", imap_error(watch.old));
	if (name == from_names[place])
		seed(name, (unsigned int)place);
	if (place != PROXIED)
		case_migration("fill -u %s %s", case_user(0), name);
	if (place == LOCAL)
		case_migration("cutover -u %s %s", case_user(0), name);
	/* a proxied one is known when it's opened */
	if (place != PROXIED)
		case_is_state(0, name, states[place]);
}

static void test_prepare(void)
{
	if (!case_server("new", "restart", NULL) || !case_pair_open(&watch, 0))
		return;
	for (unsigned int place = 0; place < PLACES; place++) {
		make(place, from_names[place]);
		make(place, to_names[place]);
	}
}

/* What is being copied, and where it went. */
struct transfer {
	enum place from, to;
	bool move;
	char what[80];
	struct case_mail mails[SOME];
	uint32_t uids[SOME];
};

static const char *server_of(enum place place)
{
	return place == LOCAL ? "NEW_IMAP" : "OLD_IMAP_DIRECT";
}

/* The first ones of the mailbox: what was moved is away. */
static bool choose(struct transfer *transfer)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;
	uint32_t uids[SOME] = { 0 };
	unsigned int n = 0;

	imap_clear(client);
	if (!UNIT_CHECK(imap_run(client, "FETCH 1:%u UID", SOME) == IMAP_OK,
			"%s: FETCH: %s", transfer->what, imap_error(client)))
		return false;
	for (resp = imap_untagged(client); resp != NULL && n < SOME;
	     resp = resp->next) {
		if (imap_parse_fetch(resp, &fetch) && fetch.uid != 0)
			uids[n++] = fetch.uid;
	}
	for (unsigned int i = 0; i < SOME; i++)
		case_mail_see(client, uids[i], &transfer->mails[i]);
	return UNIT_CHECK(n == SOME, "%s: nothing to copy", transfer->what);
}

/* COPYUID of the tagged answer, or of MOVE's untagged one (RFC 6851). */
static const char *copyuid(void)
{
	const struct imap_response *resp = imap_untagged(client);

	while ((resp = imap_find(resp, "OK")) != NULL) {
		if (resp->code != NULL &&
		    strncmp(resp->code, "COPYUID ", 8) == 0)
			return resp->code;
		resp = resp->next;
	}
	return imap_reply(client)->code;
}

static bool read_copyuid(struct transfer *transfer)
{
	const char *code = copyuid();
	char *from = NULL, *to = NULL;
	uint32_t *old = NULL, *new = NULL, uidvalidity;
	size_t count = 0, old_count = 0;
	bool ok;

	ok = UNIT_CHECK(code != NULL &&
			imap_parse_copyuid(code, &uidvalidity, &from, &to) &&
			imap_parse_uidset(from, &old, &old_count) == 0 &&
			imap_parse_uidset(to, &new, &count) == 0,
			"%s: COPYUID: [%s]", transfer->what,
			code == NULL ? "" : code) &&
		UNIT_CHECK(count == SOME && old_count == SOME,
			   "%s: COPYUID: [%s]", transfer->what, code);
	for (unsigned int i = 0; i < SOME && ok; i++) {
		ok = UNIT_CHECK(old[i] == transfer->mails[i].uid,
				"%s: COPYUID: [%s]", transfer->what, code);
		transfer->uids[i] = new[i];
	}
	free(from);
	free(to);
	free(old);
	free(new);
	return ok;
}

static bool run(struct transfer *transfer)
{
	imap_clear(client);
	return UNIT_CHECK(imap_run(client, "UID %s %u,%u %s",
				   transfer->move ? "MOVE" : "COPY",
				   transfer->mails[0].uid,
				   transfer->mails[1].uid,
				   to_names[transfer->to]) == IMAP_OK,
			  "%s: %s", transfer->what, imap_error(client)) &&
		read_copyuid(transfer);
}

static void check_target(struct transfer *transfer, unsigned int i)
{
	const char *mailbox = to_names[transfer->to];
	struct case_mail mail;

	if (transfer->to != LOCAL) {
		case_mail_look(watch.old, mailbox, transfer->uids[i], &mail);
		case_mail_same(&transfer->mails[i], &mail, transfer->what);
	}
	case_mail_look(watch.new, mailbox, transfer->uids[i], &mail);
	case_mail_same(&transfer->mails[i], &mail, transfer->what);
}

static void check_source(struct transfer *transfer, unsigned int i)
{
	const char *mailbox = from_names[transfer->from];
	uint32_t uid = transfer->mails[i].uid;
	struct case_mail mail;

	case_mail_see(client, uid, &mail);
	UNIT_CHECK((mail.uid == 0) == transfer->move, "%s: the client sees "
		   "the source %s", transfer->what,
		   mail.uid == 0 ? "no more" : "still");
	if (transfer->from == LOCAL)
		return;
	case_mail_look(watch.old, mailbox, uid, &mail);
	UNIT_CHECK((mail.uid == 0) == transfer->move, "%s: the old server has "
		   "the source %s", transfer->what,
		   mail.uid == 0 ? "no more" : "still");
}

static void check_count(const struct transfer *transfer, uint32_t before)
{
	uint32_t after = folder_count(server_of(transfer->to), 0,
				      to_names[transfer->to]);

	UNIT_CHECK(after == before + SOME, "%s: %u messages are %u",
		   transfer->what, before, after);
}

static void transfer(enum place from, enum place to, bool move)
{
	struct transfer transfer = { .from = from, .to = to, .move = move };
	uint32_t before = folder_count(server_of(to), 0, to_names[to]);
	struct imap_box box;

	snprintf(transfer.what, sizeof(transfer.what), "%s from %s to %s",
		 move ? "MOVE" : "COPY", states[from], states[to]);
	client = case_imap("NEW_IMAP", 0);
	if (client != NULL &&
	    UNIT_CHECK(imap_select(client, from_names[from], &box) == IMAP_OK,
		       "SELECT: %s", imap_error(client)) &&
	    choose(&transfer) && run(&transfer)) {
		for (unsigned int i = 0; i < SOME; i++) {
			check_target(&transfer, i);
			check_source(&transfer, i);
		}
		check_count(&transfer, before);
	}
	imap_logout(&client);
}

static void all_directions(bool move)
{
	for (unsigned int from = 0; from < PLACES; from++) {
		for (unsigned int to = 0; to < PLACES; to++)
			transfer(from, to, move);
	}
}

static void test_copy(void)
{
	all_directions(false);
}

static void test_move(void)
{
	all_directions(true);
}

/* Within one mailbox, and many at once. */
static void test_many(void)
{
	struct imap_box box;

	client = case_imap("NEW_IMAP", 0);
	if (client == NULL)
		return;
	for (unsigned int place = 0; place < PLACES; place++) {
		UNIT_CHECK(imap_select(client, to_names[place], &box) ==
			   IMAP_OK && imap_run(client, "COPY 1:* %s",
					       to_names[place]) == IMAP_OK,
			   "COPY within %s: %s", to_names[place],
			   imap_error(client));
		UNIT_CHECK(imap_exists(client) == 2 * box.exists &&
			   folder_count(server_of(place), 0,
					to_names[place]) == 2 * box.exists,
			   "COPY within %s: %u messages are %u",
			   to_names[place], box.exists, imap_exists(client));
	}
	imap_logout(&client);
}

static uint32_t validity_of(const char *mailbox)
{
	struct imap_box box = { .exists = 0 };

	UNIT_CHECK(imap_examine(watch.old, mailbox, &box) == IMAP_OK,
		   "EXAMINE %s", mailbox);
	return box.uidvalidity;
}

static bool make_sources(void)
{
	for (unsigned int i = 0; i < SOURCES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "Source%u", i);
		if (!case_mirror_make(0, name, 1))
			return false;
	}
	return case_migration("fill -u %s 'Source*'", case_user(0));
}

/* What several sessions copy to one mailbox is one turn of the worker. */
static void test_sources(void)
{
	const char *to = to_names[MIRRORED], *line;
	uint32_t before = folder_count("OLD_IMAP_DIRECT", 0, to);
	char words[SOURCES * 64] = "";
	struct asker *asker;
	size_t len = 0;

	if (!make_sources() || (asker = asker_open(0)) == NULL)
		return;
	for (unsigned int i = 0; i < SOURCES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "Source%u", i);
		len += snprintf(words + len, sizeof(words) - len,
				"\tcopy\t%s\t%u\t1", name,
				validity_of(name));
	}
	line = asker_ask(asker, "WRITE\t%s\t%u%s", to, validity_of(to),
			 words);
	UNIT_CHECK(strncmp(line, "OK\t", 3) == 0, "%s", line);
	asker_close(&asker);
	UNIT_CHECK(folder_count("OLD_IMAP_DIRECT", 0, to) == before + SOURCES,
		   "%u messages aren't %u more", before, SOURCES);
	UNIT_CHECK(folder_count("NEW_IMAP", 0, to) == before + SOURCES,
		   "not here");
}

static void test_end(void)
{
	for (unsigned int place = 0; place < PLACES; place++) {
		case_is_state(0, from_names[place], states[place]);
		case_is_state(0, to_names[place], states[place]);
	}
	case_pair_close(&watch);
	case_no_crash();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "mailboxes", test_prepare },
		{ "COPY", test_copy },
		{ "MOVE", test_move },
		{ "COPY of all within a mailbox", test_many },
		{ "COPY from many mailboxes", test_sources },
		{ "states", test_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "1", "--messages", "0", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-mirror-copies",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MIRROR,
	};

	return case_main(&program);
}
