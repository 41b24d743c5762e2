/*
 * delay-proxy: puts a distance between loopback addresses, for the lab.
 *
 *   delay-proxy --listen HOST:PORT --connect HOST:PORT [--listen ... ]
 *               --rtt MS [--control SOCKET]
 *   delay-proxy --tell SOCKET COMMAND
 *
 * Each byte is handed on RTT/2 after it came, in each direction; a new
 * connection first waits as long as a TCP handshake would. Bandwidth isn't
 * limited. Several pairs of --listen and --connect may be given.
 *
 * Commands: stall (bytes stop, connections stay), refuse (no new
 * connections), go (ends both), cut (resets all connections), rtt MS, stats.
 * Each is answered with one line, "ok ..." or "error ...", when it is done.
 * --tell prints that line and exits with 0 for ok.
 *
 * IPv4 addresses only. Exit status: 0 after SIGTERM, 64 usage, 69 an address
 * can't be had.
 */
#define _GNU_SOURCE
#include "delay-conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define DELAY_PAIRS_MAX 16
#define DELAY_RTT_MAX_MS 60000
#define DELAY_COMMAND_MAX 64

struct delay_pair {
	struct sockaddr_in listen, connect;
	/* -1 while refusing */
	int fd;
	struct delay_watch watch;
};

struct delay_proxy {
	struct delay_net net;
	struct delay_pair pairs[DELAY_PAIRS_MAX];
	unsigned int pair_count;
	int timer_fd, control_fd, signal_fd;
	const char *control_path;
	struct delay_watch timer_watch, control_watch, signal_watch;
};

static void __attribute__((noreturn)) die(int status, const char *what)
{
	fprintf(stderr, "delay-proxy: %s: %s\n", what, strerror(errno));
	exit(status);
}

static void __attribute__((noreturn)) usage(void)
{
	fputs("usage: delay-proxy --listen HOST:PORT --connect HOST:PORT ... "
	      "--rtt MS [--control SOCKET]\n"
	      "       delay-proxy --tell SOCKET "
	      "stall|refuse|go|cut|rtt MS|stats\n", stderr);
	exit(EX_USAGE);
}

static int parse_number(const char *text, unsigned long max, unsigned long *num_r)
{
	char *end;

	errno = 0;
	*num_r = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
		*num_r <= max ? 0 : -1;
}

static int parse_address(const char *text, struct sockaddr_in *addr_r)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	unsigned long port;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		return -1;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	memset(addr_r, 0, sizeof(*addr_r));
	addr_r->sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &addr_r->sin_addr) != 1 ||
	    parse_number(colon + 1, UINT16_MAX, &port) < 0)
		return -1;
	addr_r->sin_port = htons((uint16_t)port);
	return 0;
}

static int control_address(const char *path, struct sockaddr_un *addr_r)
{
	memset(addr_r, 0, sizeof(*addr_r));
	addr_r->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr_r->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr_r->sun_path, path);
	return 0;
}

