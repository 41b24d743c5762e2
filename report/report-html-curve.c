/*
 * report-html-curve: the share of the old server over time, as inline SVG
 *
 * Three panels over one axis of time: the share of wanted mail that came to each
 * side, how much mail that was, and when a side wasn't watched. A slot without
 * mail stays blank, and one that was blind for the greater part is hatched: no
 * data is never drawn as "none".
 *
 * Everything stands at a percentage of the width and at a fixed height, so that
 * texts keep their size on whatever screen.
 */
#include "report-html-private.h"
#include "common/text-format.h"

#include <string.h>

#define SHARE_TOP 8
#define SHARE_HEIGHT 120
#define SHARE_LEAST 2
#define VOLUME_TOP 146
#define VOLUME_HEIGHT 44
#define VOLUME_END (VOLUME_TOP + VOLUME_HEIGHT)
/* The two lanes of what wasn't watched */
#define WATCH_TOP 202
#define WATCH_HEIGHT 7
#define WATCH_STEP 13
#define LABEL_Y 240
#define HEIGHT 246
#define AXIS_WIDTH 52
/* So that no line of background is left between two slots by rounding. */
#define OVERLAP_PERCENT 0.02
/* What a character of a label takes on a phone. */
#define LABEL_CHAR_PERCENT 2.5
/* A label that begins further right would be cut off. */
#define LABEL_LAST_PERCENT 88

struct curve {
	struct html *html;
	const struct report_slot *slots;
	size_t count;
	enum svg_slots kind;
	/* Where the axis of the volume ends. */
	uint64_t top;
};

static const uint32_t slot_lengths[] = {
	[SVG_HOURS] = 3600,
	[SVG_DAYS] = 86400,
};

static uint64_t slot_total(const struct report_slot *slot)
{
	return slot->wanted[REPORT_OLD] + slot->wanted[REPORT_NEW];
}

static bool slot_is_blind(const struct curve *curve,
			  const struct report_slot *slot)
{
	uint32_t half = slot_lengths[curve->kind] / 2;

	return slot->blind[REPORT_OLD] > half || slot->blind[REPORT_NEW] > half;
}

static double percent_at(const struct curve *curve, double slot)
{
	return 100 * slot / (double)curve->count;
}

static void put_rect(const struct curve *curve, const char *class, double slot,
		     double slots, double y, double height)
{
	struct html *html = curve->html;

	if (height <= 0)
		return;
	html_open_class(html, "rect", class);
	html_attrf(html, "x", "%.3f%%", percent_at(curve, slot));
	html_attrf(html, "width", "%.3f%%", percent_at(curve, slots) +
		   OVERLAP_PERCENT);
	html_attrf(html, "y", "%.1f", y);
	html_attrf(html, "height", "%.1f", height);
	html_close(html, "rect");
}

/*
 * A slot
 */

static void put_tip_blind(struct html *html, const struct report_slot *slot,
			  enum report_side side)
{
	if (slot->blind[side] > 0)
		html_textf(html, "; %s server not watched for %s",
			   report_side_name(side),
			   format_span(slot->blind[side]).text);
}

static void put_tip(const struct curve *curve, const struct report_slot *slot)
{
	struct html *html = curve->html;
	struct format when = curve->kind == SVG_DAYS ?
		format_date(slot->start) : format_time(slot->start);

	html_open(html, "title");
	html_textf(html, "%s: %s to the old server, %s to the new one",
		   when.text, format_count(slot->wanted[REPORT_OLD]).text,
		   format_count(slot->wanted[REPORT_NEW]).text);
	if (slot_total(slot) > 0)
		html_textf(html, " (%s old)",
			   format_share(slot->wanted[REPORT_OLD],
					slot_total(slot)).text);
	put_tip_blind(html, slot, REPORT_OLD);
	put_tip_blind(html, slot, REPORT_NEW);
	html_close(html, "title");
}

/* A share that isn't none is seen, and one that isn't all too: the last mails
   at the old server are what matters. */
