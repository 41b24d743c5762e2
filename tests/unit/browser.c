#include "browser.h"
#include "process.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 60000
#define STOP_MS 10000
/* Where it reads commands and writes answers, by its own convention. */
#define COMMAND_FD 3
#define ANSWER_FD 4

struct browser {
	pid_t pid;
	int command, answer;
	char profile[64];
	/* Of the page's connection, "" before it has one. */
	char session[64];
	int last_id;
	/* What it said and nobody has read; messages end in a NUL. */
	char *input;
	size_t used, room;
	/* Events since the page was opened. */
	struct json_object *events;
	char *address;
	struct json_object *value;
};

/*
 * The process
 */

static void run(const char *profile, int command, int answer)
{
	char dir[128];
	int log;

	/* out of the way of 3 and 4 first */
	command = fcntl(command, F_DUPFD, 10);
	answer = fcntl(answer, F_DUPFD, 10);
	log = open("/dev/null", O_WRONLY);
	dup2(command, COMMAND_FD);
	dup2(answer, ANSWER_FD);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(command);
	close(answer);
	snprintf(dir, sizeof(dir), "--user-data-dir=%s", profile);
	execlp("chromium", "chromium", "--headless=new", "--no-sandbox",
	       "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
	       "--disable-background-networking", "--disable-extensions",
	       "--disable-component-update", "--hide-scrollbars",
	       "--remote-debugging-pipe", dir, "about:blank", (char *)NULL);
	_exit(127);
}

static bool start_process(struct browser *browser)
{
	int command[2], answer[2];

	strcpy(browser->profile, "/tmp/dovecot-migration-browser.XXXXXX");
	if (mkdtemp(browser->profile) == NULL ||
	    pipe2(command, O_CLOEXEC) < 0 || pipe2(answer, O_CLOEXEC) < 0)
		return false;
	browser->pid = fork();
	if (browser->pid == 0) {
		(void)setpgid(0, 0);
		run(browser->profile, command[0], answer[1]);
	}
	close(command[0]);
	close(answer[1]);
	browser->command = command[1];
	browser->answer = answer[0];
	return browser->pid > 0;
}

/*
 * Messages
 */

static bool fill_input(struct browser *browser, uint64_t deadline)
{
	struct pollfd fd = { .fd = browser->answer, .events = POLLIN };
	uint64_t now = now_ms();
	ssize_t got;

	if (now >= deadline || poll(&fd, 1, (int)(deadline - now)) <= 0)
		return UNIT_CHECK(false, "the browser says nothing");
	if (browser->room - browser->used < 65536) {
		browser->room = browser->room * 2 + 65536;
		browser->input = realloc(browser->input, browser->room);
	}
	got = read(browser->answer, browser->input + browser->used,
		   browser->room - browser->used);
	if (got <= 0)
		return UNIT_CHECK(false, "the browser ended: is the package "
				  "chromium installed?");
	browser->used += (size_t)got;
	return true;
}

static struct json_object *next_message(struct browser *browser,
					uint64_t deadline)
{
	struct json_object *message;
	const char *end;
	size_t size;

	while (browser->used == 0 || (end = memchr(browser->input, '\0',
						    browser->used)) == NULL) {
		if (!fill_input(browser, deadline))
			return NULL;
	}
	message = json_tokener_parse(browser->input);
	size = (size_t)(end - browser->input) + 1;
	browser->used -= size;
	memmove(browser->input, browser->input + size, browser->used);
	(void)UNIT_CHECK(message != NULL, "the browser doesn't speak JSON");
	return message;
}

static bool send_all(struct browser *browser, const char *text)
{
	size_t left = strlen(text) + 1;
	ssize_t sent;

	for (; left > 0; left -= (size_t)sent, text += sent) {
		sent = write(browser->command, text, left);
		if (sent < 0 && errno == EINTR)
			sent = 0;
		else if (sent < 0)
			return UNIT_CHECK(false, "browser: %s",
					  strerror(errno));
	}
	return true;
}

/* Of a message, through objects: at(message, "params", "url", NULL). */
static struct json_object *at(struct json_object *object, ...)
	__attribute__((sentinel));
static struct json_object *at(struct json_object *object, ...)
{
	const char *key;
	va_list args;

	va_start(args, object);
	while (object != NULL && (key = va_arg(args, const char *)) != NULL) {
		if (!json_object_object_get_ex(object, key, &object))
			object = NULL;
	}
	va_end(args);
	return object;
}

static struct json_object *wait_for_answer(struct browser *browser,
					   const char *method)
{
	uint64_t deadline = now_ms() + DEADLINE_MS;
	struct json_object *message, *error;

	while ((message = next_message(browser, deadline)) != NULL) {
		if (json_object_get_int(at(message, "id", NULL)) ==
		    browser->last_id)
			break;
		json_object_array_add(browser->events, message);
	}
	error = at(message, "error", "message", NULL);
	if (error == NULL)
		return message;
	(void)UNIT_CHECK(false, "%s: %s", method,
			 json_object_get_string(error));
	json_object_put(message);
	return NULL;
}

