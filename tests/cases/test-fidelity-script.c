#include "test-fidelity-script.h"

#include <stdlib.h>
#include <string.h>

#define A FIDELITY_A
#define B FIDELITY_B
#define OTHER FIDELITY_OTHER

#define HEAD(id, subject, from, day) \
	"From: " from "\r\nTo: bob@example.org\r\n" \
	"Message-ID: <" id "@example.org>\r\n" \
	"Subject: " subject "\r\n" \
	"Date: " day " Mar 2024 10:00:00 +0000\r\n"
#define MIME "MIME-Version: 1.0\r\nContent-Type: "
#define WORDS "Pack my box with five dozen liquor jugs, and then some.\r\n"
#define WORDS8 WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS

const char *const fidelity_folders[] = {
	"Archive", "Sent", "Work", "Work.Reports", "Entw&APw-rfe", NULL
};

const struct fidelity_mail fidelity_mails[] = {
	{ "INBOX", "", "01-Mar-2024 10:00:01 +0000",
	  HEAD("1", "Apples", "Ann <ann@example.org>", "1") "\r\nabout apples\r\n" },
	{ "INBOX", "\\Seen", "02-Mar-2024 10:00:01 +0200",
	  HEAD("2", "Re: Apples", "Carl <carl@example.org>", "2")
	  "In-Reply-To: <1@example.org>\r\nReferences: <1@example.org>\r\n"
	  "\r\nabout pears\r\n" },
	{ "INBOX", "\\Seen \\Answered", "03-Mar-2024 10:00:01 -0700",
	  HEAD("3", "with attachment", "ann@example.org", "3")
	  MIME "multipart/mixed; boundary=\"bb\"\r\n\r\nprologue\r\n"
	  "--bb\r\nContent-Type: text/plain; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "Gr=C3=BC=C3=9Fe\r\n--bb\r\nContent-Type: application/octet-stream\r\n"
	  "Content-Transfer-Encoding: base64\r\n"
	  "Content-Disposition: attachment; filename*=utf-8''%C3%9Cbung.bin\r\n"
	  "\r\nAAECAwQFBgcICQ==\r\n--bb--\r\nepilogue\r\n" },
	{ "INBOX", "\\Flagged", "04-Mar-2024 10:00:01 +0000",
	  HEAD("4", "8-bit \xc3\xbc\xc3\xb6\xc3\xa4", "\xc3\x9cmit <u@example.org>", "4")
	  "\r\nraw \xe4\xf6\xfc here\r\n" },
	{ "INBOX", "$Label1 \\Seen", "05-Mar-2024 10:00:01 +0000",
	  HEAD("5", "=?utf-8?q?enclosed_=C3=BC?=", "Ann <ann@example.org>", "5")
	  MIME "message/rfc822\r\n\r\n"
	  HEAD("5i", "inner", "dora@example.org", "4") "\r\ninner words\r\n" },
	{ "INBOX", "", "06-Mar-2024 10:00:01 +0000",
	  HEAD("6", "html", "shop@example.com", "6")
	  MIME "multipart/alternative; boundary=x\r\n\r\n"
	  "--x\r\nContent-Type: text/plain\r\n\r\nplain words\r\n"
	  "--x\r\nContent-Type: text/html\r\n\r\n<p>html words</p>\r\n--x--\r\n" },
	{ "INBOX", "\\Deleted", "07-Mar-2024 10:00:01 +0000",
	  HEAD("7", "no body", "ann@example.org", "7") "\r\n" },
	{ "INBOX", "NonJunk", "08-Mar-2024 10:00:01 +0000",
	  HEAD("8", "no final newline", "eve@example.org", "8") "\r\nto the end" },
	{ "INBOX", "\\Draft", "09-Mar-2024 10:00:01 +0000",
	  HEAD("9", "long", "Ann <ann@example.org>", "9")
	  "X-Long: " WORDS " " WORDS " " WORDS
	  "\r\n" WORDS8 WORDS8 WORDS8 WORDS8 WORDS8 WORDS8 WORDS8 WORDS8 },
	{ "INBOX", "", "10-Mar-2024 10:00:01 +0000",
	  HEAD("10", "Re: Re: Apples", "fred@example.org", "10")
	  "References: <1@example.org> <2@example.org>\r\n\r\nmore apples\r\n" },
	{ "INBOX", "\\Seen $Label1", "11-Mar-2024 10:00:01 +0000",
	  "Subject: no date and no sender\r\n\r\nodd\r\n" },
	{ "INBOX", "", "12-Mar-2024 10:00:01 +0000",
	  HEAD("12", "last", "zoe@example.org", "12") "\r\nlast words\r\n" },
	{ "Archive", "\\Seen", "01-Feb-2024 10:00:01 +0000",
	  HEAD("a1", "old one", "ann@example.org", "1") "\r\nold words\r\n" },
	{ "Archive", "\\Seen", "02-Feb-2024 10:00:01 +0000",
	  HEAD("a2", "older", "ann@example.org", "2") "\r\nolder words\r\n" },
	{ "Work.Reports", "", "03-Feb-2024 10:00:01 +0000",
	  HEAD("w1", "report", "boss@example.org", "3") "\r\nnumbers\r\n" },
	{ "Sent", "\\Seen", "04-Feb-2024 10:00:01 +0000", "A: s1\r\n\r\none\r\n" },
	{ "Sent", "", "05-Feb-2024 10:00:01 +0000", "A: s2\r\n\r\ntwo\r\n" },
	{ "Sent", "", "06-Feb-2024 10:00:01 +0000", "A: s3\r\n\r\nthree\r\n" },
	{ "Sent", "$Label1", "07-Feb-2024 10:00:01 +0000",
	  "A: s4\r\n\r\nfour\r\n" },
	{ NULL, NULL, NULL, NULL }
};

