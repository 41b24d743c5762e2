/*
 * test-report-browser: the page in a real browser
 *
 * On a phone, a desktop and paper, light and dark: nothing overflows, all that
 * the model has is there, nothing is asked of the network, and what strangers
 * wrote is nothing but text. With REPORT_SHOTS set to a folder the pictures stay
 * there, for people to look at.
 */
#include "browser.h"
#include "process.h"
#include "report-example.h"
#include "unit.h"
#include "report/html-table.h"
#include "common/text-format.h"
#include "report/report-html.h"

#include <json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEEK_HOURS 168
/* Where the panel of shares ends. */
#define SHARE_END 128

static struct browser *browser;
static struct report_model *model;
static char dir[] = "/tmp/dovecot-migration-page.XXXXXX";
static char page[sizeof(dir) + 32], other[sizeof(dir) + 32];

enum {
	PHONE, PHONE_DARK, SMALL_PHONE, TABLET, DESKTOP, DESKTOP_DARK, PAPER
};

static const struct {
	const char *name;
	unsigned int width, height;
	bool phone;
	const char *media;
	bool dark;
} screens[] = {
	[PHONE] = { "phone", 390, 844, true, "screen", false },
	[PHONE_DARK] = { "phone-dark", 390, 844, true, "screen", true },
	[SMALL_PHONE] = { "small-phone", 320, 568, true, "screen", false },
	[TABLET] = { "tablet", 768, 1024, true, "screen", false },
	[DESKTOP] = { "desktop", 1280, 900, false, "screen", false },
	[DESKTOP_DARK] = { "desktop-dark", 1280, 900, false, "screen", true },
	/* A4 at 96 pixels an inch, without its margins; its reader's screen is
	   dark */
	[PAPER] = { "paper", 718, 1000, false, "print", true },
};

/*
 * Means
 */

static long eval_number(const char *expression)
{
	return strtol(browser_eval(browser, expression), NULL, 10);
}

static void check_count(const char *selector, size_t expected)
{
	char expression[256];
	long got;

	snprintf(expression, sizeof(expression), "count('%s')", selector);
	got = eval_number(expression);
	UNIT_CHECK(got == (long)expected, "%s: %ld, not %zu", selector, got,
		   expected);
}

/* An expression of page-checks.js, or any other. */
static void check_value(const char *expression, const char *expected)
{
	const char *got = browser_eval(browser, expression);

	UNIT_CHECK(strcmp(got, expected) == 0, "%s: %s, not %s", expression,
		   got, expected);
}

