/* fuzz-worker-request: the input is lines that a process says to
   migration-worker. What is taken of them can be sent to the old server as it
   is. */
#include "lib.h"
#include "array.h"
#include "strescape.h"
#include "unichar.h"
#include "worker/worker-request.h"
#include "fuzz.h"

static void check_chars(const char *str, const char *allowed)
{
	FUZZ_CHECK(*str != '\0' && str[strspn(str, allowed)] == '\0');
}

static void check_flags(const char *str)
{
	FUZZ_CHECK(strpbrk(str, "\r\n\"{") == NULL);
	for (; *str != '\0'; str++)
		FUZZ_CHECK((unsigned char)*str >= ' ' && *str != 0x7f);
}

static void check_name(const char *vname)
{
	FUZZ_CHECK(*vname != '\0' && uni_utf8_str_is_valid(vname));
}

static void
check_append(const struct worker_request *request, const struct mirror_op *op)
{
	FUZZ_CHECK(request->needs_file);
	FUZZ_CHECK(op->offset + op->size >= op->offset &&
		   op->offset + op->size <= request->file_size);
	check_flags(op->flags);
	FUZZ_CHECK(strpbrk(op->flags, "()") == NULL);
}

static void check_op(const struct worker_request *request,
		     const struct mirror_op *op)
{
	if (op->type == MIRROR_APPEND) {
		check_append(request, op);
		return;
	}
	check_chars(op->uids, "0123456789:,");
	if (op->type == MIRROR_COPY) {
		check_name(op->source);
		FUZZ_CHECK(op->source_uid_validity != 0);
	} else if (op->type == MIRROR_STORE) {
		check_flags(op->args);
		FUZZ_CHECK(op->args[strlen(op->args) - 1] == ')' &&
			   strchr(op->args, ')') ==
			   op->args + strlen(op->args) - 1);
	}
}

static void check_request(const struct worker_request *request)
{
	const struct mirror_op *op;
	const char *vname;

	if (request->vname != NULL)
		check_name(request->vname);
	if (request->type == WORKER_WRITE) {
		FUZZ_CHECK(array_count(&request->write.ops) > 0);
		array_foreach(&request->write.ops, op)
			check_op(request, op);
	}
	if (request->type == WORKER_CUTOVER) {
		FUZZ_CHECK(array_count(&request->vnames) > 0);
		array_foreach_elem(&request->vnames, vname)
			check_name(vname);
	}
}

void fuzz_line(const char *line)
{
	struct worker_request *request;
	const char *error = NULL;

	if (worker_request_parse(t_strsplit_tabescaped(line), &request,
				 &error) == 0) {
		check_request(request);
		worker_request_free(&request);
	} else {
		FUZZ_CHECK(error != NULL && *error != '\0');
	}
}
