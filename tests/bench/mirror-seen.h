/*
 * mirror-seen: how long a change takes until another client is told of it
 */
#ifndef MIRROR_SEEN_H
#define MIRROR_SEEN_H

#include "mirror-lane.h"

enum mirror_change { CHANGE_FLAG, CHANGE_MAIL, MIRROR_CHANGES };

/* A client at `writer` makes the change in INBOX while one at `idler` idles there
   (both HOST:PORT of the lane). Milliseconds from when the one sends it to when
   the other is told. n counts the lane's changes of that kind from 0, so that
   each is one. Failures end the program (bench_fail()). */
double mirror_seen(const struct bench *bench, const struct mirror_lane *lane,
		   const char *writer, const char *idler,
		   enum mirror_change change, unsigned int n);

#endif
