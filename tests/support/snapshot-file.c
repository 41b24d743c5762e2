/*
 * snapshot-file: a picture as a text file, for snapshot.h
 *
 *     snapshot 1
 *     F <uidvalidity> <uidnext> <l|-><s|-><x|-> <special use|-> <name>
 *     E <error of the folder>
 *     M <uid> <size> <instant> <digest|-> <flags>
 *     P <number> <size> <uidl>
 * l: listed, s: subscribed, x: selectable. Names and errors run to the end of
 * the line, with \xHH for control characters and backslashes; spaces in special
 * use are commas. POP3, when it was asked, begins with a line "P".
 */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "snapshot 1\n"

static void put_escaped(FILE *out, const char *str)
{
	for (; *str != '\0'; str++) {
		if ((unsigned char)*str < ' ' || *str == '\\')
			fprintf(out, "\\x%02x", (unsigned int)*str & 0xff);
		else
			fputc(*str, out);
	}
}

/* In place. */
static char *unescape(char *str)
{
	char *from = str, *to = str;
	unsigned int byte;

	while (*from != '\0') {
		if (sscanf(from, "\\x%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return str;
}

static void replace(char *str, char from, char to)
{
	for (; *str != '\0'; str++) {
		if (*str == from)
			*str = to;
	}
}

static void save_message(FILE *out, const struct snapshot_message *msg)
{
	size_t i;

	fprintf(out, "M %u %llu %lld ", msg->uid,
		(unsigned long long)msg->size, (long long)msg->instant);
	for (i = 0; msg->has_digest && i < sizeof(msg->digest); i++)
		fprintf(out, "%02x", msg->digest[i]);
	fprintf(out, "%s %s\n", msg->has_digest ? "" : "-", msg->flags);
}

static void save_folder(FILE *out, const struct snapshot_folder *folder)
{
	char *use = strdup(*folder->special_use == '\0' ? "-" :
			   folder->special_use);
	size_t i;

	replace(use, ' ', ',');
	fprintf(out, "F %u %u %c%c%c %s ", folder->uidvalidity,
		folder->uidnext, folder->listed ? 'l' : '-',
		folder->subscribed ? 's' : '-',
		folder->selectable ? 'x' : '-', use);
	free(use);
	put_escaped(out, folder->name);
	fputc('\n', out);
	if (folder->error != NULL) {
		fputs("E ", out);
		put_escaped(out, folder->error);
		fputc('\n', out);
	}
	for (i = 0; i < folder->count; i++)
		save_message(out, &folder->messages[i]);
}

int snapshot_save(const struct snapshot *snapshot, const char *path,
		  const char **error_r)
{
	FILE *out = fopen(path, "w");
	const struct pop3_item *item;
	size_t i;

	if (out != NULL) {
		fputs(FORMAT, out);
		for (i = 0; i < snapshot->count; i++)
			save_folder(out, &snapshot->folders[i]);
		if (snapshot->has_pop3)
			fputs("P\n", out);
		for (i = 0; i < snapshot->pop3.count; i++) {
			item = &snapshot->pop3.items[i];
			fprintf(out, "P %u %llu %s\n", item->number,
				(unsigned long long)item->size, item->uidl);
		}
		i = (size_t)ferror(out);
		if (fclose(out) == 0 && i == 0)
			return 0;
	}
	*error_r = strerror(errno);
	return -1;
}

static bool load_folder(struct snapshot *snapshot, char *line)
{
	struct snapshot_folder *folder;
	unsigned int uidvalidity, uidnext;
	char flags[4], use[200];
	int end = 0;

	if (sscanf(line, "%10u %10u %3s %199s %n", &uidvalidity, &uidnext,
		   flags, use, &end) != 4 || end == 0 || strlen(flags) != 3)
		return false;
	/* "%n" took the blanks that a name begins with */
	while (line[end - 1] == ' ' && line[end - 2] == ' ')
		end--;
	replace(use, ',', ' ');
	folder = snapshot_add_folder(snapshot, unescape(line + end));
	folder->uidvalidity = uidvalidity;
	folder->uidnext = uidnext;
	folder->listed = flags[0] == 'l';
	folder->subscribed = flags[1] == 's';
	folder->selectable = flags[2] == 'x';
	if (strcmp(use, "-") != 0)
		folder->special_use = snapshot_intern(snapshot, use);
	return true;
}

static bool load_digest(const char *hex, unsigned char *digest)
{
	unsigned int i, byte;

	if (strlen(hex) != SNAPSHOT_DIGEST_SIZE * 2)
		return false;
	for (i = 0; i < SNAPSHOT_DIGEST_SIZE; i++) {
		if (sscanf(hex + i * 2, "%2x", &byte) != 1)
			return false;
		digest[i] = (unsigned char)byte;
	}
	return true;
}

static bool load_message(struct snapshot *snapshot, const char *line)
{
	struct snapshot_message *msg;
	char hex[SNAPSHOT_DIGEST_SIZE * 2 + 1];
	unsigned long long size;
	long long instant;
	unsigned int uid;
	int end = 0;

	if (snapshot->count == 0 ||
	    sscanf(line, "%10u %20llu %20lld %64s%n", &uid, &size, &instant,
		   hex, &end) != 4 || line[end] != ' ')
		return false;
	msg = snapshot_add_message(&snapshot->folders[snapshot->count - 1],
				   uid);
	msg->size = size;
	msg->instant = instant;
	msg->flags = snapshot_intern(snapshot, line + end + 1);
	msg->has_flags = msg->has_date = msg->has_size = true;
	msg->has_digest = strcmp(hex, "-") != 0;
	return !msg->has_digest || load_digest(hex, msg->digest);
}

static bool load_pop3(struct snapshot *snapshot, const char *line)
{
	struct pop3_list *list = &snapshot->pop3;
	struct pop3_item item = { .uidl = NULL };
	unsigned long long size;

	snapshot->has_pop3 = true;
	if (*line == '\0')
		return true;
	if (sscanf(line, "%10u %20llu %m[^\n]", &item.number, &size,
		   &item.uidl) != 3) {
		free(item.uidl);
		return false;
	}
	item.size = size;
	list->items = realloc(list->items,
			      (list->count + 1) * sizeof(item));
	if (list->items == NULL)
		abort();
	list->items[list->count++] = item;
	return true;
}

static bool load_line(struct snapshot *snapshot, char *line)
{
	char type = line[0];

	if (type != '\0' && line[1] == ' ')
		line += 2;
	else if (type == 'P' && line[1] == '\0')
		line++;
	else
		return false;
	switch (type) {
	case 'F':
		return load_folder(snapshot, line);
	case 'M':
		return load_message(snapshot, line);
	case 'P':
		return load_pop3(snapshot, line);
	case 'E':
		if (snapshot->count == 0)
			return false;
		snapshot_folder_fail(&snapshot->folders[snapshot->count - 1],
				     "%s", unescape(line));
		return true;
	default:
		return false;
	}
}

int snapshot_load(const char *path, struct snapshot **snapshot_r,
		  const char **error_r)
{
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	bool ok;

	*snapshot_r = NULL;
	if (in == NULL) {
		*error_r = strerror(errno);
		return -1;
	}
	*snapshot_r = snapshot_new();
	ok = getline(&line, &room, in) > 0 && strcmp(line, FORMAT) == 0;
	while (ok && (size = getline(&line, &room, in)) > 0) {
		if (line[size - 1] == '\n')
			line[size - 1] = '\0';
		ok = load_line(*snapshot_r, line);
	}
	free(line);
	fclose(in);
	if (!ok) {
		*error_r = "not a snapshot";
		snapshot_free(snapshot_r);
		return -1;
	}
	snapshot_finish(*snapshot_r);
	return 0;
}