/* Takes params, which may be NULL. The answer is the caller's. */
static struct json_object *call(struct browser *browser, const char *method,
				struct json_object *params)
{
	struct json_object *message = json_object_new_object();
	bool sent;

	json_object_object_add(message, "id",
			       json_object_new_int(++browser->last_id));
	json_object_object_add(message, "method",
			       json_object_new_string(method));
	if (params != NULL)
		json_object_object_add(message, "params", params);
	if (browser->session[0] != '\0')
		json_object_object_add(message, "sessionId",
				json_object_new_string(browser->session));
	sent = send_all(browser, json_object_to_json_string(message));
	json_object_put(message);
	return sent ? wait_for_answer(browser, method) : NULL;
}

/* Parameters as JSON in which ' stands for ". */
static bool tell(struct browser *browser, const char *method, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));
static bool tell(struct browser *browser, const char *method, const char *fmt,
		 ...)
{
	struct json_object *answer;
	char params[512], *p;
	va_list args;

	va_start(args, fmt);
	vsnprintf(params, sizeof(params), fmt, args);
	va_end(args);
	for (p = params; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	answer = call(browser, method, json_tokener_parse(params));
	json_object_put(answer);
	return answer != NULL;
}

static struct json_object *find_event(const struct browser *browser,
				      const char *method, size_t from)
{
	struct json_object *event;
	const char *name;
	size_t i, count = json_object_array_length(browser->events);

	for (i = from; i < count; i++) {
		event = json_object_array_get_idx(browser->events, i);
		name = json_object_get_string(at(event, "method", NULL));
		if (name != NULL && strcmp(name, method) == 0)
			return event;
	}
	return NULL;
}

static bool wait_for_event(struct browser *browser, const char *method)
{
	uint64_t deadline = now_ms() + DEADLINE_MS;
	struct json_object *message;

	while (find_event(browser, method, 0) == NULL) {
		message = next_message(browser, deadline);
		if (message == NULL)
			return false;
		json_object_array_add(browser->events, message);
	}
	return true;
}

/*
 * Start and end
 */

static bool attach(struct browser *browser)
{
	struct json_object *answer, *params;
	const char *id;

	params = json_tokener_parse("{\"url\":\"about:blank\"}");
	answer = call(browser, "Target.createTarget", params);
	id = json_object_get_string(at(answer, "result", "targetId", NULL));
	if (id == NULL)
		return false;
	params = json_tokener_parse("{\"flatten\":true}");
	json_object_object_add(params, "targetId", json_object_new_string(id));
	json_object_put(answer);
	answer = call(browser, "Target.attachToTarget", params);
	id = json_object_get_string(at(answer, "result", "sessionId", NULL));
	if (id != NULL)
		snprintf(browser->session, sizeof(browser->session), "%s", id);
	json_object_put(answer);
	return id != NULL && tell(browser, "Page.enable", "{}") &&
		tell(browser, "Runtime.enable", "{}") &&
		tell(browser, "Log.enable", "{}") &&
		tell(browser, "Network.enable", "{}");
}

struct browser *browser_start(void)
{
	struct browser *browser = calloc(1, sizeof(*browser));

	/* writing to one that ended is an error, not our end */
	(void)signal(SIGPIPE, SIG_IGN);
	browser->events = json_object_new_array();
	browser->command = browser->answer = -1;
	if (!UNIT_CHECK(start_process(browser), "browser: %s",
			strerror(errno)) || !attach(browser))
		browser_stop(&browser);
	return browser;
}

void browser_stop(struct browser **_browser)
{
	struct browser *browser = *_browser;
	struct process_result result;

	if (browser == NULL)
		return;
	*_browser = NULL;
	if (browser->session[0] != '\0')
		(void)tell(browser, "Browser.close", "{}");
	close(browser->command);
	close(browser->answer);
	if (browser->pid > 0 && process_wait(browser->pid, STOP_MS) < 0)
		(void)process_stop(browser->pid, SIGKILL, STOP_MS);
	(void)process_shell(STOP_MS, &result, "rm -rf '%s'", browser->profile);
	process_result_free(&result);
	json_object_put(browser->events);
	json_object_put(browser->value);
	free(browser->address);
	free(browser->input);
	free(browser);
}

/*
 * The page
 */

bool browser_screen(struct browser *browser, unsigned int width,
		    unsigned int height, bool phone)
{
	return tell(browser, "Emulation.setDeviceMetricsOverride",
		    "{'width':%u,'height':%u,'deviceScaleFactor':%d,"
		    "'mobile':%s}", width, height, phone ? 2 : 1,
		    phone ? "true" : "false");
}

bool browser_media(struct browser *browser, const char *media, bool dark)
{
	return tell(browser, "Emulation.setEmulatedMedia",
		    "{'media':'%s','features':[{'name':'prefers-color-scheme',"
		    "'value':'%s'}]}", media, dark ? "dark" : "light");
}

bool browser_open(struct browser *browser, const char *path)
{
	free(browser->address);
	if (asprintf(&browser->address, "file://%s", path) < 0)
		return false;
	json_object_put(browser->events);
	browser->events = json_object_new_array();
	return tell(browser, "Page.navigate", "{'url':'%s'}",
		    browser->address) &&
		wait_for_event(browser, "Page.loadEventFired");
}

const char *browser_eval(struct browser *browser, const char *expression)
{
	struct json_object *params = json_object_new_object();
	struct json_object *value;

	json_object_object_add(params, "returnByValue",
			       json_object_new_boolean(true));
	json_object_object_add(params, "expression",
			       json_object_new_string(expression));
	json_object_put(browser->value);
	browser->value = call(browser, "Runtime.evaluate", params);
	(void)UNIT_CHECK(at(browser->value, "result", "exceptionDetails",
			    NULL) == NULL, "%s: %s", expression,
			 json_object_get_string(browser->value));
	value = at(browser->value, "result", "result", "value", NULL);
	return value == NULL ? "" : json_object_get_string(value);
}

bool browser_load(struct browser *browser, const char *path)
{
	FILE *file = fopen(path, "r");
	char *script = NULL;
	size_t room = 0;
	ssize_t size = -1;

	if (file != NULL) {
		size = getdelim(&script, &room, '\0', file);
		fclose(file);
	}
	if (UNIT_CHECK(size > 0, "%s can't be read", path))
		(void)browser_eval(browser, script);
	free(script);
	return size > 0;
}

/* Events of that name, but those whose field is what is told. */
static size_t count_events(const struct browser *browser, const char *method,
			   const char *but, const char **what_r)
{
	size_t i, count = 0, all = json_object_array_length(browser->events);
	struct json_object *event;
	const char *name, *address;

	for (i = 0; i < all; i++) {
		event = json_object_array_get_idx(browser->events, i);
		name = json_object_get_string(at(event, "method", NULL));
		address = json_object_get_string(at(event, "params", "request",
						    "url", NULL));
		if (name == NULL || strcmp(name, method) != 0 ||
		    (address != NULL && strcmp(address, but) == 0))
			continue;
		if (count++ == 0)
			*what_r = json_object_get_string(event);
	}
	return count;
}

size_t browser_requests(const struct browser *browser, const char **what_r)
{
	*what_r = "";
	return count_events(browser, "Network.requestWillBeSent",
			    browser->address, what_r);
}

size_t browser_complaints(const struct browser *browser, const char **what_r)
{
	static const char *const methods[] = {
		"Log.entryAdded", "Runtime.consoleAPICalled",
		"Runtime.exceptionThrown", "Page.javascriptDialogOpening"
	};
	size_t i, count = 0;

	*what_r = "";
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		count += count_events(browser, methods[i], "", what_r);
	return count;
}

void browser_check_silent(const struct browser *browser)
{
	const char *what;
	size_t count;

	count = browser_requests(browser, &what);
	UNIT_CHECK(count == 0, "asks for %s", what);
	count = browser_complaints(browser, &what);
	UNIT_CHECK(count == 0, "says %s", what);
}

/*
 * Pictures
 */

static bool save_base64(const char *data, const char *path)
{
	size_t size = data == NULL ? 0 : strlen(data);
	unsigned char *bytes;
	FILE *file;
	int used;
	bool ok;

	if (!UNIT_CHECK(size > 0, "%s: the browser gave nothing", path))
		return false;
	bytes = malloc(size);
	used = EVP_DecodeBlock(bytes, (const unsigned char *)data, (int)size);
	file = fopen(path, "w");
	ok = used > 0 && file != NULL &&
		fwrite(bytes, 1, (size_t)used, file) == (size_t)used;
	if (file != NULL && fclose(file) != 0)
		ok = false;
	free(bytes);
	return UNIT_CHECK(ok, "%s can't be written", path);
}

static bool save_picture(struct browser *browser, const char *method,
			 const char *params, const char *path)
{
	struct json_object *answer = call(browser, method,
					  json_tokener_parse(params));
	bool ok = save_base64(json_object_get_string(
		at(answer, "result", "data", NULL)), path);

	json_object_put(answer);
	return ok;
}

bool browser_screenshot(struct browser *browser, const char *path)
{
	const char *size = browser_eval(browser,
		"'\"width\":' + innerWidth + ',\"height\":' + "
		"document.documentElement.scrollHeight");
	char params[160];

	snprintf(params, sizeof(params), "{\"captureBeyondViewport\":true,"
		 "\"clip\":{\"x\":0,\"y\":0,\"scale\":1,%s}}", size);
	return save_picture(browser, "Page.captureScreenshot", params, path);
}

bool browser_print(struct browser *browser, const char *path)
{
	return save_picture(browser, "Page.printToPDF",
			    "{\"paperWidth\":8.27,\"paperHeight\":11.69}", path);
}
