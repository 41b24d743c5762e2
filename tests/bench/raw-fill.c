/*
 * raw-fill: the least time in which a user's mail can come over one connection
 *
 * raw-fill [--tls] [--each] [--discard] HOST:PORT USER PASSWORD FOLDER
 *
 * Asks an IMAP server (RFC 3501) for all that a fill asks for, of all mailboxes,
 * every command sent ahead, and writes each message as it comes into a file of
 * its own in FOLDER, which must not exist, a folder in it for each mailbox. One
 * syncfs(2) at the end makes them durable. Nothing is parsed but what says where
 * a message begins and ends; no index, no digest, no flags are kept: so this is
 * what a fill is measured by and can't reach.
 *
 * --each syncs each file by itself instead; --discard writes none. With --tls,
 * certificates aren't checked. Names of mailboxes that the server gives as
 * literals aren't understood. Prints messages=N bytes=N. Exits 0; 1 when
 * something failed, 64 for wrong usage.
 */
#include <fcntl.h>
#include <getopt.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (256 * 1024)

struct raw {
	BIO *bio;
	/* What has come and isn't used yet: size bytes from pos on. */
	char buffer[BUFFER_SIZE];
	size_t pos, size;

	const char *folder;
	bool each, discard;
	/* The folder that files go to, and how many there have been. */
	int folder_fd;
	unsigned int folders;

	unsigned long long messages, bytes;
};

static void fail(const char *what)
{
	fprintf(stderr, "raw-fill: %s: ", what);
	if (ERR_peek_error() != 0)
		ERR_print_errors_fp(stderr);
	else
		perror(NULL);
	exit(EXIT_FAILURE);
}

static void refuse(const char *line)
{
	fprintf(stderr, "raw-fill: not understood: %s\n", line);
	exit(EXIT_FAILURE);
}

static void usage(void)
{
	fprintf(stderr, "usage: raw-fill [--tls] [--each] [--discard] "
		"HOST:PORT USER PASSWORD FOLDER\n");
	exit(64);
}

/*
 * The connection
 */

static void raw_connect(struct raw *raw, const char *hostport, bool tls)
{
	SSL_CTX *ctx;

	if (tls) {
		ctx = SSL_CTX_new(TLS_client_method());
		raw->bio = ctx == NULL ? NULL : BIO_new_ssl_connect(ctx);
	} else {
		raw->bio = BIO_new(BIO_s_connect());
	}
	if (raw->bio == NULL)
		fail("OpenSSL");
	BIO_set_conn_hostname(raw->bio, hostport);
	if (BIO_do_connect(raw->bio) <= 0)
		fail(hostport);
}

static void raw_send(struct raw *raw, const char *text, size_t size)
{
	size_t sent;

	for (; size > 0; text += sent, size -= sent) {
		if (BIO_write_ex(raw->bio, text, size, &sent) <= 0)
			fail("sending");
	}
}

static void raw_more(struct raw *raw)
{
	size_t got;

	if (raw->pos > 0)
		memmove(raw->buffer, raw->buffer + raw->pos, raw->size);
	raw->pos = 0;
	if (BIO_read_ex(raw->bio, raw->buffer + raw->size,
			BUFFER_SIZE - raw->size, &got) <= 0)
		fail("the server closed the connection");
	raw->size += got;
}

/* Without its CRLF; valid until the next call. */
static char *raw_line(struct raw *raw)
{
	char *line, *end;

	while ((end = memchr(raw->buffer + raw->pos, '\n',
			     raw->size)) == NULL) {
		if (raw->size == BUFFER_SIZE)
			refuse("a line of this length");
		raw_more(raw);
	}
	line = raw->buffer + raw->pos;
	raw->size -= (size_t)(end + 1 - line);
	raw->pos += (size_t)(end + 1 - line);
	if (end > line && end[-1] == '\r')
		end--;
	*end = '\0';
	return line;
}

/*
 * Messages
 */

static void raw_next_folder(struct raw *raw)
{
	char path[4096];

	if (raw->discard)
		return;
	if (raw->folder_fd >= 0)
		close(raw->folder_fd);
	snprintf(path, sizeof(path), "%s/%u", raw->folder, ++raw->folders);
	if (mkdir(path, 0700) < 0)
		fail(path);
	raw->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (raw->folder_fd < 0)
		fail(path);
}

