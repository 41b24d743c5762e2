#ifndef SERVICE_TEXT_H
#define SERVICE_TEXT_H

/*
 * service-text: how far the service is, as text: what matters first.
 */

#include <stdint.h>
#include <stdio.h>

struct service_picture;

struct service_text_options {
	/* how many lines there may be, at least 10; 0: as many as it takes */
	unsigned int rows;
	/* unix seconds */
	int64_t now;
};

/* Widths are those of the locale's characters (common/text-table.h). */
void service_text_write(const struct service_picture *picture,
			const struct service_text_options *options, FILE *out);

#endif
