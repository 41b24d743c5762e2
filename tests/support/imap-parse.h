/*
 * imap-parse: what an IMAP server said, as data (RFC 3501, section 9)
 *
 * A response arrives as raw bytes: its lines joined by CRLF, each literal's
 * bytes in place after "{n}\r\n" and followed by one NUL of ours. Nothing that a
 * server says is trusted: parsing fails with a reason instead.
 */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define IMAP_MAX_NESTING 1000
#define IMAP_MAX_UIDSET (16UL * 1024 * 1024)

enum imap_arg_type {
	IMAP_ARG_ATOM,
	IMAP_ARG_STRING,	/* quoted or literal */
	IMAP_ARG_NIL,
	IMAP_ARG_LIST
};

struct imap_arg {
	enum imap_arg_type type;
	/* For atoms (NIL too) and strings; ended by a NUL not counted. */
	const char *data;
	size_t size;
	struct imap_arg *child, *next;
};

enum imap_response_kind {
	IMAP_UNTAGGED,
	IMAP_TAGGED,
	IMAP_CONTINUE
};

struct imap_response {
	/* For whoever collects them. */
	struct imap_response *next;
	enum imap_response_kind kind;
	/* The number before EXISTS, EXPUNGE, FETCH... */
	bool has_number;
	uint32_t number;
	/* "A12" when tagged, else "". */
	const char *tag;
	/* "OK", "LIST", "FETCH"..., upper case. */
	const char *name;
	/* What follows the name; NULL for OK, NO, BAD, BYE, PREAUTH. */
	struct imap_arg *args;
	/* For those: the inside of [...] or NULL, and the human text. */
	const char *code, *text;
	/* A body went to the sink, so that its argument here is empty. */
	bool sunk;

	char *raw;
	void *pool;
};

/* Takes over raw (malloc'ed, NUL after size), also on failure. */
int imap_response_parse(char *raw, size_t size,
			struct imap_response **resp_r, const char **error_r);
void imap_response_free(struct imap_response **resp);

/* Whether the text seen so far of a response ends in a body's literal:
   "* 5 FETCH (UID 7 BODY[] {123}". Gives the literal's size for any literal. */
bool imap_line_literal(const char *line, size_t size, uint64_t *size_r,
		       bool *body_r);

bool imap_arg_is(const struct imap_arg *arg, const char *atom);
/* Whole string a decimal number. */
bool imap_parse_number(const char *str, uint64_t max, uint64_t *number_r);

struct imap_fetch {
	uint32_t seq, uid;
	bool has_flags, has_size, has_body;
	/* The members of FLAGS, by ->next. */
	const struct imap_arg *flags;
	/* NULL when not told. */
	const char *internaldate;
	uint64_t size, modseq;
	/* BODY[], BODY[...] or RFC822: the first one. NIL isn't a body. */
	const char *body;
	size_t body_size;
	/* Points to other data of the same response; see args for all. */
	const struct imap_arg *args;
};
/* False when resp isn't a FETCH, or is one that makes no sense. */
bool imap_parse_fetch(const struct imap_response *resp,
		      struct imap_fetch *fetch_r);

/* "1:3,7" to an array of 1,2,3,7 that the caller frees. -1 for nonsense,
   "*" and sets over IMAP_MAX_UIDSET. */
int imap_parse_uidset(const char *set, uint32_t **uids_r, size_t *count_r);
/* From a response code. uids_r: pieces of code that the caller frees. */
bool imap_parse_appenduid(const char *code, uint32_t *uidvalidity_r,
			  char **uids_r);
bool imap_parse_copyuid(const char *code, uint32_t *uidvalidity_r,
			char **from_r, char **to_r);

/* "17-Jul-1996 02:44:25 -0700" (RFC 3501 date-time), to seconds since 1970. */
int imap_parse_date(const char *str, time_t *instant_r);
#define IMAP_DATE_SIZE 32
void imap_format_date(time_t instant, int zone_minutes,
		      char date_r[IMAP_DATE_SIZE]);

#endif
