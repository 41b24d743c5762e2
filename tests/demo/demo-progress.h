/*
 * demo-progress: what is shown while the demo runs
 *
 * Lines scroll by; on a terminal a line for each user follows them and is
 * drawn anew. Elsewhere the state is a line every few seconds. Any thread may
 * call these.
 */
#ifndef DEMO_PROGRESS_H
#define DEMO_PROGRESS_H

#include "demo.h"

void demo_progress_init(struct demo *demo);
void demo_progress_deinit(void);
/* A line, with the time since the beginning. */
void demo_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What is going on now, for the display; static text. */
void demo_progress_phase(const char *phase);
/* Draws again when it's time. */
void demo_progress_tick(void);

#endif
