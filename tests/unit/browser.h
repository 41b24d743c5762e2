/*
 * browser: a page in Debian's chromium, looked at without a screen
 *
 * Speaks the DevTools protocol over two pipes, so nothing listens anywhere and
 * the page that is looked at is the very one that users get. The browser has a
 * profile of its own, which goes with it.
 * https://chromedevtools.github.io/devtools-protocol/
 *
 * Every call has a deadline and writes a failed check of its own when it fails,
 * after which its result says nothing (NULL, false).
 */
#ifndef BROWSER_H
#define BROWSER_H

#include <stdbool.h>
#include <stddef.h>

struct browser;

/* NULL, after a failed check, when there is none. */
struct browser *browser_start(void);
void browser_stop(struct browser **browser);

/* The screen, in CSS pixels. narrow: as a phone has it. */
bool browser_screen(struct browser *browser, unsigned int width,
		    unsigned int height, bool phone);
/* media: "screen" or "print". */
bool browser_media(struct browser *browser, const char *media, bool dark);

/* Opens a file and waits until all of it is loaded. */
bool browser_open(struct browser *browser, const char *path);
/* Runs a file of JavaScript in the page, for what the tests ask of it. */
bool browser_load(struct browser *browser, const char *path);
/* What an expression of JavaScript comes to, as a string; valid until the next
   call. */
const char *browser_eval(struct browser *browser, const char *expression);
/* Since the page was opened: addresses asked for, but its own; and what went to
   the console. The first of them into *what_r. */
size_t browser_requests(const struct browser *browser, const char **what_r);
size_t browser_complaints(const struct browser *browser, const char **what_r);
/* Checks that there are none of either. */
void browser_check_silent(const struct browser *browser);

/* The whole page as PNG, or as it would be printed on A4. */
bool browser_screenshot(struct browser *browser, const char *path);
bool browser_print(struct browser *browser, const char *path);

#endif