static double share_height(const struct report_slot *slot)
{
	uint64_t total = slot_total(slot);
	double height = SHARE_HEIGHT * (double)slot->wanted[REPORT_OLD] /
		(double)total;

	if (slot->wanted[REPORT_OLD] > 0 && height < SHARE_LEAST)
		return SHARE_LEAST;
	if (slot->wanted[REPORT_NEW] > 0 && height > SHARE_HEIGHT - SHARE_LEAST)
		return SHARE_HEIGHT - SHARE_LEAST;
	return height;
}

static void put_share(const struct curve *curve, size_t i)
{
	double old = share_height(&curve->slots[i]);

	put_rect(curve, "new", (double)i, 1, SHARE_TOP, SHARE_HEIGHT - old);
	put_rect(curve, "old", (double)i, 1, SHARE_TOP + SHARE_HEIGHT - old,
		 old);
}

static void put_volume(const struct curve *curve, size_t i)
{
	const struct report_slot *slot = &curve->slots[i];
	double scale = VOLUME_HEIGHT / (double)curve->top;
	double old = scale * (double)slot->wanted[REPORT_OLD];
	double new = scale * (double)slot->wanted[REPORT_NEW];

	put_rect(curve, "new", (double)i, 1, VOLUME_END - old - new, new);
	put_rect(curve, "old", (double)i, 1, VOLUME_END - old, old);
}

/* As wide as the part of the slot that wasn't watched. */
static void put_watch(const struct curve *curve, size_t i)
{
	const struct report_slot *slot = &curve->slots[i];
	double part;
	int side;

	for (side = 0; side < REPORT_SIDES; side++) {
		part = (double)slot->blind[side] / slot_lengths[curve->kind];
		if (part > 0)
			put_rect(curve, "unwatched", (double)i,
				 part < 1 ? part : 1,
				 WATCH_TOP + side * WATCH_STEP, WATCH_HEIGHT);
	}
}

static void put_slot(const struct curve *curve, size_t i)
{
	const struct report_slot *slot = &curve->slots[i];
	bool blind = slot_is_blind(curve, slot), empty = slot_total(slot) == 0;

	html_open_class(curve->html, "g", blind ? "slot blind" :
			empty ? "slot empty" : "slot");
	put_tip(curve, slot);
	/* something to point at */
	put_rect(curve, "all", (double)i, 1, 0, HEIGHT);
	if (blind)
		put_rect(curve, "hatched", (double)i, 1, SHARE_TOP,
			 SHARE_HEIGHT);
	else if (!empty)
		put_share(curve, i);
	put_volume(curve, i);
	put_watch(curve, i);
	html_close(curve->html, "g");
}

/*
 * Axes
 */

static void put_axis_text(struct html *html, const char *text, int y)
{
	html_open(html, "text");
	html_attrf(html, "x", "%d", AXIS_WIDTH - 8);
	html_attrf(html, "y", "%d", y + 4);
	html_attr(html, "text-anchor", "end");
	html_text(html, text);
	html_close(html, "text");
}

static void open_svg(struct html *html, const char *class, const char *width)
{
	html_open_class(html, "svg", class);
	html_attr(html, "width", width);
	html_attrf(html, "height", "%d", HEIGHT);
}

static void put_value_axis(const struct curve *curve)
{
	struct html *html = curve->html;
	char width[8];
	int side;

	snprintf(width, sizeof(width), "%d", AXIS_WIDTH);
	open_svg(html, "axis", width);
	html_attr(html, "aria-hidden", "true");
	put_axis_text(html, "100 %", SHARE_TOP);
	put_axis_text(html, "50 %", SHARE_TOP + SHARE_HEIGHT / 2);
	put_axis_text(html, "0 %", SHARE_TOP + SHARE_HEIGHT);
	put_axis_text(html, format_count(curve->top).text, VOLUME_TOP);
	put_axis_text(html, "0", VOLUME_END);
	for (side = 0; side < REPORT_SIDES; side++)
		put_axis_text(html, report_side_name(side), WATCH_TOP +
			      side * WATCH_STEP + WATCH_HEIGHT / 2);
	html_close(html, "svg");
}

