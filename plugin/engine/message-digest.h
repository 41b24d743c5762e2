#ifndef MESSAGE_DIGEST_H
#define MESSAGE_DIGEST_H

/*
 * message-digest: SHA-256 of a message (OpenSSL EVP), twice.
 *
 * wire: of the bytes as they are. shown: of what IMAP shows of them once
 * Dovecot has stored them: it can't keep a bare LF (becomes CRLF), CR CR LF
 * (becomes CRLF, unless mail_save_crlf) and NUL (shown as 0x80). Both are the
 * same for nearly all mail, and then hashed once.
 */

#define MESSAGE_DIGEST_SIZE 32

enum message_alteration {
	MESSAGE_ALTERED_LF = 0x01,
	MESSAGE_ALTERED_CRCRLF = 0x02,
	MESSAGE_ALTERED_NUL = 0x04,
};

struct message_digest {
	unsigned char wire[MESSAGE_DIGEST_SIZE];
	unsigned char shown[MESSAGE_DIGEST_SIZE];
	enum message_alteration altered;
	uint64_t size;
};

struct istream;
struct message_digest_context;

/* save_crlf: the store keeps CR LF as it is (mail_save_crlf) */
struct message_digest_context *message_digest_init(bool save_crlf);
/* From the beginning again. */
void message_digest_reset(struct message_digest_context *ctx);
void message_digest_more(struct message_digest_context *ctx,
			 const unsigned char *data, size_t size);
void message_digest_finish(struct message_digest_context *ctx,
			   struct message_digest *digest_r);
/* From the beginning, of all that the stream has. Returns 0, -1 when it fails: its
   error tells. */
int message_digest_stream(struct message_digest_context *ctx,
			  struct istream *input,
			  struct message_digest *digest_r);
void message_digest_deinit(struct message_digest_context **ctx);

/* "LF NUL", "" for none; for people and reports */
const char *message_alteration_to_str(enum message_alteration altered);

#endif
