#include "lib.h"
#include "buffer.h"
#include "array.h"
#include "write-full.h"
#include "migration-dir.h"
#include "mailbox-state.h"
#include "digest-file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST_FOLDER "digest"
#define DIGEST_MAGIC "MIGDIG1"

struct digest_header {
	char magic[8];
	uint32_t uid_validity;
	uint32_t record_size;
};

struct digest_record {
	uint32_t uid;
	uint32_t altered;
	uint64_t size;
	unsigned char wire[MESSAGE_DIGEST_SIZE];
	unsigned char shown[MESSAGE_DIGEST_SIZE];
};

/* The records of a mailbox with 300,000 messages are 26 MB: they stay in the file,
   and what is known of each is where it is. */
struct known {
	uint32_t uid;
	/* counted from the first */
	uint32_t record;
};

/* Records as they were read last: they are asked for in order. */
struct block {
	uint32_t first;
	unsigned int count;
	struct digest_record records[256];
};

struct digest_file {
	char *path;
	int fd;
	/* in ascending order of UID */
	ARRAY(struct known) known;
	struct block *block;
	/* where the next record goes, and how many are before it */
	off_t end;
	uint32_t written;
	/* the header, if that isn't written either, and struct digest_record */
	buffer_t *pending;
	size_t pending_header;
};

/* Where it is, or belongs. */
static const struct known *
find_known(const struct digest_file *file, uint32_t uid, unsigned int *idx_r)
{
	unsigned int left = 0, right, mid;
	const struct known *known = array_get(&file->known, &right);

	while (left < right) {
		mid = left + (right - left) / 2;
		if (known[mid].uid == uid) {
			*idx_r = mid;
			return &known[mid];
		}
		if (known[mid].uid < uid)
			left = mid + 1;
		else
			right = mid;
	}
	*idx_r = left;
	return NULL;
}

static void
remember(struct digest_file *file, uint32_t uid, uint32_t record)
{
	const struct known known = { .uid = uid, .record = record };
	unsigned int idx;

	if (find_known(file, uid, &idx) != NULL)
		array_idx_set(&file->known, idx, &known);
	else
		array_insert(&file->known, idx, &known, 1);
}

static off_t record_offset(uint32_t record)
{
	return sizeof(struct digest_header) +
		(off_t)record * sizeof(struct digest_record);
}

static void read_block_of(const struct digest_file *file, uint32_t record)
{
	struct block *block = file->block;
	uint32_t first = record - record % N_ELEMENTS(block->records);
	ssize_t ret = pread(file->fd, block->records, sizeof(block->records),
			    record_offset(first));

	if (ret < 0)
		i_error("pread(%s) failed: %m", file->path);
	block->first = first;
	block->count = ret < 0 ? 0 : (size_t)ret / sizeof(block->records[0]);
	/* what a failed write has left doesn't count */
	block->count = I_MIN(block->count, file->written - first);
}

static const struct digest_record *
get_record(const struct digest_file *file, uint32_t record)
{
	const struct block *block = file->block;

	if (record >= file->written) {
		return CONST_PTR_OFFSET(file->pending->data,
			file->pending_header + (size_t)(record - file->written) *
			sizeof(struct digest_record));
	}
	if (record < block->first || record - block->first >= block->count)
		read_block_of(file, record);
	return record - block->first < block->count ?
		&block->records[record - block->first] : NULL;
}

/* Returns 1, 0 at the end (an incomplete block counts as one), -1. */
static int
read_block(struct digest_file *file, void *data, size_t size, off_t *offset,
	   const char **error_r)
{
	ssize_t ret = pread(file->fd, data, size, *offset);

	if (ret == (ssize_t)size) {
		*offset += size;
		return 1;
	}
	if (ret >= 0)
		return 0;
	*error_r = t_strdup_printf("pread(%s) failed: %m", file->path);
	return -1;
}

static int read_records(struct digest_file *file, const char **error_r)
{
	struct block *block = file->block;
	ssize_t ret;
	size_t count;

	while ((ret = pread(file->fd, block->records, sizeof(block->records),
			    record_offset(file->written))) > 0) {
		count = (size_t)ret / sizeof(block->records[0]);
		for (size_t i = 0; i < count; i++) {
			remember(file, block->records[i].uid,
				 file->written + i);
		}
		file->written += count;
		if (count < N_ELEMENTS(block->records))
			break;
	}
	if (ret < 0) {
		*error_r = t_strdup_printf("pread(%s) failed: %m", file->path);
		return -1;
	}
	return 0;
}

