#include "arrival-tag-private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for all keys with line ends and some empty lines. */
#define FILE_SIZE_MAX ((ARRIVAL_KEY_MAX + 2) * ARRIVAL_KEYS_MAX + 64)

/* A line without the white space around it; NULL, or the reason. */
static const char *
add_secret(struct arrival_key *key, const char *line, size_t size)
{
	struct arrival_secret *secret = &key->secrets[key->count];
	size_t i;

	if (key->count == ARRIVAL_KEYS_MAX)
		return "more than two keys: remove the one no server signs with";
	if (size < ARRIVAL_KEY_MIN) {
		return "a key under 16 bytes: make one with "
			"`openssl rand -base64 32`";
	}
	if (size > ARRIVAL_KEY_MAX)
		return "a key over 256 bytes: a key is one line";
	for (i = 0; i < size; i++) {
		if (line[i] <= ' ' || line[i] > '~') {
			return "a key that isn't printable text without spaces: "
				"make one with `openssl rand -base64 32`";
		}
	}
	memcpy(secret->bytes, line, size);
	secret->size = size;
	key->count++;
	return NULL;
}

static const char *
add_secrets(struct arrival_key *key, const char *p, const char *end)
{
	const char *line, *line_end, *next, *error;

	for (; p < end; p = next) {
		line_end = memchr(p, '\n', (size_t)(end - p));
		next = line_end == NULL ? end : line_end + 1;
		line_end = next;
		for (line = p; line < line_end && arrival_is_space(*line); )
			line++;
		while (line_end > line && arrival_is_space(line_end[-1]))
			line_end--;
		if (line == line_end)
			continue;
		error = add_secret(key, line, (size_t)(line_end - line));
		if (error != NULL)
			return error;
	}
	return key->count > 0 ? NULL :
		"no key in it: make one with `openssl rand -base64 32`";
}

int arrival_key_parse(const char *data, size_t size,
		      struct arrival_key **key_r, const char **error_r)
{
	struct arrival_key *key;

	*key_r = NULL;
	key = calloc(1, sizeof(*key));
	if (key == NULL) {
		*error_r = "out of memory";
		return -1;
	}
	*error_r = add_secrets(key, data, data + size);
	if (*error_r != NULL) {
		arrival_key_free(&key);
		return -1;
	}
	*key_r = key;
	return 0;
}

void arrival_key_free(struct arrival_key **key)
{
	if (*key == NULL)
		return;
	OPENSSL_cleanse(*key, sizeof(**key));
	free(*key);
	*key = NULL;
}

/* NULL, or why this file can't be a key's. */
static const char *refuse_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		return "group or others may access it: "
			"chmod 600, and change the key if they aren't trusted";
	}
	if (st.st_size > FILE_SIZE_MAX)
		return "too large for a key file: one key a line, at most two";
	return NULL;
}

/* The number of bytes read, -1 with errno. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t used = 0;
	ssize_t ret;

	while (used < size) {
		ret = read(fd, data + used, size - used);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0)
			return -1;
		if (ret == 0)
			break;
		used += (size_t)ret;
	}
	return (ssize_t)used;
}

static int
load_file(int fd, struct arrival_key **key_r, const char **error_r)
{
	char data[FILE_SIZE_MAX];
	ssize_t size;
	int ret = -1;

	*error_r = refuse_file(fd);
	if (*error_r != NULL)
		return -1;
	size = read_all(fd, data, sizeof(data));
	if (size < 0)
		*error_r = strerror(errno);
	else
		ret = arrival_key_parse(data, (size_t)size, key_r, error_r);
	OPENSSL_cleanse(data, sizeof(data));
	return ret;
}

int arrival_key_load(const char *path, struct arrival_key **key_r,
		     const char **error_r)
{
	int fd, ret;

	*key_r = NULL;
	/* a FIFO without a writer mustn't stop us */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		*error_r = strerror(errno);
		return -1;
	}
	ret = load_file(fd, key_r, error_r);
	close(fd);
	return ret;
}
