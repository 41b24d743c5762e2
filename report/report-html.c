#include "report-html.h"
#include "report-html-private.h"
#include "common/text-format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The page
 */

static void put_meta(struct html *html, const char *name, const char *value,
		     const char *content)
{
	html_open(html, "meta");
	html_attr(html, name, value);
	if (content != NULL)
		html_attr(html, "content", content);
	html_close(html, "meta");
}

static const char *title_domain(const struct report_model *model)
{
	if (model->domains_count == 1)
		return model->domains[0]->name;
	return model->domain_chosen;
}

static void put_title(struct html *html, const char *element,
		      const struct report_model *model)
{
	const char *domain = title_domain(model);

	html_open(html, element);
	html_text(html, "Migration");
	if (*domain != '\0') {
		html_text(html, " of ");
		html_text(html, domain);
	}
	html_close(html, element);
}

static void put_head(struct html *html, const struct report_model *model)
{
	html_open(html, "head");
	put_meta(html, "charset", "utf-8", NULL);
	put_meta(html, "http-equiv", "Content-Security-Policy",
		 "default-src 'none'; style-src 'unsafe-inline'");
	put_meta(html, "name", "viewport",
		 "width=device-width, initial-scale=1");
	put_meta(html, "name", "color-scheme", "light dark");
	put_meta(html, "name", "generator", "migration-report");
	put_title(html, "title", model);
	html_style(html, report_html_css);
	html_close(html, "head");
}

static void put_switch(struct html *html, const struct report_model *model)
{
	switch (model->switched_by) {
	case REPORT_SWITCHED_UNKNOWN:
		html_text(html, "Not switched yet.");
		break;
	case REPORT_SWITCHED_INFERRED:
		html_textf(html, "Switched %s, when the first wanted mail came "
			   "to the new server.",
			   format_time(model->switched).text);
		break;
	case REPORT_SWITCHED_GIVEN:
		html_textf(html, "Switched %s.",
			   format_time(model->switched).text);
		break;
	}
}

static void put_header(struct html *html, const struct report_model *model)
{
	html_open(html, "header");
	put_title(html, "h1", model);
	html_open(html, "p");
	put_switch(html, model);
	html_open(html, "br");
	html_close(html, "br");
	html_textf(html, "Read from %s to %s. Times are %s.",
		   format_time(model->first).text,
		   format_time(model->last).text, model->zone);
	html_close(html, "p");
	html_close(html, "header");
}

/* What slots that weren't watched are filled with. Style refers to it. */
static void put_hatch(struct html *html)
{
	html_open_class(html, "svg", "defs");
	html_attr(html, "width", "0");
	html_attr(html, "height", "0");
	html_attr(html, "aria-hidden", "true");
	html_open(html, "defs");
	html_open(html, "pattern");
	html_attr(html, "id", "hatch");
	html_attr(html, "width", "6");
	html_attr(html, "height", "6");
	html_attr(html, "patternUnits", "userSpaceOnUse");
	html_attr(html, "patternTransform", "rotate(45)");
	html_open(html, "rect");
	html_attr(html, "width", "2");
	html_attr(html, "height", "6");
	html_close(html, "rect");
	html_close(html, "pattern");
	html_close(html, "defs");
	html_close(html, "svg");
}

static void put_main(struct html *html, const struct report_model *model)
{
	size_t i;

	html_open(html, "main");
	report_html_answers(html, model);
	for (i = 0; i < model->domains_count; i++)
		report_html_domain(html, model, model->domains[i]);
	report_html_submitters(html, model);
	report_html_users(html, model);
	report_html_watch(html, model);
	report_html_forged(html, model);
	report_html_reading(html, model);
	html_close(html, "main");
}

int report_html_write(const struct report_model *model, FILE *out)
{
	struct html html;

	html_init(&html, out);
	html_open(&html, "html");
	html_attr(&html, "lang", "en");
	put_head(&html, model);
	html_open(&html, "body");
	put_hatch(&html);
	put_header(&html, model);
	put_main(&html, model);
	html_open(&html, "footer");
	html_textf(&html, "Made by migration-report, %s.",
		   format_time_zone(model->now).text);
	html_close(&html, "footer");
	html_close(&html, "body");
	html_close(&html, "html");
	return html_deinit(&html);
}

/*
 * The file
 */

static int write_and_close(const struct report_model *model, FILE *out)
{
	int ret = report_html_write(model, out), saved = errno;

	if (fclose(out) == 0 || ret < 0) {
		errno = saved;
		return ret;
	}
	return -1;
}

/* With the mode that a file made here would have. */
static FILE *open_temporary(char *path)
{
	mode_t mask = umask(0);
	int fd = mkstemp(path);
	FILE *file;

	(void)umask(mask);
	if (fd < 0)
		return NULL;
	file = fchmod(fd, 0666 & ~mask) < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL) {
		close(fd);
		(void)unlink(path);
	}
	return file;
}

static int replace_file(const struct report_model *model, const char *path)
{
	char *temporary = NULL;
	FILE *file;
	int ret, saved;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -1;
	file = open_temporary(temporary);
	if (file == NULL) {
		saved = errno;
		free(temporary);
		errno = saved;
		return -1;
	}
	ret = write_and_close(model, file);
	if (ret == 0)
		ret = rename(temporary, path);
	saved = errno;
	if (ret < 0)
		(void)unlink(temporary);
	free(temporary);
	errno = saved;
	return ret;
}

int report_html_write_file(const struct report_model *model, const char *path,
			   const char **error_r)
{
	struct stat st;
	FILE *file;
	int ret;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode)) {
		ret = replace_file(model, path);
	} else {
		file = fopen(path, "w");
		ret = file == NULL ? -1 : write_and_close(model, file);
	}
	if (ret < 0)
		*error_r = strerror(errno);
	return ret;
}
