/*
 * report-line: the one-line facts that our programs leave in syslog
 *
 *     migration: event=NAME key=value key="a \x22quoted\x22 value" key="cut"~
 *
 * Grammar (bytes; SP is one space):
 *     line    = "migration: event=" name *(SP name "=" value)
 *     name    = [a-z] *[a-z0-9_]          at most REPORT_NAME_MAX bytes
 *     value   = 1*plain / DQUOTE *(plain / SP / escape) DQUOTE ["~"]
 *     plain   = a UTF-8 character but SP, DQUOTE, "\", "=", C0, DEL and C1
 *     escape  = "\x" 2HEXDIG              one byte
 * Whatever isn't plain or a space is escaped, "=" too: so " name=" and the token
 * "migration: event=" can't occur inside of a value, and no value can forge a
 * line or a key. Each name occurs once; order has no meaning but for event.
 *
 * Caps: a value takes at most REPORT_VALUE_MAX bytes on the line; a longer one
 * is cut at a character's end and marked by "~". A line takes at most
 * REPORT_LINE_MAX bytes; keys that don't fit are left out, and a last key
 * dropped=N tells how many. Any bytes that weren't cut come back as they were.
 *
 * Writer and parser allocate nothing, keep no state elsewhere and never abort.
 */
#ifndef REPORT_LINE_H
#define REPORT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_NAME_MAX 32
#define REPORT_VALUE_MAX 512
#define REPORT_LINE_MAX 2000
#define REPORT_TOKEN "migration: event="

struct report_line {
	char text[REPORT_LINE_MAX + 1];
	size_t used;
	/* Keys left out: no room, not a name, or given before. */
	unsigned int dropped;
};

/* event must be a name; anything else becomes "unnamed". */
void report_line_begin(struct report_line *line, const char *event);
void report_line_add(struct report_line *line, const char *key,
		     const void *value, size_t size);
/* A NULL value is written as an empty one. */
void report_line_add_str(struct report_line *line, const char *key,
			 const char *value);
void report_line_add_number(struct report_line *line, const char *key,
			    uint64_t value);
/* As seconds with three decimals: 12 is 0.012. */
void report_line_add_millis(struct report_line *line, const char *key,
			    uint64_t milliseconds);
/* The finished line without a newline: line->text. */
const char *report_line_end(struct report_line *line);

/*
 * Finding a report line in a line of syslog
 *
 * The token counts only where a program's message begins, because what stands
 * later in a message may have been chosen by a stranger (a HELO name, a user
 * name that was tried). What may stand before it:
 *     [ "<" digits ">" ] time SP [ host SP tag ": " ] [ service ": " level ": " ]
 *     "<" digits ">1 " time SP host SP app SP procid SP msgid SP data SP [ BOM ]
 *                      [ service ": " level ": " ]              (RFC 5424)
 *     time    = "Nov  2 03:04:05" / a word that begins with four digits and "-"
 *     tag     = a word, as "dovecot" or "migration-milter[12]"
 *     service = Dovecot's own prefix: name ["(" user ")"] *("<" word ">")
 *     level   = Debug, Info, Warning, Error, Fatal or Panic
 *     data    = "-" / 1*("[" name *(SP name "=" quoted) "]")
 * In the second form app is the tag, and "-" stands for what isn't known.
 * Words have no space, a user neither that nor parentheses.
 */
struct report_head {
	/* Parts of the line, not ended by a NUL; size 0 where missing. */
	const char *time, *host, *tag;
	size_t time_size, host_size, tag_size;
};

enum report_found {
	/* The token isn't in the line. */
	REPORT_NONE,
	REPORT_FOUND,
	/* It is, but not where a message begins: not to be believed. */
	REPORT_MISPLACED
};

/* The line comes without its newline. *message_r points into it. */
enum report_found
report_line_find(const char *line, size_t size, struct report_head *head_r,
		 const char **message_r, size_t *message_size_r);

/*
 * Reading a message found so
 */
struct report_parser {
	const char *start, *pos, *end;
	/* Which keys there may have been, by a hash of theirs. */
	uint64_t keys[4];
};

struct report_field {
	char key[REPORT_NAME_MAX + 1];
	/* Ended by a NUL that size doesn't count; may have others inside. */
	char value[REPORT_VALUE_MAX + 1];
	size_t size;
	bool cut;
};

void report_parser_init(struct report_parser *parser, const char *message,
			size_t size);
/* 1 for a field, the first one being event; 0 at the end; -1 for a message that
   breaks the grammar, with the reason, static. After that the message isn't to
   be used at all, nor the fields that came before. */
int report_parser_next(struct report_parser *parser,
		       struct report_field *field_r, const char **error_r);
/* The same for who reads millions: key and value are parts of the message, not
   ended by a NUL, or the value is in the buffer where it had escapes. */
struct report_part {
	const char *key, *value;
	size_t key_size, value_size;
	bool cut;
};
int report_parser_next_part(struct report_parser *parser,
			    char buffer[REPORT_VALUE_MAX],
			    struct report_part *part_r, const char **error_r);
/* The whole message keeps to the grammar: 0, else -1 with the reason. */
int report_line_check(const char *message, size_t size, const char **error_r);
/* The field of that key of a checked message; false when it has none. */
bool report_line_get(const char *message, size_t size, const char *key,
		     struct report_field *field_r);

/* A whole value as a number, or as seconds with up to three decimals. */
bool report_field_number(const struct report_field *field, uint64_t *number_r);
bool report_field_millis(const struct report_field *field,
			 uint64_t *milliseconds_r);

#endif
