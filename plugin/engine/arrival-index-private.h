#ifndef ARRIVAL_INDEX_PRIVATE_H
#define ARRIVAL_INDEX_PRIVATE_H

/*
 * arrival-index-private: what its files share. arrival-index.c: its life and its
 * answers; arrival-index-note.c: what mailboxes have; arrival-index-forget.c:
 * what they don't have any more.
 */

#include "mail-storage.h"
#include "arrival-index.h"
#include "arrival-noted.h"
#include "arrival-records.h"

struct arrival_index {
	struct migration_user *muser;
	/* NULL: tags aren't believed */
	struct arrival_key *key;
	struct arrival_noted noted;
	bool noted_changed;
	/* NULL: not needed yet */
	struct arrival_records *records;
};

/* Returns 0 when the records are there, -1 with an error. */
int arrival_index_need_records(struct arrival_index *index,
			       const char **error_r);
void arrival_index_record_init(struct arrival_record *record,
			       const char *vname, const guid_128_t guid,
			       const struct mail_identity *identity);

/* Look which messages are gone, and forget those that have been for long: the
   records' file is replaced. Returns 0, -1 with an error. */
int arrival_index_forget_gone(struct arrival_index *index,
			      const char **error_r);

/* What the mailbox' last error says; whether it is that there's none. */
void arrival_index_box_error(struct mailbox *box, const char **error_r);
bool arrival_index_box_is_gone(struct mailbox *box);

#endif
