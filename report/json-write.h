/*
 * json-write: writes JSON that may be larger than memory, with json-c
 *
 * The outermost object, and what holds many things, are opened and closed on the
 * stream; what stands in them is made as json-c objects, written on a line each
 * and freed. So lines can be told apart with grep, and memory is what one of
 * them takes. RFC 8259.
 *
 * Keys are constants of the program. Strings are to be UTF-8.
 * Errors, of the stream or for want of memory, are told by json_write_deinit().
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_WRITE_MAX_DEPTH 8

struct json_write {
	FILE *out;
	unsigned int depth;
	/* How each of the open ones ends, and whether something is in it. */
	char ends[JSON_WRITE_MAX_DEPTH];
	bool filled[JSON_WRITE_MAX_DEPTH];
	bool out_of_memory;
};

/* Opens the outermost object. */
void json_write_init(struct json_write *json, FILE *out);
/* Closes it. 0; -1 with errno when anything couldn't be written. */
int json_write_deinit(struct json_write *json);

/* key is NULL in arrays. */
void json_write_object(struct json_write *json, const char *key);
void json_write_array(struct json_write *json, const char *key);
void json_write_close(struct json_write *json);
/* Takes the value, even when it fails. NULL is an error, not a null. */
void json_write_value(struct json_write *json, const char *key,
		      struct json_object *value);
/* Takes the object, and writes what is in it into the open one. */
void json_write_members(struct json_write *json, struct json_object *object);

/* Into an object that isn't written yet. A NULL value makes the whole writing
   fail, as does a NULL object. json_add() takes value. */
void json_add(struct json_write *json, struct json_object *object,
	      const char *key, struct json_object *value);
void json_add_string(struct json_write *json, struct json_object *object,
		     const char *key, const char *value);
void json_add_count(struct json_write *json, struct json_object *object,
		    const char *key, uint64_t value);
void json_add_bool(struct json_write *json, struct json_object *object,
		   const char *key, bool value);
/* As RFC 3339 in UTC; null for 0. */
void json_add_time(struct json_write *json, struct json_object *object,
		   const char *key, int64_t value);

#endif
