#include "report-screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HEIGHT_DEFAULT 24
/* ECMA-48, and xterm's DECAWM. Lines that are too long are cut by the terminal,
   which knows the width of each character. */
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define WRAP_OFF "\033[?7l"
#define WRAP_ON "\033[?7h"

/* Over what stood there before, without a moment in which nothing does. */
static void draw_lines(const char *text, unsigned int lines)
{
	const char *end;

	printf(WRAP_OFF HOME);
	for (; lines > 0 && (end = strchr(text, '\n')) != NULL; lines--) {
		printf("%.*s" CLEAR_LINE "\n", (int)(end - text), text);
		text = end + 1;
	}
	printf(CLEAR_BELOW WRAP_ON);
}

static unsigned int get_height(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 2 ?
		HEIGHT_DEFAULT : size.ws_row;
}

int report_screen_draw(const struct report_model *model,
		       const struct report_text_options *options,
		       const char **error_r)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (memory == NULL ||
	    report_text_write(model, options, memory, error_r) < 0) {
		*error_r = strerror(errno);
		return -1;
	}
	(void)fclose(memory);
	if (isatty(STDOUT_FILENO))
		draw_lines(text, get_height() - 1);
	else
		printf("%s\f\n", text);
	free(text);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		*error_r = strerror(errno);
		return -1;
	}
	return 0;
}
