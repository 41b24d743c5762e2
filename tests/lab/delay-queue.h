#ifndef DELAY_QUEUE_H
#define DELAY_QUEUE_H

/*
 * delay-queue: bytes on their way, each with the time at which it is due.
 *
 * One queue is one direction of one connection. What is put in comes out in
 * the same order, never before it is due. The end of the stream and a reset
 * travel through the queue as the bytes do, so that they don't overtake them.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. The queue owns copies of the
 * bytes. Memory that can't be had ends the process.
 */

#include <stddef.h>
#include <stdint.h>

enum delay_kind {
	DELAY_DATA,
	DELAY_FIN,
	DELAY_RESET,
};

struct delay_chunk {
	struct delay_chunk *next;
	uint64_t due;
	enum delay_kind kind;
	size_t size, offset;
	unsigned char data[];
};

struct delay_queue {
	struct delay_chunk *head, *tail;
	size_t bytes;
};

/* Append a copy of the bytes; FIN and RESET have none. */
void delay_queue_add(struct delay_queue *queue, enum delay_kind kind,
		     const void *data, size_t size, uint64_t due);
/* The first chunk if it is due by now, else NULL. */
struct delay_chunk *delay_queue_due(struct delay_queue *queue, uint64_t now);
/* Take so many bytes off the first chunk, and the chunk when it is empty. */
void delay_queue_skip(struct delay_queue *queue, size_t size);
void delay_queue_free(struct delay_queue *queue);

#endif
