/*
 * options: what the programs' options have in common
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

/* The number, which must be between these two; else ends the program through
   usage(). */
uint64_t option_number(const char *str, uint64_t min, uint64_t max,
		       void (*usage)(void));

#endif
