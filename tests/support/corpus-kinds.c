#include "corpus-kinds.h"

#include <stdlib.h>
#include <time.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define DAY 86400
#define DOUBLE_INSTANT 1325376000LL	/* 2012 */
#define MIME_DEPTH 50

static void add_date(struct maker *maker)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	time_t local = maker->instant + (time_t)maker->zone * 60;
	int zone = abs(maker->zone);
	struct tm tm;
	char buf[64];

	gmtime_r(&local, &tm);
	strftime(buf, sizeof(buf), "%d %b %Y %H:%M:%S", &tm);
	text_printf(&maker->text, "Date: %.3s, %s %c%02d%02d\r\n",
		    days + local / DAY % 7 * 3, buf,
		    maker->zone < 0 ? '-' : '+', zone / 60, zone % 60);
}

static void add_id(struct maker *maker, uint64_t id)
{
	text_printf(&maker->text, "Message-ID: <%llx.%llx@sender.example>\r\n",
		    (unsigned long long)id,
		    (unsigned long long)maker->corpus->seed);
}

/* Everything but Subject, Message-ID and the MIME header. */
static void add_envelope(struct maker *maker)
{
	unsigned int who = corpus_rng_below(&maker->rng, 1000);

	text_printf(&maker->text, "Return-Path: <user%u@sender.example>\r\n"
		    "Received: from mx%u.sender.example (192.0.2.%u)\r\n"
		    "\tby old.example with ESMTP id %08x; ", who, who % 7,
		    who % 250, (unsigned int)corpus_rng_next(&maker->rng));
	text_printf(&maker->text, "Thu, 1 Jan 1970 00:00:00 +0000\r\n");
	text_printf(&maker->text, "From: \"User %u\" <user%u@sender.example>"
		    "\r\nTo: <owner@old.example>\r\n", who, who);
	add_date(maker);
}

static void add_subject(struct maker *maker)
{
	text_printf(&maker->text, "Subject: %s ",
		    text_word(&maker->rng, false));
	text_printf(&maker->text, "%s %u\r\n", text_word(&maker->rng, false),
		    maker->n);
}

static void add_header(struct maker *maker)
{
	add_envelope(maker);
	add_subject(maker);
	add_id(maker, maker->n + 1);
}

static void add_type(struct maker *maker, const char *type)
{
	text_printf(&maker->text, "MIME-Version: 1.0\r\nContent-Type: %s\r\n",
		    type);
}

static void end_header(struct maker *maker)
{
	text_add(&maker->text, "\r\n", 2);
}

static void make_plain(struct maker *maker)
{
	add_header(maker);
	add_type(maker, "text/plain; charset=us-ascii");
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
}

static void make_html(struct maker *maker)
{
	add_header(maker);
	add_type(maker, "multipart/alternative; boundary=\"alt\"");
	end_header(maker);
	text_printf(&maker->text, "--alt\r\nContent-Type: text/plain\r\n\r\n");
	text_words(&maker->text, &maker->rng, maker->size / 3, 70, "\r\n",
		   false);
	text_printf(&maker->text, "--alt\r\nContent-Type: text/html; "
		    "charset=utf-8\r\n\r\n<html><body><p>\r\n");
	text_words(&maker->text, &maker->rng, maker->size * 2 / 3, 200,
		   "</p>\r\n<p>", true);
	text_printf(&maker->text, "\r\n</body></html>\r\n--alt--\r\n");
}

static void make_8bit_header(struct maker *maker)
{
	add_envelope(maker);
	text_printf(&maker->text, "Subject: Gr\xfc\xdf" "e %u \xe9\xe8 "
		    "\x80\xff\xfe\r\n", maker->n);
	text_printf(&maker->text, "X-Raw: \xd0\xbf\xd0\xbe \xf0\x9f\x9a\x80"
		    "\r\n");
	add_id(maker, maker->n + 1);
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
}

static void make_encoded_words(struct maker *maker)
{
	add_envelope(maker);
	text_printf(&maker->text, "Subject: =?UTF-8?B?0L/QvtGH0YLQsA==?= "
		    "=?iso-8859-1?Q?Gr=FC=DFe_%u?=\r\n"
		    " =?utf-8?q?broken=C3?= =?x-unknown?B?AAAA?= =?utf-8?B\r\n",
		    maker->n);
	add_id(maker, maker->n + 1);
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
}

static void make_long_header(struct maker *maker)
{
	size_t i;

	add_header(maker);
	text_printf(&maker->text, "X-Long: ");
	for (i = 0; i < 30 * 1024; i += 10)
		text_printf(&maker->text, "%09zu;", i);
	text_printf(&maker->text, "\r\nReferences:");
	for (i = 0; i < 400; i++)
		text_printf(&maker->text, "\r\n <%zu@sender.example>", i);
	text_printf(&maker->text, "\r\n");
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
}

static void make_deep_mime(struct maker *maker)
{
	int i;

	add_header(maker);
	add_type(maker, "multipart/mixed; boundary=\"b0\"");
	end_header(maker);
	for (i = 0; i < MIME_DEPTH; i++) {
		text_printf(&maker->text, "--b%d\r\nContent-Type: multipart/"
			    "mixed; boundary=\"b%d\"\r\n\r\n", i, i + 1);
	}
	text_printf(&maker->text, "--b%d\r\nContent-Type: message/rfc822\r\n"
		    "\r\nSubject: inner\r\n\r\n", MIME_DEPTH);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
	for (i = MIME_DEPTH; i >= 0; i--)
		text_printf(&maker->text, "--b%d--\r\n", i);
}

