#ifndef BODY_PROBE_H
#define BODY_PROBE_H

/*
 * body-probe: can these messages be had from the old server now?
 */

#include "old-client.h"

/* Fetches each of them and throws it away. ok_uids_r gets those that came
   whole. Returns 0, -1 with an error when the connection is lost. */
int body_probe(struct old_client *client, const ARRAY_TYPE(seq_range) *uids,
	       ARRAY_TYPE(seq_range) *ok_uids_r,
	       enum mail_error *error_code_r, const char **error_r);

#endif
