#include "lab.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 40
#define ENV_TIMEOUT_MS 30000
#define DOWN_TIMEOUT_MS 60000

struct lab {
	char *dir;
	/* "KEY=VALUE" each ended by a NUL, the last by two. */
	char *env;
	/* USERS in the same way. */
	char *users;
};

const char *lab_script(void)
{
	const char *path = getenv("QUICKSTART");

	(void)setenv("LAB_BUILD", LAB_BUILD_PATH, 0);
	return path != NULL ? path : QUICKSTART_PATH;
}

/* The last lines of what was said. */
static const char *tail(const struct process_result *result)
{
	static _Thread_local char text[2000];
	size_t size = result->size;

	while (size > 0 && result->output[size - 1] == '\n')
		size--;
	snprintf(text, sizeof(text), "%s%.*s",
		 result->timed_out ? "no end in time: " : "",
		 size < 1900 ? (int)size : 1900,
		 result->output + (size < 1900 ? 0 : size - 1900));
	return text;
}

/* Runs `quickstart lab WORDS... --dir DIR MORE...`. */
static int
run_lab(const char *dir, const char *const *words, const char *const *more,
	unsigned int timeout_ms, struct process_result *result)
{
	const char *argv[MAX_WORDS + 1];
	unsigned int n = 0;

	argv[n++] = lab_script();
	argv[n++] = "lab";
	for (; *words != NULL && n < MAX_WORDS - 2; words++)
		argv[n++] = *words;
	argv[n++] = "--dir";
	argv[n++] = dir;
	for (; more != NULL && *more != NULL && n < MAX_WORDS; more++)
		argv[n++] = *more;
	argv[n] = NULL;
	return process_run(argv, timeout_ms, result);
}

/* Makes each c in the string a NUL. The string has one NUL more. */
static char *split(const char *str, size_t size, char c)
{
	char *copy = calloc(1, size + 2), *p;

	if (copy == NULL)
		abort();
	memcpy(copy, str, size);
	for (p = copy; p < copy + size; p++) {
		if (*p == c)
			*p = '\0';
	}
	return copy;
}

int lab_reload(struct lab *lab, const char **error_r)
{
	static const char *const words[] = { "env", NULL };
	struct process_result result;
	const char *users;
	int ret;

	ret = run_lab(lab->dir, words, NULL, ENV_TIMEOUT_MS, &result);
	if (ret < 0) {
		*error_r = tail(&result);
	} else {
		free(lab->env);
		free(lab->users);
		lab->env = split(result.output, result.size, '\n');
		users = lab_get(lab, "USERS");
		lab->users = split(users, strlen(users), ' ');
	}
	process_result_free(&result);
	return ret;
}

int lab_attach(const char *dir, struct lab **lab_r, const char **error_r)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (lab == NULL || (lab->dir = strdup(dir)) == NULL)
		abort();
	*lab_r = lab;
	if (lab_reload(lab, error_r) == 0)
		return 0;
	lab_free(lab_r);
	return -1;
}

int lab_up(const struct lab_options *options, struct lab **lab_r,
	   const char **error_r)
{
	const char *words[] = { "up", "--port-base", NULL, NULL };
	struct process_result result;
	char port[16];
	int ret;

	*lab_r = NULL;
	snprintf(port, sizeof(port), "%u", options->port_base);
	words[2] = port;
	ret = run_lab(options->dir, words, options->args, options->timeout_ms,
		      &result);
	if (ret < 0) {
		*error_r = tail(&result);
		if (result.status == LAB_UNSUPPORTED)
			ret = 1;
	}
	process_result_free(&result);
	return ret != 0 ? ret : lab_attach(options->dir, lab_r, error_r);
}

int lab_command(struct lab *lab, const char *const *words,
		unsigned int timeout_ms, const char **error_r)
{
	struct process_result result;
	int ret;

	ret = run_lab(lab->dir, words, NULL, timeout_ms, &result);
	if (ret < 0)
		*error_r = tail(&result);
	process_result_free(&result);
	return ret < 0 ? -1 : lab_reload(lab, error_r);
}

void lab_free(struct lab **_lab)
{
	struct lab *lab = *_lab;

	*_lab = NULL;
	if (lab == NULL)
		return;
	free(lab->dir);
	free(lab->env);
	free(lab->users);
	free(lab);
}

int lab_down(struct lab **lab, const char **error_r)
{
	static const char *const words[] = { "down", NULL };
	struct process_result result;
	int ret;

	if (*lab == NULL)
		return 0;
	ret = run_lab((*lab)->dir, words, NULL, DOWN_TIMEOUT_MS, &result);
	if (ret < 0)
		*error_r = tail(&result);
	process_result_free(&result);
	lab_free(lab);
	return ret;
}

const char *lab_get(const struct lab *lab, const char *key)
{
	size_t size = strlen(key);
	const char *p;

	for (p = lab->env; p != NULL && *p != '\0'; p += strlen(p) + 1) {
		if (strncmp(p, key, size) == 0 && p[size] == '=')
			return p + size + 1;
	}
	return "";
}

const char *lab_user(const struct lab *lab, unsigned int n)
{
	const char *p = lab->users;

	for (; n > 0 && *p != '\0'; n--)
		p += strlen(p) + 1;
	return *p == '\0' ? NULL : p;
}
