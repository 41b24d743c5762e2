#include "report-text.h"
#include "common/text-format.h"

#include <errno.h>
#include <string.h>

size_t report_text_rows(size_t count, size_t rows)
{
	return rows != 0 && count > rows ? rows : count;
}

void report_text_more(FILE *out, size_t count, size_t shown)
{
	if (count > shown)
		fprintf(out, "  and %s more\n", format_count(count - shown).text);
}

void report_text_title(FILE *out, const char *title)
{
	fprintf(out, "\n%s\n", title);
}

static void write_switched(const struct report_model *model, FILE *out)
{
	static const char *const how[] = {
		[REPORT_SWITCHED_INFERRED] =
			"inferred: the first wanted arrival at the new server",
		[REPORT_SWITCHED_GIVEN] = "as given",
	};

	if (model->switched_by == REPORT_SWITCHED_UNKNOWN) {
		fprintf(out, "MX: not switched yet, as far as can be seen: "
			"nothing came to the new server.\n");
		return;
	}
	fprintf(out, "MX switched: %s (%s)\n",
		format_time(model->switched).text, how[model->switched_by]);
}

static void write_inputs(const struct report_reading *reading, FILE *out)
{
	const struct report_input *input;
	size_t i;

	for (i = 0; i < reading->inputs_count; i++) {
		input = &reading->inputs[i];
		if (*input->error != '\0')
			fprintf(out, "%s: %s\n", input->name, input->error);
	}
}

static void write_head(const struct report_model *model, FILE *out)
{
	const struct report_reading *reading = &model->reading;

	fprintf(out, "Migration report of %s", format_time_zone(model->now).text);
	if (*model->domain_chosen != '\0')
		fprintf(out, " for %s", model->domain_chosen);
	fprintf(out, "\nRead: %s lines (%s) of %s logs, %s report lines",
		format_count(reading->lines).text,
		format_bytes(reading->bytes).text,
		format_count(reading->inputs_count).text,
		format_count(reading->report_lines).text);
	if (model->first != 0) {
		fprintf(out, ",\n      from %s to %s %s",
			format_time(model->first).text,
			format_time(model->last).text, model->zone);
	}
	fprintf(out, "\n");
	write_switched(model, out);
	write_inputs(reading, out);
}

static void write_reading(const struct report_reading *reading, FILE *out)
{
	const struct {
		uint64_t count;
		const char *what;
	} notes[] = {
		{ reading->suspicious, "have a report line in the wrong place: "
		  "somebody may have tried to forge one" },
		{ reading->broken, "can't be read as report lines" },
		{ reading->undated, "have no time that can be read, or one in "
		  "the future" },
		{ reading->unknown, "are of events that this report doesn't "
		  "know" },
		{ reading->doubles, "were told twice, and count once" },
	};
	size_t i;
	bool any = false;

	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		if (notes[i].count == 0)
			continue;
		if (!any)
			report_text_title(out, "Lines that don't count "
					  "(-v shows them)");
		any = true;
		fprintf(out, "  %s %s\n", format_count(notes[i].count).text,
			notes[i].what);
	}
}

int report_text_write(const struct report_model *model,
		      const struct report_text_options *options, FILE *out,
		      const char **error_r)
{
	size_t i;

	write_head(model, out);
	report_text_actions(model, out);
	for (i = 0; i < model->verdicts_count; i++) {
		report_text_title(out, "May the old server be cancelled?");
		report_text_verdict(model->verdicts[i], options, out);
	}
	for (i = 0; i < model->domains_count; i++)
		report_text_domain(model->domains[i], options, out);
	report_text_submitters(model, options, out);
	report_text_users(model, options, out);
	report_text_watching(model, options, out);
	report_text_incidents(model, options, out);
	write_reading(&model->reading, out);
	if (fflush(out) != 0 || ferror(out) != 0) {
		*error_r = strerror(errno);
		return -1;
	}
	return 0;
}
