#ifndef SDBOX_STRAYS_H
#define SDBOX_STRAYS_H

/*
 * sdbox-strays: files of messages that a killed process was just about to add
 * to an sdbox: they have their UIDs in their names, but the index doesn't know
 * them. The next save takes such a UID, finds the file, and gives up until all
 * of the mailbox is read anew.
 */

struct mailbox;

/* The mailbox is open, and may be written to by others. One that isn't sdbox
   has none. Returns 0, -1 with an error. */
int sdbox_strays_remove(struct mailbox *box, const char **error_r);

#endif
