/* test-milter-mail: what the milter decides of a mail, and what it does and writes
   then. The MTA is a table of headers here, and syslog a list of lines. */
#include "milter/config-current.h"
#include "milter/mail-end.h"
#include "milter/milter-counters.h"
#include "milter/milter-log.h"
#include "milter/milter-report.h"
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "0123456789abcdef0123456789abcdef\n"
#define FORGED ARRIVAL_FORGED
#define VALID ARRIVAL_VALID
#define OLD ARRIVAL_AT_OLD
#define NEW ARRIVAL_AT_NEW

/*
 * In the place of milter-log
 */

static char lines[40000];

void milter_log_open(int facility, bool also)
{
	(void)facility;
	(void)also;
}

bool milter_log_to_stderr(bool also)
{
	return also;
}

void milter_log(int priority, const char *fmt, ...)
{
	(void)priority;
	(void)fmt;
}

void milter_log_report(int priority, struct report_line *line)
{
	(void)priority;
	strcat(lines, report_line_end(line) + strlen(REPORT_TOKEN));
	strcat(lines, "\n");
}

/*
 * Decisions
 */

/* "V" valid, "F" forged, "M" malformed, "U" of another version, "?" unchecked,
   each with "o" or "n" for the server, and a digit for its time. */
static unsigned int make_tags(const char *text, struct mail_tag *tags)
{
	static const char letters[] = "VFMU?";
	unsigned int count = 0;

	memset(tags, 0, 8 * sizeof(*tags));
	for (; *text != '\0'; text += 3, count++) {
		tags[count].result = (enum arrival_result)
			(strchr(letters, text[0]) - letters);
		tags[count].reason = text[0] == 'V' ? NULL : "bad";
		tags[count].tag.at = text[1] == 'o' ? OLD : NEW;
		tags[count].tag.time = text[2] - '0';
	}
	return count;
}