static int
load(struct digest_file *file, uint32_t uid_validity, const char **error_r)
{
	const struct digest_header wanted = {
		.magic = DIGEST_MAGIC,
		.uid_validity = uid_validity,
		.record_size = sizeof(struct digest_record),
	};
	struct digest_header header;
	off_t end = 0;
	int ret;

	ret = read_block(file, &header, sizeof(header), &end, error_r);
	if (ret < 0)
		return -1;
	if (ret > 0 && memcmp(&header, &wanted, sizeof(header)) == 0) {
		if (read_records(file, error_r) < 0)
			return -1;
		end = record_offset(file->written);
	} else {
		end = 0;
		buffer_append(file->pending, &wanted, sizeof(wanted));
		file->pending_header = sizeof(wanted);
	}
	file->end = end;
	if (ftruncate(file->fd, end) < 0) {
		*error_r = t_strdup_printf("ftruncate(%s) failed: %m",
					   file->path);
		return -1;
	}
	return 0;
}

int digest_file_open(const char *dir, const char *vname, uint32_t uid_validity,
		     struct digest_file **file_r, const char **error_r)
{
	struct digest_file *file;
	const char *path;
	int fd;

	if (migration_dir_path(dir, DIGEST_FOLDER, mailbox_state_key(vname),
			       &path, error_r) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}

	file = i_new(struct digest_file, 1);
	file->path = i_strdup(path);
	file->fd = fd;
	i_array_init(&file->known, 64);
	file->block = i_new(struct block, 1);
	file->pending = buffer_create_dynamic(default_pool, 4096);
	if (load(file, uid_validity, error_r) < 0) {
		digest_file_close(&file);
		return -1;
	}
	*file_r = file;
	return 0;
}

void digest_file_close(struct digest_file **_file)
{
	struct digest_file *file = *_file;

	if (file == NULL)
		return;
	*_file = NULL;
	array_free(&file->known);
	i_free(file->block);
	buffer_free(&file->pending);
	i_close_fd(&file->fd);
	i_free(file->path);
	i_free(file);
}

bool digest_file_exists(const char *dir, const char *vname)
{
	const char *path = t_strconcat(dir, "/"DIGEST_FOLDER"/",
				       mailbox_state_key(vname), NULL);
	struct stat st;

	return stat(path, &st) == 0;
}

int digest_file_rename(const char *dir, const char *from, const char *to,
		       const char **error_r)
{
	int ret = migration_dir_rename_new(dir, DIGEST_FOLDER,
					   mailbox_state_key(from),
					   mailbox_state_key(to), error_r);

	return ret != 0 ? I_MIN(ret, 0) :
		digest_file_remove(dir, from, error_r);
}

int digest_file_remove(const char *dir, const char *vname,
		       const char **error_r)
{
	return migration_dir_unlink(dir, DIGEST_FOLDER,
				    mailbox_state_key(vname), error_r);
}

bool digest_file_has(const struct digest_file *file, uint32_t uid)
{
	unsigned int idx;

	return find_known(file, uid, &idx) != NULL;
}

bool digest_file_find(const struct digest_file *file, uint32_t uid,
		      struct message_digest *digest_r)
{
	unsigned int idx;
	const struct known *known = find_known(file, uid, &idx);
	const struct digest_record *record = known == NULL ? NULL :
		get_record(file, known->record);

	/* another process may have begun the file anew */
	if (record == NULL || record->uid != uid)
		return FALSE;
	digest_r->size = record->size;
	digest_r->altered = record->altered;
	memcpy(digest_r->wire, record->wire, sizeof(digest_r->wire));
	memcpy(digest_r->shown, record->shown, sizeof(digest_r->shown));
	return TRUE;
}

static uint32_t count_pending(const struct digest_file *file)
{
	return (file->pending->used - file->pending_header) /
		sizeof(struct digest_record);
}

void digest_file_add(struct digest_file *file, uint32_t uid,
		     const struct message_digest *digest)
{
	struct digest_record record = {
		.uid = uid,
		.altered = digest->altered,
		.size = digest->size,
	};

	memcpy(record.wire, digest->wire, sizeof(record.wire));
	memcpy(record.shown, digest->shown, sizeof(record.shown));
	remember(file, uid, file->written + count_pending(file));
	buffer_append(file->pending, &record, sizeof(record));
}

int digest_file_write(struct digest_file *file, const char **error_r)
{
	/* over what a full disk has left of it */
	if (pwrite_full(file->fd, file->pending->data, file->pending->used,
			file->end) < 0) {
		*error_r = t_strdup_printf("write(%s) failed: %m", file->path);
		return -1;
	}
	file->end += file->pending->used;
	file->written += count_pending(file);
	buffer_set_used_size(file->pending, 0);
	file->pending_header = 0;
	return 0;
}

int digest_file_sync(struct digest_file *file, const char **error_r)
{
	if (digest_file_write(file, error_r) < 0)
		return -1;
	if (fdatasync(file->fd) < 0) {
		*error_r = t_strdup_printf("fdatasync(%s) failed: %m",
					   file->path);
		return -1;
	}
	return 0;
}
