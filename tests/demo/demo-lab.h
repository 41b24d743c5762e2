/*
 * demo-lab: brings the labs of the three kinds up and ends them
 *
 * Each kind of old server has a lab with a folder and ports of its own. What
 * an earlier demo left behind is ended first.
 */
#ifndef DEMO_LAB_H
#define DEMO_LAB_H

#include "demo.h"

/* All at once. 0 when at least one is up; -1 after demo_problem(). */
int demo_labs_up(struct demo *demo);
/* Gives the users to the labs that are up. */
void demo_assign_users(struct demo *demo);
/* Everything that was started ends. -1 after demo_problem(). */
int demo_labs_down(struct demo *demo);

#endif
