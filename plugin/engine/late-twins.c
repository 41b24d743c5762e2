#include "lib.h"
#include "buffer.h"
#include "hash.h"
#include "str.h"
#include "write-full.h"
#include "migration-dir.h"
#include "late-twins.h"

#include <fcntl.h>
#include <unistd.h>

#define TWINS_FOLDER "catchup"
/* no mailbox's key begins with a '.' */
#define TWINS_NAME ".twins"
/* 2 million */
#define TWINS_MAX_SIZE (64 * 1024 * 1024)

struct late_twins {
	pool_t pool;
	char *path;
	HASH_TABLE(uint8_t *, uint8_t *) guids;
};

static void remember(struct late_twins *twins, const guid_128_t guid)
{
	uint8_t *copy;

	if (late_twins_has(twins, guid))
		return;
	copy = p_malloc(twins->pool, GUID_128_SIZE);
	guid_128_copy(copy, guid);
	hash_table_insert(twins->guids, copy, copy);
}

/* One that a crash has cut off was never told to be there. */
static void parse(struct late_twins *twins, const char *const *lines)
{
	guid_128_t guid;

	for (; *lines != NULL; lines++) {
		if (strlen(*lines) == GUID_128_SIZE * 2 &&
		    guid_128_from_string(*lines, guid) == 0)
			remember(twins, guid);
	}
}

int late_twins_open(const char *dir, struct late_twins **twins_r,
		    const char **error_r)
{
	buffer_t *data = buffer_create_dynamic(default_pool, 1024);
	struct late_twins *twins;
	const char *path;
	pool_t pool;
	int ret;

	pool = pool_alloconly_create("late twins", 1024);
	twins = p_new(pool, struct late_twins, 1);
	twins->pool = pool;
	hash_table_create(&twins->guids, pool, 0, guid_128_hash, guid_128_cmp);
	ret = migration_dir_path(dir, TWINS_FOLDER, TWINS_NAME, &path,
				 error_r);
	if (ret == 0)
		ret = migration_dir_read(dir, TWINS_FOLDER, TWINS_NAME,
					 TWINS_MAX_SIZE, data, error_r);
	if (ret >= 0) {
		twins->path = p_strdup(pool, path);
		parse(twins, t_strsplit(str_c(data), "\n"));
		*twins_r = twins;
	} else {
		late_twins_close(&twins);
	}
	buffer_free(&data);
	return ret < 0 ? -1 : 0;
}

void late_twins_close(struct late_twins **_twins)
{
	struct late_twins *twins = *_twins;

	if (twins == NULL)
		return;
	*_twins = NULL;
	hash_table_destroy(&twins->guids);
	pool_unref(&twins->pool);
}

/* The newline before it ends what a crash may have left. */
static int append(int fd, const guid_128_t guid)
{
	const char *line = t_strdup_printf("\n%s\n",
					   guid_128_to_string(guid));

	return write_full(fd, line, strlen(line)) < 0 || fdatasync(fd) < 0 ?
		-1 : 0;
}

int late_twins_add(struct late_twins *twins, const guid_128_t guid,
		   const char **error_r)
{
	int fd, ret = -1;

	if (late_twins_has(twins, guid))
		return 0;
	fd = open(twins->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd != -1)
		ret = append(fd, guid);
	if (ret < 0)
		*error_r = t_strdup_printf("write(%s) failed: %m", twins->path);
	else
		remember(twins, guid);
	i_close_fd(&fd);
	return ret;
}

bool late_twins_has(const struct late_twins *twins, const guid_128_t guid)
{
	return hash_table_lookup(twins->guids, (const uint8_t *)guid) != NULL;
}
