/* test-received-header: who gave a mail to the server, by the lines that many
   servers write. */
#include "engine-unit.h"
#include "istream.h"
#include "plugin/engine/received-header.h"

/* Mon, 05 Jan 2026 10:11:12 +0100 */
#define DATE "Mon, 5 Jan 2026 10:11:12 +0100"
#define DATE_TIME 1767604272
/* What the sender's server wrote, which is never the answer. */
#define SENDERS_OWN \
	"Received: from laptop.lan (laptop.lan [192.168.7.7])\r\n" \
	"\tby mail.sender.example (Postfix) with ESMTPSA id 0FF1C3\r\n" \
	"\tfor <bob@rcpt.example>; Mon, 5 Jan 2026 09:00:00 +0100 (CET)\r\n"
#define REST "From: a@sender.example\r\nSubject: x\r\n"

#define CLIENT "192.0.2.7"
#define NAME "mail.sender.example"
#define FROM "a@sender.example"
#define TO "bob@rcpt.example"

struct form {
	const char *server;
	/* without what the sender's server wrote */
	const char *headers;
	const char *client, *name, *by, *return_path, *recipient;
};

static const struct form forms[] = {
	{ "Postfix, virtual(8)",
	  "Return-Path: <a@sender.example>\r\n"
	  "X-Original-To: bob@rcpt.example\r\n"
	  "Delivered-To: bob@store.rcpt.example\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n"
	  "\t key-exchange X25519 server-signature RSA-PSS (2048 bits))\r\n"
	  "\t(Client CN \"by [198.51.100.9]\", Issuer \"R3\" (verified OK))\r\n"
	  "\tby mx.rcpt.example (Postfix) with ESMTPS id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; Mon,  5 Jan 2026 10:11:12 +0100 (CET)\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Postfix, a HELO that lies and no name",
	  "Return-Path: <>\r\n"
	  "Received: from [198.51.100.9] (unknown [IPv6:2001:db8::7])\r\n"
	  "\tby mx.rcpt.example (Postfix) with SMTP id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  "2001:db8::7", "", "mx.rcpt.example", "", TO },
	{ "Postfix, amavis, and LMTP to Dovecot",
	  "Return-Path: <a@sender.example>\r\n"
	  "Delivered-To: bob@rcpt.example\r\n"
	  "Received: from mx.rcpt.example ([127.0.0.1])\r\n"
	  "\tby mx.rcpt.example with LMTP\r\n"
	  "\tid WLdBDcCAW2nTKAAA0J78UA\r\n"
	  "\t(envelope-from <a@sender.example>)\r\n"
	  "\tfor <bob@rcpt.example>; Mon, 05 Jan 2026 10:11:14 +0100\r\n"
	  "Received: from localhost (localhost [127.0.0.1])\r\n"
	  "\tby mx.rcpt.example (Postfix) with ESMTP id 4XyZ2\r\n"
	  "\tfor <bob@rcpt.example>; Mon,  5 Jan 2026 10:11:13 +0100 (CET)\r\n"
	  "X-Virus-Scanned: Debian amavisd-new at mx.rcpt.example\r\n"
	  "Received: from mx.rcpt.example ([127.0.0.1])\r\n"
	  "\tby localhost (mx.rcpt.example [127.0.0.1]) (amavisd-new, port 10024)\r\n"
	  "\twith ESMTP id nGv6aCd3RrCO for <bob@rcpt.example>;\r\n"
	  "\tMon,  5 Jan 2026 10:11:12 +0100 (CET)\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby mx.rcpt.example (Postfix) with ESMTPS id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; Mon,  5 Jan 2026 10:11:12 +0100 (CET)\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Postfix, a filter that comes back through sendmail(1)",
	  "Received: by mx.rcpt.example (Postfix, from userid 999)\r\n"
	  "\tid 4XyZ3; Mon,  5 Jan 2026 10:11:15 +0100 (CET)\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby mx.rcpt.example (Postfix) with ESMTPS id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", "", TO },
	{ "Exim",
	  "Return-path: <a@sender.example>\r\n"
	  "Envelope-to: bob@rcpt.example\r\n"
	  "Delivery-date: " DATE "\r\n"
	  "Received: from mail.sender.example ([192.0.2.7] helo=[198.51.100.9])\r\n"
	  "\tby mx.rcpt.example with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n"
	  "\t(Exim 4.96)\r\n"
	  "\t(envelope-from <a@sender.example>)\r\n"
	  "\tid 1vcY3k-0005Qx-2T\r\n"
	  "\tfor bob@rcpt.example;\r\n"
	  "\tMon, 05 Jan 2026 10:11:12 +0100\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Exim, a client without a name",
	  "Received: from [192.0.2.7] (port=5050 helo=mail.sender.example)\r\n"
	  "\tby mx.rcpt.example with esmtp (Exim 4.94.2)\r\n"
	  "\t(envelope-from <a@sender.example>) id 1vcY3k-0005Qx-2T\r\n"
	  "\tfor bob@rcpt.example; Mon, 05 Jan 2026 10:11:12 +0100\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Exim, SpamAssassin in a transport",
	  "Received: from spam by mx.rcpt.example with spam-scanned (Exim 4.96)\r\n"
	  "\tid 1vcY3l-0005Qx-2T for bob@rcpt.example; " DATE "\r\n"
	  "Received: from mail.sender.example ([192.0.2.7])\r\n"
	  "\tby mx.rcpt.example with esmtps (Exim 4.96) id 1vcY3k-0005Qx-2T\r\n"
	  "\tfor bob@rcpt.example; " DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", "", TO },
	{ "cPanel: from a site of the host itself",
	  "Received: from www by host.rcpt.example with local (Exim 4.98)\r\n"
	  "\t(envelope-from <www@host.rcpt.example>) id 1vcY3k-0005Qx-2T\r\n"
	  "\tfor bob@rcpt.example; Mon, 05 Jan 2026 10:11:12 +0100\r\n",
	  "", "", "host.rcpt.example", "www@host.rcpt.example", TO },
	{ "Sendmail",
	  "Return-Path: <a@sender.example>\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby mx.rcpt.example (8.17.1/8.17.1/Debian-2) with ESMTPS id\r\n"
	  "\t6059BCde012345 (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 "
	  "bits=256\r\n\tverify=NOT) for <bob@rcpt.example>;\r\n\t" DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Sendmail, ident and a name that may be forged",
	  "Received: from mail.sender.example "
	  "(IDENT:joe@www.bank.example [192.0.2.7] (may be forged))\r\n"
	  "\tby mx.rcpt.example (8.13.8/8.13.8) with ESMTP id 6059BCde012345\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", "", TO },
	{ "qmail",
	  "Return-Path: <a@sender.example>\r\n"
	  "Delivered-To: bob@rcpt.example\r\n"
	  "Received: (qmail 12345 invoked by uid 89); 5 Jan 2026 09:11:13 -0000\r\n"
	  "Received: from unknown (HELO mail.sender.example) (192.0.2.7)\r\n"
	  "  by mx.rcpt.example with SMTP; 5 Jan 2026 09:11:12 -0000\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "qmail, a name by DNS and an authenticated sender",
	  "Received: (qmail 12345 invoked from network); 5 Jan 2026 09:11:13 -0000\r\n"
	  "Received: from mail.sender.example (HELO [198.51.100.9]) "
	  "(joe@192.0.2.7)\r\n"
	  "  by mx.rcpt.example with ESMTPA; 5 Jan 2026 09:11:12 -0000\r\n",
	  CLIENT, NAME, "mx.rcpt.example", "", "" },
	{ "Courier",
	  "Delivered-To: bob@rcpt.example\r\n"
	  "Return-Path: <a@sender.example>\r\n"
	  "Received: from mail.sender.example (mail.sender.example "
	  "[::ffff:192.0.2.7])\r\n"
	  "  (TLS: TLSv1.2,128bits,ECDHE-RSA-AES128-GCM-SHA256)\r\n"
	  "  by mx.rcpt.example with ESMTPS; Mon, 05 Jan 2026 10:11:12 +0100\r\n"
	  "  id 00000000000204C5.000000006959FFFF.00001A2B\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Exchange on premises",
	  "Received: from EX2.corp.rcpt.example (10.0.0.6) by "
	  "EX1.corp.rcpt.example\r\n"
	  " (10.0.0.5) with Microsoft SMTP Server (version=TLS1_2,\r\n"
	  " cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.1.2507.6 via "
	  "Mailbox\r\n Transport; Mon, 5 Jan 2026 10:11:14 +0100\r\n"
	  "Received: from EX2.corp.rcpt.example (fe80::1) by "
	  "EX2.corp.rcpt.example\r\n"
	  " (10.0.0.6) with Microsoft SMTP Server id 15.1.2507.6; "
	  "Mon, 5 Jan 2026 10:11:13 +0100\r\n"
	  "Received: from mail.sender.example (192.0.2.7) by "
	  "mx.corp.rcpt.example\r\n"
	  " (10.0.0.6) with Microsoft SMTP Server id 15.1.2507.6 via Frontend\r\n"
	  " Transport; Mon, 5 Jan 2026 10:11:12 +0100\r\n"
	  "Return-Path: a@sender.example\r\n",
	  CLIENT, NAME, "mx.corp.rcpt.example", FROM, "" },
	{ "Exchange 2003",
	  "Received: from mail.sender.example ([192.0.2.7]) by mx.rcpt.example "
	  "with Microsoft SMTPSVC(6.0.3790.4675);\r\n\t " DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", "", "" },
	{ "Office 365",
	  "Received: from AM0PR01MB1.eurprd01.prod.outlook.com "
	  "(2603:10a6:208::1)\r\n by VI1PR01MB2.eurprd01.prod.outlook.com with "
	  "HTTPS; Mon, 5 Jan 2026\r\n 09:11:15 +0000\r\n"
	  "Received: from AM5EUR03FT032.eop-EUR03.prod.protection.outlook.com\r\n"
	  " (2603:10a6:208:cafe::2) by AM0PR01MB1.eurprd01.prod.outlook.com\r\n"
	  " (2603:10a6:208::1) with Microsoft SMTP Server (version=TLS1_2) id\r\n"
	  " 15.20.9500.1; Mon, 5 Jan 2026 09:11:13 +0000\r\n"
	  "Received: from mail.sender.example (192.0.2.7) by\r\n"
	  " AM5EUR03FT032.mail.protection.outlook.com (10.152.16.77) with "
	  "Microsoft\r\n SMTP Server id 15.20.9500.1 via Frontend Transport; "
	  "Mon, 5 Jan 2026\r\n 09:11:12 +0000\r\n"
	  "Return-Path: a@sender.example\r\n",
	  CLIENT, NAME, "AM5EUR03FT032.mail.protection.outlook.com", FROM, "" },
	{ "Gmail",
	  "Delivered-To: bob@rcpt.example\r\n"
	  "Received: by 2002:a05:7300:ab0c:b0:17a:1234:5678 with SMTP id "
	  "b12csp123;\r\n        Mon, 5 Jan 2026 01:11:13 -0800 (PST)\r\n"
	  "X-Received: by 2002:a17:907:1 with SMTP id x1; Mon, 05 Jan 2026 "
	  "01:11:13 -0800 (PST)\r\n"
	  "Return-Path: <a@sender.example>\r\n"
	  "Received: from mail.sender.example (mail.sender.example. "
	  "[192.0.2.7])\r\n        by mx.google.com with ESMTPS id "
	  "a640c23a62f3a-b8.10.2026.01.05.01.11.12\r\n        for "
	  "<bob@rcpt.example>\r\n        (version=TLS1_3 "
	  "cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n"
	  "        Mon, 05 Jan 2026 01:11:12 -0800 (PST)\r\n",
	  CLIENT, NAME, "mx.google.com", FROM, TO },
	{ "Cyrus",
	  "Return-Path: <a@sender.example>\r\n"
	  "Received: from mx.rcpt.example ([unix socket])\r\n"
	  "\t by mx.rcpt.example (Cyrus 3.6.1-Debian) with LMTPA;\r\n"
	  "\t Mon, 05 Jan 2026 10:11:13 +0100\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby mx.rcpt.example (Postfix) with ESMTPS id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Zimbra",
	  "Return-Path: a@sender.example\r\n"
	  "Received: from localhost (LHLO zimbra.rcpt.example) (127.0.0.1) by\r\n"
	  " zimbra.rcpt.example with LMTP; Mon, 5 Jan 2026 10:11:14 +0100 (CET)\r\n"
	  "Received: from localhost (localhost [127.0.0.1])\r\n"
	  "\tby zimbra.rcpt.example (Postfix) with ESMTP id 4XyZ2\r\n"
	  "\tfor <bob@rcpt.example>; Mon,  5 Jan 2026 10:11:13 +0100 (CET)\r\n"
	  "Received: from zimbra.rcpt.example ([127.0.0.1])\r\n"
	  "\tby localhost (zimbra.rcpt.example [127.0.0.1]) (amavisd-new, port "
	  "10032)\r\n\twith ESMTP id 3G; Mon,  5 Jan 2026 10:11:13 +0100 (CET)\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby zimbra.rcpt.example (Postfix) with ESMTPS id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  CLIENT, NAME, "zimbra.rcpt.example", FROM, TO },
	{ "MDaemon",
	  "Received: from mail.sender.example [192.0.2.7] by rcpt.example "
	  "(MDaemon PRO v12.5.0)\r\n\twith ESMTP id md50000123456.msg\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n"
	  "X-Return-Path: a@sender.example\r\n",
	  CLIENT, NAME, "rcpt.example", "", TO },
	{ "Domino",
	  "Received: from mail.sender.example ([192.0.2.7])\r\n"
	  "          by domino.rcpt.example (IBM Domino Release 9.0.1FP10)\r\n"
	  "          with ESMTP id 2026010510111200-1234 ;\r\n"
	  "          " DATE "\r\n",
	  CLIENT, NAME, "domino.rcpt.example", "", "" },
	{ "OpenSMTPD",
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby mx.rcpt.example (OpenSMTPD) with ESMTPS id 0a1b2c3d "
	  "(TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)\r\n"
	  "\tfor <bob@rcpt.example>;\r\n\t" DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", "", TO },
	{ "IONOS",
	  "Return-Path: <a@sender.example>\r\n"
	  "Received: from mail.sender.example ([192.0.2.7]) by mx.rcpt.example "
	  "(mxeue012\r\n [198.51.100.15]) with ESMTPS (Nemesis) id "
	  "1MtOiU-1vcY3k1abc-00utRh for\r\n <bob@rcpt.example>; " DATE "\r\n",
	  CLIENT, NAME, "mx.rcpt.example", FROM, TO },
	{ "Yahoo",
	  "Received: from 192.0.2.7 (EHLO mail.sender.example)\r\n"
	  " by 10.197.32.7 with SMTPs\r\n (version=TLS1_3 "
	  "cipher=TLS_AES_128_GCM_SHA256);\r\n Mon, 05 Jan 2026 09:11:12 +0000\r\n",
	  CLIENT, NAME, "10.197.32.7", "", "" },
	{ "fetchmail, into a local Postfix",
	  "Received: from home.rcpt.example (localhost [127.0.0.1])\r\n"
	  "\tby home.rcpt.example (Postfix) with ESMTP id 4XyZ1\r\n"
	  "\tfor <bob@localhost>; Mon,  5 Jan 2026 10:20:00 +0100 (CET)\r\n"
	  "Received: from pop.isp.example [198.51.100.8]\r\n"
	  "\tby home.rcpt.example with POP3 (fetchmail-6.4.37)\r\n"
	  "\tfor <bob@localhost> (single-drop); Mon, 05 Jan 2026 10:20:00 "
	  "+0100 (CET)\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby mx.isp.example (Postfix) with ESMTPS id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  CLIENT, NAME, "mx.isp.example", "", TO },
	{ "a store behind an MX in a private network",
	  "Received: from mx1.hoster.example (10.1.2.3 [10.1.2.3])\r\n"
	  "\tby store3.hoster.example (Postfix) with ESMTP id 4XyZ2\r\n"
	  "\tfor <bob@rcpt.example>; Mon,  5 Jan 2026 10:11:13 +0100 (CET)\r\n"
	  "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n"
	  "\tby mx1.hoster.example (Postfix) with ESMTPS id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  CLIENT, NAME, "mx1.hoster.example", "", TO },
	{ "the office's printer",
	  "Received: from printer (printer.lan [192.168.1.50])\r\n"
	  "\tby mx.rcpt.example (Postfix) with SMTP id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  "192.168.1.50", "printer.lan", "mx.rcpt.example", "", TO },
	{ "a client on the loopback, as in a lab",
	  "Received: from mail.sender.example (localhost [127.0.0.1])\r\n"
	  "\tby mx.rcpt.example (Postfix) with ESMTP id 4XyZ1\r\n"
	  "\tfor <bob@rcpt.example>; " DATE "\r\n",
	  "127.0.0.1", "localhost", "mx.rcpt.example", "", TO },
};

static int
get(const char *text, struct received_header *received_r, pool_t pool)
{
	struct istream *input = i_stream_create_from_data(text, strlen(text));
	const char *error;
	int ret;

	ret = received_header_get(input, pool, received_r, &error);
	i_stream_unref(&input);
	return ret;
}

static void check_str(const char *server, const char *what, const char *is,
		      const char *expected)
{
	UNIT_CHECK(strcmp(is, expected) == 0, "%s: %s is '%s', not '%s'",
		   server, what, is, expected);
}

static void check_form(const struct form *form, const char *rest, bool lf)
{
	const char *text = t_strconcat(form->headers, rest, "\r\nbody\r\n",
				       NULL);
	pool_t pool = pool_alloconly_create("received", 1024);
	struct received_header received;

	/* white space at the lines' ends then */
	if (lf)
		text = t_str_replace(text, '\r', ' ');
	CU_ASSERT(get(text, &received, pool) == 0);
	check_str(form->server, "client", received.client, form->client);
	check_str(form->server, "name", received.name, form->name);
	check_str(form->server, "by", received.by, form->by);
	check_str(form->server, "sender", received.return_path,
		  form->return_path);
	check_str(form->server, "recipient", received.recipient,
		  form->recipient);
	UNIT_CHECK(received.received == DATE_TIME, "%s: %ld", form->server,
		   (long)received.received);
	pool_unref(&pool);
}

static void test_forms(void)
{
	for (unsigned int i = 0; i < N_ELEMENTS(forms); i++) T_BEGIN {
		check_form(&forms[i], REST, FALSE);
		check_form(&forms[i], REST, TRUE);
	} T_END;
}

/* What the sender's server wrote makes no difference. */
static void test_below(void)
{
	for (unsigned int i = 0; i < N_ELEMENTS(forms); i++) {
		/* mail that came from the server itself has nothing below */
		if (*forms[i].client == '\0')
			continue;
		T_BEGIN {
			check_form(&forms[i], SENDERS_OWN REST, FALSE);
		} T_END;
	}
}

static void check_odd(const char *text, const char *client, const char *name,
		      time_t date)
{
	pool_t pool = pool_alloconly_create("received", 1024);
	struct received_header received;

	CU_ASSERT(get(text, &received, pool) == 0);
	check_str(text, "client", received.client, client);
	check_str(text, "name", received.name, name);
	UNIT_CHECK(received.received == date, "%s: %ld", text,
		   (long)received.received);
	pool_unref(&pool);
}

static void test_odd(void)
{
	const char *many;

	check_odd("", "", "", 0);
	check_odd("\r\n", "", "", 0);
	check_odd("Subject: no line\r\n\r\nReceived: from a ([192.0.2.1])\r\n",
		  "", "", 0);
	check_odd("Received:\r\n\r\n", "", "", 0);
	check_odd("Received: from\r\n\r\n", "", "", 0);
	check_odd("Received: from a (b [192.0.2.1]\r\n\r\n", "192.0.2.1", "b",
		  0);
	check_odd("Received: from a (b [192.0.2.1)\r\n\r\n", "", "a", 0);
	check_odd("Received: from 12 (unknown [192.0.2.1]) by b\r\n\r\n",
		  "192.0.2.1", "12", 0);
	check_odd("Received: from 192.0.2.1. by b\r\n\r\n", "", "", 0);
	check_odd("Received: from a ([999.0.2.1]) by b; some day\r\n\r\n", "",
		  "a", 0);
	check_odd("Received: from a by b; nonsense; "DATE"\r\n\r\n", "", "a",
		  DATE_TIME);
	/* in a header that goes on and on the beginning tells it all */
	many = t_strdup_printf("Received: from a ([192.0.2.1]) %0*d\r\n\r\n",
			       100000, 0);
	check_odd(many, "192.0.2.1", "a", 0);
	many = t_strdup_printf("Received: from a ([192.0.2.1])%*s; "DATE
			       "\r\n\r\n", 3000, "");
	check_odd(many, "192.0.2.1", "a", DATE_TIME);
}

static void test_envelope(void)
{
	const char *text = "Delivered-To: c@d\r\nReturn-Path: <x@y>\r\n"
		"X-Original-To: a@b\r\nReturn-Path: <w@z>\r\n"
		"Received: from h by g for <e@f>; "DATE"\r\n\r\n";
	pool_t pool = pool_alloconly_create("received", 1024);
	struct received_header received;

	CU_ASSERT(get(text, &received, pool) == 0);
	CU_ASSERT_STRING_EQUAL(received.return_path, "x@y");
	CU_ASSERT_STRING_EQUAL(received.recipient, "a@b");
	pool_unref(&pool);
}

static void test_broken_stream(void)
{
	struct istream *input = i_stream_create_error_str(EIO, "broken");
	pool_t pool = pool_alloconly_create("received", 1024);
	struct received_header received;
	const char *error = NULL;

	CU_ASSERT(received_header_get(input, pool, &received, &error) < 0);
	CU_ASSERT(error != NULL && strstr(error, "broken") != NULL);
	i_stream_unref(&input);
	pool_unref(&pool);
}

/* A name that the client gave itself isn't one by DNS. */
static void test_verified(void)
{
	static const struct {
		const char *from;
		const char *name;
		bool verified;
	} cases[] = {
		{ "a.example (b.example [192.0.2.7])", "b.example", TRUE },
		{ "a.example (unknown [192.0.2.7])", "a.example", FALSE },
		{ "b.example ([192.0.2.7] helo=a.example)", "b.example", TRUE },
		{ "[192.0.2.7] (helo=a.example)", "a.example", FALSE },
		{ "a.example (b.example [192.0.2.7] (may be forged))",
		  "a.example", FALSE },
		{ "unknown (HELO a.example) (192.0.2.7)", "a.example", FALSE },
		{ "b.example (HELO a.example) (192.0.2.7)", "b.example", TRUE },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(cases); i++) T_BEGIN {
		const char *text = t_strdup_printf("Received: from %s\r\n"
			"\tby mx.rcpt.example with ESMTP id 1; " DATE "\r\n"
			"\r\n", cases[i].from);
		pool_t pool = pool_alloconly_create("received", 1024);
		struct received_header received;

		CU_ASSERT(get(text, &received, pool) == 0);
		check_str(cases[i].from, "name", received.name, cases[i].name);
		CU_ASSERT(received.verified == cases[i].verified);
		pool_unref(&pool);
	} T_END;
}

static const struct unit_test tests[] = {
	{ "which names are by DNS", test_verified },
	{ "forms", test_forms },
	{ "below", test_below },
	{ "odd", test_odd },
	{ "envelope", test_envelope },
	{ "broken stream", test_broken_stream },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("received-header", tests);
}
