#include "html-write.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define FORMATTED_MAX 256
#define REPLACEMENT "\xef\xbf\xbd"

static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\n':
	case '\t':
		return NULL;
	default:
		return (unsigned char)c < ' ' || c == 0x7f ?
			REPLACEMENT : NULL;
	}
}

/* What is right in a value between quotes is right in a text too. */
static void put_escaped(FILE *out, const char *text)
{
	const char *start = text, *escape;

	for (; *text != '\0'; text++) {
		escape = escape_of(*text);
		if (escape == NULL)
			continue;
		fwrite(start, 1, (size_t)(text - start), out);
		fputs(escape, out);
		start = text + 1;
	}
	fwrite(start, 1, (size_t)(text - start), out);
}

static void end_tag(struct html *html)
{
	if (html->in_tag)
		fputc('>', html->out);
	html->in_tag = false;
}

static bool is_void(const char *name)
{
	return strcmp(name, "meta") == 0 || strcmp(name, "br") == 0 ||
		strcmp(name, "col") == 0;
}

/* Lines for those who look at the source; where white space shows, none. */
static bool is_block(const char *name)
{
	static const char *const names[] = {
		"html", "head", "body", "title", "meta", "style", "header",
		"main", "section", "footer", "figure", "svg", "g", "table",
		"thead", "tbody", "tr", "h1", "h2", "h3", "dl", "ul", "li",
		"defs", "p", "div"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

void html_init(struct html *html, FILE *out)
{
	memset(html, 0, sizeof(*html));
	html->out = out;
	fputs("<!DOCTYPE html>", out);
}

int html_deinit(struct html *html)
{
	FILE *out = html->out;

	assert(html->depth == 0);
	html->out = NULL;
	fputc('\n', out);
	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	if (errno == 0)
		errno = EIO;
	return -1;
}

void html_open(struct html *html, const char *name)
{
	assert(html->depth < HTML_MAX_DEPTH);
	end_tag(html);
	if (is_block(name))
		fputc('\n', html->out);
	fprintf(html->out, "<%s", name);
	html->open[html->depth++] = name;
	html->in_tag = true;
}

void html_open_class(struct html *html, const char *name, const char *class)
{
	html_open(html, name);
	if (class != NULL)
		html_attr(html, "class", class);
}

void html_close(struct html *html, const char *name)
{
	assert(html->depth > 0 &&
	       strcmp(html->open[html->depth - 1], name) == 0);
	end_tag(html);
	if (!is_void(name))
		fprintf(html->out, "</%s>", name);
	html->depth--;
}

void html_attr(struct html *html, const char *name, const char *value)
{
	assert(html->in_tag);
	fprintf(html->out, " %s=\"", name);
	put_escaped(html->out, value);
	fputc('"', html->out);
}

void html_attrf(struct html *html, const char *name, const char *fmt, ...)
{
	char value[FORMATTED_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	html_attr(html, name, value);
}

void html_text(struct html *html, const char *text)
{
	end_tag(html);
	put_escaped(html->out, text);
}

void html_textf(struct html *html, const char *fmt, ...)
{
	char text[FORMATTED_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	html_text(html, text);
}

void html_foreign(struct html *html, const char *text)
{
	html_line(html, "bdi", NULL, text);
}

void html_style(struct html *html, const char *css)
{
	assert(strstr(css, "</") == NULL);
	html_open(html, "style");
	end_tag(html);
	fputs(css, html->out);
	html_close(html, "style");
}

void html_line(struct html *html, const char *name, const char *class,
	       const char *text)
{
	html_open_class(html, name, class);
	html_text(html, text);
	html_close(html, name);
}
