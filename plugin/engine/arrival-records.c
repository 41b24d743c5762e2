#include "lib.h"
#include "buffer.h"
#include "crc32.h"
#include "randgen.h"
#include "write-full.h"
#include "migration-dir.h"
#include "arrival-records.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS_FOLDER "arrivals"
#define RECORDS_NAME "mails"
#define RECORDS_MAGIC "MIGARR1"
/* Written when there is so much of it, without being durable. */
#define PENDING_MAX (256*1024)
#define CHAINS_MIN 1024

struct records_header {
	char magic[8];
	uint64_t generation;
	uint32_t record_size;
	uint32_t reserved;
};

/* Records whose values have the same hash. Places are indexes + 1, 0: none. */
struct chains {
	uint32_t *heads;
	/* of each record */
	uint32_t *next;
	uint32_t mask;
};

struct arrival_records {
	char *dir, *path;
	int fd;
	uint64_t generation;
	/* where the next record goes */
	off_t end;
	/* not written yet */
	buffer_t *pending;
	/* written and not durable yet; its name isn't either */
	bool dirty, is_new;

	struct arrival_record *records;
	uint32_t count, allocated;
	struct chains chains[ARRIVAL_FIELD_COUNT];
};

static const size_t field_offsets[ARRIVAL_FIELD_COUNT] = {
	[ARRIVAL_FIELD_GUID] = offsetof(struct arrival_record, guid),
	[ARRIVAL_FIELD_DIGEST] = offsetof(struct arrival_record, digest),
	[ARRIVAL_FIELD_TAG] = offsetof(struct arrival_record, tag),
};
#define FIELD_SIZE 16

/*
 * In memory
 */

static const unsigned char *
field_of(const struct arrival_record *record, enum arrival_field field)
{
	return CONST_PTR_OFFSET(record, field_offsets[field]);
}

/* Digests and tags are hashes already. A GUID has equal bytes in it, but its
   first ones are a time, its last ones a host and a counter, in any order. */
static uint32_t *head_of(const struct chains *chains, const void *value)
{
	return &chains->heads[crc32_data(value, FIELD_SIZE) & chains->mask];
}

static void link_field(struct arrival_records *records, uint32_t idx,
		       enum arrival_field field)
{
	const struct arrival_record *record = &records->records[idx];
	struct chains *chains = &records->chains[field];
	uint32_t *head;

	if (field == ARRIVAL_FIELD_TAG &&
	    (record->flags & ARRIVAL_RECORD_TAGGED) == 0)
		return;
	head = head_of(chains, field_of(record, field));
	chains->next[idx] = *head;
	*head = idx + 1;
}

static void link_all(struct arrival_records *records)
{
	uint32_t size = records->allocated;

	for (unsigned int field = 0; field < ARRIVAL_FIELD_COUNT; field++) {
		struct chains *chains = &records->chains[field];

		i_free(chains->heads);
		i_free(chains->next);
		chains->heads = i_new(uint32_t, size);
		chains->next = i_new(uint32_t, size);
		chains->mask = size - 1;
		for (uint32_t i = 0; i < records->count; i++)
			link_field(records, i, field);
	}
}

static void grow(struct arrival_records *records)
{
	uint32_t size = I_MAX(records->allocated * 2, CHAINS_MIN);

	records->records = i_realloc(records->records,
		sizeof(records->records[0]) * records->allocated,
		sizeof(records->records[0]) * size);
	records->allocated = size;
	link_all(records);
}

static void
remember(struct arrival_records *records, const struct arrival_record *record)
{
	const struct arrival_record *old;
	uint32_t iter = 0, idx;
	bool relink;

	old = arrival_records_find(records, ARRIVAL_FIELD_GUID, record->guid,
				   &iter);
	if (old == NULL) {
		if (records->count == records->allocated)
			grow(records);
		idx = records->count++;
		records->records[idx] = *record;
		for (unsigned int i = 0; i < ARRIVAL_FIELD_COUNT; i++)
			link_field(records, idx, i);
		return;
	}
	idx = old - records->records;
	relink = memcmp(old->digest, record->digest, FIELD_SIZE) != 0 ||
		memcmp(old->tag, record->tag, FIELD_SIZE) != 0;
	records->records[idx] = *record;
	/* another key file */
	if (relink)
		link_all(records);
}

