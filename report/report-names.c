#include "report-model.h"

const char *report_side_name(enum report_side side)
{
	static const char *const names[REPORT_SIDES] = { "old", "new" };

	return names[side];
}

const char *report_switched_by_name(enum report_switched_by by)
{
	static const char *const names[] = {
		[REPORT_SWITCHED_UNKNOWN] = "unknown",
		[REPORT_SWITCHED_INFERRED] = "inferred",
		[REPORT_SWITCHED_GIVEN] = "given",
	};

	return names[by];
}

const char *report_standing_name(enum report_standing standing)
{
	static const char *const names[REPORT_STANDINGS] = {
		[REPORT_STRAGGLER] = "straggler",
		[REPORT_WAVERING] = "wavering",
		[REPORT_QUIET] = "quiet",
		[REPORT_MOVED] = "moved",
		[REPORT_ONLY_SPAM] = "spam",
	};

	return names[standing];
}

const char *report_state_name(enum report_state state)
{
	static const char *const names[REPORT_STATES] = {
		[REPORT_STATE_REMOTE] = "remote",
		[REPORT_STATE_FILLING] = "filling",
		[REPORT_STATE_FILLED] = "filled",
		[REPORT_STATE_MIRRORED] = "mirrored",
		[REPORT_STATE_LOCAL] = "local",
		[REPORT_STATE_REMOVED] = "removed",
	};

	return names[state];
}

const char *report_gap_reason_name(enum report_gap_reason reason)
{
	static const char *const names[] = {
		[REPORT_GAP_STOPPED] = "stopped",
		[REPORT_GAP_KILLED] = "killed",
		[REPORT_GAP_LOST] = "lost",
		[REPORT_GAP_SILENT] = "silent",
	};

	return names[reason];
}

const char *report_answer_name(enum report_answer answer)
{
	static const char *const names[] = {
		[REPORT_SAFE] = "safe",
		[REPORT_NOT_YET] = "not yet",
		[REPORT_UNKNOWN] = "unknown",
	};

	return names[answer];
}

const char *report_condition_name(enum report_condition condition)
{
	static const char *const names[REPORT_CONDITIONS] = {
		[REPORT_COND_SWITCHED] = "switched",
		[REPORT_COND_QUIET] = "quiet",
		[REPORT_COND_STRAGGLERS] = "stragglers",
		[REPORT_COND_LOCAL] = "local",
		[REPORT_COND_FETCHED] = "fetched",
		[REPORT_COND_CLIENTS] = "clients",
		[REPORT_COND_WATCHED] = "watched",
		[REPORT_COND_POLLED] = "polled",
		[REPORT_COND_LOGS] = "logs",
	};

	return names[condition];
}