static void keep_picture(const char *name)
{
	const char *shots = getenv("REPORT_SHOTS");
	char path[256];

	if (shots == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%s.png", shots, name);
	browser_screenshot(browser, path);
}

static bool write_other(const char *html)
{
	FILE *file = fopen(other, "w");
	bool ok = file != NULL && fputs(html, file) >= 0;

	if (file != NULL && fclose(file) != 0)
		ok = false;
	return UNIT_CHECK(ok, "%s can't be written", other);
}

static bool write_page(const struct report_model *of, const char *path)
{
	const char *error = "";

	return UNIT_CHECK(report_html_write_file(of, path, &error) == 0,
			  "%s: %s", path, error);
}

/* Opens a page as that screen has it. */
static void show(const char *path, size_t screen)
{
	CU_ASSERT_FATAL(browser != NULL);
	browser_screen(browser, screens[screen].width, screens[screen].height,
		       screens[screen].phone);
	browser_media(browser, screens[screen].media, screens[screen].dark);
	browser_open(browser, path);
	browser_load(browser, CHECKS_PATH);
}

static void check_fits(const char *name)
{
	long over = eval_number("overflow()");
	const char *wide = browser_eval(browser, "tooWide()");

	UNIT_CHECK(over == 0, "%s: %ld pixels too wide", name, over);
	UNIT_CHECK(*wide == '\0', "%s: too wide: %s", name, wide);
}

/*
 * Tests
 */

static void test_start(void)
{
	browser = browser_start();
	CU_ASSERT_FATAL(browser != NULL);
	write_page(model, page);
}

static void test_end(void)
{
	struct process_result result;

	browser_stop(&browser);
	CU_ASSERT_EQUAL(process_shell(10000, &result, "rm -r %s", dir), 0);
	process_result_free(&result);
}

/* What the other tests rely on: that this browser would tell. */
static void test_would_be_seen(void)
{
	const char *what;

	if (!write_other("<!DOCTYPE html><title>x</title>"
			 "<div style='width:500px'>wide</div>"
			 "<img src=http://127.0.0.1:9/x><script>nothing()"
			 "</script>"))
		return;
	/* a phone would shrink it */
	show(other, PHONE);
	browser_screen(browser, screens[PHONE].width, screens[PHONE].height,
		       false);
	CU_ASSERT(eval_number("overflow()") > 0);
	check_value("tooWide()", "DIV.null");
	CU_ASSERT_EQUAL(browser_requests(browser, &what), 1);
	CU_ASSERT(browser_complaints(browser, &what) > 0);
}

static void test_screens(void)
{
	size_t i;

	for (i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		show(page, i);
		check_fits(screens[i].name);
		browser_check_silent(browser);
		keep_picture(screens[i].name);
	}
}

static size_t unfinished_mailboxes(void)
{
	size_t i, j, count = 0;

	for (i = 0; i < model->users_count; i++) {
		for (j = 0; j < model->users[i]->mailboxes_count; j++) {
			const struct report_mailbox *mailbox =
				model->users[i]->mailboxes[j];

			if (mailbox->state < REPORT_STATE_LOCAL ||
			    *mailbox->problem != '\0' ||
			    *mailbox->without != '\0')
				count++;
		}
	}
	return count;
}

static size_t users_to_tell(void)
{
	size_t i, count = 0;

	for (i = 0; i < model->submitters_count; i++)
		count += model->submitters[i]->tell;
	return count;
}

static void check_rows(const struct report_domain *domain)
{
	check_count("section.answer", model->domains_count);
	check_count("table.sources.straggler tr.source",
		    domain->standings[REPORT_STRAGGLER]);
	check_count("table.sources.wavering tr.source",
		    domain->standings[REPORT_WAVERING]);
	check_count("table.sources.quiet tr.source",
		    domain->standings[REPORT_QUIET]);
	check_count("tr.submitter", users_to_tell());
	check_count("tr.user", model->users_count);
	check_count("tr.mailbox", unfinished_mailboxes());
	check_count("tr.watcher", model->watchers_count);
	check_count("tr.gap", model->watchers[0]->gaps_total +
		    model->watchers[1]->gaps_total);
	check_count("tr.forgery", model->forgeries_count);
	check_count("tr.loop", model->loops_count);
	check_count("tr.input", model->reading.inputs_count);
}

/* In thousandths, -1 for one that isn't drawn. Two of 120 pixels are the least
   that is drawn of what isn't none. */
static long expected_share(const struct report_slot *slot, bool blind)
{
	uint64_t old = slot->wanted[REPORT_OLD];
	uint64_t all = old + slot->wanted[REPORT_NEW];
	long share, least = 1000 * 2 / 120;

	if (blind || all == 0)
		return -1;
	share = (long)(1000 * old / all);
	if (old > 0 && share < least)
		return least;
	return old < all && share > 1000 - least ? 1000 - least : share;
}

/* What is drawn of the slot in the panel of shares: the old server's part of the
   height, and whether it's hatched. */
static void check_slot(const char *plot, size_t i,
		       const struct report_slot *slot, uint32_t half)
{
	bool blind = slot->blind[REPORT_OLD] > half ||
		slot->blind[REPORT_NEW] > half;
	long got = -2, expected = expected_share(slot, blind);
	int hatched = -1;
	char expression[64];

	snprintf(expression, sizeof(expression), "slotShare('%s', %zu, %d)",
		 plot, i, SHARE_END);
	(void)sscanf(browser_eval(browser, expression), "%ld %d", &got,
		     &hatched);
	UNIT_CHECK(labs(got - expected) <= 2 && (got < 0) == (expected < 0),
		   "%s %zu: %ld, not %ld", plot, i, got, expected);
	UNIT_CHECK(hatched == blind, "%s %zu: hatched %d", plot, i, hatched);
}

static void test_all_is_there(void)
{
	const struct report_domain *domain = model->domains[0];
	size_t i, skip = domain->hours_count - WEEK_HOURS;

	show(page, DESKTOP);
	check_rows(domain);
	check_count(".days .slot", domain->days_count);
	check_count(".hours .slot", WEEK_HOURS);
	for (i = 0; i < domain->days_count; i++)
		check_slot("days", i, &domain->days[i], 43200);
	for (i = 0; i < WEEK_HOURS; i++)
		check_slot("hours", i, &domain->hours[skip + i], 1800);
	CU_ASSERT(eval_number("count('.hatched')") > 0);
}

/* In one text node each, and no element made of them. */
static void test_hostile(void)
{
	static const char *const strings[] = {
		REPORT_EXAMPLE_SCRIPT, REPORT_EXAMPLE_IMAGE,
		REPORT_EXAMPLE_STYLE
	};
	struct json_object *literal;
	char expression[256];
	size_t i;

	show(page, DESKTOP);
	check_value("document.title", "Migration");
	check_count("script, img, iframe, object, link, a, form, base", 0);
	check_count("style", 1);
	check_value("activeAttributes()", "");
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		literal = json_object_new_string(strings[i]);
		snprintf(expression, sizeof(expression), "isShown(%s)",
			 json_object_to_json_string(literal));
		check_value(expression, "true");
		json_object_put(literal);
	}
}

