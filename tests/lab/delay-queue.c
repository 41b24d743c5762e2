#include "delay-queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void delay_queue_add(struct delay_queue *queue, enum delay_kind kind,
		     const void *data, size_t size, uint64_t due)
{
	struct delay_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (chunk == NULL) {
		fputs("delay-proxy: out of memory\n", stderr);
		abort();
	}
	chunk->next = NULL;
	chunk->due = due;
	chunk->kind = kind;
	chunk->size = size;
	chunk->offset = 0;
	if (size > 0)
		memcpy(chunk->data, data, size);
	if (queue->tail == NULL)
		queue->head = chunk;
	else
		queue->tail->next = chunk;
	queue->tail = chunk;
	queue->bytes += size;
}

struct delay_chunk *delay_queue_due(struct delay_queue *queue, uint64_t now)
{
	if (queue->head == NULL || queue->head->due > now)
		return NULL;
	return queue->head;
}

void delay_queue_skip(struct delay_queue *queue, size_t size)
{
	struct delay_chunk *chunk = queue->head;

	chunk->offset += size;
	queue->bytes -= size;
	if (chunk->offset < chunk->size)
		return;
	queue->head = chunk->next;
	if (queue->head == NULL)
		queue->tail = NULL;
	free(chunk);
}

void delay_queue_free(struct delay_queue *queue)
{
	while (queue->head != NULL) {
		struct delay_chunk *chunk = queue->head;

		delay_queue_skip(queue, chunk->size - chunk->offset);
	}
}
