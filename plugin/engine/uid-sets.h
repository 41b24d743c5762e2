#ifndef UID_SETS_H
#define UID_SETS_H

/*
 * uid-sets: UIDs as sequence-sets (RFC 3501 9) that keep a command's line below
 * 8192 octets, as RFC 7162 4 asks of clients: old servers refuse longer ones.
 */

#include "array.h"
#include "seq-range-array.h"

/* In ascending order, none for no UIDs. From the data stack, as the array must
   be. */
void uid_sets(const ARRAY_TYPE(seq_range) *uids,
	      ARRAY_TYPE(const_string) *sets_r);

#endif
