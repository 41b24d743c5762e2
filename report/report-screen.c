#include "report-screen.h"
#include "common/text-screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		text_screen_draw(stdout, text,
				 text_screen_size(STDOUT_FILENO).rows - 1);
	else
		printf("%s\f\n", text);
	free(text);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		*error_r = strerror(errno);
		return -1;
	}
	return 0;
}
