#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "sha2.h"
#include "str.h"
#include "message-date.h"
#include "message-header-decode.h"
#include "message-parser.h"
#include "common/arrival-tag.h"
#include "part-digest.h"
#include "mail-identity.h"

#include <ctype.h>

#define VALUE_MAX (32*1024)
/* A server removes a tag that isn't good. */
#define TAGS_MAX 8

/* Whose values are kept to the end of the headers that they are in. */
enum kept {
	KEPT_FROM,
	KEPT_DATE,
	KEPT_SUBJECT,
	KEPT_LIST_ID,
	/* the others aren't in the digest */
	KEPT_DIGESTED,
	KEPT_MESSAGE_ID = KEPT_DIGESTED,
	KEPT_CTE,
	KEPT_COUNT
};

struct scan {
	struct mail_identity *identity;
	const struct arrival_key *key;
	pool_t pool;

	/* where in the mail we are */
	struct message_part *part;
	bool in_body;
	/* the header that is being read, if it's one of ours */
	const struct header_row *row;
	buffer_t *value;
	/* of this part's headers, unfolded; empty for none */
	buffer_t *kept[KEPT_COUNT];

	struct arrival_mail *tagged_mail;
	buffer_t *tags[TAGS_MAX];
	unsigned int tag_count;

	struct part_digest *part_digest;
	struct sha256_ctx all;
};

/*
 * Values: what relays do to them is undone.
 */

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void decode_words(const buffer_t *value, buffer_t *dest)
{
	message_header_decode_utf8(value->data, value->used, dest, NULL);
}

/* Folding changes what white space there is, not where. */
static void spell_text(const buffer_t *value, buffer_t *dest)
{
	buffer_t *text = t_buffer_create(value->used + 1);
	const unsigned char *data;
	bool gap = FALSE;

	decode_words(value, text);
	data = text->data;
	for (size_t i = 0; i < text->used; i++) {
		if (is_blank(data[i])) {
			gap = dest->used > 0;
			continue;
		}
		if (gap)
			buffer_append_c(dest, ' ');
		buffer_append_c(dest, data[i]);
		gap = FALSE;
	}
}

/* Addresses and the like: quotes come and go, domains change their case. */
static void spell_words(const buffer_t *value, buffer_t *dest)
{
	buffer_t *text = t_buffer_create(value->used + 1);
	const unsigned char *data;

	decode_words(value, text);
	data = text->data;
	for (size_t i = 0; i < text->used; i++) {
		if (!is_blank(data[i]) && data[i] != '"' && data[i] != '\\')
			buffer_append_c(dest, i_tolower(data[i]));
	}
}

/* Dovecot's parsers look at the byte behind the end, and one of them panics when
   it is a comma: it must be a NUL. */
static const char *terminated(const buffer_t *value)
{
	return t_str_trim(t_strndup(value->data, value->used), " \t\r\n");
}

static bool date_parse(const buffer_t *value, time_t *date_r)
{
	const char *text = terminated(value);
	int tz_offset;

	return message_date_parse((const unsigned char *)text, strlen(text),
				  date_r, &tz_offset);
}

static void spell_date(const buffer_t *value, buffer_t *dest)
{
	time_t date;

	if (date_parse(value, &date))
		str_printfa(dest, "%"PRIdTIME_T, date);
	else
		spell_words(value, dest);
}

static void (*const spell[KEPT_DIGESTED])(const buffer_t *, buffer_t *) = {
	[KEPT_FROM] = spell_words,
	[KEPT_DATE] = spell_date,
	[KEPT_SUBJECT] = spell_text,
	[KEPT_LIST_ID] = spell_words,
};

/* Its size first, so that nothing slides from one into the next. */
static void add_framed(struct sha256_ctx *sha256, const void *data, size_t size)
{
	unsigned char bytes[8];

	cpu64_to_be_unaligned(size, bytes);
	sha256_loop(sha256, bytes, sizeof(bytes));
	sha256_loop(sha256, data, size);
}

static void
first_half(struct sha256_ctx *sha256,
	   unsigned char hash_r[MAIL_IDENTITY_HASH_SIZE])
{
	unsigned char whole[SHA256_RESULTLEN];

	sha256_result(sha256, whole);
	memcpy(hash_r, whole, MAIL_IDENTITY_HASH_SIZE);
}

/*
 * Headers
 */

struct header_row {
	const char *name;
	/* What to do with its value when all of it is there. Of those attached
	   to the mail only what is kept counts. */
	void (*end)(struct scan *scan);
	enum kept kept;
	/* the value begins with it */
	const char *word;
	bool is_signed;
};

static bool is_empty(const buffer_t *value)
{
	const unsigned char *data = value->data;

	for (size_t i = 0; i < value->used; i++) {
		if (!is_blank(data[i]))
			return FALSE;
	}
	return TRUE;
}

static void keep(struct scan *scan)
{
	buffer_t *kept = scan->kept[scan->row->kept];

	if (kept->used == 0 && !is_empty(scan->value))
		buffer_append_buf(kept, scan->value, 0, SIZE_MAX);
}

