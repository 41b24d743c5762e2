#ifndef PAUSE_FILE_H
#define PAUSE_FILE_H

/*
 * pause-file: an administrator has paused the service. <dir>/paused is there as
 * long as he hasn't resumed it, so that neither a restart nor a lost ledger begins
 * anything.
 */

/* In doubt it's paused, which is logged. */
bool pause_file_exists(const char *dir);
/* Durably. Returns 0, -1 with an error. */
int pause_file_set(const char *dir, bool paused, const char **error_r);

#endif
