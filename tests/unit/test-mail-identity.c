/* test-mail-identity: what relays do to a mail leaves its identity; what makes it
   another mail doesn't. */
#include "engine-unit.h"
#include "istream.h"
#include "istream-concat.h"
#include "str.h"
#include "common/arrival-tag.h"
#include "plugin/engine/mail-identity.h"

#include <stdlib.h>
#include <sys/resource.h>

/* ASan keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
#  define MEMORY_MAX_KB (100*1024)
#else
#  define MEMORY_MAX_KB (10*1024)
#endif

#define MESSAGE_ID "Message-ID: <1.2@example.org>\r\n"
#define FROM "From: \"A. User\" <a.user@example.org>\r\n"
#define DATE "Date: Mon, 05 Jan 2026 10:11:12 +0100\r\n"
#define SUBJECT "Subject: the weekly report of all servers\r\n"
#define HEADERS MESSAGE_ID FROM DATE SUBJECT
#define TEXT "Good morning,\r\n\r\n  all is well.\r\n-- \r\nA. User\r\n"

/* Caf\u00e9, in each encoding */
#define MIME "MIME-Version: 1.0\r\n"
#define TEXT_8BIT MIME "Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: 8bit\r\n\r\n" \
	"Caf\xc3\xa9 = 1 Euro\r\nFrom now on.\r\n"
#define TEXT_QP MIME "Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: Quoted-Printable\r\n\r\n" \
	"Caf=C3=A9 =3D 1=20=\r\nEuro\r\n=46rom now on.\r\n"
#define TEXT_BASE64 MIME "Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\n" \
	"Q2Fmw6kgPSAxIEV1cm8NCkZyb20gbm93IG9uLg0K\r\n"

#define MULTIPART(boundary) MIME "Content-Type: multipart/mixed;\r\n" \
	"\tboundary=\"" boundary "\"\r\n\r\nThis is MIME.\r\n"
#define PART_8BIT "Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: 8bit\r\n\r\nCaf\xc3\xa9\r\n"
#define PART_QP "Content-Type: text/plain; charset=utf-8\r\n" \
	"X-MIME-Autoconverted: from 8bit to quoted-printable by relay\r\n" \
	"Content-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9\r\n"
#define PART_PDF(data) "Content-Type: application/pdf\r\n" \
	"Content-Disposition: attachment; filename=x.pdf\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\n" data "\r\n"
#define PART_MAIL(subject) "Content-Type: message/rfc822\r\n\r\n" \
	"Subject: " subject "\r\nFrom: b@example.org\r\n\r\nforwarded\r\n"

static const struct arrival_key *test_key;

static void
get_stream(struct istream *input, struct mail_identity *identity_r)
{
	const char *error = "";

	UNIT_CHECK(mail_identity_get(input, test_key, identity_r, &error) == 0,
		   "%s", error);
}

static void
get_data(const void *data, size_t size, struct mail_identity *identity_r)
{
	struct istream *input = i_stream_create_from_data(data, size);

	get_stream(input, identity_r);
	i_stream_unref(&input);
}

static struct mail_identity get(const char *text)
{
	struct mail_identity identity;

	get_data(text, strlen(text), &identity);
	return identity;
}

static bool same(const char *a, const char *b)
{
	struct mail_identity identity_a = get(a), identity_b = get(b);
	bool ret = mail_identity_same(&identity_a, &identity_b);

	CU_ASSERT(mail_identity_same(&identity_b, &identity_a) == ret);
	return ret;
}

static const char *lf(const char *text)
{
	string_t *str = t_str_new(strlen(text));

	for (; *text != '\0'; text++) {
		if (*text != '\r' || text[1] != '\n')
			str_append_c(str, *text);
	}
	return str_c(str);
}

struct pair {
	const char *what, *a, *b;
};