const struct arrival_record *
arrival_records_find(const struct arrival_records *records,
		     enum arrival_field field, const void *value,
		     uint32_t *iter)
{
	const struct chains *chains = &records->chains[field];
	uint32_t place;

	if (records->count == 0)
		return NULL;
	place = *iter == 0 ? *head_of(chains, value) :
		chains->next[*iter - 1];
	while (place > 0 &&
	       memcmp(field_of(&records->records[place - 1], field), value,
		      FIELD_SIZE) != 0)
		place = chains->next[place - 1];
	*iter = place;
	return place == 0 ? NULL : &records->records[place - 1];
}

/*
 * On disk
 */

static uint32_t checksum(const struct arrival_record *record)
{
	return crc32_data(record, offsetof(struct arrival_record, crc));
}

/* A file of its own: whoever counts on another one's records sees that. */
static void begin_file(struct arrival_records *records, buffer_t *data)
{
	struct records_header header = {
		.magic = RECORDS_MAGIC,
		.record_size = sizeof(struct arrival_record),
	};

	random_fill(&header.generation, sizeof(header.generation));
	records->generation = header.generation;
	buffer_append(data, &header, sizeof(header));
}

/* Returns 1, 0 when it isn't a header of ours, -1 with an error. */
static int read_header(int fd, const char *path, uint64_t *generation_r,
		       const char **error_r)
{
	struct records_header header;
	ssize_t ret = pread(fd, &header, sizeof(header), 0);

	if (ret < 0) {
		*error_r = t_strdup_printf("pread(%s) failed: %m", path);
		return -1;
	}
	if (ret != sizeof(header) ||
	    memcmp(header.magic, RECORDS_MAGIC, sizeof(header.magic)) != 0 ||
	    header.record_size != sizeof(struct arrival_record))
		return 0;
	*generation_r = header.generation;
	return 1;
}

static uint32_t count_until(off_t end)
{
	return end <= (off_t)sizeof(struct records_header) ? 0 :
		(end - sizeof(struct records_header)) /
		sizeof(struct arrival_record);
}

int arrival_records_peek(const char *dir, uint64_t *generation_r,
			 uint32_t *in_file_r, const char **error_r)
{
	const char *path = t_strconcat(dir, "/"RECORDS_FOLDER"/"RECORDS_NAME,
				       NULL);
	struct stat st;
	int fd, ret;

	*generation_r = 0;
	*in_file_r = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		i_close_fd(&fd);
		return -1;
	}
	ret = read_header(fd, path, generation_r, error_r);
	if (ret > 0)
		*in_file_r = count_until(st.st_size);
	i_close_fd(&fd);
	return I_MIN(ret, 0);
}

/* Returns how many of them are good. */
static size_t
remember_good(struct arrival_records *records,
	      const struct arrival_record *block, size_t count)
{
	size_t i;

	for (i = 0; i < count && block[i].crc == checksum(&block[i]); i++)
		remember(records, &block[i]);
	return i;
}

static int read_records(struct arrival_records *records, const char **error_r)
{
	struct arrival_record block[256];
	size_t count, good;
	ssize_t ret;

	do {
		ret = pread(records->fd, block, sizeof(block), records->end);
		if (ret < 0) {
			*error_r = t_strdup_printf("pread(%s) failed: %m",
						   records->path);
			return -1;
		}
		count = (size_t)ret / sizeof(block[0]);
		good = remember_good(records, block, count);
		records->end += good * sizeof(block[0]);
	} while (good == N_ELEMENTS(block));
	return 0;
}

static int load(struct arrival_records *records, const char **error_r)
{
	int ret = read_header(records->fd, records->path,
			      &records->generation, error_r);

	records->end = ret > 0 ? sizeof(struct records_header) : 0;
	if (ret < 0 || (ret > 0 && read_records(records, error_r) < 0))
		return -1;
	if (ret == 0) {
		begin_file(records, records->pending);
		records->is_new = TRUE;
	}
	if (ftruncate(records->fd, records->end) < 0) {
		*error_r = t_strdup_printf("ftruncate(%s) failed: %m",
					   records->path);
		return -1;
	}
	return 0;
}