static int raw_create(struct raw *raw)
{
	char name[24];
	int fd;

	if (raw->discard)
		return -1;
	snprintf(name, sizeof(name), "%llu", raw->messages);
	fd = openat(raw->folder_fd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(name);
	return fd;
}

static void raw_message(struct raw *raw, uint64_t size)
{
	int fd = raw_create(raw);
	size_t piece;

	raw->messages++;
	raw->bytes += size;
	for (; size > 0; size -= piece) {
		if (raw->size == 0)
			raw_more(raw);
		piece = raw->size < size ? raw->size : size;
		if (fd >= 0 && write(fd, raw->buffer + raw->pos, piece) !=
		    (ssize_t)piece)
			fail("writing");
		raw->pos += piece;
		raw->size -= piece;
	}
	if (fd >= 0 && raw->each && fdatasync(fd) < 0)
		fail("fdatasync");
	if (fd >= 0)
		close(fd);
}

/* A response that goes on behind a literal has its end as a line of its own. */
static void raw_untagged(struct raw *raw, const char *line)
{
	const char *brace = strrchr(line, '{');
	unsigned long long size;
	char end;

	if (brace == NULL || sscanf(brace, "{%llu%c", &size, &end) != 2 ||
	    end != '}')
		return;
	if (strstr(line, " BODY[] {") == NULL)
		refuse(line);
	raw_message(raw, size);
}

/*
 * Commands. A tag is the first letter of what it is for.
 */

/* Appends what asks for all of a mailbox that LIST tells. */
static void ask_for(FILE *commands, const char *line)
{
	const char *name;

	if (strcasestr(line, "\\Noselect") != NULL ||
	    strcasestr(line, "\\NonExistent") != NULL)
		return;
	name = strstr(line, ") ");
	name = name == NULL ? NULL : strchr(name + 2, ' ');
	if (name == NULL || name[1] == '{')
		refuse(line);
	fprintf(commands, "e EXAMINE%s\r\n"
		"f UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n",
		name);
}

static void check_tagged(const char *line)
{
	if (*line == '\0' || strncasecmp(line + 1, " OK", 3) != 0)
		refuse(line);
}

/* Returns the commands for what there is. */
static char *raw_log_in(struct raw *raw, const char *user,
			const char *password, size_t *size_r)
{
	char start[1024], *text, *line;
	FILE *commands = open_memstream(&text, size_r);
	int length;

	length = snprintf(start, sizeof(start), "l LOGIN \"%s\" \"%s\"\r\n"
			  "n LIST \"\" *\r\n", user, password);
	if (commands == NULL || length >= (int)sizeof(start))
		fail("LOGIN");
	raw_send(raw, start, (size_t)length);
	do {
		line = raw_line(raw);
		if (strncasecmp(line, "* LIST ", 7) == 0)
			ask_for(commands, line);
		else if (line[0] != '*')
			check_tagged(line);
	} while (line[0] != 'n');
	fprintf(commands, "o LOGOUT\r\n");
	if (fclose(commands) != 0)
		fail("memory");
	return text;
}

static void raw_fetch_all(struct raw *raw)
{
	const char *line;
	char first;

	do {
		line = raw_line(raw);
		first = line[0];
		if (first == '*') {
			raw_untagged(raw, line);
		} else if (first != ')' && first != ' ') {
			check_tagged(line);
			if (first == 'e')
				raw_next_folder(raw);
		}
	} while (first != 'o');
}

static void raw_sync(const struct raw *raw)
{
	int fd = open(raw->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || (raw->each ? fsync(fd) : syncfs(fd)) < 0)
		fail("syncing");
	close(fd);
}

static struct raw raw = { .folder_fd = -1 };

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "tls", no_argument, NULL, 't' },
		{ "each", no_argument, NULL, 'e' },
		{ "discard", no_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 }
	};
	bool tls = false;
	char *commands;
	size_t size;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 't': tls = true; break;
		case 'e': raw.each = true; break;
		case 'd': raw.discard = true; break;
		default: usage();
		}
	}
	if (argc - optind != 4)
		usage();
	raw.folder = argv[optind + 3];
	if (!raw.discard && mkdir(raw.folder, 0700) < 0)
		fail(raw.folder);
	raw_connect(&raw, argv[optind], tls);
	commands = raw_log_in(&raw, argv[optind + 1], argv[optind + 2], &size);
	raw_send(&raw, commands, size);
	free(commands);
	raw_fetch_all(&raw);
	BIO_free_all(raw.bio);
	if (!raw.discard)
		raw_sync(&raw);
	printf("messages=%llu bytes=%llu\n", raw.messages, raw.bytes);
	return EXIT_SUCCESS;
}