static void test_colours(void)
{
	static const struct {
		size_t screen;
		const char *background;
	} cases[] = {
		{ DESKTOP, "rgb(246, 245, 242)" },
		{ DESKTOP_DARK, "rgb(21, 25, 28)" },
		/* black on white, whatever the screen has */
		{ PAPER, "rgb(255, 255, 255)" },
	};
	long contrast;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		show(page, cases[i].screen);
		check_value("styleOf('body', 'backgroundColor')",
			    cases[i].background);
		contrast = eval_number("leastContrast()");
		/* WCAG 2.1, 1.4.3 */
		UNIT_CHECK(contrast >= 450, "%s: contrast %ld %%",
			   screens[cases[i].screen].name, contrast);
	}
}

static void test_phone_cards(void)
{
	show(page, PHONE);
	check_value("contentBefore('tr.source td:nth-child(3)')",
		    "\"To the old server\"");
	check_value("styleOf('tr.source td', 'display')", "block");
	/* what is read without glasses */
	CU_ASSERT(eval_number("leastFontSize()") >= 11);
}

static void check_pdf(const char *path)
{
	struct process_result result;
	struct stat st;

	CU_ASSERT(stat(path, &st) == 0 && st.st_size > 10000);
	CU_ASSERT_EQUAL(process_shell(10000, &result, "head -c 5 %s | "
				      "grep -qx -- '%%PDF-' && grep -acE "
				      "'^/?.*/Type ?/Page([^s]|$)' %s", path,
				      path), 0);
	UNIT_CHECK(strtol(result.output, NULL, 10) >= 2, "%s pages",
		   result.output);
	process_result_free(&result);
}

static void test_paper(void)
{
	const char *shots = getenv("REPORT_SHOTS");
	char path[256];

	show(page, PAPER);
	check_fits("paper");
	check_value("styleOf('thead', 'display')", "table-header-group");
	snprintf(path, sizeof(path), "%s/page.pdf",
		 shots != NULL ? shots : dir);
	if (browser_print(browser, path))
		check_pdf(path);
	keep_picture("paper");
}

static void test_extremes(void)
{
	struct report_model *large = report_example(HTML_TABLE_MAX_ROWS * 4);
	size_t stragglers = large->domains[0]->standings[REPORT_STRAGGLER];
	char expected[64];

	if (write_page(large, other)) {
		show(other, PHONE);
		check_count("tr.source", HTML_TABLE_MAX_ROWS + 2);
		snprintf(expected, sizeof(expected), "And %s more, which --json "
			 "has.", format_count(stragglers -
					      HTML_TABLE_MAX_ROWS).text);
		check_value("document.querySelector('.more').innerText",
			    expected);
	}
	report_example_free(&large);
	if (write_page(report_example_empty(), other)) {
		show(other, PHONE);
		check_fits("empty");
		browser_check_silent(browser);
		keep_picture("empty");
	}
}

static void test_valid(void)
{
	const char *const argv[] = {
		"tidy", "-q", "-e", "--drop-empty-elements", "no", page, NULL
	};
	struct process_result result;

	(void)process_run(argv, 30000, &result);
	UNIT_CHECK(result.status == 0, "tidy: %d, %s", result.status,
		   result.output);
	process_result_free(&result);
}

static const struct unit_test tests[] = {
	{ "the browser starts", test_start },
	{ "this browser would tell", test_would_be_seen },
	{ "screens", test_screens },
	{ "all of the model is there", test_all_is_there },
	{ "hostile strings are text", test_hostile },
	{ "colours can be read", test_colours },
	{ "tables are cards on a phone", test_phone_cards },
	{ "paper", test_paper },
	{ "many rows, and none", test_extremes },
	{ "valid HTML", test_valid },
	{ "the browser ends", test_end },
	{ NULL, NULL }
};

int main(void)
{
	int status;

	setenv("TZ", "UTC", 1);
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(page, sizeof(page), "%s/page.html", dir);
	snprintf(other, sizeof(other), "%s/other.html", dir);
	model = report_example(0);
	status = unit_run("report-browser", tests);
	report_example_free(&model);
	return status;
}
