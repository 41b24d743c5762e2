/* test-html-write: whatever is shown stays a text, in each place. */
#include "unit.h"
#include "report/html-write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *page;
static size_t page_size;

static void begin(struct html *html)
{
	html_init(html, open_memstream(&page, &page_size));
}

static void is(struct html *html, const char *expected)
{
	FILE *out = html->out;

	CU_ASSERT_EQUAL(html_deinit(html), 0);
	fclose(out);
	UNIT_CHECK(strcmp(page, expected) == 0, "%s instead of %s", page,
		   expected);
	free(page);
}

static void test_elements(void)
{
	struct html html;

	begin(&html);
	html_open(&html, "p");
	html_attr(&html, "id", "a");
	html_attrf(&html, "data-n", "%d", 7);
	html_text(&html, "one ");
	html_line(&html, "b", "loud", "two");
	html_open(&html, "br");
	html_close(&html, "br");
	html_textf(&html, "%s", "three");
	html_close(&html, "p");
	html_open_class(&html, "td", NULL);
	html_close(&html, "td");
	is(&html, "<!DOCTYPE html>\n<p id=\"a\" data-n=\"7\">one "
	   "<b class=\"loud\">two</b><br>three</p><td></td>\n");
}

static const struct {
	const char *text, *escaped;
} hostile[] = {
	{ "", "" },
	{ "<script>alert(1)</script>",
	  "&lt;script&gt;alert(1)&lt;/script&gt;" },
	{ "\" onload=\"x", "&quot; onload=&quot;x" },
	{ "' x='", "&#39; x=&#39;" },
	{ "&lt;&amp;", "&amp;lt;&amp;amp;" },
	{ "]]>--><!--", "]]&gt;--&gt;&lt;!--" },
	{ "a\x01" "b\x1b[31m\x7f\r",
	  "a\xef\xbf\xbd" "b\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd" },
	{ "d\xc3\xbcr", "d\xc3\xbcr" },
	{ "%s%n", "%s%n" },
};

static void test_hostile(void)
{
	struct html html;
	char expected[256];
	size_t i;

	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		begin(&html);
		html_open_class(&html, "i", hostile[i].text);
		html_text(&html, hostile[i].text);
		html_foreign(&html, hostile[i].text);
		html_close(&html, "i");
		snprintf(expected, sizeof(expected),
			 "<!DOCTYPE html><i class=\"%s\">%s<bdi>%s</bdi></i>\n",
			 hostile[i].escaped, hostile[i].escaped,
			 hostile[i].escaped);
		is(&html, expected);
	}
}

/* A page that is cut off must not pass for a whole one. */
static void test_full_disk(void)
{
	struct html html;
	FILE *full = fopen("/dev/full", "w");
	unsigned int i;

	CU_ASSERT_FATAL(full != NULL);
	html_init(&html, full);
	CU_ASSERT_EQUAL(html_deinit(&html), -1);
	CU_ASSERT_EQUAL(errno, ENOSPC);
	html_init(&html, full);
	for (i = 0; i < 100000; i++)
		html_text(&html, "text");
	CU_ASSERT_EQUAL(html_deinit(&html), -1);
	fclose(full);
}

static const struct unit_test tests[] = {
	{ "elements", test_elements },
	{ "hostile texts", test_hostile },
	{ "a full disk", test_full_disk },
	{ NULL, NULL }
};

int main(void)
{
	return unit_run("html-write", tests);
}