static void test_decisions(void)
{
	static const struct {
		const char *tags;
		/* recipients; 's'ender migrates, 'a'uthenticated, 'l'ocal;
		   of the old server */
		unsigned int recipients;
		const char *facts;
		unsigned int limit;
		/* A arrival, S submission, R refused, T tag added; rounds; a
		   letter for each tag that stays (k) or goes (-) */
		const char *what, *kept;
		unsigned int rounds;
		enum mail_via via;
	} tests[] = {
		{ "", 1, "", 0, "AT", "", 0, MAIL_VIA_DIRECT },
		{ "", 3, "l", 0, "AT", "", 0, MAIL_VIA_LOCAL },
		{ "", 1, "a", 0, "AT", "", 0, MAIL_VIA_SUBMISSION },
		{ "", 1, "al", 0, "AT", "", 0, MAIL_VIA_SUBMISSION },
		{ "", 1, "s", 0, "AT", "", 0, MAIL_VIA_DIRECT },
		/* nobody who is being moved */
		{ "", 0, "", 0, "", "", 0, MAIL_VIA_DIRECT },
		{ "", 0, "s", 0, "", "", 0, MAIL_VIA_DIRECT },
		{ "", 0, "a", 0, "", "", 0, MAIL_VIA_DIRECT },
		{ "", 0, "as", 0, "S", "", 0, MAIL_VIA_DIRECT },
		{ "Fo1Vo2", 0, "as", 1, "S", "kk", 0, MAIL_VIA_DIRECT },
		/* forged */
		{ "Fn1", 1, "", 0, "AT", "-", 0, MAIL_VIA_DIRECT },
		{ "Fn1Mn0Un0", 1, "", 0, "AT", "---", 0, MAIL_VIA_DIRECT },
		{ "Fo1", 1, "", 1, "AT", "-", 0, MAIL_VIA_DIRECT },
		/* relayed */
		{ "Vn1", 1, "", 0, "A", "k", 0, MAIL_VIA_RELAYED },
		{ "Vn1", 1, "al", 0, "A", "k", 0, MAIL_VIA_RELAYED },
		{ "Fn1Vn2Mn3", 1, "", 0, "A", "-k-", 0, MAIL_VIA_RELAYED },
		{ "Vn2Vn1", 1, "", 0, "A", "kk", 0, MAIL_VIA_RELAYED },
		{ "Vn1Vn1", 1, "", 0, "A", "k-", 0, MAIL_VIA_RELAYED },
		/* went round */
		{ "Vo1", 1, "", 0, "T", "k", 1, MAIL_VIA_DIRECT },
		{ "Vo1", 1, "", 1, "R", "k", 1, MAIL_VIA_DIRECT },
		{ "Vo1", 1, "", 2, "T", "k", 1, MAIL_VIA_DIRECT },
		{ "Vo2Vo1", 1, "", 2, "R", "kk", 2, MAIL_VIA_DIRECT },
		{ "Vo1Vo1Vo1", 1, "", 2, "T", "k--", 1, MAIL_VIA_DIRECT },
		{ "Vo2Vn1Fo1", 1, "", 0, "T", "kk-", 1, MAIL_VIA_DIRECT },
		{ "Vo2Fn1", 1, "", 1, "R", "kk", 1, MAIL_VIA_DIRECT },
		/* not known */
		{ "?o1", 1, "", 1, "A", "k", 0, MAIL_VIA_DIRECT },
		{ "?n1Vn1", 1, "", 0, "A", "kk", 0, MAIL_VIA_RELAYED }
	};
	struct mail_tag tags[8];
	struct mail_decision decision;
	struct mail_facts facts;
	char what[8], kept[8];
	size_t i, j, n;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		facts = (struct mail_facts){
			.server = OLD,
			.loop_limit = tests[i].limit,
			.recipients = tests[i].recipients,
			.sender_migrates = strchr(tests[i].facts, 's') != NULL,
			.submitted = strchr(tests[i].facts, 'a') != NULL,
			.local = strchr(tests[i].facts, 'l') != NULL,
			.tags = tags,
			.tag_count = make_tags(tests[i].tags, tags)
		};
		mail_decide(&facts, &decision);
		n = 0;
		if (decision.arrival)
			what[n++] = 'A';
		if (decision.submission)
			what[n++] = 'S';
		if (decision.refuse)
			what[n++] = 'R';
		if (decision.add_tag)
			what[n++] = 'T';
		what[n] = '\0';
		for (j = 0; j < facts.tag_count; j++)
			kept[j] = decision.remove[j] == NULL ? 'k' : '-';
		kept[j] = '\0';
		UNIT_CHECK(strcmp(what, tests[i].what) == 0 &&
			   strcmp(kept, tests[i].kept) == 0 &&
			   decision.rounds == tests[i].rounds &&
			   (!decision.arrival || decision.via == tests[i].via),
			   "case %zu: %s %s %u %s", i, what, kept,
			   decision.rounds, mail_via_name(decision.via));
	}
}

static void test_first(void)
{
	struct mail_tag tags[8];
	struct mail_decision decision;
	struct mail_facts facts = {
		.server = OLD, .recipients = 1, .tags = tags
	};

	facts.tag_count = make_tags("Vn5Vn3Vn4", tags);
	mail_decide(&facts, &decision);
	CU_ASSERT_PTR_EQUAL(decision.first, &tags[1].tag);
}

/*
 * Mails
 */

#define HEADERS_MAX 600

/* What the MTA has: names and values, and how it numbers those of one name. */
static struct mta {
	char *names[HEADERS_MAX], *values[HEADERS_MAX];
	unsigned int count;
	bool fails;
} mta;

static void mta_put(unsigned int at, const char *name, const char *value)
{
	if (mta.count == HEADERS_MAX || at > mta.count)
		abort();
	memmove(&mta.names[at + 1], &mta.names[at],
		(mta.count - at) * sizeof(char *));
	memmove(&mta.values[at + 1], &mta.values[at],
		(mta.count - at) * sizeof(char *));
	mta.names[at] = strdup(name);
	mta.values[at] = strdup(value);
	mta.count++;
}

