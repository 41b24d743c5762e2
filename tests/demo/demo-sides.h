/*
 * demo-sides: one mirrored mailbox, side by side at both servers
 *
 * At each server one client changes the mailbox, both at the same time, and
 * another one idles there and shows what it sees. In the end all of it has been
 * taken back, so that the account is what it was.
 */
#ifndef DEMO_SIDES_H
#define DEMO_SIDES_H

#include "demo.h"

/* With a user whose mailboxes are mirrored; says so when there's none. */
void demo_sides_show(struct demo *demo);

#endif
