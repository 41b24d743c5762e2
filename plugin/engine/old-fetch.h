#ifndef OLD_FETCH_H
#define OLD_FETCH_H

/*
 * old-fetch: UID FETCH on the old server, bodies as streams.
 *
 * Each FETCH reply with a UID gives one item() call at its end. When it has a
 * body, body_begin, body_more (as the bytes arrive) and body_end come before
 * it. Everything that was asked for is known when a body begins: where the
 * server sends it behind the body, the body is spooled to a temporary file.
 * The server may show the same UID more than once (flags that change meanwhile)
 * and UIDs that weren't asked for.
 *
 * FETCH replies without a UID, or while no old_fetch is in flight, go to
 * the client's own handler (old_client_set_fetch), their bodies are skipped.
 */

#include "mail-types.h"
#include "old-client.h"

enum old_fetch_fields {
	OLD_FETCH_FLAGS = 0x01,
	/* INTERNALDATE */
	OLD_FETCH_DATE = 0x02,
	/* RFC822.SIZE */
	OLD_FETCH_SIZE = 0x04,
	OLD_FETCH_MODSEQ = 0x08,
	OLD_FETCH_BODY = 0x10,
	/* in items only: UID was there */
	OLD_FETCH_UID = 0x20,
	/* in items only: the body was NIL, no body_begin */
	OLD_FETCH_BODY_NIL = 0x40,
};

struct old_fetch_request {
	/* sequence-set of UIDs, verbatim */
	const char *uids;
	/* UID is always asked for; BODY is BODY.PEEK[section] */
	enum old_fetch_fields fields;
	/* "" or NULL: the whole message; HEADER... */
	const char *section;
	/* length > 0: BODY.PEEK[]<offset.length> */
	uint64_t offset, length;
	/* > 0: CHANGEDSINCE; with vanished also VANISHED (needs QRESYNC) */
	uint64_t changed_since;
	bool vanished;
};

struct old_fetch_item {
	/* sequence number */
	uint32_t seq;
	uint32_t uid;
	/* which of these were in the reply */
	enum old_fetch_fields fields;

	/* \Recent included when shown */
	enum mail_flags flags;
	/* NULL-terminated, never NULL when FLAGS is set */
	const char *const *keywords;
	/* UTC; tz_offset in minutes */
	time_t date;
	int tz_offset;
	uint64_t size, modseq;
	/* size of the body that came (of the part, when partial) and its <offset> */
	uint64_t body_size, body_offset;
};

struct old_fetch_handler {
	/* The reply is complete. -1: the caller has failed (it keeps why), its
	   further items and bodies are skipped. */
	int (*item)(void *context, const struct old_fetch_item *item);
	/* A body of item->body_size bytes comes. It may not be here yet:
	   i_stream_read() returns 0. The stream ends with EOF after exactly so
	   many bytes, with stream_errno when the connection breaks, can't be
	   seeked back, and may be referenced until body_end only.
	   -1: skip this body, body_end is called with an error. */
	int (*body_begin)(void *context, const struct old_fetch_item *item,
			  struct istream *body);
	/* Bytes have come: read until i_stream_read() returns 0 or -1. -1:
	   skip the rest. */
	int (*body_more)(void *context);
	/* error: NULL when the handler has read the body to its end. Called
	   exactly once for each body_begin. */
	void (*body_end)(void *context, const char *error);
	/* May be NULL. Other untagged replies while this fetch is the oldest
	   command in flight, e.g. VANISHED (EARLIER). TRUE: it was for us. */
	old_untagged_callback_t *untagged;
};

/* Queue it. The callback comes after the last item. The handler must live
   until then; its functions get the same context. */
void old_fetch_send(struct old_client *client,
		    const struct old_fetch_request *req,
		    const struct old_fetch_handler *handler,
		    old_reply_callback_t *callback, void *context);
#define old_fetch_send(client, req, handler, callback, context) \
	old_fetch_send(client, req, handler, \
		       OLD_REPLY_CALLBACK(callback, context), context)

/* Items that no old_fetch asked for; item->fields tells whether it has a UID. */
typedef void old_fetch_callback_t(const struct old_fetch_item *item,
				  void *context);
void old_client_set_fetch(struct old_client *client,
			  old_fetch_callback_t *callback, void *context);
#define old_client_set_fetch(client, callback, context) \
	old_client_set_fetch(client, \
		(1 ? (old_fetch_callback_t *)(callback) : \
		 CALLBACK_TYPECHECK(callback, void (*)( \
			const struct old_fetch_item *, typeof(context)))), \
		context)

#endif
