#ifndef ARRIVAL_RECORDS_H
#define ARRIVAL_RECORDS_H

/*
 * arrival-records: the records of an arrival-index, on disk and in memory.
 *
 * <migration_dir>/arrivals/mails: a header and records of fixed size, appended,
 * each with a checksum. Of those with one GUID the last counts. Whatever follows
 * the last good one (a crash, a power cut) is cut off. Some 120 bytes of memory
 * for a record; finding one is a matter of its hash, however many have it.
 */

#include "mail-identity.h"

enum arrival_record_flags {
	ARRIVAL_RECORD_MESSAGE_ID = 0x01,
	ARRIVAL_RECORD_DATE = 0x02,
	ARRIVAL_RECORD_ARRIVED = 0x04,
	ARRIVAL_RECORD_TAGGED = 0x08,
};

#define ARRIVAL_RECORD_SHORT 8

struct arrival_record {
	/* as in struct mail_identity */
	unsigned char digest[MAIL_IDENTITY_HASH_SIZE];
	unsigned char tag[MAIL_IDENTITY_HASH_SIZE];
	unsigned char message_id[MAIL_IDENTITY_HASH_SIZE];
	guid_128_t guid;
	/* the beginnings of SHA-256 of the mailbox's name, and of the mailbox's
	   GUID: zeros when the message wasn't seen in one yet */
	unsigned char vname[ARRIVAL_RECORD_SHORT];
	unsigned char box[ARRIVAL_RECORD_SHORT];
	uint32_t uid;
	/* unix seconds since when the message is known to be gone, 0: it isn't */
	uint32_t gone;
	/* enum arrival_record_flags */
	uint32_t flags;
	/* of what is above */
	uint32_t crc;
};

enum arrival_field {
	ARRIVAL_FIELD_GUID,
	ARRIVAL_FIELD_DIGEST,
	/* only of those that have a tag */
	ARRIVAL_FIELD_TAG,
	ARRIVAL_FIELD_COUNT
};

struct arrival_records;

/* Returns 0, -1 with an error. A file that isn't one of ours is begun anew. */
int arrival_records_open(const char *dir, struct arrival_records **records_r,
			 const char **error_r);
/* What arrival_records_generation() and _in_file() would be, without reading
   them; 0 both when there is no file. Returns 0, -1 with an error. */
int arrival_records_peek(const char *dir, uint64_t *generation_r,
			 uint32_t *in_file_r, const char **error_r);
void arrival_records_close(struct arrival_records **records);

/* The number that a file got when it was made; how many records it has, those
   included that don't count any more. */
uint64_t arrival_records_generation(const struct arrival_records *records);
uint32_t arrival_records_in_file(const struct arrival_records *records);

/* Those that count, 0 to count - 1. */
uint32_t arrival_records_count(const struct arrival_records *records);
const struct arrival_record *
arrival_records_get(const struct arrival_records *records, uint32_t idx);
/* The next of that field's value; *iter is 0 at first. NULL: no more. */
const struct arrival_record *
arrival_records_find(const struct arrival_records *records,
		     enum arrival_field field, const void *value,
		     uint32_t *iter);

/* In place of the one with its GUID, if there is one. */
void arrival_records_put(struct arrival_records *records,
			 const struct arrival_record *record);
/* What was put becomes durable. Returns 0, -1 with an error. */
int arrival_records_sync(struct arrival_records *records,
			 const char **error_r);

/* Keep those alone for which it says so; it may change their `gone`. The file is
   replaced durably, and is of another generation. Returns 0, -1 with an error. */
int arrival_records_filter(struct arrival_records *records,
			   bool (*keep)(struct arrival_record *record,
					void *context),
			   void *context, const char **error_r);

#endif