int arrival_records_open(const char *dir, struct arrival_records **records_r,
			 const char **error_r)
{
	struct arrival_records *records;
	const char *path;
	int fd;

	if (migration_dir_path(dir, RECORDS_FOLDER, RECORDS_NAME, &path,
			       error_r) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}

	records = i_new(struct arrival_records, 1);
	records->dir = i_strdup(dir);
	records->path = i_strdup(path);
	records->fd = fd;
	records->pending = buffer_create_dynamic(default_pool, 4096);
	grow(records);
	if (load(records, error_r) < 0) {
		arrival_records_close(&records);
		return -1;
	}
	*records_r = records;
	return 0;
}

void arrival_records_close(struct arrival_records **_records)
{
	struct arrival_records *records = *_records;

	if (records == NULL)
		return;
	*_records = NULL;
	for (unsigned int i = 0; i < ARRIVAL_FIELD_COUNT; i++) {
		i_free(records->chains[i].heads);
		i_free(records->chains[i].next);
	}
	i_free(records->records);
	buffer_free(&records->pending);
	i_close_fd(&records->fd);
	i_free(records->path);
	i_free(records->dir);
	i_free(records);
}

uint64_t arrival_records_generation(const struct arrival_records *records)
{
	return records->generation;
}

uint32_t arrival_records_in_file(const struct arrival_records *records)
{
	return count_until(records->end + records->pending->used);
}

uint32_t arrival_records_count(const struct arrival_records *records)
{
	return records->count;
}

const struct arrival_record *
arrival_records_get(const struct arrival_records *records, uint32_t idx)
{
	i_assert(idx < records->count);
	return &records->records[idx];
}

static int flush(struct arrival_records *records, const char **error_r)
{
	if (records->pending->used == 0)
		return 0;
	/* over what a full disk has left of it */
	if (pwrite_full(records->fd, records->pending->data,
			records->pending->used, records->end) < 0) {
		*error_r = t_strdup_printf("write(%s) failed: %m",
					   records->path);
		return -1;
	}
	records->end += records->pending->used;
	buffer_set_used_size(records->pending, 0);
	records->dirty = TRUE;
	return 0;
}

void arrival_records_put(struct arrival_records *records,
			 const struct arrival_record *_record)
{
	struct arrival_record record = *_record;
	const char *error;

	record.crc = checksum(&record);
	remember(records, &record);
	buffer_append(records->pending, &record, sizeof(record));
	/* a failure is told by the sync, which tries again */
	if (records->pending->used >= PENDING_MAX)
		(void)flush(records, &error);
}

int arrival_records_sync(struct arrival_records *records,
			 const char **error_r)
{
	if (flush(records, error_r) < 0)
		return -1;
	if (records->dirty && fdatasync(records->fd) < 0) {
		*error_r = t_strdup_printf("fdatasync(%s) failed: %m",
					   records->path);
		return -1;
	}
	if (records->is_new && migration_dir_sync(records->dir, RECORDS_FOLDER,
						  error_r) < 0)
		return -1;
	records->dirty = records->is_new = FALSE;
	return 0;
}

static int replace_file(struct arrival_records *records, const char **error_r)
{
	size_t size = sizeof(records->records[0]) * records->count;
	buffer_t *data = buffer_create_dynamic(default_pool,
		sizeof(struct records_header) + size);
	int ret;

	begin_file(records, data);
	buffer_append(data, records->records, size);
	ret = migration_dir_replace(records->dir, RECORDS_FOLDER, RECORDS_NAME,
				    data->data, data->used, error_r);
	buffer_free(&data);
	return ret;
}

static int reopen(struct arrival_records *records, const char **error_r)
{
	int fd = open(records->path, O_RDWR | O_CLOEXEC);

	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m",
					   records->path);
		return -1;
	}
	i_close_fd(&records->fd);
	records->fd = fd;
	records->end = sizeof(struct records_header) +
		(off_t)records->count * sizeof(struct arrival_record);
	buffer_set_used_size(records->pending, 0);
	records->dirty = records->is_new = FALSE;
	return 0;
}

int arrival_records_filter(struct arrival_records *records,
			   bool (*keep)(struct arrival_record *record,
					void *context),
			   void *context, const char **error_r)
{
	struct arrival_record *record;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < records->count; i++) {
		record = &records->records[i];
		if (!keep(record, context))
			continue;
		record->crc = checksum(record);
		records->records[kept++] = *record;
	}
	records->count = kept;
	link_all(records);
	if (replace_file(records, error_r) < 0)
		return -1;
	return reopen(records, error_r);
}
