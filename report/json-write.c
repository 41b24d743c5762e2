#include "json-write.h"
#include "common/text-format.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ADD_FLAGS (JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY)
#define STRING_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* The comma, the line and the key in front of a value. */
static void begin_value(struct json_write *json, const char *key)
{
	bool *filled = &json->filled[json->depth - 1];
	unsigned int i;

	assert((key == NULL) == (json->ends[json->depth - 1] == ']'));
	fputs(*filled ? ",\n" : "\n", json->out);
	*filled = true;
	for (i = 0; i < json->depth; i++)
		fputc(' ', json->out);
	if (key != NULL)
		fprintf(json->out, "\"%s\": ", key);
}

/* NULL is a null. */
static void put_value(struct json_write *json, const char *key,
		      struct json_object *value)
{
	const char *text = json_object_to_json_string_ext(value, STRING_FLAGS);

	begin_value(json, key);
	if (text == NULL)
		json->out_of_memory = true;
	else
		fputs(text, json->out);
}

static void open_one(struct json_write *json, char start, char end)
{
	assert(json->depth < JSON_WRITE_MAX_DEPTH);
	fputc(start, json->out);
	json->ends[json->depth] = end;
	json->filled[json->depth++] = false;
}

void json_write_init(struct json_write *json, FILE *out)
{
	memset(json, 0, sizeof(*json));
	json->out = out;
	open_one(json, '{', '}');
}

int json_write_deinit(struct json_write *json)
{
	FILE *out = json->out;

	json_write_close(json);
	assert(json->depth == 0);
	json->out = NULL;
	fputc('\n', out);
	errno = 0;
	if (fflush(out) == 0 && !ferror(out) && !json->out_of_memory)
		return 0;
	if (json->out_of_memory)
		errno = ENOMEM;
	else if (errno == 0)
		errno = EIO;
	return -1;
}

void json_write_object(struct json_write *json, const char *key)
{
	begin_value(json, key);
	open_one(json, '{', '}');
}

void json_write_array(struct json_write *json, const char *key)
{
	begin_value(json, key);
	open_one(json, '[', ']');
}

void json_write_close(struct json_write *json)
{
	unsigned int i;

	json->depth--;
	if (json->filled[json->depth]) {
		fputc('\n', json->out);
		for (i = 0; i < json->depth; i++)
			fputc(' ', json->out);
	}
	fputc(json->ends[json->depth], json->out);
}

void json_write_value(struct json_write *json, const char *key,
		      struct json_object *value)
{
	if (value == NULL)
		json->out_of_memory = true;
	put_value(json, key, value);
	json_object_put(value);
}

void json_write_members(struct json_write *json, struct json_object *object)
{
	if (object == NULL) {
		json->out_of_memory = true;
		return;
	}
	json_object_object_foreach(object, key, value)
		put_value(json, key, value);
	json_object_put(object);
}

void json_add(struct json_write *json, struct json_object *object,
	      const char *key, struct json_object *value)
{
	if (object == NULL || value == NULL ||
	    json_object_object_add_ex(object, key, value, ADD_FLAGS) < 0) {
		json->out_of_memory = true;
		json_object_put(value);
	}
}

void json_add_string(struct json_write *json, struct json_object *object,
		     const char *key, const char *value)
{
	json_add(json, object, key, json_object_new_string(value));
}

void json_add_count(struct json_write *json, struct json_object *object,
		    const char *key, uint64_t value)
{
	json_add(json, object, key, json_object_new_uint64(value));
}

void json_add_bool(struct json_write *json, struct json_object *object,
		   const char *key, bool value)
{
	json_add(json, object, key, json_object_new_boolean(value));
}

void json_add_time(struct json_write *json, struct json_object *object,
		   const char *key, int64_t value)
{
	if (value != 0) {
		json_add_string(json, object, key, format_rfc3339(value).text);
		return;
	}
	/* json-c's null is NULL */
	if (object == NULL ||
	    json_object_object_add_ex(object, key, NULL, ADD_FLAGS) < 0)
		json->out_of_memory = true;
}
