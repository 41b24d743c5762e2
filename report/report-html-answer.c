/*
 * report-html-answer: the top of the page, which is all that many will read
 *
 * For each domain the verdict, a sentence about the last hours, and tiles with what must be
 * known before it is believed: the last wanted mail at the old server, who still
 * sends there, and what wasn't watched.
 */
#include "report-html-private.h"
#include "common/text-format.h"
#include "report-recent.h"

#include <string.h>

/* Of two figures and some words. */
#define NOTE_SIZE 128

/*
 * The sentence
 */

static const char *outlook_class(enum report_outlook outlook)
{
	static const char *const classes[] = {
		[REPORT_OUTLOOK_NOTHING] = "answer unknown",
		[REPORT_OUTLOOK_BLIND] = "answer unknown",
		[REPORT_OUTLOOK_BEFORE] = "answer unknown",
		[REPORT_OUTLOOK_COMING] = "answer coming",
		[REPORT_OUTLOOK_UNSURE] = "answer unknown",
		[REPORT_OUTLOOK_NONE] = "answer none",
	};

	return classes[outlook];
}

static void put_coming(struct html *html, const struct report_recent *recent)
{
	uint64_t old = recent->wanted[REPORT_OLD];
	uint64_t all = old + recent->wanted[REPORT_NEW];

	html_line(html, "strong", NULL, format_share(old, all).text);
	html_textf(html, " of wanted mail still comes to the old server: "
		   "%s of %s in the last %d hours.",
		   format_count(old).text, format_count(all).text,
		   REPORT_RECENT_HOURS);
}

static void put_sentence(struct html *html, enum report_outlook outlook,
			 const struct report_recent *recent)
{
	switch (outlook) {
	case REPORT_OUTLOOK_COMING:
		put_coming(html, recent);
		break;
	case REPORT_OUTLOOK_NOTHING:
		html_text(html, "No arrival was seen.");
		break;
	case REPORT_OUTLOOK_BLIND:
		html_textf(html, "What comes to the old server isn't known: "
			   "in the last %d hours it wasn't watched.",
			   REPORT_RECENT_HOURS);
		break;
	case REPORT_OUTLOOK_BEFORE:
		html_text(html, "No wanted mail has come to the new server "
			  "yet.");
		break;
	case REPORT_OUTLOOK_UNSURE:
		html_textf(html, "No wanted mail was seen at the old server in "
			   "the last %d hours, but for %s of them it wasn't "
			   "watched.", REPORT_RECENT_HOURS,
			   format_span(recent->blind_s[REPORT_OLD]).text);
		break;
	case REPORT_OUTLOOK_NONE:
		html_textf(html, "No wanted mail came to the old server in the "
			   "last %d hours.", REPORT_RECENT_HOURS);
		break;
	}
}

/*
 * Tiles
 */

static void put_tile(struct html *html, const char *title, const char *figure,
		     const char *note)
{
	html_open_class(html, "div", "tile");
	html_line(html, "h3", NULL, title);
	html_line(html, "p", "figure", figure);
	if (*note != '\0')
		html_line(html, "p", "note", note);
	html_close(html, "div");
}

static void put_last_tile(struct html *html, const struct report_model *model,
			  const struct report_domain *domain)
{
	int64_t last = domain->wanted.last[REPORT_OLD];
	char note[NOTE_SIZE] = "none was seen";

	if (last != 0)
		snprintf(note, sizeof(note), "%s before the end of the log",
			 format_span(model->last > last ?
				     (uint64_t)(model->last - last) : 0).text);
	put_tile(html, "Last wanted mail at the old server",
		 format_time(last).text, note);
}

static void put_stragglers_tile(struct html *html,
				const struct report_domain *domain)
{
	size_t others = domain->standings[REPORT_WAVERING];
	char note[NOTE_SIZE] = "whose last mail came to the old server";

	if (others > 0)
		snprintf(note, sizeof(note), "whose last mail came to the old "
			 "server; %s more waver", format_count(others).text);
	put_tile(html, "Stragglers",
		 format_count(domain->standings[REPORT_STRAGGLER]).text, note);
}

static void put_since_tile(struct html *html,
			   const struct report_domain *domain)
{
	uint64_t old = domain->wanted_since[REPORT_OLD];
	uint64_t all = old + domain->wanted_since[REPORT_NEW];
	char note[NOTE_SIZE];

	snprintf(note, sizeof(note), "%s of %s, spam not counted",
		 format_count(old).text, format_count(all).text);
	put_tile(html, "To the old server since the switch",
		 format_share(old, all).text, note);
}

static struct format blind_text(const struct report_model *model,
				enum report_side side)
{
	static const struct format always = { "all the time" };
	static const struct format never = { "never" };

	if (!model->watched[side])
		return always;
	return model->blind_s[side] == 0 ? never :
		format_span(model->blind_s[side]);
}

static void put_watch_tile(struct html *html, const struct report_model *model)
{
	char note[NOTE_SIZE];

	snprintf(note, sizeof(note), "the new one: %s",
		 blind_text(model, REPORT_NEW).text);
	put_tile(html, "Old server not watched",
		 blind_text(model, REPORT_OLD).text, note);
}

static void put_tiles(struct html *html, const struct report_model *model,
		      const struct report_domain *domain)
{
	html_open_class(html, "div", "tiles");
	put_last_tile(html, model, domain);
	put_stragglers_tile(html, domain);
	put_since_tile(html, domain);
	put_watch_tile(html, model);
	html_close(html, "div");
}

static void put_verdict(struct html *html, const struct report_model *model,
			const char *domain)
{
	const struct report_verdict *verdict =
		report_html_find_verdict(model, domain);

	if (verdict != NULL)
		report_html_verdict(html, verdict);
}

static void put_answer(struct html *html, const struct report_model *model,
		       const struct report_domain *domain)
{
	struct report_recent recent;
	enum report_outlook outlook;

	report_recent_get(domain, &recent);
	outlook = report_recent_outlook(model, &recent);
	html_open_class(html, "section", outlook_class(outlook));
	html_open(html, "h2");
	html_foreign(html, domain->name);
	html_close(html, "h2");
	put_verdict(html, model, domain->name);
	html_open_class(html, "p", "sentence");
	put_sentence(html, outlook, &recent);
	html_close(html, "p");
	if (outlook != REPORT_OUTLOOK_NOTHING)
		put_tiles(html, model, domain);
	html_close(html, "section");
}

void report_html_answers(struct html *html, const struct report_model *model)
{
	size_t i;

	for (i = 0; i < model->domains_count; i++)
		put_answer(html, model, model->domains[i]);
	if (model->domains_count > 0)
		return;
	html_open_class(html, "section", "answer unknown");
	put_verdict(html, model, model->domain_chosen);
	html_line(html, "p", "sentence", "Nothing that was read tells of an "
		  "arrival.");
	html_close(html, "section");
}
