/*
 * bench-fill-users: several users' mail, at once and one after the other
 *
 * Part of bench-fill: whether users in parallel get in each other's way. Each run
 * copies all of them in turn and then at once, by the tools that --tools names;
 * ratio=at-once/in-turn is that of the whole time. Failures end the program
 * (bench_fail()).
 */
#ifndef BENCH_FILL_USERS_H
#define BENCH_FILL_USERS_H

#include "bench.h"

/* In a lab with bench->users users that have mail. */
void bench_fill_users(const struct bench *bench);

#endif