static void note_arrival(struct scan *scan)
{
	scan->identity->arrived = TRUE;
}

static void note_spam(struct scan *scan)
{
	const char *value = t_strndup(scan->value->data, scan->value->used);

	while (is_blank(*value))
		value++;
	if (strncasecmp(value, scan->row->word, strlen(scan->row->word)) == 0)
		scan->identity->spam = TRUE;
}

static void note_tag(struct scan *scan)
{
	buffer_t *tag;

	if (scan->key == NULL || scan->tag_count == TAGS_MAX ||
	    scan->value->used > ARRIVAL_VALUE_MAX)
		return;
	tag = buffer_create_dynamic(scan->pool, scan->value->used);
	buffer_append_buf(tag, scan->value, 0, SIZE_MAX);
	scan->tags[scan->tag_count++] = tag;
}

static const struct header_row header_rows[] = {
	{ "From", keep, KEPT_FROM, NULL, TRUE },
	{ "Date", keep, KEPT_DATE, NULL, TRUE },
	{ "Subject", keep, KEPT_SUBJECT, NULL, FALSE },
	{ "List-Id", keep, KEPT_LIST_ID, NULL, FALSE },
	{ "Message-ID", keep, KEPT_MESSAGE_ID, NULL, TRUE },
	{ "Content-Transfer-Encoding", keep, KEPT_CTE, NULL, FALSE },
	{ "Received", note_arrival, KEPT_COUNT, NULL, FALSE },
	{ "X-Spam-Flag", note_spam, KEPT_COUNT, "yes", FALSE },
	{ "X-Spam-Status", note_spam, KEPT_COUNT, "yes", FALSE },
	{ "X-Spam", note_spam, KEPT_COUNT, "yes", FALSE },
	{ ARRIVAL_TAG_HEADER, note_tag, KEPT_COUNT, NULL, FALSE },
};

static const struct header_row *row_find(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(header_rows); i++) {
		if (strcasecmp(name, header_rows[i].name) == 0)
			return &header_rows[i];
	}
	return NULL;
}

static void header_end(struct scan *scan)
{
	const struct header_row *row = scan->row;
	bool top = scan->part->parent == NULL;

	if (top && row->is_signed && scan->tagged_mail != NULL) {
		arrival_mail_add(scan->tagged_mail, row->name,
				 scan->value->data, scan->value->used);
	}
	if (top || row->end == keep)
		row->end(scan);
	scan->row = NULL;
}

/* A line of a header, or a piece of one that is very long. */
static void
header_more(struct scan *scan, const struct message_header_line *hdr)
{
	size_t room;

	if (!hdr->continued) {
		scan->row = row_find(hdr->name);
		buffer_set_used_size(scan->value, 0);
	}
	if (scan->row == NULL)
		return;
	room = VALUE_MAX - scan->value->used;
	buffer_append(scan->value, hdr->value, I_MIN(hdr->value_len, room));
	if (!hdr->continues)
		header_end(scan);
}

static void identify_message_id(struct scan *scan, const buffer_t *kept)
{
	struct mail_identity *identity = scan->identity;
	buffer_t *value = t_buffer_create(kept->used + 1);
	const unsigned char *data = kept->data;
	struct sha256_ctx sha256;

	for (size_t i = 0; i < kept->used; i++) {
		if (!is_blank(data[i]))
			buffer_append_c(value, data[i]);
	}
	identity->has_message_id = value->used > 0;
	if (!identity->has_message_id)
		return;
	sha256_init(&sha256);
	sha256_loop(&sha256, value->data, value->used);
	first_half(&sha256, identity->message_id);
	identity->message_id_text =
		p_strndup(scan->pool, value->data, value->used);
}

static void identify_tag(struct scan *scan, const struct arrival_tag *tag)
{
	struct mail_identity *identity = scan->identity;
	const char *at = arrival_at_name(tag->at);
	struct sha256_ctx sha256;

	sha256_init(&sha256);
	add_framed(&sha256, at, strlen(at));
	add_framed(&sha256, tag->host, strlen(tag->host));
	add_framed(&sha256, tag->id, strlen(tag->id));
	add_framed(&sha256, &tag->time, sizeof(tag->time));
	first_half(&sha256, identity->tag);
	identity->tagged = TRUE;
}

/* The first server's is the lowest one. */
static void check_tags(struct scan *scan)
{
	struct arrival_tag tag;
	const char *error;

	if (scan->tagged_mail == NULL)
		return;
	arrival_mail_end(scan->tagged_mail);
	for (unsigned int i = scan->tag_count; i > 0; i--) {
		const buffer_t *value = scan->tags[i - 1];

		if (arrival_tag_check(scan->key, value->data, value->used,
				      scan->tagged_mail, &tag,
				      &error) == ARRIVAL_VALID) {
			identify_tag(scan, &tag);
			return;
		}
	}
}

/* One value for each, "" for none. */
static void digest_headers(struct scan *scan)
{
	buffer_t *value = t_buffer_create(256);

	sha256_loop(&scan->all, "H", 1);
	for (unsigned int i = 0; i < KEPT_DIGESTED; i++) {
		buffer_set_used_size(value, 0);
		spell[i](scan->kept[i], value);
		add_framed(&scan->all, value->data, value->used);
	}
}

