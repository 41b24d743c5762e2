/* replay: gives a fuzz target each file of its corpus, and each beginning of it */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define INPUT_MAX 65536

/* In a block of its own, so that a read behind the end is seen. */
static void replay_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);

	if (copy == NULL && size > 0)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay_file(const char *folder, const char *name)
{
	static uint8_t data[INPUT_MAX];
	char path[4096];
	size_t size, i;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	/* the last line said is the one that failed */
	printf("%s: %zu bytes\n", path, size);
	fflush(stdout);
	for (i = 0; i <= size; i++)
		replay_input(data, i);
	return 0;
}

int main(void)
{
	DIR *dir = opendir(FUZZ_CORPUS);
	struct dirent *entry;
	unsigned int count = 0;
	int ret = 0;

	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", FUZZ_CORPUS, strerror(errno));
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay_file(FUZZ_CORPUS, entry->d_name) < 0)
			ret = 1;
		count++;
	}
	closedir(dir);
	printf("%u inputs\n", count);
	return count > 0 ? ret : 1;
}
