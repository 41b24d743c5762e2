/*
 * test-report-json: the JSON says what the model has, and the manual page every
 * key of it
 */
#include "process.h"
#include "report-example.h"
#include "unit.h"
#include "report/report-json.h"

#include <errno.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEYS 500
#define TIMEOUT_MS 30000

static char *text;
static size_t text_size;
static struct json_object *root;

static struct json_object *at(struct json_object *object, const char *path)
{
	struct json_object *found = NULL;

	if (json_pointer_get(object, path, &found) != 0)
		found = NULL;
	UNIT_CHECK(found != NULL, "%s isn't there", path);
	return found;
}

static void check_count(const char *path, uint64_t expected)
{
	uint64_t got = json_object_get_uint64(at(root, path));

	UNIT_CHECK(got == expected, "%s: %llu, not %llu", path,
		   (unsigned long long)got, (unsigned long long)expected);
}

static void check_string(const char *path, const char *expected)
{
	const char *got = json_object_get_string(at(root, path));

	UNIT_CHECK(got != NULL && strcmp(got, expected) == 0, "%s: %s, not %s",
		   path, got, expected);
}

static void check_length(const char *path, size_t expected)
{
	struct json_object *array = at(root, path);
	size_t got = array == NULL ? 0 : json_object_array_length(array);

	UNIT_CHECK(got == expected, "%s: %zu elements, not %zu", path, got,
		   expected);
}

static void make_text(const struct report_model *model)
{
	FILE *out = open_memstream(&text, &text_size);

	CU_ASSERT_EQUAL(report_json_write(model, out), 0);
	fclose(out);
}

static void test_begin(void)
{
	struct report_model *model = report_example(0);

	make_text(model);
	root = json_tokener_parse(text);
	CU_ASSERT_FATAL(root != NULL);
	report_example_free(&model);
}

static void test_values(void)
{
	struct report_model *model = report_example(0);
	const struct report_domain *domain = model->domains[0];

	check_count("/format", REPORT_JSON_FORMAT);
	check_string("/switched_by", "inferred");
	check_string("/switched", "2026-11-05T09:00:00Z");
	check_length("/domains", model->domains_count);
	check_length("/domains/0/hours", domain->hours_count);
	check_length("/domains/0/days", domain->days_count);
	check_length("/domains/0/sources", domain->sources_count);
	check_count("/domains/0/wanted/old/count",
		    domain->wanted.count[REPORT_OLD]);
	check_count("/domains/0/days/3/wanted/new",
		    domain->days[3].wanted[REPORT_NEW]);
	check_count("/domains/0/days/6/blind_s/old",
		    domain->days[6].blind[REPORT_OLD]);
	check_string("/domains/0/recent/outlook", "coming");
	check_string("/domains/0/sources/2/sender_domain",
		     REPORT_EXAMPLE_IMAGE);
	check_string("/domains/0/sources/2/example/id",
		     "\" onmouseover=\"alert(1)");
	check_string("/users/0/mailboxes/0/problem",
		     "message 4711 can't be read: <NO> [SERVERBUG]");
	check_string("/watchers/0/gaps/2/reason", "silent");
	check_length("/reading/inputs", model->reading.inputs_count);
	report_example_free(&model);
}

/* A count that doubles can't hold, and none of its digits lost. */
static void test_large_counts(void)
{
	struct report_model model = *report_example_empty();
	struct json_object *parsed;

	model.reading.lines = UINT64_MAX;
	free(text);
	make_text(&model);
	parsed = json_tokener_parse(text);
	CU_ASSERT_EQUAL(json_object_get_uint64(at(parsed, "/reading/lines")),
			UINT64_MAX);
	CU_ASSERT(strstr(text, "18446744073709551615") != NULL);
	json_object_put(parsed);
}

/* Another implementation reads it, and takes it for the same. */
static void test_other_parser(void)
{
	struct process_result result;
	struct json_object *again;
	char path[] = "/tmp/dovecot-migration-json.XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	CU_ASSERT_FATAL(file != NULL);
	fputs(json_object_to_json_string(root), file);
	fclose(file);
	CU_ASSERT_EQUAL(process_shell(TIMEOUT_MS, &result,
				      "python3 -m json.tool %s", path), 0);
	again = json_tokener_parse(result.output);
	CU_ASSERT(again != NULL && json_object_equal(root, again));
	json_object_put(again);
	process_result_free(&result);
	remove(path);
}

static void test_full_disk(void)
{
	FILE *full = fopen("/dev/full", "w");

	CU_ASSERT_EQUAL(report_json_write(report_example_empty(), full), -1);
	CU_ASSERT_EQUAL(errno, ENOSPC);
	fclose(full);
}

/*
 * Keys, as "domains[].name string"
 */

struct keys {
	char *names[MAX_KEYS];
	size_t count;
};

