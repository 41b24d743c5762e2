#ifndef LATE_MARKER_H
#define LATE_MARKER_H

/*
 * late-marker: which late mails of a mailbox are being delivered just now.
 *
 * <migration_dir>/late/<key>, written durably before the first of them is given
 * away and removed after the baseline has them. Whoever finds one takes up where
 * another was killed: each of these mails may have been delivered, or not.
 */

#include "seq-range-array.h"

struct late_marker {
	uint32_t uid_validity;
	/* unix seconds */
	time_t begun;
	ARRAY_TYPE(seq_range) uids;
};

/* uids must be empty. Returns 1, 0 when there is none, -1 with an error. */
int late_marker_read(const char *dir, const char *vname,
		     struct late_marker *marker, const char **error_r);
/* Each returns 0, -1 with an error. */
int late_marker_write(const char *dir, const char *vname,
		      const struct late_marker *marker, const char **error_r);
int late_marker_remove(const char *dir, const char *vname,
		       const char **error_r);

#endif
