/*
 * config-values: single values of settings, from text
 *
 * Each returns NULL, or what is wrong with the text: static. Nothing is set then.
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <sys/types.h>

/* A whole decimal number. */
const char *config_number(const char *text, unsigned int min,
			  unsigned int max, unsigned int *number_r);
/* Three or four octal digits. */
const char *config_umask(const char *text, mode_t *umask_r);
/* "mail", "daemon", "user", "local0" to "local7"; LOG_... */
const char *config_facility(const char *text, int *facility_r);
/* inet:port@host, inet6:port@host, local:/path or unix:/path */
const char *config_socket(const char *text);
/* A name that can stand in a tag. */
const char *config_host(const char *text);
const char *config_path(const char *text);

#endif