static void add_key(struct keys *keys, const char *path, const char *key,
		    const char *type)
{
	char *name = NULL;
	size_t i;

	if (asprintf(&name, "%s%s%s %s", path, *path == '\0' ? "" : ".", key,
		     type) < 0)
		abort();
	for (i = 0; i < keys->count; i++) {
		if (strcmp(keys->names[i], name) == 0)
			break;
	}
	if (i < keys->count || keys->count == MAX_KEYS)
		free(name);
	else
		keys->names[keys->count++] = name;
}

static bool has_key(const struct keys *keys, const char *name)
{
	size_t i;

	for (i = 0; i < keys->count; i++) {
		if (strcmp(keys->names[i], name) == 0)
			return true;
	}
	return false;
}

static void free_keys(struct keys *keys)
{
	while (keys->count > 0)
		free(keys->names[--keys->count]);
}

static bool is_time(struct json_object *value)
{
	const char *str = json_object_get_string(value);
	unsigned int year, month, day, hour, minute, second;
	int end = 0;

	return value == NULL ||
		(sscanf(str, "%4u-%2u-%2uT%2u:%2u:%2uZ%n", &year, &month,
			&day, &hour, &minute, &second, &end) == 6 &&
		 end == 20 && str[end] == '\0');
}

static bool is_seen(struct json_object *value)
{
	struct json_object *one;

	return json_object_object_get_ex(value, "old", &one) &&
		json_object_is_type(one, json_type_object) &&
		json_object_object_length(one) == 3 &&
		json_object_object_get_ex(one, "count", NULL) &&
		json_object_object_get_ex(one, "first", NULL) &&
		json_object_object_get_ex(one, "last", NULL);
}

static const char *type_of(struct json_object *value)
{
	struct json_object *old;

	switch (json_object_get_type(value)) {
	case json_type_null:
		return "time";
	case json_type_string:
		return is_time(value) ? "time" : "string";
	case json_type_int:
		return "count";
	case json_type_boolean:
		return "boolean";
	case json_type_array:
		return "array";
	case json_type_object:
		if (json_object_object_length(value) != 2 ||
		    !json_object_object_get_ex(value, "new", NULL) ||
		    !json_object_object_get_ex(value, "old", &old))
			return "object";
		return is_seen(value) ? "seen" :
			json_object_is_type(old, json_type_int) ? "sides" :
			"object";
	case json_type_double:
		break;
	}
	return "something else";
}

static void collect(struct keys *keys, const char *path,
		    struct json_object *object)
{
	json_object_object_foreach(object, key, value) {
		const char *type = type_of(value);
		char below[256];
		size_t i;

		add_key(keys, path, key, type);
		snprintf(below, sizeof(below), "%s%s%s%s", path,
			 *path == '\0' ? "" : ".", key,
			 strcmp(type, "array") == 0 ? "[]" : "");
		if (strcmp(type, "object") == 0)
			collect(keys, below, value);
		if (strcmp(type, "array") != 0)
			continue;
		for (i = 0; i < json_object_array_length(value); i++)
			collect(keys, below,
				json_object_array_get_idx(value, i));
	}
}

/* ".SS path", then for each ".TP" a line "\fBkey\fP type". */
static void read_manual(struct keys *keys)
{
	FILE *file = fopen(MANUAL_PATH, "r");
	char line[512], path[256] = "", key[64], type[32];
	bool in_keys = false;

	if (!UNIT_CHECK(file != NULL, "%s can't be read", MANUAL_PATH))
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, ".SH ", 4) == 0)
			in_keys = strcmp(line, ".SH KEYS\n") == 0;
		else if (strncmp(line, ".SS The ", 8) == 0)
			path[0] = '\0';
		else if (strncmp(line, ".SS ", 4) == 0)
			sscanf(line, ".SS %255s", path);
		else if (in_keys && sscanf(line, "\\fB%63[a-z_]\\fP %31s", key,
					   type) == 2)
			add_key(keys, path, key, type);
	}
	fclose(file);
}

static void test_manual(void)
{
	struct keys written = { .count = 0 }, told = { .count = 0 };
	size_t i;

	collect(&written, "", root);
	read_manual(&told);
	for (i = 0; i < written.count; i++)
		UNIT_CHECK(has_key(&told, written.names[i]),
			   "written, but not in the manual: %s",
			   written.names[i]);
	for (i = 0; i < told.count; i++)
		UNIT_CHECK(has_key(&written, told.names[i]),
			   "in the manual, but not written: %s",
			   told.names[i]);
	CU_ASSERT(written.count > 100);
	free_keys(&written);
	free_keys(&told);
}

static void test_end(void)
{
	json_object_put(root);
	free(text);
}

static const struct unit_test tests[] = {
	{ "it's read back", test_begin },
	{ "values", test_values },
	{ "large counts", test_large_counts },
	{ "another parser", test_other_parser },
	{ "a full disk", test_full_disk },
	{ "the manual page has every key", test_manual },
	{ "end", test_end },
	{ NULL, NULL }
};

int main(void)
{
	return unit_run("report-json", tests);
}