static bool has_digested(const struct scan *scan)
{
	for (unsigned int i = 0; i < KEPT_DIGESTED; i++) {
		if (scan->kept[i]->used > 0)
			return TRUE;
	}
	return FALSE;
}

/*
 * Parts
 */

static void headers_end(struct scan *scan)
{
	time_t date;

	if (scan->row != NULL)
		header_end(scan);
	if (scan->part->parent == NULL) {
		scan->identity->has_date =
			date_parse(scan->kept[KEPT_DATE], &date);
		identify_message_id(scan, scan->kept[KEPT_MESSAGE_ID]);
		check_tags(scan);
	}
	/* a part has none of them, and isn't a mail then */
	if (has_digested(scan))
		digest_headers(scan);
}

static enum message_cte part_cte(const struct scan *scan)
{
	const char *value = terminated(scan->kept[KEPT_CTE]);
	struct message_header_line hdr = {
		.full_value = (const unsigned char *)value,
		.full_value_len = strlen(value),
	};

	return hdr.full_value_len == 0 ? MESSAGE_CTE_78BIT :
		message_decoder_parse_cte(&hdr);
}

static void body_begin(struct scan *scan)
{
	scan->in_body = TRUE;
	part_digest_begin(scan->part_digest, part_cte(scan));
}

static void body_end(struct scan *scan)
{
	unsigned char digest[PART_DIGEST_SIZE];

	scan->in_body = FALSE;
	if (!part_digest_end(scan->part_digest, digest))
		return;
	sha256_loop(&scan->all, "B", 1);
	sha256_loop(&scan->all, digest, sizeof(digest));
}

/* The headers or the body of a part begin, which ends what was before them. */
static void enter(struct scan *scan, struct message_part *part)
{
	if (scan->in_body)
		body_end(scan);
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		buffer_set_used_size(scan->kept[i], 0);
	scan->part = part;
	scan->row = NULL;
}

static void block_more(struct scan *scan, const struct message_block *block)
{
	if (block->part != scan->part)
		enter(scan, block->part);
	if (block->hdr != NULL) {
		header_more(scan, block->hdr);
	} else if (block->size == 0) {
		headers_end(scan);
	} else {
		if (!scan->in_body)
			body_begin(scan);
		part_digest_more(scan->part_digest, block->data, block->size);
	}
}

static void scan_all(struct scan *scan, struct istream *input)
{
	static const struct message_parser_settings set = {
		.flags = MESSAGE_PARSER_FLAG_INCLUDE_MULTIPART_BLOCKS,
	};
	struct message_parser_ctx *parser =
		message_parser_init(scan->pool, input, &set);
	struct message_block block;
	struct message_part *parts;
	int ret = 1;

	while (ret > 0) T_BEGIN {
		ret = message_parser_parse_next_block(parser, &block);
		if (ret > 0)
			block_more(scan, &block);
	} T_END;
	i_assert(ret < 0);
	if (scan->in_body)
		body_end(scan);
	message_parser_deinit(&parser, &parts);
}

static void scan_init(struct scan *scan, const struct arrival_key *key,
		      struct mail_identity *identity)
{
	i_zero(scan);
	scan->identity = identity;
	scan->pool = pool_alloconly_create("mail identity", 4096);
	scan->value = buffer_create_dynamic(scan->pool, 1024);
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		scan->kept[i] = buffer_create_dynamic(scan->pool, 128);
	if (key != NULL)
		scan->tagged_mail = arrival_mail_init();
	if (scan->tagged_mail != NULL) {
		scan->key = key;
		arrival_mail_begin(scan->tagged_mail);
	}
	scan->part_digest = part_digest_init();
	sha256_init(&scan->all);
}

static void scan_deinit(struct scan *scan)
{
	part_digest_deinit(&scan->part_digest);
	arrival_mail_deinit(&scan->tagged_mail);
	pool_unref(&scan->pool);
}

int mail_identity_get(struct istream *input, const struct arrival_key *key,
		      struct mail_identity *identity_r, const char **error_r)
{
	struct scan scan;

	i_zero(identity_r);
	identity_r->message_id_text = "";
	scan_init(&scan, key, identity_r);
	scan_all(&scan, input);
	first_half(&scan.all, identity_r->digest);
	identity_r->message_id_text = t_strdup(identity_r->message_id_text);
	scan_deinit(&scan);
	if (input->stream_errno != 0) {
		*error_r = t_strdup_printf("read(%s) failed: %s",
					   i_stream_get_name(input),
					   i_stream_get_error(input));
		return -1;
	}
	return 0;
}

bool mail_identity_same(const struct mail_identity *a,
			const struct mail_identity *b)
{
	if (memcmp(a->digest, b->digest, sizeof(a->digest)) != 0)
		return FALSE;
	if (a->has_message_id && b->has_message_id) {
		return memcmp(a->message_id, b->message_id,
			      sizeof(a->message_id)) == 0;
	}
	return a->has_date;
}
