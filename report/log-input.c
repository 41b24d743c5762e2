#include "log-input.h"
#include "common/report-line.h"

int log_input_next(struct log_input *input, struct log_record *record_r)
{
	return input->kind->next(input, record_r);
}

struct log_input *log_input_successor(struct log_input *input)
{
	return input->kind->successor == NULL ? NULL :
		input->kind->successor(input);
}

void log_input_finish(struct log_input *input)
{
	if (input->kind->finish != NULL)
		input->kind->finish(input);
}

int log_input_wait_fd(struct log_input *input)
{
	return input->kind->wait_fd(input);
}

const char *log_input_path(const struct log_input *input)
{
	return input->kind->path(input);
}

void log_input_deinit(struct log_input **_input)
{
	struct log_input *input = *_input;

	if (input == NULL)
		return;
	*_input = NULL;
	input->kind->deinit(input);
}

void log_input_trouble(struct log_input *input, enum log_trouble trouble,
		       const char *line, size_t size)
{
	input->troubles[trouble]++;
	if (input->set->trouble != NULL) {
		input->set->trouble(input->set->context, input->seen.name,
				    trouble, line, size);
	}
}

static void note_time(struct report_input *seen, int64_t time)
{
	if (seen->first == 0 || time < seen->first)
		seen->first = time;
	if (time > seen->last)
		seen->last = time;
}

int log_input_judge(struct log_input *input, const char *line, size_t size,
		    bool (*read_time)(struct log_input *input, const char *text,
				      size_t size, int64_t *time_r),
		    struct log_record *record_r)
{
	struct report_head head;

	if (report_line_find(line, size, &head, &record_r->message,
			     &record_r->message_size) != REPORT_FOUND) {
		log_input_trouble(input, LOG_SUSPICIOUS, line, size);
		return 0;
	}
	if (!read_time(input, head.time, head.time_size, &record_r->time) ||
	    record_r->time <= 0 || record_r->time > input->set->latest) {
		log_input_trouble(input, LOG_UNDATED, line, size);
		return 0;
	}
	record_r->host = head.host_size == 0 ? "" : head.host;
	record_r->host_size = head.host_size;
	input->seen.report_lines++;
	note_time(&input->seen, record_r->time);
	return 1;
}
