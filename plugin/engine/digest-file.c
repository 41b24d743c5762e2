#include "lib.h"
#include "buffer.h"
#include "array.h"
#include "hash.h"
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

struct digest_file {
	char *path;
	int fd;
	pool_t pool;
	HASH_TABLE(void *, struct message_digest *) digests;
	/* where the next record goes */
	off_t end;
	/* struct digest_record, not written yet */
	buffer_t *pending;
};

static void
remember(struct digest_file *file, const struct digest_record *record)
{
	void *key = POINTER_CAST(record->uid);
	struct message_digest *digest =
		hash_table_lookup(file->digests, key);

	if (digest == NULL) {
		digest = p_new(file->pool, struct message_digest, 1);
		hash_table_insert(file->digests, key, digest);
	}
	digest->size = record->size;
	digest->altered = record->altered;
	memcpy(digest->wire, record->wire, sizeof(digest->wire));
	memcpy(digest->shown, record->shown, sizeof(digest->shown));
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

static int
read_records(struct digest_file *file, off_t *offset, const char **error_r)
{
	struct digest_record records[256];
	ssize_t ret;
	size_t count;

	while ((ret = pread(file->fd, records, sizeof(records), *offset)) > 0) {
		count = (size_t)ret / sizeof(records[0]);
		for (size_t i = 0; i < count; i++)
			remember(file, &records[i]);
		*offset += count * sizeof(records[0]);
		if (count < N_ELEMENTS(records))
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
		if (read_records(file, &end, error_r) < 0)
			return -1;
	} else {
		end = 0;
		buffer_append(file->pending, &wanted, sizeof(wanted));
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
	file->pool = pool_alloconly_create("digests", 64*1024);
	hash_table_create_direct(&file->digests, file->pool, 0);
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
	hash_table_destroy(&file->digests);
	pool_unref(&file->pool);
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

const struct message_digest *
digest_file_find(const struct digest_file *file, uint32_t uid)
{
	return hash_table_lookup(file->digests, POINTER_CAST(uid));
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
	remember(file, &record);
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
	buffer_set_used_size(file->pending, 0);
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
