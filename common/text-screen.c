#include "text-screen.h"

#include <string.h>
#include <sys/ioctl.h>

#define ROWS_DEFAULT 24
#define COLUMNS_DEFAULT 80
/* ECMA-48, and xterm's DECAWM. Lines that are too long are cut by the terminal,
   which knows the width of each character. */
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define WRAP_OFF "\033[?7l"
#define WRAP_ON "\033[?7h"

struct text_screen_size text_screen_size(int fd)
{
	struct text_screen_size size = { ROWS_DEFAULT, COLUMNS_DEFAULT };
	struct winsize win;

	if (ioctl(fd, TIOCGWINSZ, &win) < 0)
		return size;
	if (win.ws_row >= 2)
		size.rows = win.ws_row;
	if (win.ws_col > 0)
		size.columns = win.ws_col;
	return size;
}

/* Without a moment in which nothing is there. */
void text_screen_draw(FILE *out, const char *text, unsigned int rows)
{
	const char *end;

	fputs(WRAP_OFF HOME, out);
	for (; rows > 0 && (end = strchr(text, '\n')) != NULL; rows--) {
		fprintf(out, "%.*s" CLEAR_LINE "\n", (int)(end - text), text);
		text = end + 1;
	}
	fputs(CLEAR_BELOW WRAP_ON, out);
}
