#include "report-screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HEIGHT_DEFAULT 24
#define HOME_AND_CLEAR "\033[H\033[2J"

/* Cut after so many lines. */
static void cut(char *text, unsigned int lines)
{
	char *newline = text;

	for (; lines > 0 && newline != NULL; lines--) {
		newline = strchr(newline, '\n');
		if (newline != NULL)
			newline++;
	}
	if (newline != NULL)
		*newline = '\0';
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
	int ret;

	if (memory == NULL ||
	    report_text_write(model, options, memory, error_r) < 0) {
		*error_r = strerror(errno);
		return -1;
	}
	(void)fclose(memory);
	if (isatty(STDOUT_FILENO)) {
		cut(text, get_height() - 1);
		ret = printf(HOME_AND_CLEAR "%s", text);
	} else {
		ret = printf("%s\f\n", text);
	}
	free(text);
	if (ret < 0 || fflush(stdout) != 0) {
		*error_r = strerror(errno);
		return -1;
	}
	return 0;
}