static const struct pair relayed[] = {
	{ "trace and filters",
	  HEADERS "\r\n" TEXT,
	  "Return-Path: <a.user@example.org>\r\nDelivered-To: b@c\r\n"
	  "Received: from a by b; Mon, 5 Jan 2026 10:11:13 +0100\r\n"
	  "Received: by c;\r\n\tMon, 5 Jan 2026 10:11:12 +0100\r\n"
	  "DKIM-Signature: v=1; a=rsa-sha256;\r\n h=from:subject; b=abc\r\n"
	  "ARC-Seal: i=1; cv=none\r\nARC-Message-Signature: i=1\r\n"
	  "ARC-Authentication-Results: i=1; mx; dkim=pass\r\n"
	  "Authentication-Results: mx; spf=pass\r\n"
	  "Received-SPF: pass\r\nX-Spam-Status: No, score=0\r\n"
	  "X-Virus-Scanned: yes\r\nMail-Migration: v=1; at=old; host=h\r\n"
	  HEADERS "X-Last: 1\r\nStatus: RO\r\n\r\n" TEXT },
	{ "the order of headers", HEADERS "\r\n" TEXT,
	  SUBJECT DATE FROM MESSAGE_ID "\r\n" TEXT },
	{ "the case of names", HEADERS "\r\n" TEXT,
	  "MESSAGE-ID: <1.2@example.org>\r\n" FROM DATE
	  "sUBJECT: the weekly report of all servers\r\n\r\n" TEXT },
	{ "folding", HEADERS "\r\n" TEXT,
	  "Message-Id:\r\n <1.2@example.org>\r\n"
	  "From: \"A. User\"\r\n\t<a.user@example.org>\r\n"
	  "Date: Mon,  5 Jan 2026\r\n 10:11:12 +0100\r\n"
	  "Subject:   the weekly\r\n\treport of  all\r\n servers  \r\n\r\n"
	  TEXT },
	{ "quotes, comments and cases", HEADERS "\r\n" TEXT,
	  MESSAGE_ID "From: A. User <a.user@EXAMPLE.org>\r\n"
	  "Date: 5 Jan 2026 09:11:12 GMT (gmt)\r\n" SUBJECT "\r\n" TEXT },
	{ "addresses", HEADERS "To: b\r\n\r\n" TEXT,
	  HEADERS "To: b@example.org\r\nCc: <c@example.org>\r\n\r\n" TEXT },
	{ "empty lines at the end", HEADERS "\r\n" TEXT,
	  HEADERS "\r\n" TEXT "\r\n\r\n \t\r\n" },
	{ "no line end at the end", HEADERS "\r\nlast", HEADERS "\r\nlast\r\n" },
	{ "white space at lines' ends", HEADERS "\r\n" TEXT,
	  HEADERS "\r\nGood morning,  \r\n\t\r\n  all is well.\t\r\n--\r\n"
	  "A. User\r\n" },
	{ "no body", HEADERS, HEADERS "\r\n\r\n" },
	{ "encoded words",
	  MESSAGE_ID DATE "From: Andr\xc3\xa9 <a@b>\r\n"
	  "Subject: Caf\xc3\xa9 au lait\r\n\r\n",
	  MESSAGE_ID DATE "From: =?utf-8?Q?Andr=C3=A9?= <a@b>\r\n"
	  "Subject: =?UTF-8?B?Q2Fmw6k=?= au lait\r\n\r\n" },
	{ "encoded words, other charset and cut",
	  MESSAGE_ID DATE "Subject: Caf\xc3\xa9 au lait\r\n\r\n",
	  MESSAGE_ID DATE "Subject: =?iso-8859-1?Q?Caf=E9_?=\r\n"
	  " =?us-ascii?Q?au_lait?=\r\n\r\n" },
	{ "8bit to quoted-printable", HEADERS TEXT_8BIT, HEADERS TEXT_QP },
	{ "white space after a word",
	  HEADERS TEXT_8BIT, HEADERS MIME "Content-Transfer-Encoding:\r\n\tbase64 "
	  "\r\n\r\nQ2Fmw6kgPSAxIEV1cm8NCkZyb20gbm93IG9uLg0K\r\n" },
	{ "8bit to base64", HEADERS TEXT_8BIT, HEADERS TEXT_BASE64 },
	{ "8bit that never said so", HEADERS "\r\nCaf\xc3\xa9\r\n",
	  HEADERS MIME "Content-Type: text/plain; charset=unknown-8bit\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9\r\n" },
	{ "8bit in parts",
	  HEADERS MULTIPART("b") "--b\r\n" PART_8BIT "--b\r\n"
	  PART_PDF("JVBERi0xLjQK") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_QP "--b\r\n"
	  PART_PDF("JVBERi0xLjQK") "--b--\r\n" },
	{ "base64 in other lines",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("JVBERi0xLjQK") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("JVBE\r\nRi0x\r\nLjQK\r\n")
	  "--b--\r\n" },
	{ "another boundary",
	  HEADERS MULTIPART("b") "--b\r\n" PART_8BIT "--b--\r\n",
	  HEADERS MULTIPART("=_xyz") "\r\n--=_xyz\r\n" PART_8BIT
	  "\r\n--=_xyz--\r\n\r\n" },
	{ "a Message-ID that a server added", FROM DATE SUBJECT "\r\n" TEXT,
	  FROM DATE SUBJECT "Message-ID: <added@mx>\r\n\r\n" TEXT },
	{ "the first of several", HEADERS "\r\n" TEXT,
	  HEADERS "Subject: another\r\nFrom: c@d\r\n\r\n" TEXT },
};

