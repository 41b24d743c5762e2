#include "lib.h"
#include "array.h"
#include "str.h"
#include "strescape.h"
#include "worker-answer.h"
#include "worker-protocol.h"

struct result_field {
	size_t offset, size;
};

static const struct result_field fill_fields[] = {
#define FIELD(name) \
	{ offsetof(struct fill_result, name), \
	  sizeof(((struct fill_result *)NULL)->name) }
	FIELD(local), FIELD(filled),
	FIELD(fetched), FIELD(fetched_bytes),
	FIELD(changed), FIELD(expunged),
	FIELD(verified), FIELD(verified_bytes),
	FIELD(mismatched), FIELD(altered), FIELD(bad), FIELD(rebuilt),
	FIELD(messages),
	FIELD(old_messages), FIELD(old_uid_next), FIELD(old_modseq),
	FIELD(usecs),
#undef FIELD
};

static const struct result_field catchup_fields[] = {
#define FIELD(name) \
	{ offsetof(struct catchup_result, name), \
	  sizeof(((struct catchup_result *)NULL)->name) }
	FIELD(busy),
	FIELD(mailboxes), FIELD(changed),
	FIELD(late), FIELD(doubles), FIELD(failed),
	FIELD(flags), FIELD(expunged), FIELD(moved),
	FIELD(copied), FIELD(copied_flags),
	FIELD(waiting),
#undef FIELD
};

static uint64_t
result_field_get(const void *result, const struct result_field *field)
{
	const void *p = CONST_PTR_OFFSET(result, field->offset);

	switch (field->size) {
	case sizeof(bool):
		return *(const bool *)p ? 1 : 0;
	case sizeof(uint32_t):
		return *(const uint32_t *)p;
	case sizeof(uint64_t):
		return *(const uint64_t *)p;
	}
	i_unreached();
}

static int
result_field_set(void *result, const struct result_field *field, uint64_t value)
{
	void *p = PTR_OFFSET(result, field->offset);

	switch (field->size) {
	case sizeof(bool):
		*(bool *)p = value != 0;
		return value <= 1 ? 0 : -1;
	case sizeof(uint32_t):
		*(uint32_t *)p = value;
		return value <= UINT32_MAX ? 0 : -1;
	case sizeof(uint64_t):
		*(uint64_t *)p = value;
		return 0;
	}
	i_unreached();
}

const char *worker_answer_ok(void)
{
	return "OK";
}

const char *worker_answer_no(enum mail_error error_code, const char *error)
{
	return t_strdup_printf("NO\t%s\t%s", worker_error_to_str(error_code),
			       str_tabescape(error));
}

const char *worker_answer_mirror(enum mirror_answer answer,
				 enum mail_error error_code,
				 const char *error)
{
	switch (answer) {
	case MIRROR_DONE:
		return worker_answer_ok();
	case MIRROR_LOCAL:
		return "LOCAL";
	case MIRROR_GONE:
		return "GONE";
	case MIRROR_FAILED:
		return worker_answer_no(error_code, error);
	}
	i_unreached();
}

const char *worker_answer_write(const struct mirror_write *write)
{
	string_t *str;
	uint32_t uid;

	if (write->answer != MIRROR_DONE)
		return worker_answer_mirror(write->answer, write->error_code,
					    write->error);
	str = t_str_new(128);
	str_printfa(str, "OK\t%u\t%"PRIuUOFF_T"\t%u", write->log.seq,
		    write->log.offset, write->log.length);
	array_foreach_elem(&write->saved_uids, uid)
		str_printfa(str, "\t%u", uid);
	return str_c(str);
}

static const char *
answer_result(const void *result, const struct result_field *fields,
	      unsigned int count)
{
	string_t *str = t_str_new(128);

	str_append(str, "OK");
	for (unsigned int i = 0; i < count; i++)
		str_printfa(str, "\t%"PRIu64,
			    result_field_get(result, &fields[i]));
	return str_c(str);
}

const char *worker_answer_fill(const struct fill_result *result)
{
	return answer_result(result, fill_fields, N_ELEMENTS(fill_fields));
}

const char *worker_answer_catchup(const struct catchup_result *result)
{
	return answer_result(result, catchup_fields,
			     N_ELEMENTS(catchup_fields));
}

const char *worker_answer_cutover(const ARRAY_TYPE(cutover_result) *results)
{
	const struct cutover_result *result;
	string_t *str = t_str_new(128);

	str_append(str, "OK");
	array_foreach(results, result) {
		str_append_c(str, '\t');
		str_append_tabescaped(str, result->vname);
		str_printfa(str, "\t%d\t%u\t%u", result->was_local ? 1 : 0,
			    result->messages, result->usecs);
	}
	return str_c(str);
}

int worker_answer_parse_fill(const char *const *words,
			     struct fill_result *result_r)
{
	uint64_t value;

	i_zero(result_r);
	for (unsigned int i = 0; i < N_ELEMENTS(fill_fields); i++) {
		if (words[i] == NULL || str_to_uint64(words[i], &value) < 0 ||
		    result_field_set(result_r, &fill_fields[i], value) < 0)
			return -1;
	}
	return 0;
}

int worker_answer_parse_cutover(const char *const *words,
				ARRAY_TYPE(cutover_result) *results)
{
	struct cutover_result result;
	unsigned int was_local;

	for (; *words != NULL; words += 4) {
		if (str_array_length(words) < 4 ||
		    str_to_uint(words[1], &was_local) < 0 || was_local > 1 ||
		    str_to_uint(words[2], &result.messages) < 0 ||
		    str_to_uint(words[3], &result.usecs) < 0)
			return -1;
		result.vname = words[0];
		result.was_local = was_local == 1;
		array_push_back(results, &result);
	}
	return 0;
}