static void put_line(struct html *html, const char *x, int y1, int y2,
		     const char *x2)
{
	html_open_class(html, "line", "grid");
	html_attr(html, "x1", x);
	html_attr(html, "x2", x2);
	html_attrf(html, "y1", "%d", y1);
	html_attrf(html, "y2", "%d", y2);
	html_close(html, "line");
}

static void put_grid(const struct curve *curve)
{
	static const int lines[] = {
		SHARE_TOP, SHARE_TOP + SHARE_HEIGHT / 2,
		SHARE_TOP + SHARE_HEIGHT, VOLUME_END
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put_line(curve->html, "0", lines[i], lines[i], "100%");
}

static void put_time_axis(const struct curve *curve)
{
	struct svg_tick ticks[SVG_MAX_TICKS];
	size_t i, length, count = svg_scale_ticks(curve->slots, curve->count,
						  curve->kind, ticks);
	double percent, free_from = 0;
	char x[16];

	for (i = 0; i < count; i++) {
		percent = percent_at(curve, (double)ticks[i].slot);
		snprintf(x, sizeof(x), "%.3f%%", percent);
		put_line(curve->html, x, SHARE_TOP, LABEL_Y - 12, x);
		if (percent < free_from || percent > LABEL_LAST_PERCENT)
			continue;
		length = strlen(ticks[i].label);
		free_from = percent + LABEL_CHAR_PERCENT * (double)length;
		html_open(curve->html, "text");
		html_attr(curve->html, "x", x);
		html_attrf(curve->html, "y", "%d", LABEL_Y);
		html_text(curve->html, ticks[i].label);
		html_close(curve->html, "text");
	}
}

/*
 * All of it
 */

static void put_key(struct html *html, const char *class, const char *text)
{
	html_open(html, "li");
	html_open_class(html, "i", class);
	html_close(html, "i");
	html_text(html, text);
	html_close(html, "li");
}

static void put_caption(const struct curve *curve)
{
	struct html *html = curve->html;

	html_open(html, "figcaption");
	html_line(html, "b", NULL, curve->kind == SVG_DAYS ?
		  "Wanted mail by day" : "Wanted mail by hour");
	html_open_class(html, "ul", "key");
	put_key(html, "new", "new server");
	put_key(html, "old", "old server");
	put_key(html, "unwatched", "not watched");
	html_close(html, "ul");
	html_close(html, "figcaption");
}

static void put_plot(const struct curve *curve)
{
	struct html *html = curve->html;
	size_t i;

	open_svg(html, curve->kind == SVG_DAYS ? "plot days" : "plot hours",
		 "100%");
	html_attr(html, "role", "img");
	html_attrf(html, "aria-label", "Share of wanted mail that came to the "
		   "old and to the new server, by %s, from %s to %s",
		   curve->kind == SVG_DAYS ? "day" : "hour",
		   format_time(curve->slots[0].start).text,
		   format_time(curve->slots[curve->count - 1].start).text);
	for (i = 0; i < curve->count; i++)
		put_slot(curve, i);
	put_grid(curve);
	put_time_axis(curve);
	html_close(html, "svg");
}

void report_html_curve(struct html *html, const struct report_slot *slots,
		       size_t count, enum svg_slots kind)
{
	struct curve curve = {
		.html = html,
		.slots = slots,
		.count = count,
		.kind = kind,
	};
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (slot_total(&slots[i]) > most)
			most = slot_total(&slots[i]);
	}
	curve.top = svg_scale_top(most);
	html_open_class(html, "figure", "curve");
	put_caption(&curve);
	html_open_class(html, "div", "panels");
	put_value_axis(&curve);
	put_plot(&curve);
	html_close(html, "div");
	html_close(html, "figure");
}
