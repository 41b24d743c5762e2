/*
 * arrival-tag: the header that says at which server a mail entered
 *
 *     Mail-Migration: v=1; at=new; host=mx1.new.example; id=4XyZ; t=1795327200;
 *      s=3q2-7wAAAAAAAAAAAAAAAA
 *
 * Grammar of the value, as Postfix or Sendmail hand it to a milter:
 *     value   = [WS] v ";" at ";" host ";" id ";" t ";" s [WS]
 *     each    = name "=" word                 in this order, each once
 *     v       = "1"; at = "old" / "new"
 *     host    = 1*255wordchar; id = 1*64wordchar
 *     wordchar = letter / digit / "." / "-" / "_"
 *     t       = unix seconds, decimal, no leading zero, at most 18 digits
 *     s       = 22 base64url characters (RFC 4648 part 5), no padding
 * White space (SP, HTAB, CR, LF) may stand before and after each name, "=", word
 * and ";", because relays fold headers anew, and nowhere inside of them. Words
 * are compared as they are, case too. A value takes at most ARRIVAL_VALUE_MAX
 * bytes. There is one spelling of each word, so equal fields are equal bytes.
 *
 * s is HMAC-SHA256 (RFC 2104), its first 128 bits as RFC 2104 part 5 allows, over
 *     "Mail-Migration", "1", at, host, id, t, M, D, F
 * each preceded by its length as four bytes, the highest first, so that nothing
 * slides from one field into the next. M, D and F are for the header fields
 * Message-ID, Date and From of the mail: SHA-256 over each value without white
 * space, '"' and '\', followed by LF; nothing where there is none, or none with a
 * value. So they stay the same when a relay folds, spaces, quotes a name in From
 * (Sendmail does) or spells MESSAGE-ID. All fields of a name count, in their order:
 * were it the first alone, a second From, which some clients show instead, could
 * be put below it; and no relay changes that order.
 *
 * Sendmail adds what is missing after its milters were asked. So a header that a
 * mail didn't have when it was tagged may be there when the tag is checked; but one
 * of the three must have been there, else the tag would be good for any mail.
 *
 * What it proves: this server tagged a mail with these three headers. It doesn't
 * cover the body or the other headers, which relays change. A relay that gives
 * Message-ID, Date or From another value makes the tag a forged one.
 *
 * Nothing here logs, and every input may be hostile.
 */
#ifndef ARRIVAL_TAG_H
#define ARRIVAL_TAG_H

#include <stddef.h>
#include <stdint.h>

#define ARRIVAL_TAG_HEADER "Mail-Migration"
#define ARRIVAL_HOST_MAX 255
#define ARRIVAL_ID_MAX 64
/* What arrival_tag_make() needs at most, with its NUL. */
#define ARRIVAL_VALUE_SIZE 400
/* A longer value isn't looked at; room for what relays fold in. */
#define ARRIVAL_VALUE_MAX 1024

/*
 * Keys. A key file has a key a line, at most ARRIVAL_KEYS_MAX of them: text of
 * ARRIVAL_KEY_MIN to ARRIVAL_KEY_MAX bytes without white space, as
 * `openssl rand -base64 32` prints. The first signs, all verify. To change keys
 * while mail flows: add the new one below on both servers, then move it up on
 * both, then remove the other on both.
 */
#define ARRIVAL_KEYS_MAX 2
#define ARRIVAL_KEY_MIN 16
#define ARRIVAL_KEY_MAX 256

struct arrival_key;

/* A file that isn't regular, that group or others may access, or that breaks the
   rules above is refused: -1 with what is wrong and what to do, without the
   path; valid until this thread's next call. The key may be used by several
   threads at once. */
int arrival_key_load(const char *path, struct arrival_key **key_r,
		     const char **error_r);
/* The same from a file's content. */
int arrival_key_parse(const char *data, size_t size,
		      struct arrival_key **key_r, const char **error_r);
/* Wiped from memory and freed; *key becomes NULL. */
void arrival_key_free(struct arrival_key **key);

/*
 * The mail that a tag belongs to. An object holds what OpenSSL needs and is used
 * for one mail after another, by one thread at a time: one for each connection of
 * a milter. For a mail nothing is allocated but by OpenSSL itself.
 */
struct arrival_mail;

/* NULL when out of memory or without SHA-256. */
struct arrival_mail *arrival_mail_init(void);
void arrival_mail_deinit(struct arrival_mail **mail);
/* Forget the mail before. */
void arrival_mail_begin(struct arrival_mail *mail);
/* Each header field of the mail in its order; those that aren't signed are
   ignored. */
void arrival_mail_add(struct arrival_mail *mail, const char *name,
		      const char *value, size_t size);
/* After the last header, before tags are made or checked. */
void arrival_mail_end(struct arrival_mail *mail);

/*
 * Tags
 */
enum arrival_at {
	ARRIVAL_AT_OLD,
	ARRIVAL_AT_NEW
};

struct arrival_tag {
	enum arrival_at at;
	char host[ARRIVAL_HOST_MAX + 1];
	/* The queue ID there. */
	char id[ARRIVAL_ID_MAX + 1];
	/* unix seconds, not negative */
	int64_t time;
};

enum arrival_result {
	ARRIVAL_VALID,
	/* Well-formed, but not signed by us for this mail. */
	ARRIVAL_FORGED,
	ARRIVAL_MALFORMED,
	/* v= is another number than 1; nothing else was looked at. */
	ARRIVAL_UNKNOWN_VERSION,
	/* OpenSSL failed: nothing is known about the tag. */
	ARRIVAL_UNCHECKED
};

/* "old", "new" */
const char *arrival_at_name(enum arrival_at at);
/* "valid", "forged", "malformed", "unknown-version", "unchecked" */
const char *arrival_result_name(enum arrival_result result);

/* Writes the header's value into ARRIVAL_VALUE_SIZE bytes. -1 with the reason,
   static, when host, id or time can't be in a tag, or OpenSSL failed. */
int arrival_tag_make(const struct arrival_key *key,
		     const struct arrival_tag *tag, struct arrival_mail *mail,
		     char value_r[ARRIVAL_VALUE_SIZE], const char **error_r);
/* *tag_r is set for valid and for forged tags (to be reported, not believed),
   otherwise it is empty. Unless valid, the reason is in *error_r, static. */
enum arrival_result
arrival_tag_check(const struct arrival_key *key, const char *value,
		  size_t size, struct arrival_mail *mail,
		  struct arrival_tag *tag_r, const char **error_r);

#endif
