#ifndef WORKER_ANSWER_H
#define WORKER_ANSWER_H

/*
 * worker-answer: the answers of worker-protocol.h: lines without LF, in the
 * data stack; and the two with many numbers as an asker reads them.
 */

#include "engine/mirror.h"

const char *worker_answer_ok(void);
const char *worker_answer_no(enum mail_error error_code, const char *error);
/* DONE is a bare OK; the error is FAILED's. */
const char *worker_answer_mirror(enum mirror_answer answer,
				 enum mail_error error_code,
				 const char *error);
const char *worker_answer_write(const struct mirror_write *write);
const char *worker_answer_fill(const struct fill_result *result);
const char *worker_answer_catchup(const struct catchup_result *result);
const char *worker_answer_cutover(const ARRAY_TYPE(cutover_result) *results);

/* The words behind OK, NULL-terminated; those of newer versions behind them are
   ignored. The names of cutover's results are the words themselves. Return 0,
   -1 when they can't be understood. */
int worker_answer_parse_fill(const char *const *words,
			     struct fill_result *result_r);
int worker_answer_parse_cutover(const char *const *words,
				ARRAY_TYPE(cutover_result) *results);

#endif