static void make_empty_body(struct maker *maker)
{
	add_header(maker);
	end_header(maker);
}

static void make_header_only(struct maker *maker)
{
	/* not even the empty line */
	add_header(maker);
}

static void make_no_final_newline(struct maker *maker)
{
	make_plain(maker);
	text_printf(&maker->text, "the end without a newline");
}

static void make_attachment(struct maker *maker)
{
	add_header(maker);
	add_type(maker, "multipart/mixed; boundary=\"att\"");
	end_header(maker);
	text_printf(&maker->text, "--att\r\nContent-Type: text/plain\r\n\r\n"
		    "see the attachment\r\n--att\r\nContent-Type: "
		    "application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
		    "Content-Disposition: attachment; filename*=utf-8''"
		    "Gr%%C3%%B6%%C3%%9Fe.pdf\r\n\r\n");
	text_base64(&maker->text, &maker->rng, maker->size);
	text_printf(&maker->text, "--att--\r\n");
}

static void make_short_lines(struct maker *maker)
{
	unsigned int i;

	add_header(maker);
	end_header(maker);
	for (i = 0; i < 50000; i++)
		text_add(&maker->text, "x\r\n\r\n" + (i % 3 == 0 ? 3 : 0),
			 i % 3 == 0 ? 2 : 3);
}

static void make_long_lines(struct maker *maker)
{
	add_header(maker);
	end_header(maker);
	text_words(&maker->text, &maker->rng, 60000, 10240, "\r\n", false);
	text_words(&maker->text, &maker->rng, 66000, 66000, "\r\n", true);
}

static void make_same_id(struct maker *maker)
{
	add_envelope(maker);
	add_subject(maker);
	text_printf(&maker->text, "Message-ID: <the.same@sender.example>\r\n");
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
}

static void make_no_id(struct maker *maker)
{
	add_envelope(maker);
	add_subject(maker);
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
}

static void make_double(struct maker *maker)
{
	/* all of its kind are equal, byte for byte */
	corpus_rng_init(&maker->rng, maker->corpus->seed, 0);
	maker->n = 0;
	maker->instant = DOUBLE_INSTANT;
	maker->zone = 0;
	maker->size = 1500;
	make_plain(maker);
}

static void make_dots(struct maker *maker)
{
	add_header(maker);
	end_header(maker);
	text_printf(&maker->text, ".\r\n..\r\n.dot\r\n. \r\n...\r\n\r\n.\r\n");
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n.", false);
}

static void make_from_lines(struct maker *maker)
{
	add_header(maker);
	end_header(maker);
	text_printf(&maker->text, "From here on\r\n>From there\r\n\r\n"
		    "From user@sender.example Thu Jan  1 00:00:00 1970\r\n"
		    "Subject: not a message\r\n\r\n");
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\nFrom ",
		   false);
}

static void make_lone_cr(struct maker *maker)
{
	add_header(maker);
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 30, "\rmiddle\r\r\n",
		   false);
}

static void make_utf8(struct maker *maker)
{
	add_envelope(maker);
	text_printf(&maker->text, "Subject: почта 会議 🚀 %u\r\n"
		    "From: \"Käthe Ångström\" <kät\xcc\x88he@приклад.example>"
		    "\r\n", maker->n);
	add_id(maker, maker->n + 1);
	add_type(maker, "text/plain; charset=utf-8");
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", true);
}

static void make_empty_headers(struct maker *maker)
{
	text_printf(&maker->text, "Subject:\r\nFrom:\r\nTo: undisclosed:;\r\n"
		    "Date: yesterday\r\nX-Empty: \r\n \r\n: no name\r\n"
		    "no colon at all %u\r\n", maker->n);
	end_header(maker);
	text_words(&maker->text, &maker->rng, maker->size, 70, "\r\n", false);
}

const struct kind corpus_kind_table[] = {
	{ "plain", make_plain },
	{ "html", make_html },
	{ "attachment", make_attachment },
	{ "8bit-header", make_8bit_header },
	{ "encoded-words", make_encoded_words },
	{ "long-header", make_long_header },
	{ "deep-mime", make_deep_mime },
	{ "empty-body", make_empty_body },
	{ "header-only", make_header_only },
	{ "no-final-newline", make_no_final_newline },
	{ "short-lines", make_short_lines },
	{ "long-lines", make_long_lines },
	{ "same-message-id", make_same_id },
	{ "no-message-id", make_no_id },
	{ "double", make_double },
	{ "dot-lines", make_dots },
	{ "from-lines", make_from_lines },
	{ "lone-cr", make_lone_cr },
	{ "utf8", make_utf8 },
	{ "broken-header", make_empty_headers }
};

unsigned int corpus_kinds(void)
{
	return N_ELEMENTS(corpus_kind_table);
}

const char *corpus_kind_name(unsigned int kind)
{
	return corpus_kind_table[kind].name;
}
