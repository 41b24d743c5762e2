/*
 * mutf7: mailbox names between UTF-8 and IMAP's modified UTF-7 (RFC 3501, 5.1.3)
 *
 * Results are malloc'ed and the caller's; NULL for bytes that aren't valid.
 */
#ifndef MUTF7_H
#define MUTF7_H

char *mutf7_encode(const char *utf8);
char *mutf7_decode(const char *name);

#endif
