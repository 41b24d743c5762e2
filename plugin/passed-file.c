#include "lib.h"
#include "fd-util.h"
#include "istream-unix.h"
#include "passed-file.h"

#include <sys/stat.h>

int passed_file_take(struct istream *input)
{
	int fd = i_stream_unix_get_read_fd(input);

	if (fd != -1) {
		fd_close_on_exec(fd, TRUE);
		i_stream_unix_set_read_fd(input);
	}
	return fd;
}

bool passed_file_has(int fd, uoff_t size)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		(uoff_t)st.st_size >= size;
}