static void mta_take(unsigned int at)
{
	free(mta.names[at]);
	free(mta.values[at]);
	mta.count--;
	memmove(&mta.names[at], &mta.names[at + 1],
		(mta.count - at) * sizeof(char *));
	memmove(&mta.values[at], &mta.values[at + 1],
		(mta.count - at) * sizeof(char *));
}

static void mta_clear(void)
{
	while (mta.count > 0)
		mta_take(0);
	mta.fails = false;
	lines[0] = '\0';
}

static int mta_remove(void *context, unsigned int n)
{
	unsigned int i;

	(void)context;
	for (i = 0; i < mta.count && !mta.fails; i++) {
		if (strcasecmp(mta.names[i], ARRIVAL_TAG_HEADER) == 0 &&
		    --n == 0) {
			mta_take(i);
			return 0;
		}
	}
	return -1;
}

static int mta_add(void *context, const char *value)
{
	(void)context;
	if (mta.fails)
		return -1;
	mta_put(0, ARRIVAL_TAG_HEADER, value);
	return 0;
}

static struct milter_session *make_session(enum arrival_at server)
{
	struct milter_config *config = calloc(1, sizeof(*config));
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = 1 };
	struct milter_session *session;
	const char *error;

	atomic_init(&config->references, 1);
	config->server = server;
	config->host = strdup("mx.example");
	config->domains = domain_set_init();
	(void)domain_set_add(config->domains, "moved.example");
	if (arrival_key_parse(KEY, strlen(KEY), &config->key, &error) < 0)
		abort();
	session = milter_session_init(config);
	milter_config_unref(&config);
	inet_pton(AF_INET, "192.0.2.7", &addr.sin_addr);
	milter_session_set_client(session, (struct sockaddr *)&addr);
	return session;
}

static void begin(struct milter_session *session, const char *from,
		  const char *to)
{
	milter_session_begin_mail(session, from);
	milter_session_add_recipient(session, to,
				     milter_session_migrates(session, to));
}

/* The mail that the MTA has, to its end. */
static enum mail_verdict end(struct milter_session *session, const char *id)
{
	static const struct mail_edit edit = { NULL, mta_remove, mta_add };
	enum mail_verdict verdict;
	unsigned int i, rounds;

	for (i = 0; i < mta.count; i++) {
		mail_headers_add(&session->headers,
				 session->config->spam_headers, mta.names[i],
				 mta.values[i]);
	}
	verdict = mail_end(session, id, &edit, &rounds);
	milter_session_end_mail(session);
	return verdict;
}

static void put(const char *name, const char *value)
{
	mta_put(mta.count, name, value);
}

static void put_usual(void)
{
	put("Message-ID", "<1@b.example>");
	put("Date", "Mon, 1 Jan 2024 00:00:00 +0000");
	put("From", "a@b.example");
}

static bool said(const char *text)
{
	return UNIT_CHECK(strstr(lines, text) != NULL, "no \"%s\" in:\n%s",
			  text, lines);
}

static unsigned int count_tags(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < mta.count; i++) {
		if (strcasecmp(mta.names[i], ARRIVAL_TAG_HEADER) == 0)
			count++;
	}
	return count;
}

