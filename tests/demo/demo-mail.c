#include "demo-mail.h"
#include "corpus.h"
#include "demo-progress.h"

#include <string.h>

#define PIPELINE 16
#define NASTY_MESSAGES 76
#define FILLERS 5
#define BIG_ATTACHMENT (20UL * 1024 * 1024)
#define LARGE_ATTACHMENT (2UL * 1024 * 1024)

/* "." separates levels; both servers use it. */
static const char *const folders[] = {
	"Sent", "Drafts", JOURNAL_TRASH, "Projects", "Projects.2019",
	"Projets d'été", "Архив"
};
#define FOLDERS (sizeof(folders) / sizeof(folders[0]))

struct maker {
	struct demo_user *user;
	struct imap_client *client;
	struct corpus nasty, usual;
	struct corpus_message msg;
	/* Numbers in the corpora. */
	unsigned int next_nasty, next_usual;
	unsigned int tags[PIPELINE], sent, answered, stored;
};

static bool make_folders(struct maker *maker)
{
	unsigned int tag;
	const char *name;
	size_t i;

	for (i = 0; i < FOLDERS; i++) {
		name = demo_folder_name(maker->user, folders[i]);
		tag = imap_start(maker->client);
		imap_text(maker->client, "CREATE ");
		imap_mailbox(maker->client, name);
		imap_end(maker->client);
		/* Trash may be there */
		if (imap_wait(maker->client, tag) == IMAP_LOST)
			return false;
		tag = imap_start(maker->client);
		imap_text(maker->client, "SUBSCRIBE ");
		imap_mailbox(maker->client, name);
		imap_end(maker->client);
		if (imap_wait(maker->client, tag) != IMAP_OK)
			return false;
	}
	return true;
}

/* UIDs 1 to FILLERS of INBOX are gone. */
static bool make_holes(struct maker *maker)
{
	static const char filler[] = "Subject: gone\r\n\r\ngone\r\n";
	struct imap_box box;
	unsigned int i;

	for (i = 0; i < FILLERS; i++) {
		if (imap_append(maker->client, "INBOX", "\\Deleted", NULL,
				filler, sizeof(filler) - 1, NULL) != IMAP_OK)
			return false;
	}
	return imap_select(maker->client, "INBOX", &box) == IMAP_OK &&
		imap_run(maker->client, "EXPUNGE") == IMAP_OK &&
		imap_run(maker->client, "CLOSE") == IMAP_OK;
}

/* Dovecot's store changes lone CRs, which fill reports as altered; and Courier
   gives another size for a last line without an end. */
static bool is_wanted(const struct corpus_message *msg)
{
	return strcmp(msg->kind, "lone-cr") != 0;
}

static void make_next(struct maker *maker)
{
	do {
		if (maker->next_nasty < NASTY_MESSAGES)
			corpus_make(&maker->nasty, maker->next_nasty++,
				    &maker->msg);
		else
			corpus_make(&maker->usual, maker->next_usual++,
				    &maker->msg);
	} while (!is_wanted(&maker->msg));
}

/* Half of it goes to INBOX. */
static const char *folder_for(const struct maker *maker, unsigned int n)
{
	return demo_folder_name(maker->user, n % 2 == 0 ? "INBOX" :
				folders[n / 2 % FOLDERS]);
}

static void take_answer(struct maker *maker)
{
	unsigned int tag = maker->tags[maker->answered++ % PIPELINE];

	if (imap_wait(maker->client, tag) == IMAP_OK)
		maker->stored++;
}

static void append_next(struct maker *maker)
{
	char date[IMAP_DATE_SIZE];

	make_next(maker);
	imap_format_date(maker->msg.instant, maker->msg.zone, date);
	maker->tags[maker->sent % PIPELINE] =
		imap_append_send(maker->client,
				 folder_for(maker, maker->sent),
				 maker->msg.flags, date, maker->msg.data,
				 maker->msg.size);
	maker->sent++;
}

static bool goes_on(const struct maker *maker)
{
	return !imap_is_lost(maker->client) && !demo_is_interrupted();
}

/* Refused ones are made up for until the number is reached. */
static bool append_all(struct maker *maker)
{
	unsigned int wanted = maker->user->messages;

	while (goes_on(maker) && maker->stored < wanted) {
		while (goes_on(maker) &&
		       maker->stored + maker->sent - maker->answered < wanted &&
		       maker->sent - maker->answered < PIPELINE)
			append_next(maker);
		if (goes_on(maker))
			take_answer(maker);
		imap_clear(maker->client);
		maker->user->filled = maker->stored;
	}
	maker->user->filled = 0;
	return maker->stored == wanted || demo_is_interrupted();
}

void demo_mail_make(struct demo_user *user)
{
	struct maker maker = {
		.user = user,
		.nasty = { .set = CORPUS_NASTY, .seed = 100 + user->index },
		.usual = { .set = CORPUS_MIXED, .seed = 200 + user->index }
	};
	const char *error;

	user->total = user->messages;
	maker.nasty.attachment = user->index < DEMO_KINDS ? BIG_ATTACHMENT :
		LARGE_ATTACHMENT;
	if (imap_open(lab_get(user->lab->lab, "OLD_IMAP_DIRECT"), user->name,
		      lab_get(user->lab->lab, "PASSWORD"), DEMO_TIMEOUT_MS,
		      &maker.client, &error) < 0) {
		demo_problem("%s: %s", user->label, error);
		return;
	}
	user->can_mirror = imap_has(maker.client, "CONDSTORE") &&
		imap_has(maker.client, "UIDPLUS");
	if (!make_folders(&maker) || !make_holes(&maker) || !append_all(&maker))
		demo_problem("%s: mail can't be made: %s", user->label,
			     imap_error(maker.client));
	imap_logout(&maker.client);
	corpus_message_free(&maker.msg);
}
