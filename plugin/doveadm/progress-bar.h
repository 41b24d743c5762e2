#ifndef PROGRESS_BAR_H
#define PROGRESS_BAR_H

/*
 * progress-bar: how far a command is, on one line of a terminal.
 *
 * Nothing is written when stderr isn't a terminal. Redrawn at most ten times a
 * second.
 */

#include "engine/filler.h"

struct progress_bar;

struct progress_bar *progress_bar_init(const char *username);
/* Clears the line. */
void progress_bar_deinit(struct progress_bar **bar);
/* Clear the line, so that something else can be printed. */
void progress_bar_hide(struct progress_bar *bar);
/* The observer that draws it. */
struct fill_observer progress_bar_observer(struct progress_bar *bar);

#endif
