/*
 * demo-move: moves the users, as an administrator does, with doveadm
 */
#ifndef DEMO_MOVE_H
#define DEMO_MOVE_H

#include "demo.h"

/* `doveadm migration fill` for all users, one after another in each lab, while
   `doveadm migration status` tells how far it is. */
void demo_fill(struct demo *demo);
/* `doveadm migration cutover` in the same way. */
void demo_cutover(struct demo *demo);

#endif
