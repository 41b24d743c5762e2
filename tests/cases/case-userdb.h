/*
 * case-userdb: fields of one user in the new server's user database
 *
 * Fails aloud, as in case.h. A restart of the new server forgets them.
 */
#ifndef CASE_USERDB_H
#define CASE_USERDB_H

#include "case.h"

/* He has that field, "imapc_port", with that value, and Dovecot knows it. */
bool case_userdb_set(unsigned int user, const char *name, const char *value);

#endif
