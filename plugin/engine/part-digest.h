#ifndef PART_DIGEST_H
#define PART_DIGEST_H

/*
 * part-digest: SHA-256 of what a MIME part says, however relays wrote it.
 *
 * The transfer encoding is undone (RFC 2045 part 6), since a relay to a server
 * without 8BITMIME makes quoted-printable or base64 of the part. What of it
 * isn't such an encoding counts as it stands, so that nothing is left out. Then
 * left out are: CR before LF, white space at the end of lines and empty lines at
 * the end (RFC 6376 3.4.4, but for white space inside of lines), and where a
 * relay broke an overlong line (LF and one space: Postfix's
 * smtp_line_length_limit). NUL is 0x80, as Dovecot shows it.
 *
 * Takes the bytes in any pieces, in constant memory.
 */

#include "message-decoder.h"

#define PART_DIGEST_SIZE 32

struct part_digest;

struct part_digest *part_digest_init(void);
void part_digest_deinit(struct part_digest **digest);

/* Another part begins. */
void part_digest_begin(struct part_digest *digest, enum message_cte cte);
void part_digest_more(struct part_digest *digest, const unsigned char *data,
		      size_t size);
/* FALSE: there was nothing in it but what is left out. */
bool part_digest_end(struct part_digest *digest,
		     unsigned char digest_r[PART_DIGEST_SIZE]);

#endif
