#include "demo-progress.h"
#include "process.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_EVERY_MS 200
#define SAY_EVERY_MS 5000
#define BAR_CELLS 10

static struct {
	struct demo *demo;
	pthread_mutex_t mutex;
	bool terminal;
	uint64_t started, drawn;
	const char *phase;
	/* Lines of the display on the screen. */
	unsigned int lines;
} progress = { .mutex = PTHREAD_MUTEX_INITIALIZER, .phase = "" };

void demo_progress_init(struct demo *demo)
{
	progress.demo = demo;
	progress.terminal = isatty(STDOUT_FILENO) == 1;
	progress.started = progress.drawn = now_ms();
	setvbuf(stdout, NULL, _IOFBF, 16384);
}

/* Takes the display off the screen. */
static void hide(void)
{
	for (; progress.lines > 0; progress.lines--)
		fputs("\033[A\033[K", stdout);
}

void demo_progress_deinit(void)
{
	pthread_mutex_lock(&progress.mutex);
	hide();
	fflush(stdout);
	progress.demo = NULL;
	pthread_mutex_unlock(&progress.mutex);
}

static unsigned int seconds(void)
{
	return (unsigned int)((now_ms() - progress.started) / 1000);
}

static void draw_bar(const struct demo_user *user, char *bar)
{
	unsigned int cells = user->total == 0 ? 0 :
		user->filled * BAR_CELLS / user->total;

	memset(bar, '.', BAR_CELLS);
	memset(bar, '#', cells > BAR_CELLS ? BAR_CELLS : cells);
	bar[BAR_CELLS] = '\0';
}

static const char *state_of(const struct demo_user *user)
{
	if (user->is_cut_over)
		return "local";
	if (user->filling)
		return "filling";
	return user->mirrored_mailboxes > 0 ? "mirrored" :
		user->filled > 0 ? "filled" : "remote";
}

static void draw_user(const struct demo_user *user)
{
	char bar[BAR_CELLS + 1], line[160];

	draw_bar(user, bar);
	snprintf(line, sizeof(line), "%-14s %-8s [%s] %5u/%-5u  "
		 "client %4u  bye %u  mail %3u", user->label,
		 state_of(user), bar, user->filled, user->total,
		 user->client.writes,
		 user->client.reconnects + user->watcher.reconnects,
		 user->delivery.writes);
	printf("%.79s\n", line);
	progress.lines++;
}

static void draw(void)
{
	char line[200];
	unsigned int i;

	hide();
	/* a line that wraps would be two */
	snprintf(line, sizeof(line), "%3u:%02u  %s", seconds() / 60,
		 seconds() % 60, progress.phase);
	printf("%.79s\n", line);
	progress.lines++;
	for (i = 0; i < progress.demo->user_count; i++)
		draw_user(&progress.demo->users[i]);
}

/* Without a terminal. */
static void say_state(void)
{
	const struct demo_user *user;
	unsigned int i, filled = 0, messages = 0, writes = 0, deliveries = 0;

	for (i = 0; i < progress.demo->user_count; i++) {
		user = &progress.demo->users[i];
		filled += user->filled;
		messages += user->total;
		writes += user->client.writes;
		deliveries += user->delivery.writes;
	}
	printf("%3u:%02u  %s", seconds() / 60, seconds() % 60,
	       progress.phase);
	if (progress.demo->user_count > 0)
		printf(": %u of %u messages", filled, messages);
	if (writes > 0) {
		printf(", %u writes by clients, %u deliveries", writes,
		       deliveries);
	}
	putchar('\n');
}

void demo_progress_tick(void)
{
	uint64_t now = now_ms();

	pthread_mutex_lock(&progress.mutex);
	if (progress.demo != NULL && now - progress.drawn >=
	    (progress.terminal ? DRAW_EVERY_MS : SAY_EVERY_MS)) {
		progress.drawn = now;
		if (progress.terminal)
			draw();
		else
			say_state();
		fflush(stdout);
	}
	pthread_mutex_unlock(&progress.mutex);
}

void demo_progress_phase(const char *phase)
{
	pthread_mutex_lock(&progress.mutex);
	progress.phase = phase;
	pthread_mutex_unlock(&progress.mutex);
	demo_say("%s", phase);
}

void demo_say(const char *fmt, ...)
{
	va_list args;

	pthread_mutex_lock(&progress.mutex);
	hide();
	if (progress.demo != NULL)
		printf("%3u:%02u  ", seconds() / 60, seconds() % 60);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	progress.drawn = now_ms();
	if (progress.terminal && progress.demo != NULL &&
	    progress.demo->user_count > 0)
		draw();
	fflush(stdout);
	pthread_mutex_unlock(&progress.mutex);
}
