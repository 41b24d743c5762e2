/*
 * lab: the two-server lab for a test program
 *
 * Runs `quickstart lab up`, which needs root, and reads `lab env`. The script
 * is $QUICKSTART, else the source tree's; the build tree is told to it as
 * LAB_BUILD.
 */
#ifndef LAB_H
#define LAB_H

#include <stddef.h>

/* The exit status of a lab that this machine can't have. */
#define LAB_UNSUPPORTED 77

struct lab;

struct lab_options {
	/* An absolute path that doesn't exist yet, or a lab's. */
	const char *dir;
	unsigned int port_base;
	/* More words for `lab up`, ended by NULL; may be NULL itself. */
	const char *const *args;
	unsigned int timeout_ms;
};

/* The script; sets LAB_BUILD for it, so the first time it's asked for must be
   before there are threads. */
const char *lab_script(void);

/* 0; 1 when this machine can't have it (LAB_UNSUPPORTED); -1. *error_r is the
   end of what the script said, static. */
int lab_up(const struct lab_options *options, struct lab **lab_r,
	   const char **error_r);
/* A lab that somebody else brought up. */
int lab_attach(const char *dir, struct lab **lab_r, const char **error_r);
/* Ends it and removes its folder; *lab becomes NULL. NULL is fine. */
int lab_down(struct lab **lab, const char **error_r);
/* Only forgets it. */
void lab_free(struct lab **lab);

/* The value of a key of `lab env`; "" for one that it hasn't. Valid until the
   next reload. */
const char *lab_get(const struct lab *lab, const char *key);
/* The n-th of USERS, from 0; NULL after the last. */
const char *lab_user(const struct lab *lab, unsigned int n);
/* `lab WORDS...`, as "new", "restart"; reloads the keys. */
int lab_command(struct lab *lab, const char *const *words,
		unsigned int timeout_ms, const char **error_r);
int lab_reload(struct lab *lab, const char **error_r);

#endif
