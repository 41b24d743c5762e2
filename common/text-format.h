/*
 * text-format: numbers, sizes, spans and times as people read them
 *
 * One way for the text, the live screen and the page. Each function returns a
 * short text by value, for use in the same expression:
 *     printf("%s\n", format_bytes(size).text);
 * Only ASCII comes out. Times are shown in the process' time zone (TZ).
 */
#ifndef TEXT_FORMAT_H
#define TEXT_FORMAT_H

#include <stdint.h>

struct format {
	char text[32];
};

/* 1234567 is "1,234,567". */
struct format format_count(uint64_t n);
/* Of SI units: "999 B", "1.2 kB", "34 MB". */
struct format format_bytes(uint64_t bytes);
/* part of whole: "37 %", "2.4 %". A part that isn't none or all is never shown
   as such: "< 0.1 %", "> 99.9 %". "-" when the whole is 0. */
struct format format_share(uint64_t part, uint64_t whole);
/* "[###.....]", of that many cells, at most FORMAT_BAR_MAX. All of them are full
   only when all is done. */
#define FORMAT_BAR_MAX 28
struct format format_bar(uint64_t part, uint64_t whole, unsigned int cells);
/* Its two largest units: "3 d 4 h", "12 min 5 s", "0 s". */
struct format format_span(uint64_t seconds);
/* "2026-11-02 03:04", the date alone, and the time with its zone's offset:
   "2026-11-02 03:04:05 +0100". "-" for 0, for there is no time. */
struct format format_time(int64_t time);
struct format format_date(int64_t time);
struct format format_time_zone(int64_t time);
/* In UTC, as RFC 3339: "2026-11-02T03:04:05Z"; "" for 0. */
struct format format_rfc3339(int64_t time);

#endif
