#ifndef ENGINE_UNIT_H
#define ENGINE_UNIT_H

/*
 * engine-unit: what unit tests of code on Dovecot's libraries share: the
 * libraries' life, folders to work in, numbers that look random and are the
 * same in each run.
 */

#include "lib.h"
#include "unit.h"

/* unit_run() with Dovecot's libraries, an ioloop and a data stack frame; the
   folders are removed at the end. */
int engine_unit_run(const char *suite, const struct unit_test *tests);
/* The same for who has begun the libraries himself. */
int engine_unit_run_here(const char *suite, const struct unit_test *tests);

/* Path of a new, empty folder, in the data stack. */
const char *engine_unit_dir(void);

/* Below limit. */
unsigned int engine_unit_rand(unsigned int limit);

/* Wait for a child. Returns its exit status, -1 when a signal ended it. */
int engine_unit_wait(pid_t pid);

/* The file's bytes, in the data stack. */
buffer_t *engine_unit_read(const char *path);
void engine_unit_write(const char *path, const void *data, size_t size);

#endif
