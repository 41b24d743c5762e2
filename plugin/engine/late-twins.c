#include "lib.h"
#include "buffer.h"
#include "hash.h"
#include "str.h"
#include "strescape.h"
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
	HASH_TABLE(uint8_t *, struct late_place *) places;
};

static void
remember(struct late_twins *twins, const guid_128_t guid,
	 const struct late_place *place)
{
	struct late_place *copy;
	uint8_t *key;

	if (late_twins_has(twins, guid))
		return;
	key = p_malloc(twins->pool, GUID_128_SIZE);
	guid_128_copy(key, guid);
	copy = p_memdup(twins->pool, place, sizeof(*place));
	copy->vname = p_strdup(twins->pool, place->vname);
	hash_table_insert(twins->places, key, copy);
}

/* One that a crash has cut off was never told to be there. */
static void parse_line(struct late_twins *twins, const char *line)
{
	const char *const *args = t_strsplit_tabescaped(line);
	struct late_place place;
	guid_128_t guid;

	if (str_array_length(args) != 4 ||
	    str_to_uint32(args[1], &place.uid_validity) < 0 ||
	    str_to_uint32(args[2], &place.uid) < 0 ||
	    strlen(args[3]) != GUID_128_SIZE * 2 ||
	    guid_128_from_string(args[3], guid) < 0)
		return;
	place.vname = args[0];
	remember(twins, guid, &place);
}

static void parse(struct late_twins *twins, const char *const *lines)
{
	for (; *lines != NULL; lines++) T_BEGIN {
		parse_line(twins, *lines);
	} T_END;
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
	hash_table_create(&twins->places, pool, 0, guid_128_hash,
			  guid_128_cmp);
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
	hash_table_destroy(&twins->places);
	pool_unref(&twins->pool);
}

/* The newline before it ends what a crash may have left. */
static int
append(int fd, const guid_128_t guid, const struct late_place *place)
{
	string_t *line = t_str_new(128);

	str_append_c(line, '\n');
	str_append_tabescaped(line, place->vname);
	str_printfa(line, "\t%u\t%u\t%s\n", place->uid_validity, place->uid,
		    guid_128_to_string(guid));
	return write_full(fd, str_data(line), str_len(line)) < 0 ||
		fdatasync(fd) < 0 ? -1 : 0;
}

int late_twins_add(struct late_twins *twins, const guid_128_t guid,
		   const struct late_place *place, const char **error_r)
{
	int fd, ret = -1;

	if (late_twins_has(twins, guid))
		return 0;
	fd = open(twins->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd != -1)
		ret = append(fd, guid, place);
	if (ret < 0)
		*error_r = t_strdup_printf("write(%s) failed: %m", twins->path);
	else
		remember(twins, guid, place);
	i_close_fd(&fd);
	return ret;
}

const struct late_place *
late_twins_find(const struct late_twins *twins, const guid_128_t guid)
{
	return hash_table_lookup(twins->places, (const uint8_t *)guid);
}

bool late_twins_has(const struct late_twins *twins, const guid_128_t guid)
{
	return late_twins_find(twins, guid) != NULL;
}