const struct fidelity_step fidelity_script[] = {
	/* RFC 3501, 2342, 5258, 5819, 6154, 8438 */
	{ "capability", A, "CAPABILITY", NULL },
	{ "namespace", A, "NAMESPACE", NULL },
	{ "list", A, "LIST \"\" *", NULL },
	{ "list level", A, "LIST \"\" %", NULL },
	{ "list below", A, "LIST \"Work.\" %", NULL },
	{ "list separator", A, "LIST \"\" \"\"", NULL },
	{ "list umlaut", A, "LIST \"\" Entw*", NULL },
	{ "lsub", A, "LSUB \"\" *", NULL },
	{ "lsub level", A, "LSUB \"\" %", NULL },
	{ "list special-use", A, "LIST (SPECIAL-USE) \"\" *", NULL },
	{ "list return special-use", A,
	  "LIST \"\" * RETURN (SPECIAL-USE CHILDREN SUBSCRIBED)", NULL },
	{ "list subscribed", A, "LIST (SUBSCRIBED) \"\" *", NULL },
	{ "list recursive", A, "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %", NULL },
	{ "list status", A, "LIST \"\" * RETURN (STATUS (MESSAGES UIDNEXT "
	  "UIDVALIDITY UNSEEN))", NULL },
	{ "status", A, "STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)", NULL },
	{ "status size", A, "STATUS Archive (SIZE)", NULL },
	{ "status missing", A, "STATUS Nowhere (MESSAGES)", NULL },
	{ "select missing", A, "SELECT Nowhere", NULL },
	{ "select", A, "SELECT INBOX", NULL },
	/* FETCH; BINARY is RFC 3516, PREVIEW 8970, SAVEDATE 8514 */
	{ "fetch fast", A, "FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)", NULL },
	{ "fetch envelope", A, "FETCH 1:* ENVELOPE", NULL },
	{ "fetch bodystructure", A, "FETCH 1:* BODYSTRUCTURE", NULL },
	{ "fetch body", A, "FETCH 1:* BODY", NULL },
	{ "fetch whole", A, "FETCH 1:* BODY.PEEK[]", NULL },
	{ "fetch header", A, "FETCH 1:* BODY.PEEK[HEADER]", NULL },
	{ "fetch fields", A, "FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]",
	  NULL },
	{ "fetch not fields", A,
	  "FETCH 1:* BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]", NULL },
	{ "fetch text", A, "FETCH 1:* BODY.PEEK[TEXT]", NULL },
	{ "fetch part", A, "FETCH 3,5,6 BODY.PEEK[1]", NULL },
	{ "fetch part mime", A, "FETCH 3,6 BODY.PEEK[2.MIME]", NULL },
	{ "fetch enclosed header", A, "FETCH 5 BODY.PEEK[HEADER]", NULL },
	{ "fetch partial", A, "FETCH 1:* BODY.PEEK[]<10.40>", NULL },
	{ "fetch partial end", A, "FETCH 1 BODY.PEEK[]<100000.10>", NULL },
	{ "fetch rfc822", A, "FETCH 2 (RFC822.HEADER)", NULL },
	{ "fetch binary", A, "FETCH 3 BINARY.PEEK[2]", NULL },
	{ "fetch binary part", A, "FETCH 3 BINARY.PEEK[1]<1.3>", NULL },
	{ "fetch binary size", A, "FETCH 3 (BINARY.SIZE[1] BINARY.SIZE[2])", NULL },
	{ "fetch preview", A, "FETCH 1,3,6 PREVIEW", NULL },
	{ "fetch savedate", A, "FETCH 1 SAVEDATE", NULL },
	{ "fetch macro", A, "FETCH 1:2 ALL", NULL },
	{ "fetch uid range", A, "UID FETCH 5:7,900:* (FLAGS)", NULL },
	{ "fetch uid missing", A, "UID FETCH 900 (FLAGS)", NULL },
	{ "fetch seq missing", A, "FETCH 900 (FLAGS)", NULL },
	{ "fetch bad", A, "FETCH 1 (NONSENSE)", NULL },
	{ "fetch sets seen", A, "FETCH 1 BODY[TEXT]", NULL },
	{ "fetch seen", A, "FETCH 1 FLAGS", NULL },
	/* SEARCH; ESEARCH is RFC 4731, SEARCHRES 5182, WITHIN 5032 */
	{ "search all", A, "SEARCH ALL", NULL },
	{ "search unseen", A, "SEARCH UNSEEN", NULL },
	{ "search flags", A, "SEARCH ANSWERED UNDELETED", NULL },
	{ "search keyword", A, "SEARCH KEYWORD $Label1", NULL },
	{ "search unkeyword", A, "UID SEARCH UNKEYWORD NonJunk", NULL },
	{ "search subject", A, "SEARCH SUBJECT apples", NULL },
	{ "search from", A, "SEARCH FROM ann", NULL },
	{ "search header", A, "SEARCH HEADER Message-ID 5@example", NULL },
	{ "search body", A, "SEARCH BODY words", NULL },
	{ "search text", A, "SEARCH TEXT example.com", NULL },
	{ "search utf-8", A, "SEARCH CHARSET UTF-8 BODY {7+}\r\nGr\xc3\xbc\xc3\x9f"
	  "e", NULL },
	{ "search subject utf-8", A,
	  "SEARCH CHARSET UTF-8 SUBJECT {11+}\r\nenclosed \xc3\xbc", NULL },
	{ "search dates", A, "SEARCH SINCE 5-Mar-2024 BEFORE 9-Mar-2024", NULL },
	{ "search sent", A, "SEARCH SENTSINCE 8-Mar-2024", NULL },
	{ "search sizes", A, "SEARCH LARGER 1000 SMALLER 100000", NULL },
	{ "search uids", A, "SEARCH UID 4:6,800:*", NULL },
	{ "search or not", A, "SEARCH OR (NOT SEEN) FLAGGED", NULL },
	{ "search younger", A, "SEARCH OLDER 86400", NULL },
	{ "search charset", A, "SEARCH CHARSET NOSUCH TEXT x", NULL },
	{ "esearch", A, "SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN", NULL },
	{ "esearch uid", A, "UID SEARCH RETURN (COUNT) KEYWORD $Label1", NULL },
	{ "esearch none", A, "SEARCH RETURN (ALL) SUBJECT nothing-like-it", NULL },
	{ "searchres save", A, "SEARCH RETURN (SAVE) FROM ann", NULL },
	{ "searchres use", A, "FETCH $ (UID)", NULL },
	{ "search partial", A, "SEARCH RETURN (PARTIAL 2:3) ALL", NULL },
	/* SORT, THREAD: RFC 5256, 5957, 5267 */
	{ "sort subject", A, "SORT (SUBJECT) UTF-8 ALL", NULL },
	{ "sort date", A, "SORT (REVERSE DATE) UTF-8 ALL", NULL },
	{ "sort arrival", A, "UID SORT (ARRIVAL) UTF-8 UNSEEN", NULL },
	{ "sort size", A, "SORT (SIZE) UTF-8 ALL", NULL },
	{ "sort from", A, "SORT (FROM DATE) UTF-8 ALL", NULL },
	{ "sort display", A, "SORT (DISPLAYFROM) UTF-8 ALL", NULL },
	{ "esort", A, "SORT RETURN (COUNT ALL) (SUBJECT) UTF-8 UNSEEN", NULL },
	{ "thread references", A, "THREAD REFERENCES UTF-8 ALL", NULL },
	{ "thread refs", A, "UID THREAD REFS UTF-8 ALL", NULL },
	{ "thread subject", A, "THREAD ORDEREDSUBJECT UTF-8 ALL", NULL },
	/* STORE */
	{ "store add", A, "STORE 1:3 +FLAGS (\\Flagged)", NULL },
	{ "store remove", A, "STORE 2 -FLAGS (\\Seen)", NULL },
	{ "store replace", A, "STORE 3 FLAGS (\\Answered $Label2)", NULL },
	{ "store silent", A, "STORE 4 +FLAGS.SILENT (\\Answered)", NULL },
	{ "store uid", A, "UID STORE 6 +FLAGS ($Label1)", NULL },
	{ "store again", A, "STORE 1 +FLAGS (\\Flagged)", NULL },
	{ "store missing", A, "UID STORE 900 +FLAGS (\\Seen)", NULL },
	{ "store keyword new", A, "STORE 12 +FLAGS (BrandNew)", NULL },
	{ "store bad", A, "STORE 1 +FLAGS (\\Nonsense)", NULL },
	{ "search after store", A, "SEARCH FLAGGED", NULL },
	{ "search keyword after store", A, "SEARCH KEYWORD $Label2", NULL },
	{ "search unseen after store", A, "SEARCH UNSEEN", NULL },
	{ "fetch after store", A, "FETCH 1:* FLAGS", NULL },
	{ "other sees store", OTHER, "SELECT INBOX", NULL },
	{ "other fetches store", OTHER, "FETCH 1:* FLAGS", NULL },
	/* APPEND: UIDPLUS is RFC 4315, CATENATE 4469, MULTIAPPEND 3502 */
	{ "append selected", A, "APPEND INBOX (\\Seen) \"13-Mar-2024 10:00:00 "
	  "+0000\" {28+}\r\nSubject: appended\r\n\r\nwords\r\n", NULL },
	{ "append fetched", A, "FETCH * (UID FLAGS INTERNALDATE BODY.PEEK[])", NULL },
	{ "append elsewhere", A, "APPEND Archive {19+}\r\nSubject: other\r\n\r\nx", NULL },
	{ "append missing", A, "APPEND Nowhere {9+}\r\nA: b\r\n\r\nc", NULL },
	{ "append multi", A, "APPEND INBOX {12+}\r\nA: m1\r\n\r\none\x20"
	  "(\\Flagged) {12+}\r\nA: m2\r\n\r\ntwo", NULL },
	{ "append catenate", A, "APPEND Work CATENATE (TEXT {15+}\r\n"
	  "Subject: cat\r\n\r TEXT {4+}\r\n\nx\r\n URL \"/Archive/;UID=1/;"
	  "SECTION=TEXT\")", NULL },
	{ "append catenate status", A, "STATUS Work (MESSAGES SIZE)", NULL },
	{ "append catenate bad url", A, "APPEND Work CATENATE "
	  "(URL \"/Archive/;UID=900\")", NULL },
	{ "append binary", A, "APPEND INBOX ~{17+}\r\nSubject: b\r\n\r\nb\r\n", NULL },
	{ "append status", A, "STATUS Archive (MESSAGES UNSEEN)", NULL },
	/* COPY, MOVE: RFC 6851 */
	{ "copy", A, "COPY 1:2 Archive", NULL },
	{ "copy to itself", A, "UID COPY 3 INBOX", NULL },
	{ "copy fetched", A, "FETCH * (UID FLAGS INTERNALDATE RFC822.SIZE)", NULL },
	{ "copy missing", A, "COPY 1 Nowhere", NULL },
	{ "copy uid missing", A, "UID COPY 900 Archive", NULL },
	{ "move", A, "MOVE 2 Archive", NULL },
	{ "move uid", A, "UID MOVE 4:5 Work", NULL },
	{ "move missing", A, "MOVE 1 Nowhere", NULL },
	{ "move fetched", A, "FETCH 1:* (UID FLAGS)", NULL },
	{ "move status", A, "STATUS Archive (MESSAGES UNSEEN)", NULL },
	/* EXPUNGE */
	{ "expunge uid", A, "UID EXPUNGE 1:6", NULL },
	{ "expunge", A, "EXPUNGE", NULL },
	{ "expunge fetched", A, "FETCH 1:* (UID FLAGS)", NULL },
	{ "check", A, "CHECK", NULL },
	/* another session, at the server with the authority */
	{ "other noop", OTHER, "NOOP", NULL },
	{ "other store", OTHER, "UID STORE 9 +FLAGS (\\Flagged)", NULL },
	{ "other store seen", A, "NOOP", " FETCH " },
	{ "search after other", A, "SEARCH FLAGGED", NULL },
	{ "other unstore", OTHER, "UID STORE 9 -FLAGS (\\Flagged)", NULL },
	{ "other unstore seen", A, "NOOP", " FETCH " },
	{ "search after unstore", A, "SEARCH FLAGGED", NULL },
	{ "other append", OTHER, "APPEND INBOX (\\Answered) {15+}\r\n"
	  "A: other\r\n\r\nx\r\n", NULL },
	{ "other append seen", A, "NOOP", " EXISTS" },
	{ "search after append", A, "SEARCH ANSWERED", NULL },
	{ "other expunge", OTHER, "UID STORE 10 +FLAGS.SILENT (\\Deleted)", NULL },
	{ "other expunges", OTHER, "UID EXPUNGE 10", NULL },
	{ "other expunge seen", A, "NOOP", " EXPUNGE" },
	{ "fetch after other", A, "FETCH 1:* (UID FLAGS)", NULL },
	/* another session at the same server */
	{ "second select", B, "SELECT INBOX", NULL },
	{ "second store", B, "UID STORE 12 +FLAGS (\\Answered)", NULL },
	{ "second store seen", A, "NOOP", " FETCH " },
	{ "search after second", A, "UID SEARCH ANSWERED", NULL },
	{ "second append", B, "APPEND INBOX {16+}\r\nA: second\r\n\r\nx\r\n", NULL },
	{ "second append seen", A, "NOOP", " EXISTS" },
	/* IDLE: RFC 2177 */
	{ "idle store", B, "UID STORE 12 -FLAGS (\\Answered)", NULL },
	{ "idle stored", A, "IDLE", " FETCH " },
	{ "idle append", B, "APPEND INBOX {14+}\r\nA: idle\r\n\r\nx\r\n", NULL },
	{ "idle appended", A, "IDLE", " EXISTS" },
	{ "idle other", OTHER, "UID STORE 12 +FLAGS (\\Flagged)", NULL },
	{ "idle other seen", A, "IDLE", " FETCH " },
	/* EXAMINE, CLOSE, UNSELECT (RFC 3691) */
	{ "examine", A, "EXAMINE INBOX", NULL },
	{ "examine store", A, "STORE 1 +FLAGS (\\Deleted)", NULL },
	{ "examine expunge", A, "EXPUNGE", NULL },
	{ "examine flags", A, "FETCH 1 FLAGS", NULL },
	{ "unselect", A, "UNSELECT", NULL },
	{ "fetch unselected", A, "FETCH 1 FLAGS", NULL },
	{ "close select", A, "SELECT Archive", NULL },
	{ "close store", A, "STORE 1 +FLAGS.SILENT (\\Deleted)", NULL },
	{ "close", A, "CLOSE", NULL },
	{ "close status", A, "STATUS Archive (MESSAGES)", NULL },
	/* folders */
	{ "create", A, "CREATE Temp", NULL },
	{ "create again", A, "CREATE Temp", NULL },
	{ "create below", A, "CREATE Temp.Sub.Deep", NULL },
	{ "create inbox", A, "CREATE INBOX", NULL },
	{ "create listed", A, "LIST \"\" Temp*", NULL },
	{ "create append", A, "APPEND Temp {11+}\r\nA: b\r\n\r\nc\r\n", NULL },
	{ "subscribe", A, "SUBSCRIBE Temp.Sub.Deep", NULL },
	{ "subscribe missing", A, "SUBSCRIBE Nowhere", NULL },
	{ "unsubscribe missing", A, "UNSUBSCRIBE Nowhere", NULL },
	{ "subscribed", A, "LSUB \"\" Temp*", NULL },
	{ "rename", A, "RENAME Temp Renamed", NULL },
	{ "renamed list", A, "LIST \"\" *e*", NULL },
	{ "renamed subscriptions", A, "LSUB \"\" *", NULL },
	{ "renamed status", A, "STATUS Renamed (MESSAGES UIDNEXT)", NULL },
	{ "rename missing", A, "RENAME Nowhere Elsewhere", NULL },
	{ "rename onto another", A, "RENAME Renamed Archive", NULL },
	{ "rename below itself", A, "RENAME Renamed Renamed.Deeper", NULL },
	{ "other sees folders", OTHER, "LIST \"\" Renamed*", NULL },
	{ "delete with children", A, "DELETE Renamed", NULL },
	{ "deleted list", A, "LIST \"\" Renamed*", NULL },
	{ "delete child", A, "DELETE Renamed.Sub.Deep", NULL },
	{ "delete left parent", A, "DELETE Renamed.Sub", NULL },
	{ "deleted left parent", A, "LIST \"\" Renamed*", NULL },
	{ "delete missing", A, "DELETE Nowhere", NULL },
	{ "delete inbox", A, "DELETE INBOX", NULL },
	{ "unsubscribe", A, "UNSUBSCRIBE Archive", NULL },
	{ "unsubscribed", A, "LSUB \"\" *", NULL },
	{ "subscribe again", A, "SUBSCRIBE Archive", NULL },
	{ "subscribed again", A, "LSUB \"\" *", NULL },
	{ "unsubscribe again", A, "UNSUBSCRIBE Archive", NULL },
	{ "unsubscribed again", A, "LSUB \"\" *", NULL },
	{ "other sees unsubscribed", OTHER, "LSUB \"\" Archive", NULL },
	{ "bad name", A, "CREATE \"\"", NULL },
	/* METADATA (RFC 5464), QUOTA (2087), ACL (4314) */
	{ "metadata none", A, "GETMETADATA INBOX (/private/comment)", NULL },
	{ "metadata set", A, "SETMETADATA INBOX (/private/comment \"mine\")", NULL },
	{ "metadata get", A, "GETMETADATA INBOX (/private/comment)", NULL },
	{ "metadata depth", A, "GETMETADATA (DEPTH infinity) INBOX (/private)", NULL },
	{ "metadata server", A, "SETMETADATA \"\" (/private/comment \"all\")", NULL },
	{ "metadata server get", A, "GETMETADATA \"\" (/private/comment)", NULL },
	{ "metadata remove", A, "SETMETADATA INBOX (/private/comment NIL)", NULL },
	{ "metadata removed", A, "GETMETADATA INBOX (/private/comment)", NULL },
	{ "quota root", A, "GETQUOTAROOT INBOX", NULL },
	{ "quota", A, "GETQUOTA \"User quota\"", NULL },
	{ "quota missing", A, "GETQUOTA nothing", NULL },
	{ "quota set", A, "SETQUOTA \"User quota\" (STORAGE 1)", NULL },
	{ "acl rights", A, "MYRIGHTS INBOX", NULL },
	{ "acl get", A, "GETACL Archive", NULL },
	{ "acl set", A, "SETACL Archive anyone lr", NULL },
	{ "acl got", A, "GETACL Archive", NULL },
	{ "acl list", A, "LISTRIGHTS Archive anyone", NULL },
	{ "acl delete", A, "DELETEACL Archive anyone", NULL },
	{ "acl missing", A, "MYRIGHTS Nowhere", NULL },
	/* NOTIFY: RFC 5465 */
	{ "notify select", A, "SELECT INBOX", NULL },
	{ "notify", A, "NOTIFY SET (selected (MessageNew (UID) MessageExpunge "
	  "FlagChange)) (personal (MessageNew MessageExpunge))", NULL },
	{ "notify append", B, "APPEND Archive {14+}\r\nA: note\r\n\r\nx\r\n", NULL },
	{ "notify appended", A, "NOOP", " STATUS " },
	{ "notify selected", B, "APPEND INBOX {14+}\r\nA: note\r\n\r\nx\r\n", NULL },
	{ "notify selected seen", A, "NOOP", " EXISTS" },
	{ "notify none", A, "NOTIFY NONE", NULL },
	{ "notify bad", A, "NOTIFY SET (selected (FlagChange))", NULL },
	/* two sessions, and what the one does under the other's hands; UPDATE is
	   RFC 5267 */
	{ "shared select", A, "SELECT Sent", NULL },
	{ "shared second select", B, "SELECT Sent", NULL },
	{ "shared update", B, "SEARCH RETURN (UPDATE ALL) UNSEEN", NULL },
	{ "shared store", A, "STORE 2 +FLAGS (\\Seen $Label2)", NULL },
	{ "shared store seen", B, "NOOP", "REMOVEFROM" },
	{ "shared mark", A, "STORE 2 +FLAGS.SILENT (\\Deleted)", NULL },
	{ "shared mark seen", B, "NOOP", " FETCH " },
	{ "shared expunge", A, "EXPUNGE", NULL },
	{ "shared fetch by number", B, "FETCH 1:* (UID)", NULL },
	{ "shared store expunged", B, "UID STORE 2 +FLAGS (\\Flagged)", NULL },
	{ "shared copy expunged", B, "UID COPY 2 Archive", NULL },
	{ "shared expunge seen", B, "NOOP", NULL },
	{ "shared fetch after it", B, "FETCH 1:* (UID FLAGS)", NULL },
	{ "shared append", B, "APPEND Sent {12+}\r\nA: s5\r\n\r\nfiv", NULL },
	{ "shared append seen", A, "NOOP", " EXISTS" },
	{ "shared copy to itself", A, "COPY 1:3 Sent", NULL },
	{ "shared copy seen", B, "NOOP", " EXISTS" },
	{ "shared move", B, "UID MOVE 3:4 Archive", NULL },
	{ "shared move seen", A, "NOOP", " EXPUNGE" },
	{ "shared close", A, "CLOSE", NULL },
	{ "shared end", B, "FETCH 1:* (UID FLAGS BODY.PEEK[TEXT])", NULL },
	{ "shared update end", B, "NOOP", NULL },
	/* what isn't right */
	{ "unknown command", A, "NONSENSE", NULL },
	{ "no arguments", A, "SELECT", NULL },
	{ "login again", A, "LOGIN x y", NULL },
	{ "final list status", A, "LIST \"\" * RETURN (STATUS (MESSAGES UIDNEXT "
	  "UNSEEN))", NULL },
	{ NULL, 0, NULL, NULL }
};

