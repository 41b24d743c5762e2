/*
 * bench: what the parts of the bench share
 *
 * A part measures one thing, most of them in a lab that they bring up
 * (bench-lab.h), and prints lines "bench: part=NAME key=value ..." to stdout.
 * bench.c runs it in a child and ends the lab, whatever becomes of the child: so
 * a part that can't go on just says why and exits (bench_fail()). A result that
 * isn't right is such a failure, since a tool that copied nothing isn't fast.
 */
#ifndef BENCH_H
#define BENCH_H

#include "bench-corpus.h"

struct lab;

/* Which sockets: bits. */
enum bench_socket {
	BENCH_UNIX = 1,
	BENCH_INET = 2
};

struct bench {
	const char *part, *corpus, *store;
	enum corpus_set corpus_set;
	enum bench_layout layout;
	unsigned int rtt_ms, messages, runs, users, writers, idlers, port_base;
	/* The old server speaks TLS from the first byte: where bench_lab_tls()
	   was called. */
	bool tls;
	/* Names of copy_tools that are to run, with commas; NULL for all. */
	const char *tools;
	/* Mailboxes aren't mirrored when they are filled. */
	bool proxied;
	/* Part milter: enum bench_socket; mails to watch the memory over, or 0. */
	unsigned int sockets, soak;
	/* For a part's own files: removed in the end with all that is in it. */
	const char *folder;
	/* The lab's folder, which doesn't exist before bench_lab_up(). */
	const char *dir;
	struct lab *lab;
};

struct bench_part {
	const char *name;
	void (*run)(struct bench *bench);
	/* It brings up no lab and doesn't need root. */
	bool without_lab;
	/* It has mail by bench_corpus_up(), in any layout, and can do TLS. */
	bool any_layout;
	/* What they are when not given. */
	unsigned int runs, messages_small, messages_medium;
};

extern const struct bench_part bench_catchup, bench_cutover, bench_fill,
	bench_milter, bench_mirror, bench_proxy, bench_report, bench_verify;

/* Says why and ends the child. */
void bench_fail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* A word about what is going on, to stderr. */
void bench_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
