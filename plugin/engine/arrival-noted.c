#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "strnum.h"
#include "migration-dir.h"
#include "arrival-noted.h"

#define NOTED_FOLDER "arrivals"
#define NOTED_NAME "mailboxes"
#define NOTED_VERSION "1"
/* Room for 100,000 mailboxes. */
#define NOTED_MAX (8*1024*1024)

void arrival_noted_init(struct arrival_noted *noted)
{
	i_zero(noted);
	i_array_init(&noted->boxes, 16);
}

void arrival_noted_deinit(struct arrival_noted *noted)
{
	array_free(&noted->boxes);
}

/* version, generation, records, checked, left */
static bool parse_first(const char *const *words, struct arrival_noted *noted)
{
	return str_array_length(words) == 5 &&
		strcmp(words[0], NOTED_VERSION) == 0 &&
		str_to_uint64(words[1], &noted->generation) == 0 &&
		str_to_uint32(words[2], &noted->in_file) == 0 &&
		str_to_time(words[3], &noted->checked) == 0 &&
		str_to_uint32(words[4], &noted->left) == 0;
}

/* GUID, UIDVALIDITY, UIDNEXT, since */
static bool parse_box(const char *const *words, struct arrival_noted *noted)
{
	struct arrival_noted_box box;

	i_zero(&box);
	if (str_array_length(words) != 4 ||
	    guid_128_from_string(words[0], box.guid) < 0 ||
	    str_to_uint32(words[1], &box.uid_validity) < 0 ||
	    str_to_uint32(words[2], &box.uid_next) < 0 ||
	    str_to_time(words[3], &box.since) < 0)
		return FALSE;
	array_push_back(&noted->boxes, &box);
	return TRUE;
}

static bool parse(const char *text, struct arrival_noted *noted)
{
	const char *const *lines = t_strsplit(text, "\n");

	if (*lines == NULL || !parse_first(t_strsplit(*lines, "\t"), noted))
		return FALSE;
	/* the last one ends as well, so nothing is behind it */
	for (lines++; *lines != NULL && lines[1] != NULL; lines++) {
		if (!parse_box(t_strsplit(*lines, "\t"), noted))
			return FALSE;
	}
	return *lines != NULL && **lines == '\0';
}

int arrival_noted_read(const char *dir, struct arrival_noted *noted,
		       const char **error_r)
{
	buffer_t *data = t_buffer_create(4096);
	int ret;

	ret = migration_dir_read(dir, NOTED_FOLDER, NOTED_NAME, NOTED_MAX,
				 data, error_r);
	if (ret <= 0)
		return ret;
	if (!parse(str_c(data), noted)) {
		arrival_noted_deinit(noted);
		arrival_noted_init(noted);
	}
	return 0;
}

int arrival_noted_write(const char *dir, const struct arrival_noted *noted,
			const char **error_r)
{
	string_t *text = t_str_new(4096);
	const struct arrival_noted_box *box;

	str_printfa(text, NOTED_VERSION"\t%"PRIu64"\t%u\t%"PRIdTIME_T"\t%u\n",
		    noted->generation, noted->in_file, noted->checked,
		    noted->left);
	array_foreach(&noted->boxes, box) {
		str_printfa(text, "%s\t%u\t%u\t%"PRIdTIME_T"\n",
			    guid_128_to_string(box->guid), box->uid_validity,
			    box->uid_next, box->since);
	}
	return migration_dir_replace(dir, NOTED_FOLDER, NOTED_NAME,
				     str_data(text), str_len(text), error_r);
}

struct arrival_noted_box *
arrival_noted_find(struct arrival_noted *noted, const guid_128_t guid)
{
	struct arrival_noted_box *box;

	array_foreach_modifiable(&noted->boxes, box) {
		if (guid_128_equals(box->guid, guid))
			return box;
	}
	return NULL;
}
