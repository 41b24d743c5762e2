/*
 * imap-client-private: the client's inside, shared by its files
 *
 * imap-client.c sends and waits; imap-read.c reads and files what comes in.
 */
#ifndef IMAP_CLIENT_PRIVATE_H
#define IMAP_CLIENT_PRIVATE_H

#include "imap-client.h"

#define MAX_CAPABILITIES 8192

/* The answer to a command that nobody waited for yet. */
struct answer {
	struct answer *next;
	unsigned int tag;
	struct imap_response *resp;
};

struct imap_client {
	struct net_line *conn;
	unsigned int last_tag;
	char capabilities[MAX_CAPABILITIES];

	struct imap_response *first, **last;
	struct answer *answers;
	/* What imap_reply() points into. */
	struct imap_response *replied;
	struct imap_reply reply;
	bool lost, continued, idling;
	unsigned int idle_tag;
	uint32_t exists;
	char bye[256];

	imap_untagged_t *callback;
	void *callback_context;
	imap_body_sink_t *sink;
	uint64_t sink_min;
	void *sink_context;
	/* A command was refused in the middle. */
	bool refused;
};

/* Makes the connection's failure the last answer. Returns IMAP_LOST. */
enum imap_status imap_lose(struct imap_client *client);
/* Reads and files one response; a tagged one becomes the first answer. */
int imap_read_one(struct imap_client *client);
/* NULL when that tag's answer didn't come yet. */
struct answer **imap_find_answer(struct imap_client *client, unsigned int tag);
/* Makes it the reply, and takes it out of the list. */
enum imap_status
imap_take_answer(struct imap_client *client, struct answer **answer);

#endif