static void test_relayed(void)
{
	for (unsigned int i = 0; i < N_ELEMENTS(relayed); i++) T_BEGIN {
		const struct pair *pair = &relayed[i];

		UNIT_CHECK(same(pair->a, pair->b), "%s", pair->what);
		UNIT_CHECK(same(lf(pair->a), pair->b), "%s: LF", pair->what);
		UNIT_CHECK(same(lf(pair->a), lf(pair->b)), "%s: LF, LF",
			   pair->what);
	} T_END;
}

static const struct pair different[] = {
	{ "text", HEADERS "\r\nNumber 1\r\n", HEADERS "\r\nNumber 2\r\n" },
	{ "a space", HEADERS "\r\nZone 1 2\r\n", HEADERS "\r\nZone 12\r\n" },
	{ "indentation", HEADERS "\r\na\r\n b\r\n", HEADERS "\r\na\r\nb\r\n" },
	{ "lines", HEADERS "\r\na\r\nb\r\n", HEADERS "\r\nab\r\n" },
	{ "an empty line", HEADERS "\r\na\r\nb\r\n", HEADERS "\r\na\r\n\r\nb\r\n" },
	{ "text or none", HEADERS "\r\n", HEADERS "\r\na\r\n" },
	{ "subject", HEADERS "\r\n" TEXT,
	  MESSAGE_ID FROM DATE "Subject: another\r\n\r\n" TEXT },
	{ "words of the subject",
	  MESSAGE_ID DATE "Subject: zone 1 2\r\n\r\n",
	  MESSAGE_ID DATE "Subject: zone 12\r\n\r\n" },
	{ "sender", HEADERS "\r\n" TEXT,
	  MESSAGE_ID "From: b@example.org\r\n" DATE SUBJECT "\r\n" TEXT },
	{ "date", HEADERS "\r\n" TEXT, MESSAGE_ID FROM
	  "Date: Mon, 05 Jan 2026 10:11:13 +0100\r\n" SUBJECT "\r\n" TEXT },
	{ "date that can't be read", MESSAGE_ID "Date: a\r\n\r\n",
	  MESSAGE_ID "Date: b\r\n\r\n" },
	{ "the list that sent it", HEADERS "\r\n" TEXT,
	  HEADERS "List-Id: <list.example.org>\r\n\r\n" TEXT },
	{ "Message-ID", HEADERS "\r\n" TEXT,
	  "Message-ID: <1.3@example.org>\r\n" FROM DATE SUBJECT "\r\n" TEXT },
	{ "what is in which header", MESSAGE_ID DATE "Subject: a\r\n\r\n",
	  MESSAGE_ID DATE "From: a\r\n\r\n" },
	{ "an attachment",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("JVBERi0xLjQK") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("JVBERi0xLjUK") "--b--\r\n" },
	{ "attachments' order",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("YQ==") "--b\r\n"
	  PART_PDF("Yg==") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("Yg==") "--b\r\n"
	  PART_PDF("YQ==") "--b--\r\n" },
	{ "one attachment or two",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("YWI=") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("YQ==") "--b\r\n"
	  PART_PDF("Yg==") "--b--\r\n" },
	{ "what is in front of the parts",
	  HEADERS MULTIPART("b") "--b\r\n" PART_8BIT "--b--\r\n",
	  HEADERS MULTIPART("b") "Hello!\r\n--b\r\n" PART_8BIT "--b--\r\n" },
	{ "what is behind the parts",
	  HEADERS MULTIPART("b") "--b\r\n" PART_8BIT "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_8BIT "--b--\r\nBye!\r\n" },
	{ "a multipart without parts",
	  HEADERS MULTIPART("b") "text 1\r\n", HEADERS MULTIPART("b") "text 2\r\n" },
	{ "what is behind the padding",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("YQ==\r\nfooter 1") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("YQ==\r\nfooter 2")
	  "--b--\r\n" },
	{ "base64 that isn't",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("!!! 1") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_PDF("!!! 2") "--b--\r\n" },
	{ "a forwarded mail's subject",
	  HEADERS MULTIPART("b") "--b\r\n" PART_MAIL("one") "--b--\r\n",
	  HEADERS MULTIPART("b") "--b\r\n" PART_MAIL("two") "--b--\r\n" },
	{ "quoted-printable that isn't",
	  HEADERS MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\na=Zb\r\n",
	  HEADERS MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\na=Yb\r\n" },
	/* a device that has no clock and says the same each day */
	{ "neither Message-ID nor date", FROM SUBJECT "\r\n" TEXT,
	  FROM SUBJECT "\r\n" TEXT },
};

static void test_different(void)
{
	for (unsigned int i = 0; i < N_ELEMENTS(different); i++) T_BEGIN {
		const struct pair *pair = &different[i];

		UNIT_CHECK(!same(pair->a, pair->b), "%s", pair->what);
		UNIT_CHECK(!same(lf(pair->a), pair->b), "%s: LF", pair->what);
	} T_END;
}

/* Postfix' smtp_line_length_limit: 998 bytes, CR LF, a space. */
static void test_broken_lines(void)
{
	string_t *whole = t_str_new(4096), *broken = t_str_new(4096);
	unsigned int column = 0;

	str_append(whole, HEADERS "\r\n");
	str_append(broken, HEADERS "\r\n");
	for (unsigned int i = 0; i < 2500; i++) {
		char c = i % 9 == 8 ? ' ' : 'a' + i % 26;

		if (column == 998) {
			str_append(broken, "\r\n ");
			column = 1;
		}
		str_append_c(whole, c);
		str_append_c(broken, c);
		column++;
	}
	CU_ASSERT(same(str_c(whole), str_c(broken)));
	CU_ASSERT(same(lf(str_c(whole)), lf(str_c(broken))));
}

/* Dovecot shows a NUL as 0x80. */
static void test_nul(void)
{
	static const char nul[] = HEADERS "\r\na\0b\r\n";
	struct mail_identity a, b = get(HEADERS "\r\na\x80" "b\r\n");

	get_data(nul, sizeof(nul) - 1, &a);
	CU_ASSERT(mail_identity_same(&a, &b));
}

/* What Dovecot's parser of dates takes for the end is where it is. */
static void test_stale_byte(void)
{
	struct mail_identity identity =
		get("Date: Mon, 5 Jan 2026 10:11:12 +0100\r\n\r\n");

	CU_ASSERT(identity.has_date);
	identity = get(MULTIPART("b") "--b\r\nContent-Type: message/rfc822\r\n\r\n"
		       "Date: Mon, 5 Jan 2026 10:11:12 +0100\r\n\r\n--b\r\n"
		       "Content-Type: message/rfc822\r\n\r\nDate: Mon\r\n\r\n"
		       "--b--\r\n");
	CU_ASSERT(!identity.has_date);
}

/* However the bytes come. */
static void test_pieces(void)
{
	const char *path = t_strconcat(engine_unit_dir(), "/mail", NULL);
	struct mail_identity whole, pieces;
	struct istream *input;

	for (unsigned int i = 0; i < N_ELEMENTS(relayed); i++) T_BEGIN {
		whole = get(relayed[i].b);
		engine_unit_write(path, relayed[i].b, strlen(relayed[i].b));
		input = i_stream_create_file(path, 160);
		get_stream(input, &pieces);
		i_stream_unref(&input);
		UNIT_CHECK(memcmp(whole.digest, pieces.digest,
				  sizeof(whole.digest)) == 0,
			   "%s", relayed[i].what);
	} T_END;
}

static void test_facts(void)
{
	struct mail_identity identity = get(HEADERS "\r\nReceived: no\r\n");

	CU_ASSERT(identity.has_message_id && identity.has_date);
	CU_ASSERT(!identity.arrived && !identity.spam && !identity.tagged);
	CU_ASSERT_STRING_EQUAL(identity.message_id_text, "<1.2@example.org>");
	identity = get("Received: from a\r\nDate: some day\r\n\r\n");
	CU_ASSERT(identity.arrived && !identity.has_date);
	CU_ASSERT(!identity.has_message_id);
	CU_ASSERT_STRING_EQUAL(identity.message_id_text, "");
	identity = get("Message-ID:  \r\n\r\n");
	CU_ASSERT(!identity.has_message_id);
	identity = get("");
	CU_ASSERT(!identity.has_message_id);
	/* those of a mail that is attached are none of it */
	identity = get(MULTIPART("b") "--b\r\nContent-Type: message/rfc822\r\n"
		       "\r\nReceived: a\r\nX-Spam: Yes\r\n" HEADERS
		       "\r\nx\r\n--b--\r\n");
	CU_ASSERT(!identity.arrived && !identity.spam);
	CU_ASSERT(!identity.has_message_id && !identity.has_date);
}

static const struct {
	const char *header;
	bool spam;
} spam_headers[] = {
	{ "X-Spam-Flag: YES", TRUE },
	{ "X-Spam-Flag: NO", FALSE },
	{ "X-Spam-Status: Yes, score=12.3 required=5.0", TRUE },
	{ "X-Spam-Status:\r\n\tYes, score=12.3", TRUE },
	{ "X-Spam-Status: No, score=-1.0", FALSE },
	{ "X-Spam: Yes", TRUE },
	{ "X-Spam: no", FALSE },
	{ "X-Spamd-Result: default: True [15.0 / 15.0]", FALSE },
	{ "X-Spam-Level: *****", FALSE },
	{ "Subject: X-Spam: Yes", FALSE },
};

static void test_spam(void)
{
	struct mail_identity identity;

	for (unsigned int i = 0; i < N_ELEMENTS(spam_headers); i++) T_BEGIN {
		identity = get(t_strconcat(spam_headers[i].header, "\r\n"
					   HEADERS "\r\n" TEXT, NULL));
		UNIT_CHECK(identity.spam == spam_headers[i].spam, "%s",
			   spam_headers[i].header);
	} T_END;
}

static const char *
tag_header(struct arrival_key *key, const char *id, enum arrival_at at)
{
	struct arrival_tag tag = { .at = at, .host = "mx.example" };
	struct arrival_mail *mail = arrival_mail_init();
	char value[ARRIVAL_VALUE_SIZE];
	const char *error;

	strcpy(tag.id, id);
	arrival_mail_begin(mail);
	arrival_mail_add(mail, "Message-ID", "<1.2@example.org>", 17);
	arrival_mail_end(mail);
	CU_ASSERT(arrival_tag_make(key, &tag, mail, value, &error) == 0);
	arrival_mail_deinit(&mail);
	return t_strdup_printf(ARRIVAL_TAG_HEADER": %s\r\n", value);
}

static bool same_tag(const struct mail_identity *a,
		     const struct mail_identity *b)
{
	return a->tagged && b->tagged &&
		memcmp(a->tag, b->tag, sizeof(a->tag)) == 0;
}

static void test_tags(void)
{
	static const char *key_text = "0123456789abcdef0123456789abcdef\n";
	static const char *other_text = "another-key-another-key-another\n";
	const char *error, *one, *two, *forged;
	struct arrival_key *key, *other;
	struct mail_identity a, b;

	CU_ASSERT_FATAL(arrival_key_parse(key_text, strlen(key_text), &key,
					  &error) == 0);
	CU_ASSERT_FATAL(arrival_key_parse(other_text, strlen(other_text),
					  &other, &error) == 0);
	one = tag_header(key, "ID1", ARRIVAL_AT_OLD);
	two = tag_header(key, "ID2", ARRIVAL_AT_NEW);
	forged = tag_header(other, "ID1", ARRIVAL_AT_OLD);

	a = get(t_strconcat(one, HEADERS "\r\na\r\n", NULL));
	CU_ASSERT(!a.tagged);
	test_key = key;
	a = get(t_strconcat(one, HEADERS "\r\na\r\n", NULL));
	b = get(t_strconcat(HEADERS, one, "\r\nb\r\n", NULL));
	CU_ASSERT(same_tag(&a, &b));
	b = get(t_strconcat(HEADERS, two, "\r\na\r\n", NULL));
	CU_ASSERT(b.tagged && !same_tag(&a, &b));
	/* the lowest is the first server's */
	b = get(t_strconcat(two, HEADERS, one, forged, "\r\na\r\n", NULL));
	CU_ASSERT(same_tag(&a, &b));
	b = get(t_strconcat(forged, HEADERS "\r\na\r\n", NULL));
	CU_ASSERT(!b.tagged);
	b = get(t_strconcat(one, "Message-ID: <other>\r\n\r\na\r\n", NULL));
	CU_ASSERT(!b.tagged);
	test_key = NULL;
	arrival_key_free(&key);
	arrival_key_free(&other);
}

static long memory_kb(void)
{
	struct rusage usage;

	CU_ASSERT(getrusage(RUSAGE_SELF, &usage) == 0);
	return usage.ru_maxrss;
}

static void write_large(const char *path, const char *head, uoff_t size)
{
	static const char line[] = "VGhpcyBpcyBhIGxpbmUgb2YgYSBsYXJnZSBhdHRhY2ht"
		"ZW50LCBvZiB3aGljaCB0aGVyZQ==\r\n";
	FILE *file = fopen(path, "w");

	CU_ASSERT_FATAL(file != NULL);
	fputs(head, file);
	for (uoff_t i = 0; i < size; i += sizeof(line) - 1)
		fwrite(line, sizeof(line) - 1, 1, file);
	CU_ASSERT(fclose(file) == 0);
}

/* A large mail is streamed, whatever it looks like. */
static void test_large(void)
{
	static const char *const heads[] = {
		HEADERS "\r\n",
		HEADERS MIME "Content-Transfer-Encoding: base64\r\n\r\n",
		HEADERS MIME "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		HEADERS MULTIPART("b") "--b\r\n",
		HEADERS "X-Long: ",
	};
	const char *path = t_strconcat(engine_unit_dir(), "/mail", NULL);
	bool slow = getenv("UNIT_VALGRIND") != NULL;
	struct mail_identity identity;
	struct istream *input;
	long before;

	for (unsigned int i = 0; i < N_ELEMENTS(heads); i++) {
		write_large(path, heads[i], (slow ? 1 : 25) * 1024*1024);
		input = i_stream_create_file(path, IO_BLOCK_SIZE);
		before = memory_kb();
		get_stream(input, &identity);
		i_stream_unref(&input);
		CU_ASSERT(identity.has_message_id);
		UNIT_CHECK(memory_kb() - before < MEMORY_MAX_KB,
			   "%u: %ld kB more", i, memory_kb() - before);
	}
}

static void test_broken_stream(void)
{
	struct istream *inputs[] = {
		i_stream_create_from_data(HEADERS "\r\n", strlen(HEADERS) + 2),
		i_stream_create_error_str(EIO, "broken"),
		NULL
	};
	struct istream *input = i_stream_create_concat(inputs);
	struct mail_identity identity;
	const char *error = NULL;

	CU_ASSERT(mail_identity_get(input, NULL, &identity, &error) < 0);
	CU_ASSERT(error != NULL && strstr(error, "broken") != NULL);
	i_stream_unref(&input);
	i_stream_unref(&inputs[0]);
	i_stream_unref(&inputs[1]);
}

static const struct unit_test tests[] = {
	{ "relayed", test_relayed },
	{ "different", test_different },
	{ "broken lines", test_broken_lines },
	{ "NUL", test_nul },
	{ "stale byte", test_stale_byte },
	{ "pieces", test_pieces },
	{ "facts", test_facts },
	{ "spam", test_spam },
	{ "tags", test_tags },
	{ "large", test_large },
	{ "broken stream", test_broken_stream },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("mail-identity", tests);
}
