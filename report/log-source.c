#include "log-source.h"
#include "log-decode.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CODED_SIZE (128 * 1024)

struct log_source {
	char *path;
	int fd;
	bool regular;
	/* Its first bytes were looked at. */
	bool judged;
	struct log_decoder *decoder;
	/* Read and not yet handed out: the bytes judged by, or compressed. */
	unsigned char *buffer;
	struct log_coded coded;
	char error[256];
};

struct log_source *log_source_init(const char *path)
{
	struct log_source *source;
	struct stat st;
	int fd;

	fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		(void)close(fd);
		return NULL;
	}
	source = memory_new(sizeof(*source));
	source->path = memory_copy(path);
	source->fd = fd;
	source->regular = S_ISREG(st.st_mode) && strcmp(path, "-") != 0;
	return source;
}

static void forget_data(struct log_source *source)
{
	log_decoder_deinit(&source->decoder);
	free(source->buffer);
	source->buffer = NULL;
	memset(&source->coded, 0, sizeof(source->coded));
	source->judged = false;
}

void log_source_deinit(struct log_source **_source)
{
	struct log_source *source = *_source;

	if (source == NULL)
		return;
	*_source = NULL;
	forget_data(source);
	(void)close(source->fd);
	free(source->path);
	free(source);
}

static ssize_t
read_raw(struct log_source *source, void *data, size_t size,
	 const char **error_r)
{
	ssize_t ret;

	do {
		ret = read(source->fd, data, size);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0) {
		snprintf(source->error, sizeof(source->error), "read: %s",
			 strerror(errno));
		*error_r = source->error;
	}
	return ret;
}

static int read_coded(struct log_source *source, const char **error_r)
{
	ssize_t ret = read_raw(source, source->buffer, CODED_SIZE, error_r);

	if (ret < 0)
		return -1;
	source->coded.data = source->buffer;
	source->coded.size = (size_t)ret;
	source->coded.last = ret == 0;
	return 0;
}

/* Enough to judge by, even if it comes from a pipe byte by byte. */
static int judge(struct log_source *source, const char **error_r)
{
	size_t used = 0;
	ssize_t ret;

	if (source->buffer == NULL)
		source->buffer = memory_resize(NULL, CODED_SIZE, 1);
	do {
		ret = read_raw(source, source->buffer + used, CODED_SIZE - used,
			       error_r);
		if (ret < 0)
			return -1;
		used += (size_t)ret;
	} while (ret > 0 && used < LOG_MAGIC_SIZE);
	source->coded.data = source->buffer;
	source->coded.size = used;
	source->decoder = log_decoder_init(source->buffer, used);
	/* an empty file may still become anything */
	source->judged = used > 0;
	return 0;
}

static ssize_t
read_decoded(struct log_source *source, void *data, size_t size,
	     const char **error_r)
{
	ssize_t ret;

	for (;;) {
		ret = log_decode(source->decoder, &source->coded, data, size,
				 error_r);
		if (ret != 0 || source->coded.last)
			return ret;
		if (source->coded.size == 0 && read_coded(source, error_r) < 0)
			return -1;
	}
}

ssize_t log_source_read(struct log_source *source, void *data, size_t size,
			const char **error_r)
{
	if (!source->judged && judge(source, error_r) < 0)
		return -1;
	if (source->decoder != NULL)
		return read_decoded(source, data, size, error_r);
	if (source->coded.size == 0)
		return read_raw(source, data, size, error_r);
	if (size > source->coded.size)
		size = source->coded.size;
	memcpy(data, source->coded.data, size);
	source->coded.data += size;
	source->coded.size -= size;
	return (ssize_t)size;
}

bool log_source_can_rewind(const struct log_source *source)
{
	return source->regular;
}

bool log_source_rewind(struct log_source *source)
{
	if (!source->regular || lseek(source->fd, 0, SEEK_SET) != 0)
		return false;
	forget_data(source);
	return true;
}

bool log_source_was_truncated(struct log_source *source)
{
	struct stat st;

	return log_source_is_growing(source) && fstat(source->fd, &st) == 0 &&
		st.st_size < lseek(source->fd, 0, SEEK_CUR) &&
		log_source_rewind(source);
}

struct log_source *log_source_successor(const struct log_source *source)
{
	struct stat st, path_st;

	if (!log_source_is_growing(source) || fstat(source->fd, &st) < 0 ||
	    stat(source->path, &path_st) < 0 || !S_ISREG(path_st.st_mode) ||
	    (path_st.st_dev == st.st_dev && path_st.st_ino == st.st_ino))
		return NULL;
	return log_source_init(source->path);
}

int64_t log_source_mtime(const struct log_source *source)
{
	struct stat st;

	if (!source->regular || fstat(source->fd, &st) < 0)
		return (int64_t)time(NULL);
	return (int64_t)st.st_mtime;
}

bool log_source_is_growing(const struct log_source *source)
{
	return source->regular && source->decoder == NULL;
}

int log_source_pipe_fd(const struct log_source *source)
{
	return source->regular ? -1 : source->fd;
}