static void watch_fd(struct delay_proxy *proxy, int fd,
		     struct delay_watch *watch, enum delay_watch_kind kind,
		     void *owner)
{
	struct epoll_event event = { .events = EPOLLIN };

	watch->kind = kind;
	watch->owner = owner;
	event.data.ptr = watch;
	if (epoll_ctl(proxy->net.epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die(EX_OSERR, "epoll_ctl");
}

static int pair_listen(struct delay_proxy *proxy, struct delay_pair *pair)
{
	const int on = 1;

	pair->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (pair->fd < 0)
		return -1;
	(void)setsockopt(pair->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(pair->fd, (struct sockaddr *)&pair->listen,
		 sizeof(pair->listen)) < 0 ||
	    listen(pair->fd, 1024) < 0) {
		close(pair->fd);
		pair->fd = -1;
		return -1;
	}
	watch_fd(proxy, pair->fd, &pair->watch, DELAY_WATCH_LISTENER, pair);
	return 0;
}

static void pair_accept(struct delay_proxy *proxy, struct delay_pair *pair)
{
	int fd = accept4(pair->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		delay_conn_start(&proxy->net, fd, &pair->connect);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		die(EX_OSERR, "accept");
}

static void proxy_refuse(struct delay_proxy *proxy)
{
	for (unsigned int i = 0; i < proxy->pair_count; i++) {
		if (proxy->pairs[i].fd >= 0)
			close(proxy->pairs[i].fd);
		proxy->pairs[i].fd = -1;
	}
}

static int proxy_listen(struct delay_proxy *proxy)
{
	for (unsigned int i = 0; i < proxy->pair_count; i++) {
		if (proxy->pairs[i].fd < 0 &&
		    pair_listen(proxy, &proxy->pairs[i]) < 0)
			return -1;
	}
	return 0;
}

static int proxy_command(struct delay_proxy *proxy, const char *command)
{
	unsigned long ms;

	if (strcmp(command, "stall") == 0)
		proxy->net.stalled = true;
	else if (strcmp(command, "refuse") == 0)
		proxy_refuse(proxy);
	else if (strcmp(command, "cut") == 0)
		delay_net_cut(&proxy->net);
	else if (strcmp(command, "go") == 0) {
		proxy->net.stalled = false;
		if (proxy_listen(proxy) < 0)
			return -1;
	} else if (strncmp(command, "rtt ", 4) == 0 &&
		   parse_number(command + 4, DELAY_RTT_MAX_MS, &ms) == 0)
		proxy->net.rtt = ms * 1000000u;
	else if (strcmp(command, "stats") != 0) {
		errno = EINVAL;
		return -1;
	}
	delay_net_move(&proxy->net);
	return 0;
}

/* One connection is one command: read, done and answered in one go, because
   the sender is a test on this machine. */
static void control_accept(struct delay_proxy *proxy)
{
	char command[DELAY_COMMAND_MAX + 1];
	int fd = accept4(proxy->control_fd, NULL, NULL, SOCK_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return;
	ret = read(fd, command, DELAY_COMMAND_MAX);
	command[ret < 0 ? 0 : ret] = '\0';
	command[strcspn(command, "\r\n")] = '\0';
	if (proxy_command(proxy, command) < 0) {
		dprintf(fd, "error %s: %s\n", command, strerror(errno));
	} else {
		dprintf(fd, "ok connections=%u accepted=%"PRIu64
			" bytes=%"PRIu64" rtt_ms=%"PRIu64" stalled=%d\n",
			proxy->net.count, proxy->net.accepted,
			proxy->net.bytes, proxy->net.rtt / 1000000u,
			proxy->net.stalled ? 1 : 0);
	}
	close(fd);
}

static void control_listen(struct delay_proxy *proxy)
{
	struct sockaddr_un addr;

	proxy->control_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (proxy->control_fd < 0 ||
	    control_address(proxy->control_path, &addr) < 0 ||
	    (unlink(proxy->control_path) < 0 && errno != ENOENT) ||
	    bind(proxy->control_fd, (struct sockaddr *)&addr,
		 sizeof(addr)) < 0 ||
	    listen(proxy->control_fd, 16) < 0)
		die(EX_UNAVAILABLE, proxy->control_path);
	watch_fd(proxy, proxy->control_fd, &proxy->control_watch,
		 DELAY_WATCH_CONTROL, NULL);
}

static void timer_set(struct delay_proxy *proxy)
{
	uint64_t due = delay_net_next_due(&proxy->net);
	struct itimerspec spec = {
		.it_value = {
			.tv_sec = (time_t)(due / 1000000000u),
			.tv_nsec = (long)(due % 1000000000u),
		},
	};

	if (timerfd_settime(proxy->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0)
		die(EX_OSERR, "timerfd_settime");
}

static void timer_expired(struct delay_proxy *proxy)
{
	uint64_t expirations;

	(void)!read(proxy->timer_fd, &expirations, sizeof(expirations));
	delay_net_move(&proxy->net);
}

static void proxy_run(struct delay_proxy *proxy)
{
	struct epoll_event event;

	/* one event at a time: it may free what the next one points to */
	for (;;) {
		struct delay_watch *watch;

		if (epoll_wait(proxy->net.epoll_fd, &event, 1, -1) < 1) {
			if (errno != EINTR)
				die(EX_OSERR, "epoll_wait");
			continue;
		}
		watch = event.data.ptr;
		switch (watch->kind) {
		case DELAY_WATCH_CONN:
			delay_conn_event(watch, event.events);
			break;
		case DELAY_WATCH_LISTENER:
			pair_accept(proxy, watch->owner);
			break;
		case DELAY_WATCH_TIMER:
			timer_expired(proxy);
			break;
		case DELAY_WATCH_CONTROL:
			control_accept(proxy);
			break;
		case DELAY_WATCH_SIGNAL:
			return;
		}
		timer_set(proxy);
	}
}

static void proxy_init(struct delay_proxy *proxy)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	proxy->net.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	proxy->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	proxy->timer_fd = timerfd_create(CLOCK_MONOTONIC,
					 TFD_CLOEXEC | TFD_NONBLOCK);
	if (proxy->net.epoll_fd < 0 || proxy->signal_fd < 0 ||
	    proxy->timer_fd < 0)
		die(EX_OSERR, "start");
	watch_fd(proxy, proxy->signal_fd, &proxy->signal_watch,
		 DELAY_WATCH_SIGNAL, NULL);
	watch_fd(proxy, proxy->timer_fd, &proxy->timer_watch,
		 DELAY_WATCH_TIMER, NULL);
	if (proxy_listen(proxy) < 0)
		die(EX_UNAVAILABLE, "listen");
	if (proxy->control_path != NULL)
		control_listen(proxy);
}

static void proxy_deinit(struct delay_proxy *proxy)
{
	delay_net_cut(&proxy->net);
	proxy_refuse(proxy);
	if (proxy->control_path != NULL) {
		close(proxy->control_fd);
		(void)unlink(proxy->control_path);
	}
	close(proxy->timer_fd);
	close(proxy->signal_fd);
	close(proxy->net.epoll_fd);
}

static int tell(const char *path, char *const *words)
{
	struct sockaddr_un addr;
	char command[DELAY_COMMAND_MAX], answer[256];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t ret;

	if (words[0] == NULL)
		usage();
	snprintf(command, sizeof(command), words[1] == NULL ? "%s\n" : "%s %s\n",
		 words[0], words[1]);
	if (fd < 0 || control_address(path, &addr) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    write(fd, command, strlen(command)) < 0)
		die(EX_UNAVAILABLE, path);
	ret = read(fd, answer, sizeof(answer) - 1);
	close(fd);
	if (ret <= 0)
		die(EX_UNAVAILABLE, path);
	answer[ret] = '\0';
	fputs(answer, stdout);
	return strncmp(answer, "ok", 2) == 0 ? EX_OK : EX_UNAVAILABLE;
}

static void parse_option(struct delay_proxy *proxy, int option, const char *value)
{
	struct delay_pair *pair = &proxy->pairs[proxy->pair_count];
	unsigned long ms;

	switch (option) {
	case 'l':
		if (proxy->pair_count == DELAY_PAIRS_MAX ||
		    parse_address(value, &pair->listen) < 0)
			usage();
		pair->fd = -1;
		break;
	case 'c':
		if (proxy->pair_count == DELAY_PAIRS_MAX ||
		    pair->listen.sin_family != AF_INET ||
		    parse_address(value, &pair->connect) < 0)
			usage();
		proxy->pair_count++;
		break;
	case 'r':
		if (parse_number(value, DELAY_RTT_MAX_MS, &ms) < 0)
			usage();
		proxy->net.rtt = ms * 1000000u;
		break;
	case 's':
		proxy->control_path = value;
		break;
	default:
		usage();
	}
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "connect", required_argument, NULL, 'c' },
		{ "rtt", required_argument, NULL, 'r' },
		{ "control", required_argument, NULL, 's' },
		{ "tell", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	static struct delay_proxy proxy;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			return tell(optarg, argv + optind);
		parse_option(&proxy, option, optarg);
	}
	if (proxy.pair_count == 0 || optind != argc)
		usage();
	proxy_init(&proxy);
	proxy_run(&proxy);
	proxy_deinit(&proxy);
	return EX_OK;
}