/* Forged ones above, between and below; other headers keep their order. */
static void test_forged_go(void)
{
	static const char *const wanted[] = {
		"Mail-Migration", "Message-ID", "X-1", "Date", "X-2", "From"
	};
	struct milter_session *session = make_session(OLD);
	unsigned int i;

	mta_clear();
	put("Mail-Migration", "v=1; one");
	put("Message-ID", "<1@b>");
	put("mail-migration", "");
	put("X-1", "1");
	put("Mail-Migration", "x event=arrival at=new");
	put("MAIL-MIGRATION", "v=1; at=old; host=mx.example; id=1; t=1; "
	    "s=AAAAAAAAAAAAAAAAAAAAAA");
	put("Date", "x");
	put("X-2", "2");
	put("From", "x");
	put("Mail-Migration", "last");
	begin(session, "<a@b.example>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(session, "ABC"), MAIL_ACCEPT);
	CU_ASSERT_EQUAL(mta.count, N_ELEMENTS(wanted));
	for (i = 0; i < mta.count && i < N_ELEMENTS(wanted); i++)
		CU_ASSERT_STRING_EQUAL(mta.names[i], wanted[i]);
	UNIT_CHECK(strncmp(mta.values[0], "v=1; at=old; host=mx.example; "
			   "id=ABC; t=", 40) == 0, "%s", mta.values[0]);
	said("forged at=old host=mx.example id=ABC client=192.0.2.7 "
	     "from=<a@b.example> reason=");
	said("value=\"x event\\x3darrival at\\x3dnew\"\n");
	said("reason=\"not signed by us for this mail\"");
	said("\narrival at=old host=mx.example id=ABC client=192.0.2.7 "
	     "from=<a@b.example> to=<c@moved.example> via=direct\n");
	milter_session_deinit(&session);
}

/* New server, then the old one, then the new one again, and again. */
static void test_ways(void)
{
	struct milter_session *at_new = make_session(NEW);
	struct milter_session *at_old = make_session(OLD);

	at_new->config->loop_limit = 2;
	mta_clear();
	put_usual();
	begin(at_new, "<a@b.example>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(at_new, "N1"), MAIL_ACCEPT);
	said("id=N1 client=192.0.2.7 from=<a@b.example> "
	     "to=<c@moved.example> via=direct\n");
	lines[0] = '\0';
	begin(at_old, "<a@b.example>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(at_old, "O1"), MAIL_ACCEPT);
	said("via=relayed first_at=new first_id=N1 first_host=mx.example\n");
	CU_ASSERT_EQUAL(count_tags(), 1);
	lines[0] = '\0';
	begin(at_new, "<a@b.example>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(at_new, "N2"), MAIL_ACCEPT);
	CU_ASSERT_STRING_EQUAL(lines, "loop at=new host=mx.example id=N2 "
			       "from=<a@b.example> rounds=1 refused=no\n");
	CU_ASSERT_EQUAL(count_tags(), 2);
	lines[0] = '\0';
	begin(at_new, "<a@b.example>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(at_new, "N3"), MAIL_REFUSE);
	CU_ASSERT_STRING_EQUAL(lines, "loop at=new host=mx.example id=N3 "
			       "from=<a@b.example> rounds=2 refused=yes\n");
	milter_session_deinit(&at_new);
	milter_session_deinit(&at_old);
}

/* A tag of one mail says nothing of another; and all of one name count. */
static void test_other_mail(void)
{
	static const struct {
		const char *name, *value;
	} more[] = {
		{ "Message-ID", "<2@b.example>" },
		{ "From", "ceo@b.example" },
		{ "Date", "Tue, 2 Jan 2024 00:00:00 +0000" }
	};
	struct milter_session *at_new = make_session(NEW);
	struct milter_session *at_old = make_session(OLD);
	size_t i;

	for (i = 0; i < N_ELEMENTS(more); i++) {
		mta_clear();
		put_usual();
		begin(at_new, "<>", "<c@moved.example>");
		end(at_new, "N1");
		put(more[i].name, more[i].value);
		begin(at_old, "<>", "<c@moved.example>");
		end(at_old, "O1");
		said("forged at=old");
		said("from=<> to=<c@moved.example> via=direct");
		CU_ASSERT_EQUAL(count_tags(), 1);
	}
	milter_session_deinit(&at_new);
	milter_session_deinit(&at_old);
}

/* No Message-ID, none of all, several: tagged, and known again. */
static void test_odd_headers(void)
{
	static const char *const mails[][5] = {
		{ NULL },
		{ "Subject", NULL },
		{ "Date", "From", NULL },
		{ "Message-ID", "Message-ID", "From", "From", NULL },
		{ "Message-ID ", "\xfc\xff", NULL }
	};
	struct milter_session *at_new = make_session(NEW);
	struct milter_session *at_old = make_session(OLD);
	size_t i, j;

	for (i = 0; i < N_ELEMENTS(mails); i++) {
		mta_clear();
		for (j = 0; mails[i][j] != NULL; j++)
			put(mails[i][j], j == 0 ? "<1@b>" : "\xe4\xff \t x");
		begin(at_new, "<>", "<c@moved.example>");
		end(at_new, "N1");
		begin(at_old, "<>", "<c@moved.example>");
		end(at_old, "O1");
		said("via=relayed first_at=new first_id=N1");
		CU_ASSERT_PTR_NULL(strstr(lines, "forged"));
	}
	milter_session_deinit(&at_new);
	milter_session_deinit(&at_old);
}

static void test_recipients(void)
{
	struct milter_session *session = make_session(OLD);

	mta_clear();
	put_usual();
	put("Mail-Migration", "stays");
	begin(session, "<a@b.example>", "<c@other.example>");
	CU_ASSERT_EQUAL(end(session, "A"), MAIL_ACCEPT);
	CU_ASSERT_STRING_EQUAL(lines, "");
	CU_ASSERT_STRING_EQUAL(mta.values[3], "stays");
	mta_clear();
	put_usual();
	begin(session, "<a@b.example>", "<c@other.example>");
	milter_session_add_recipient(session, "D@Moved.Example", true);
	milter_session_add_recipient(session, "<\xc3\xbc@moved.example>",
				     true);
	CU_ASSERT_EQUAL(end(session, "A"), MAIL_ACCEPT);
	CU_ASSERT_EQUAL(count_tags(), 1);
	CU_ASSERT_PTR_NULL(strstr(lines, "other.example"));
	said("to=<D@Moved.Example> via=direct\n");
	said("to=<\xc3\xbc@moved.example> via=direct\n");
	milter_session_deinit(&session);
}

static void test_submission(void)
{
	struct milter_session *session = make_session(OLD);

	mta_clear();
	put_usual();
	begin(session, "<u@moved.example>", "<c@other.example>");
	milter_session_add_recipient(session, "<d@other.example>", false);
	strcpy(session->mail.auth, "user u");
	session->mail.submitted = true;
	CU_ASSERT_EQUAL(end(session, "A"), MAIL_ACCEPT);
	CU_ASSERT_STRING_EQUAL(lines, "submission at=old host=mx.example id=A "
		"client=192.0.2.7 auth=\"user u\" from=<u@moved.example> "
		"recipients=2\n");
	CU_ASSERT_EQUAL(count_tags(), 0);
	milter_session_deinit(&session);
}

/* A client that the MTA makes up for mail without one. */
static void test_local(void)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT
	};
	struct milter_session *session = make_session(OLD);

	milter_session_set_client(session, (struct sockaddr *)&addr);
	CU_ASSERT(!session->smtp);
	milter_session_set_client(session, NULL);
	CU_ASSERT(!session->smtp);
	mta_clear();
	put_usual();
	begin(session, "", "c@moved.example");
	CU_ASSERT_EQUAL(end(session, "A"), MAIL_ACCEPT);
	CU_ASSERT_STRING_EQUAL(lines, "arrival at=old host=mx.example id=A "
			       "from=<> to=<c@moved.example> via=local\n");
	addr.sin6_port = 1;
	milter_session_set_client(session, (struct sockaddr *)&addr);
	CU_ASSERT(session->smtp);
	CU_ASSERT_STRING_EQUAL(session->client, "::1");
	inet_pton(AF_INET6, "::ffff:192.0.2.9", &addr.sin6_addr);
	milter_session_set_client(session, (struct sockaddr *)&addr);
	CU_ASSERT_STRING_EQUAL(session->client, "192.0.2.9");
	milter_session_deinit(&session);
}

static void test_size(void)
{
	static const struct {
		const char *param;
		long long size;
	} tests[] = {
		{ "SIZE=5120", 5120 }, { "size=0", 0 },
		{ "SIZE=99999999999999999999", -1 }, { "SIZE=-1", -1 },
		{ "SIZE=1x", -1 }, { "SIZE=", -1 }, { "BODY=8BITMIME", -1 }
	};
	struct milter_session *session = make_session(OLD);
	char param[40], *params[] = { NULL, NULL };
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		snprintf(param, sizeof(param), "%s", tests[i].param);
		params[0] = param;
		milter_session_begin_mail(session, "<>");
		milter_session_set_params(session, params);
		UNIT_CHECK(session->mail.size == tests[i].size, "%s: %lld",
			   tests[i].param, session->mail.size);
	}
	milter_session_deinit(&session);
}

static void test_many_tags(void)
{
	struct milter_session *session = make_session(OLD);
	uint64_t before = milter_count_get(MILTER_COUNT_FORGED);
	char huge[ARRIVAL_VALUE_MAX + 100];
	unsigned int i;

	mta_clear();
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	put_usual();
	put("Mail-Migration", huge);
	for (i = 0; i < MAIL_TAGS_MAX + 9; i++)
		put("Mail-Migration", "v=1");
	begin(session, "<>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(session, "A"), MAIL_ACCEPT);
	/* the new one, and those over the cap */
	CU_ASSERT_EQUAL(count_tags(), 1 + 10);
	CU_ASSERT_EQUAL(milter_count_get(MILTER_COUNT_FORGED) - before,
			MAIL_TAGS_MAX);
	said("reason=\"too long\"");
	said("reason=\"258 more in this mail\"\n");
	milter_session_deinit(&session);
}

/* An MTA that doesn't do as it's told: the mail is accepted, and counted. */
static void test_failures(void)
{
	struct milter_session *session = make_session(OLD);
	uint64_t before = milter_count_get(MILTER_COUNT_FAILURES);

	milter_config_ref(session->config);
	config_current_set(session->config);
	mta_clear();
	put_usual();
	mta.fails = true;
	begin(session, "<>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(session, "A"), MAIL_ACCEPT);
	said("milter_failure at=old host=mx.example reason=\"A: the MTA "
	     "doesn't add headers\"\n");
	said("\narrival at=old");
	/* no line for the next, but a count; no id, no tag */
	mta_clear();
	put_usual();
	begin(session, "<>", "<c@moved.example>");
	CU_ASSERT_EQUAL(end(session, NULL), MAIL_ACCEPT);
	CU_ASSERT_PTR_NULL(strstr(lines, "milter_failure"));
	CU_ASSERT_EQUAL(milter_count_get(MILTER_COUNT_FAILURES), before + 2);
	CU_ASSERT_EQUAL(count_tags(), 0);
	/* out of memory on the way */
	begin(session, "<>", "<c@moved.example>");
	session->mail.failed = true;
	CU_ASSERT_EQUAL(end(session, "B"), MAIL_ACCEPT);
	CU_ASSERT_EQUAL(milter_count_get(MILTER_COUNT_FAILURES), before + 3);
	config_current_set(NULL);
	milter_session_deinit(&session);
}

/* It says when the next one is to come. */
static void test_heartbeat(void)
{
	struct milter_session *session = make_session(OLD);

	session->config->heartbeat_secs = 90;
	lines[0] = '\0';
	report_heartbeat(session->config, 180, 3);
	said("heartbeat at=old host=mx.example uptime=180 seq=3 interval=90 "
	     "mails=");
	milter_session_deinit(&session);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "decisions", test_decisions },
		{ "first tag", test_first },
		{ "forged tags go", test_forged_go },
		{ "the ways of a mail", test_ways },
		{ "a tag of another mail", test_other_mail },
		{ "odd headers", test_odd_headers },
		{ "recipients", test_recipients },
		{ "submission", test_submission },
		{ "local mail", test_local },
		{ "declared size", test_size },
		{ "many tags", test_many_tags },
		{ "failures", test_failures },
		{ "heartbeat", test_heartbeat },
		{ NULL, NULL }
	};
	int ret;

	if (milter_counters_init() < 0)
		return 1;
	ret = unit_run("milter-mail", tests);
	mta_clear();
	return ret;
}
