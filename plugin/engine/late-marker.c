#include "lib.h"
#include "buffer.h"
#include "str.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "mailbox-state.h"
#include "migration-dir.h"
#include "late-marker.h"

#define MARKER_FOLDER "late"
#define MARKER_MAGIC "migration-late 1"
#define MARKER_MAX_SIZE (1024 * 1024)

static bool parse(const char *const *lines, struct late_marker *marker)
{
	return str_array_length(lines) == 6 &&
		strcmp(lines[0], MARKER_MAGIC) == 0 &&
		str_begins(lines[1], "uid_validity=") &&
		str_to_uint32(lines[1] + 13, &marker->uid_validity) == 0 &&
		str_begins(lines[2], "begun=") &&
		str_to_time(lines[2] + 6, &marker->begun) == 0 &&
		str_begins(lines[3], "uids=") &&
		imap_seq_set_nostar_parse(lines[3] + 5, &marker->uids) == 0 &&
		strcmp(lines[4], "end") == 0;
}

int late_marker_read(const char *dir, const char *vname,
		     struct late_marker *marker, const char **error_r)
{
	const char *key = mailbox_state_key(vname);
	buffer_t *data = t_buffer_create(128);
	int ret;

	ret = migration_dir_read(dir, MARKER_FOLDER, key, MARKER_MAX_SIZE,
				 data, error_r);
	if (ret > 0 && !parse(t_strsplit(str_c(data), "\n"), marker)) {
		*error_r = t_strdup_printf("Can't use %s/"MARKER_FOLDER"/%s: "
			"it isn't a complete "MARKER_MAGIC, dir, key);
		ret = -1;
	}
	return ret;
}

int late_marker_write(const char *dir, const char *vname,
		      const struct late_marker *marker, const char **error_r)
{
	string_t *str = t_str_new(128);

	str_printfa(str, MARKER_MAGIC"\nuid_validity=%u\nbegun=%"PRIdTIME_T
		    "\nuids=", marker->uid_validity, marker->begun);
	imap_write_seq_range(str, &marker->uids);
	str_append(str, "\nend\n");
	return migration_dir_replace(dir, MARKER_FOLDER,
				     mailbox_state_key(vname), str_data(str),
				     str_len(str), error_r);
}

int late_marker_remove(const char *dir, const char *vname,
		       const char **error_r)
{
	return migration_dir_unlink(dir, MARKER_FOLDER,
				    mailbox_state_key(vname), error_r);
}