const struct fidelity_step fidelity_condstore_script[] = {
	{ "select condstore", A, "SELECT Archive (CONDSTORE)", NULL },
	{ "fetch modseq", A, "FETCH 1:* (FLAGS MODSEQ)", NULL },
	{ "fetch changedsince", A, "FETCH 1:* (FLAGS) (CHANGEDSINCE 1)", NULL },
	{ "store unchangedsince", A,
	  "STORE 1 (UNCHANGEDSINCE 999999) +FLAGS (\\Flagged)", NULL },
	{ "store unchangedsince 0", A,
	  "STORE 1 (UNCHANGEDSINCE 0) +FLAGS (\\Draft)", NULL },
	{ "search modseq", A, "SEARCH MODSEQ 1 ALL", NULL },
	{ "status highestmodseq", A, "STATUS INBOX (HIGHESTMODSEQ)", NULL },
	{ "enable qresync", A, "ENABLE QRESYNC", NULL },
	{ "select qresync", A, "SELECT Archive", NULL },
	{ "expunge mark", A, "STORE 1 +FLAGS.SILENT (\\Deleted)", NULL },
	{ "expunge vanished", A, "EXPUNGE", NULL },
	{ NULL, 0, NULL, NULL }
};

static bool seed_mail(struct imap_client *client,
		      const struct fidelity_mail *mail)
{
	return UNIT_CHECK(imap_append(client, mail->folder, mail->flags,
				      mail->date, mail->data,
				      strlen(mail->data), NULL) == IMAP_OK,
			  "seed %s: %s", mail->folder, imap_error(client));
}

bool fidelity_seed(unsigned int user)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	bool ok = client != NULL;

	for (unsigned int i = 0; ok && fidelity_folders[i] != NULL; i++) {
		/* those with a special use may be there */
		(void)imap_run(client, "CREATE %s", fidelity_folders[i]);
		ok = imap_run(client, "SUBSCRIBE %s",
			      fidelity_folders[i]) == IMAP_OK;
	}
	for (unsigned int i = 0; ok && fidelity_mails[i].data != NULL; i++)
		ok = seed_mail(client, &fidelity_mails[i]);
	imap_logout(&client);
	return ok;
}
