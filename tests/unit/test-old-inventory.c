/* test-old-inventory: nothing is made up that the old server doesn't tell. */
#include "engine-unit.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "plugin/engine/old-inventory.h"
#include "fake-imap.h"

#define TIMEOUT_MSECS 3000
#define FIELDS "(UID FLAGS INTERNALDATE RFC822.SIZE)"
#define DATE "INTERNALDATE \"01-Jan-2020 00:00:00 +0000\""
#define ALL " FLAGS () RFC822.SIZE 9 " DATE ")\r\n"

#define GREETING \
	{ FAKE_ACCEPT, NULL, 0 }, \
	{ FAKE_SEND, "* OK [CAPABILITY IMAP4rev1] hello\r\n", 0 }, \
	{ FAKE_EXPECT, "LOGIN \"u\" \"p\"", 0 }, \
	{ FAKE_SEND, "$0 OK [CAPABILITY IMAP4rev1] in\r\n", 0 }
#define ASKED(uids) { FAKE_EXPECT, "UID FETCH " uids " " FIELDS, 0 }
#define SEND(text) { FAKE_SEND, text, 0 }
#define END { FAKE_WAIT_CLOSE, NULL, 0 }

static const struct answer {
	const char *name;
	struct fake_step steps[12];
	/* UIDs */
	const char *items, *unknown;
} answers[] = {
	{ "whole",
	  { GREETING, ASKED("1:*"),
	    SEND("* 1 FETCH (UID 3" ALL "* 2 FETCH (UID 5" ALL "$0 OK\r\n"),
	    END }, "3,5", "" },
	{ "whole in two parts",
	  { GREETING, ASKED("1:*"),
	    SEND("* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n"
		 "* 1 FETCH (UID 3 " DATE ")\r\n$0 OK\r\n"),
	    END }, "3", "" },
	{ "told at the second time",
	  { GREETING, ASKED("1:*"),
	    SEND("* 1 FETCH (UID 3 " DATE ")\r\n* 2 FETCH (UID 4" ALL
		 "* 3 FETCH (UID 5 FLAGS ())\r\n$0 OK\r\n"),
	    ASKED("3,5"),
	    SEND("* 1 FETCH (UID 3" ALL "* 3 FETCH (UID 5" ALL "$0 OK\r\n"),
	    END }, "3:5", "" },
	{ "expunged meanwhile",
	  { GREETING, ASKED("1:*"),
	    SEND("* 1 FETCH (UID 3 FLAGS ())\r\n* 2 FETCH (UID 5" ALL
		 "$0 OK\r\n"), ASKED("3"), SEND("$0 OK\r\n"),
	    END }, "5", "" },
	{ "another one changes at the second time",
	  { GREETING, ASKED("1:*"),
	    SEND("* 1 FETCH (UID 3 FLAGS ())\r\n* 2 FETCH (UID 5" ALL
		 "$0 OK\r\n"), ASKED("3"),
	    SEND("* 1 FETCH (UID 3" ALL "* 3 FETCH (UID 7 FLAGS ())\r\n"
		 "$0 OK\r\n"),
	    END }, "3,5", "" },
	{ "never told",
	  { GREETING, ASKED("1:*"),
	    SEND("* 1 FETCH (UID 3 FLAGS () INTERNALDATE \"yesterday\")\r\n"
		 "* 2 FETCH (UID 4 FLAGS)\r\n* 3 FETCH (UID 5" ALL
		 "$0 OK\r\n"), ASKED("3:4"),
	    SEND("* 1 FETCH (UID 3 FLAGS ())\r\n"
		 "* 2 FETCH (UID 4 " DATE ")\r\n$0 OK\r\n"),
	    END }, "3:5", "3:4" },
};

static const char *uid_set(const ARRAY_TYPE(seq_range) *uids)
{
	string_t *str = t_str_new(32);

	imap_write_seq_range(str, uids);
	return str_c(str);
}

static const char *item_uids(const struct inventory *inventory)
{
	const struct inventory_item *item;
	ARRAY_TYPE(seq_range) uids;

	t_array_init(&uids, 8);
	array_foreach(&inventory->items, item)
		seq_range_array_add(&uids, item->uid);
	return uid_set(&uids);
}

static void ask(const struct answer *answer, struct fake_imap *fake)
{
	const struct old_client_settings set = {
		.host = "127.0.0.1", .port = fake->port,
		.user = "u", .password = "p",
		.connect_timeout_msecs = TIMEOUT_MSECS,
		.cmd_timeout_msecs = TIMEOUT_MSECS,
		.temp_path_prefix = t_strconcat(engine_unit_dir(), "/", NULL),
	};
	struct old_client *client = old_client_init(&set, NULL);
	struct inventory_keywords *keywords = inventory_keywords_init();
	struct inventory inventory;
	enum mail_error code;
	const char *error = "";

	inventory_init(&inventory, keywords);
	UNIT_CHECK(old_client_connect(client, &code, &error) == 0 &&
		   old_inventory_get(client, 1, 10, &inventory, &code,
				     &error) == 0, "%s: %s", answer->name,
		   error);
	UNIT_CHECK(strcmp(item_uids(&inventory), answer->items) == 0 &&
		   strcmp(uid_set(&inventory.unknown), answer->unknown) == 0,
		   "%s: UIDs %s, unknown %s", answer->name,
		   item_uids(&inventory), uid_set(&inventory.unknown));
	inventory_deinit(&inventory);
	inventory_keywords_deinit(&keywords);
	old_client_deinit(&client);
}

static void test_answers(void)
{
	struct fake_imap fake;

	for (unsigned int i = 0; i < N_ELEMENTS(answers); i++) T_BEGIN {
		if (fake_imap_start(&fake, answers[i].steps) < 0) {
			CU_FAIL("no fake server");
		} else {
			ask(&answers[i], &fake);
			UNIT_CHECK(fake_imap_finish(&fake) == 0, "%s: script",
				   answers[i].name);
		}
	} T_END;
}

static const struct unit_test tests[] = {
	{ "answers", test_answers },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("old-inventory", tests);
}
