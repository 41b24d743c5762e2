#ifndef TEST_FIDELITY_KNOWN_H
#define TEST_FIDELITY_KNOWN_H

/*
 * test-fidelity-known: compares transcripts with that of a local mailbox and
 * holds the differences against the list of known ones, the file
 * fidelity-differences. That is made of records, separated by empty lines:
 *
 *   step: NAME                 of the script
 *   where: old proxied half filled    where it differs so
 *   why: the reason
 *   - LINE                     what a local mailbox says and these don't
 *   + LINE                     what these say and a local one doesn't
 *
 * A record says all of its step's difference. One of '#' is a comment.
 */

#include "test-fidelity-transcript.h"

struct fidelity_known;

/* NULL when it can't be read, which was asserted. */
struct fidelity_known *fidelity_known_read(const char *path);
void fidelity_known_free(struct fidelity_known **known);

/* Asserts that the difference of each step is the listed one, and that each
   listed one for this place is there. */
void fidelity_compare(struct fidelity_known *known, const char *where,
		      const struct fidelity_step *steps,
		      const struct fidelity_transcript *local,
		      const struct fidelity_transcript *seen);
/* All records, a line each. */
void fidelity_known_print(const struct fidelity_known *known);

#endif
