/*
 * corpus-folder: names for generated folders, declared in corpus.h
 */
#include "corpus.h"

#include <stdio.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const char *const plain_names[] = {
	"Archive", "Work", "Family", "Invoices", "Lists", "Projects", "Travel",
	"Bank", "School", "Clients", "Receipts", "Music"
};

static const char *const tricky_names[] = {
	"Черновики", "受信トレイ", "メール", "🚀 launch 👩‍👩‍👧",
	/* composed and decomposed: two names */
	"Entwürfe", "Entwu\xcc\x88rfe", "Größe", "100% sure", "%s%n", "star*",
	"~home", "~", "R&D", "&", "&-", "trailing ", " leading", "two  blanks",
	"\"quoted\"", "back\\slash", "a'b", "(parens)", "{5}", "{5+}",
	"[brackets]", "#hash", "NIL", "inbox", "Inbox2", "-dash", "semi;colon",
	"eq=uals", "?question", "|pipe", "<angle>", "$dollar", "`tick`", "@at",
	"עברית", "العربية", "हिन्दी", "ไทย", "İstanbul", "ß", "ﬁ", "a:2,S",
	"cur", "new", "tmp", "dovecot.index", "mailboxes", "dbox-Mails",
	"=?utf-8?q?x?=", "a\xc2\xa0" "b", "\xe2\x80\x8bzero", "TRASH", "trash"
};

/* In each eight folders, four are at the top, and below the last of them hangs
   a chain of four. */
#define GROUP 8
#define GROUP_TOPS 4

const char *corpus_folder(uint64_t seed, unsigned int n, bool tricky)
{
	static _Thread_local char path[1024];
	const char *const *names = tricky ? tricky_names : plain_names;
	unsigned int count = tricky ? N_ELEMENTS(tricky_names) :
		N_ELEMENTS(plain_names);
	unsigned int first = n, i;
	size_t used;

	if (n % GROUP >= GROUP_TOPS)
		first = n - n % GROUP + GROUP_TOPS - 1;
	used = (size_t)snprintf(path, sizeof(path), "%s",
				names[(first + seed) % count]);
	if (first >= count)
		used += (size_t)snprintf(path + used, sizeof(path) - used,
					 " %u", first / count + 1);
	for (i = first + 1; i <= n; i++)
		used += (size_t)snprintf(path + used, sizeof(path) - used,
					 "\n%s", names[(i + seed) % count]);
	return path;
}
