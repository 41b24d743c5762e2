/*
 * report-log: what a syslog file says in report lines, and what Postfix's says of
 * deliveries
 *
 * Files are read from their beginning each time. One that can't be read has
 * nothing.
 */
#ifndef REPORT_LOG_H
#define REPORT_LOG_H

/* How many report lines there are with that event, and with that value of a key
   unless key is NULL. Lines that break the grammar don't count. */
unsigned int report_log_count(const char *path, const char *event,
			      const char *key, const char *value);

/* The same for several keys: "user=user1 ok=yes"; values have no spaces. */
unsigned int report_log_matches(const char *path, const char *event,
				const char *keys);
/* The value of a key on the last of these lines, "" when there's none. Static. */
const char *report_log_value(const char *path, const char *event,
			     const char *keys, const char *key);

/* How many of the lines about deliveries to the recipient have that status
   ("sent", "deferred", "bounced"). */
unsigned int postfix_log_count(const char *path, const char *recipient,
			       const char *status);

#endif
