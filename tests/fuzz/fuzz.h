/*
 * fuzz: what a fuzz target is
 *
 * Each fuzz-NAME.c is one target: it takes any bytes and aborts when something
 * doesn't hold. libFuzzer calls it with inputs of its own making (`make fuzz`),
 * replay.c with the corpus in the tree (`make check`, any compiler).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's name for it; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With fuzz-lines.c a target has this instead: a line, without its end. */
void fuzz_line(const char *line);

#define FUZZ_CHECK(ok) do { \
	if (!(ok)) { \
		fprintf(stderr, "%s:%d: doesn't hold: %s\n", __FILE__, \
			__LINE__, #ok); \
		abort(); \
	} \
} while (0)

#endif
