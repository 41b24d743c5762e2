#include "lane-mail.h"

#include <stdio.h>

#define FOLDER_MESSAGES 5

const char *lane_folder(unsigned int n)
{
	static char name[16];

	snprintf(name, sizeof(name), "folder%02u", n);
	return name;
}

/* Flags of the corpus would make some changes none. */
static void make_all_seen(struct imap_client *client)
{
	struct imap_box box;

	if (imap_select(client, "INBOX", &box) != IMAP_OK ||
	    imap_run(client, "STORE 1:* FLAGS.SILENT (\\Seen)") != IMAP_OK)
		bench_fail("STORE: %s", imap_error(client));
}

void lane_mail_make(const struct bench *bench, struct imap_client *client)
{
	unsigned int i;

	bench_append(bench, client, "INBOX", bench->messages);
	make_all_seen(client);
	for (i = 0; i < LANE_FOLDERS; i++) {
		if (imap_run(client, "CREATE %s", lane_folder(i)) != IMAP_OK)
			bench_fail("CREATE: %s", imap_error(client));
		bench_append(bench, client, lane_folder(i), FOLDER_MESSAGES);
	}
	imap_logout(&client);
}
