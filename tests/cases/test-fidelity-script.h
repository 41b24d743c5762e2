#ifndef TEST_FIDELITY_SCRIPT_H
#define TEST_FIDELITY_SCRIPT_H

/*
 * test-fidelity-script: the account and the session that are the same
 * everywhere. RFC numbers are in the table.
 */

#include "test-fidelity-transcript.h"

struct fidelity_mail {
	const char *folder, *flags, *date, *data;
};

/* Both end in a NULL. */
extern const struct fidelity_mail fidelity_mails[];
extern const char *const fidelity_folders[];
/* Runs everywhere. */
extern const struct fidelity_step fidelity_script[];
/* CONDSTORE and QRESYNC (RFC 7162): once the user is local. */
extern const struct fidelity_step fidelity_condstore_script[];

/* Makes the account on the old server. */
bool fidelity_seed(unsigned int user);

#endif
