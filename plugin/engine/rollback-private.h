#ifndef ROLLBACK_PRIVATE_H
#define ROLLBACK_PRIVATE_H

/*
 * rollback-private: what the files of rollback share. rollback.c has the
 * procedure, rollback-check.c what is compared. Errors are in cb.
 */

#include "copy-back-private.h"
#include "rollback.h"

/* Count what clients will see. */
void rollback_count(struct copy_back *cb, struct rollback_result *result);

/* Each local message is on the old server, with the bytes that it has here.
   checked: local UIDs of which that is known; those that it's found of are added.
   Returns 0, -1. */
int rollback_check(struct copy_back *cb, ARRAY_TYPE(seq_range) *checked);

/* The old server's UIDs of messages that were expunged here since the cutover. */
void rollback_get_expunged(struct copy_back *cb, ARRAY_TYPE(seq_range) *uids);
/* Expunge them there. Returns 0, -1. */
int rollback_expunge(struct copy_back *cb, const ARRAY_TYPE(seq_range) *uids);

#endif
