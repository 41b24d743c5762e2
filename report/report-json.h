/*
 * report-json: all that the model has, as JSON
 *
 * migration-report-json(5) has every key, its type and its meaning; a test holds
 * the two against each other. Keys are only ever added within a format.
 */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include "report-model.h"

#include <stdio.h>

#define REPORT_JSON_FORMAT 1

/* 0; -1 with errno when it couldn't be written whole. */
int report_json_write(const struct report_model *model, FILE *out);

#endif
